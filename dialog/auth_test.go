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
	zeros := func(l *Login) { l.Credentials.Rand = strings.NewReader(strings.Repeat("\x00", 99)) }
	inPlain, inScram := b64("\x00alice\x00wonderland"), b64("n,,n=alice,r=AAAAAAAAAAAAAAAAAAAAAAAA")
	long := strings.Repeat("QUFB", 12288/4+1)
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
		{name: "cancelled and still asked", opt: alice(optional), script: offers("LOGIN") + "C: AUTH LOGIN\nS: 334 ???\nC: *\nS: 334 VXNlcm5hbWU6\n", want: "error login broken auth"},
		{name: "cancelled by 421", opt: alice(optional), script: offers("LOGIN") + "C: AUTH LOGIN\nS: 334 ???\nC: *\nS: 421 bye\n", want: "error refusal 421 auth"},
		{name: "354 is not 334", opt: alice(), script: offers("PLAIN") + "C: AUTH PLAIN " + inPlain + "\nS: 354 go\n" + bye, want: "error login broken auth", shows: "neither 235"},
		{name: "220 is not 235", opt: alice(optional), script: offers("PLAIN") + "C: AUTH PLAIN " + inPlain + "\nS: 220 mx.test\n" + bye, want: "error login broken auth", shows: "neither 235"},
		{name: "yes to half of SCRAM", opt: alice(zeros), script: offers("SCRAM-SHA-256") + "C: AUTH SCRAM-SHA-256 " + inScram + "\nS: 235 ok\n" + bye, want: "error login broken auth", shows: "did not prove that it knows the password"},
		{name: "yes before the challenge", opt: alice(), script: offers("CRAM-MD5") + "C: AUTH CRAM-MD5\nS: 235 ok\n" + bye, want: "error login broken auth", shows: "before it has sent a challenge"},
		{name: "yes and more", opt: alice(), script: offers("PLAIN") + "C: AUTH PLAIN " + inPlain + "\nS: 235 ok\nS: 250 surplus\n", want: "error protocol auth", shows: "before its command"},
		{name: "two challenges at once", opt: alice(), script: offers("LOGIN") + "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nS: 334 UGFzc3dvcmQ6\n", want: "error protocol auth"},
		{name: "a challenge of lines", opt: alice(), script: offers("LOGIN") + "C: AUTH LOGIN\nS: 334-VXNlcm5hbWU6\nS: 334 VXNlcm5hbWU6\nC: *\nS: 501 ok\n" + bye, want: "error login broken auth", shows: "more lines than one"},
		{name: "a challenge of 8 KiB", opt: alice(), script: offers("LOGIN") + "C: AUTH LOGIN\nS: 334 " + long[:maxReplyLine-8] + "\nC: YWxpY2U=\nS: 334\nC: d29uZGVybGFuZA==\nS: 235 ok\n" + bye},
		{name: "a challenge of 12 KiB", opt: alice(), script: offers("LOGIN") + "C: AUTH LOGIN\nS: 334 " + long + "\n", want: "error protocol auth", shows: "over 8192 bytes"},
		{name: "a challenge of 100 KB", opt: alice(), script: offers("SCRAM-SHA-256") + "C> 14\nS: 334 " + strings.Repeat(long, 8) + "\nS! idle\n", want: "error protocol auth"},
		{name: "a challenge with NUL and ESC", opt: alice(), script: offers("LOGIN") + "C: AUTH LOGIN\nS: 334 " + b64("\x00\x1b[31m") + "\nC: YWxpY2U=\nS| 334 \x1b[31m\x00\\r\\n\nC: *\nS: 501 ok\n" + bye, want: "error login broken auth", shows: "not base64"},
		{name: "a challenge that is not UTF-8", opt: alice(), script: offers("CRAM-MD5") + "C: AUTH CRAM-MD5\nS: 334 \xff\xfe\nC: *\nS: 501 ok\n" + bye, want: "error login broken auth", shows: "not base64"},
		{name: "AUTH without a mechanism", opt: alice(), script: offers("") + bye, want: "error login no mechanism auth", shows: "without a mechanism"},
		{name: "listed twice, and small", opt: alice(), script: offers("plain PLAIN login") + "C: AUTH PLAIN " + inPlain + "\nS: 534 no\nC: AUTH LOGIN\nS: 504 no\n" + bye, want: "error login refused auth"},
		{name: "lost behind a challenge", opt: alice(), script: offers("LOGIN") + "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: YWxpY2U=\nS! close\n", want: "error lost auth"},
		{name: "lost within a challenge", opt: alice(), script: offers("LOGIN") + "C: AUTH LOGIN\nS| 334 VXNlc\nS! close\n", want: "error lost auth"},
		{name: "no answer", opt: func(o *Options) { alice(optional)(o); o.Timeouts.Reply = 50e6 }, script: offers("PLAIN") + "C: AUTH PLAIN " + inPlain + "\nS! idle\n", want: "error timeout auth"},
		{name: "the challenge repeats the password", opt: alice(only("PLAIN", "CRAM-MD5")), script: offers("PLAIN CRAM-MD5") + "C: AUTH PLAIN " + inPlain + "\nS: 535 no\nC: AUTH CRAM-MD5\nS: 334 " +
			b64("%57onderland") + "\nC> 54\nS: 535 no\n" + bye, want: "error login refused auth", shows: "repeated the password"},
		{name: "echoed over lines", opt: alice(), script: offers("PLAIN") + "C: AUTH PLAIN " + inPlain + "\nS: 535-5.7.8 wonder\nS: 535 5.7.8 land\n" + bye, want: "error login refused auth", shows: "repeated the password"},
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
