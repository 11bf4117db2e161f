package dialog

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/ehlo-mail/ehlo/dialog/sasl"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

func alice(change ...func(*Login)) func(*Options) {
	return func(o *Options) {
		o.Login = &Login{
			Credentials: sasl.Credentials{User: "alice", Password: transcript.NewSecret("wonderland")},
			Cleartext:   true,
		}
		for _, c := range change {
			c(o.Login)
		}
	}
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// TestAuth: what is said and heard in a login, and what comes of it.
func TestAuth(t *testing.T) {
	offers := func(mechanisms string) string { return greet + "S: 250-mx.test\nS: 250 AUTH " + mechanisms + "\n" }
	only := func(names ...string) func(*Login) { return func(l *Login) { l.Mechanisms = names } }
	optional := func(l *Login) { l.Optional = true }
	plan := func() Plan { return Plan{Greet(), Hello(), Auth(), Quit()} }
	inPlain := b64("\x00alice\x00wonderland")
	list := []dialogue{
		{name: "no login wanted", opt: func(*Options) {}, script: offers("PLAIN") + bye},
		{name: "PLAIN", opt: alice(), script: offers("PLAIN LOGIN") + "C: AUTH PLAIN " + inPlain + "\nS: 235 ok\n" + bye},
		{name: "LOGIN", opt: alice(), script: offers("LOGIN") + "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: YWxpY2U=\nS: 334 UGFzc3dvcmQ6\nC: d29uZGVybGFuZA==\nS: 235 ok\n" + bye},
		{name: "CRAM-MD5", opt: func(o *Options) {
			alice()(o)
			o.Login.Credentials.User, o.Login.Credentials.Password = "tim", transcript.NewSecret("tanstaaftanstaaf")
		}, script: offers("CRAM-MD5") + "C: AUTH CRAM-MD5\nS: 334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+\n" +
			"C: dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw\nS: 235 ok\n" + bye},
		{name: "the strongest is chosen", opt: alice(), script: offers("LOGIN PLAIN CRAM-MD5") + "C: AUTH CRAM-MD5\nS: 504 no\nC: AUTH PLAIN " + inPlain + "\nS: 235 ok\n" + bye},
		{name: "the old form", opt: alice(), script: greet + "S: 250-mx.test\nS: 250 AUTH=PLAIN\nC: AUTH PLAIN " + inPlain + "\nS: 235 ok\n" + bye},
		{name: "asked for, not offered", opt: alice(only("plain")), script: plain + "C: AUTH PLAIN " + inPlain + "\nS: 235 ok\n" + bye},
		{name: "a list in its order", opt: alice(only("LOGIN", "PLAIN")), script: offers("PLAIN") + "C: AUTH LOGIN\nS: 535 no\nC: AUTH PLAIN " + inPlain + "\nS: 235 ok\n" + bye},
		{name: "no initial response fits into 512 octets", opt: func(o *Options) {
			alice()(o)
			o.Login.Credentials.Password = transcript.NewSecret(strings.Repeat("p", 400))
		}, script: offers("PLAIN") + "C: AUTH PLAIN\nS: 334 \nC: " + b64("\x00alice\x00"+strings.Repeat("p", 400)) + "\nS: 235 ok\n" + bye},

		{name: "refused", opt: alice(), script: offers("PLAIN") + "C: AUTH PLAIN " + inPlain + "\nS: 535 5.7.8 no\n" + bye, want: "error login refused auth"},
		{name: "refused once by a proof, once by the password", opt: alice(), script: offers("CRAM-MD5 PLAIN LOGIN") +
			"C: AUTH CRAM-MD5\nS: 535 no\nC: AUTH PLAIN " + inPlain + "\nS: 535 no\n" + bye, want: "error login refused auth"},
		{name: "optional, refused", opt: alice(optional), script: offers("PLAIN") + "C: AUTH PLAIN " + inPlain + "\nS: 454 later\n" + bye, shows: "going on without a login"},
		{name: "optional, not offered", opt: alice(optional), script: plain + bye, shows: "going on without a login"},
		{name: "not offered", opt: alice(), script: plain + bye, want: "error login not offered auth", shows: "does not offer AUTH"},
		{name: "none that is known", opt: alice(), script: offers("GSSAPI X-FOO") + bye, want: "error login no mechanism auth", shows: "GSSAPI X-FOO"},
		{name: "none that the credentials fit", opt: alice(), script: offers("XOAUTH2") + bye, want: "error login no mechanism auth", shows: "XOAUTH2 needs"},
		{name: "ANONYMOUS is no login for a user", opt: alice(), script: offers("ANONYMOUS") + bye, want: "error login no mechanism auth"},
		{name: "in the clear", opt: alice(func(l *Login) { l.Cleartext = false }), script: offers("PLAIN") + bye, want: "error login clear auth", shows: "not encrypted"},

		{name: "challenge not base64", opt: alice(), script: offers("LOGIN") + "C: AUTH LOGIN\nS: 334 ???\nC: *\nS: 501 cancelled\n" + bye, want: "error login broken auth", shows: "not base64"},
		{name: "challenges without end", opt: alice(only("ANONYMOUS")), script: offers("ANONYMOUS") + "C: AUTH ANONYMOUS " + b64("alice") + "\nS: 334 \nC: *\nS: 501 ok\n" + bye, want: "error login broken auth"},
		{name: "one challenge too many", opt: alice(), script: offers("PLAIN") + "C: AUTH PLAIN " + inPlain + "\nS: 334 bW9yZQ==\nC: *\nS: 501 ok\n" + bye, want: "error login broken auth"},
		{name: "content without the password", opt: alice(), script: offers("LOGIN PLAIN") + "C: AUTH PLAIN " + inPlain + "\nS: 535 no\n" + bye, want: "error login refused auth"},
		{name: "LOGIN says yes to nothing", opt: alice(), script: offers("LOGIN") + "C: AUTH LOGIN\nS: 235 ok\n" + bye, want: "error login broken auth", shows: "before it has asked"},
		{name: "250 is not 235", opt: alice(), script: offers("PLAIN") + "C: AUTH PLAIN " + inPlain + "\nS: 250 ok\n" + bye, want: "error login broken auth", shows: "neither 235"},
		{name: "cancelled and still asked", opt: alice(optional), script: offers("LOGIN") + "C: AUTH LOGIN\nS: 334 ???\nC: *\nS: 334 VXNlcm5hbWU6\n" + bye, want: "error login broken auth"},
		{name: "goodbye", opt: alice(optional), script: offers("PLAIN") + "C: AUTH PLAIN " + inPlain + "\nS: 421 bye\n", want: "error refusal 421 auth"},
		{name: "lost", opt: alice(), script: offers("PLAIN") + "C: AUTH PLAIN " + inPlain + "\nS! close\n", want: "error lost auth"},
		{name: "stopped before", opt: func(o *Options) { alice()(o); o.Stop = &Stop{After: PhaseHello} }, script: offers("PLAIN") + bye, want: "stopped"},
		{name: "stopped behind", opt: func(o *Options) { alice()(o); o.Stop = &Stop{After: PhaseAuth} }, script: offers("PLAIN") + "C: AUTH PLAIN " + inPlain + "\nS: 235 ok\n" + bye},

		{name: "echoed", opt: alice(), script: offers("PLAIN") + "C: AUTH PLAIN " + inPlain + "\nS: 535 alice wonderland d29uZGVybGFuZA==\n" + bye, want: "error login refused auth", shows: "repeated the password"},
	}
	for i := range list {
		list[i].plan = plan()
	}
	play(t, list)
}

// TestAuthProven: under TLS the server must have proved its name.
func TestAuthProven(t *testing.T) {
	start := greet + "S: 250-mx.test\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nS! tls\nC: EHLO c.test\nS: 250-mx.test\nS: 250 AUTH PLAIN\n"
	login := "C: AUTH PLAIN " + b64("\x00alice\x00wonderland") + "\nS: 235 ok\n"
	with := func(roots bool, change ...func(*Login)) func(*Options) {
		return func(o *Options) {
			alice(change...)(o)
			o.Login.Cleartext, o.TLS.Policy = false, PolicyMust
			if roots {
				o.TLS.Roots = testRoots()
			}
		}
	}
	list := []dialogue{
		{name: "proven", opt: with(true), script: start + login + bye},
		{name: "unproven", opt: with(false), script: start + bye, want: "error login unproven auth", shows: "does not prove mx.test"},
		{name: "unproven, allowed", opt: with(false, func(l *Login) { l.Unverified = true }), script: start + login + bye},
	}
	for i := range list {
		list[i].plan = Plan{Greet(), Hello(), StartTLS(), Auth(), Quit()}
	}
	play(t, list)
}
