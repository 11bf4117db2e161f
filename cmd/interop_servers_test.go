package cmd_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every feature that ehlo has for a message's way, at every server: the table of
// docs/interop.md.

// post is a server of that table.
type post struct {
	peer
	name     string
	pack     string // its package
	target   string // in the clear until STARTTLS
	lmtp     bool
	x        string   // where XCLIENT and its like are offered
	proxy    string   // where a header of the PROXY protocol comes first
	versions string   // of that header
	log      string   // where the client's address is seen, if not in the message
	mechs    string   // of AUTH, those to try
	flags    []string // for every delivery
	noTLS    string   // why there is no TLS, whatever is offered
}

func posts(t *testing.T) []post {
	t.Helper()
	at := func(name string) peer {
		return peer{addr: setting(t, name), mail: setting(t, name+"_MAIL"), ca: setting(t, "CA"), tls: os.Getenv("EHLO_INTEROP_" + name + "_TLS")}
	}
	dovecot := peer{addr: setting(t, "DOVECOT"), tls: setting(t, "DOVECOT_TLS"), mail: setting(t, "POSTFIX_MAIL"), ca: setting(t, "CA")}
	all := "PLAIN LOGIN CRAM-MD5 DIGEST-MD5 NTLM SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-512"
	list := []post{
		{peer: at("POSTFIX"), name: "Postfix", pack: "postfix", x: setting(t, "POSTFIX_X"), proxy: setting(t, "POSTFIX_PROXY"), versions: "12"},
		{peer: at("EXIM"), name: "Exim", pack: "exim4-daemon-heavy", proxy: setting(t, "EXIM_PROXY"), versions: "12"},
		{peer: at("OPENSMTPD"), name: "OpenSMTPD", pack: "opensmtpd", proxy: setting(t, "OPENSMTPD_PROXY"), versions: "2",
			flags: []string{"--no-tls"}, noTLS: "ends it with an alert"},
		{peer: at("CHASQUID"), name: "chasquid", pack: "chasquid", proxy: setting(t, "CHASQUID_PROXY"), versions: "1",
			flags: []string{"--timeout", "quit=200ms"}}, // it loses a QUIT that comes in one write with the message
		{peer: at("AIOSMTPD"), name: "aiosmtpd", pack: "python3-aiosmtpd", proxy: setting(t, "AIOSMTPD_PROXY"), versions: "12"},
		{peer: dovecot, name: "Dovecot submission", pack: "dovecot-core", proxy: setting(t, "DOVECOT_PROXY"), versions: "12", log: setting(t, "DOVECOT_LOG")},
		{peer: at("LMTP"), name: "Dovecot LMTP", pack: "dovecot-core", lmtp: true, proxy: setting(t, "LMTP_PROXY"), versions: "12"},
		{peer: at("AIOSMTPD"), name: "aiosmtpd LMTP", pack: "python3-aiosmtpd", lmtp: true},
	}
	list[len(list)-1].addr = setting(t, "AIOSMTPD_LMTP")
	for i := range list {
		p := &list[i]
		p.target, p.mechs = p.addr, all
		if p.lmtp {
			p.target = "lmtp://" + p.addr
		}
		if p.name == "Dovecot submission" {
			p.flags = []string{"--auth", "PLAIN", "--auth-user", setting(t, "USER"), "--auth-password-file", secretFile(t, setting(t, "PASSWORD"))}
		}
	}
	return list
}

// feature is a row: try uses it, and fails the test if that does not come to what it
// has to; where a keyword is not offered, it is not tried.
type feature struct {
	name    string
	keyword string
	fits    func(post) string // "" if the feature makes sense there, else the cell
	try     func(t *testing.T, p post)
}

func features() []feature {
	carry := func(flags ...string) func(*testing.T, post) {
		return func(t *testing.T, p post) { p.carry(t, p.target, flags...) }
	}
	only := func(fits bool) string {
		if fits {
			return ""
		}
		return "n/a"
	}
	return []feature{
		{"STARTTLS, verified", "STARTTLS", func(p post) string { return p.noTLS }, carry("--tls-verify")},
		{"TLS from the first byte", "", func(p post) string {
			if p.noTLS != "" {
				return p.noTLS
			}
			if p.tls == "" || p.lmtp {
				return "not offered"
			}
			return ""
		}, func(t *testing.T, p post) {
			if p.name == "chasquid" { // there it takes submissions alone
				p.logsIn(t, "smtps://"+p.tls, "PLAIN")
				return
			}
			p.carry(t, "smtps://"+p.tls)
		}},
		{"a whole message, as it is", "", nil, func(t *testing.T, p post) { p.eight(t) }},
		{"one recipient of two refused", "", nil, func(t *testing.T, p post) { p.oneRefused(t) }},
		{"several messages on a connection", "", nil, func(t *testing.T, p post) { p.several(t) }},
		{"HELO alone (SMTP)", "", func(p post) string { return only(!p.lmtp && p.name != "Dovecot submission") }, carry("--protocol", "SMTP", "--no-tls")},
		{"8BITMIME", "8BITMIME", nil, carry("--transfer-encoding", "8bit", "--body", "äöü")},
		{"PIPELINING", "PIPELINING", nil, carry("--pipeline")},
		{"CHUNKING", "CHUNKING", nil, func(t *testing.T, p post) {
			if how := p.carry(t, p.target); how != "BDAT" {
				t.Errorf("the message went behind %q", how)
			}
		}},
		{"SIZE", "SIZE", nil, func(t *testing.T, p post) { p.says(t, " SIZE=") }},
		{"DSN", "DSN", nil, func(t *testing.T, p post) {
			p.says(t, "NOTIFY=FAILURE", "--dsn-notify", "FAILURE", "--dsn-ret", "HDRS", "--dsn-envid", "id")
		}},
		{"SMTPUTF8", "SMTPUTF8", nil, func(t *testing.T, p post) { p.international(t) }},
		{"AUTH", "AUTH", nil, func(t *testing.T, p post) {
			for _, mechanism := range p.mechanisms(t) {
				p.logsIn(t, p.target, mechanism)
			}
		}},
		{"PRDR", "PRDR", func(p post) string { return only(!p.lmtp) }, func(t *testing.T, p post) {
			s := p.deliver(t, 8, p.target, "--prdr", "--to", "alice@example.test,refuses@example.test")
			if got := s.outcomes(); got[0] != "alice@example.test accepted dot 250" || got[1] != "refuses@example.test refused dot 550" {
				t.Errorf("%q", got)
			}
		}},
		{"LMTP, a reply for each", "", func(p post) string { return only(p.lmtp) }, func(t *testing.T, p post) {
			s := p.deliver(t, 0, p.target, "--to", "alice@example.test,bob@example.test")
			if got := s.outcomes(); !slices.Equal(got, []string{"alice@example.test accepted dot 250", "bob@example.test accepted dot 250"}) {
				t.Errorf("%q", got)
			}
		}},
		{"XCLIENT", "XCLIENT", nil, func(t *testing.T, p post) { p.named(t, p.x, "--xclient", "ADDR=198.51.100.7") }},
		{"XFORWARD", "XFORWARD", nil, func(t *testing.T, p post) {
			p.deliver(t, 0, p.x, "--to", "alice@example.test", "--xforward", "ADDR=198.51.100.8", "--xforward", "NAME=far.test")
		}},
		{"XVERP", "XVERP", nil, func(t *testing.T, p post) { p.deliver(t, 0, p.x, "--to", "alice@example.test", "--verp") }},
		{"PROXY protocol, version 1", "", proxied("1"), func(t *testing.T, p post) { p.behindProxy(t, "1") }},
		{"PROXY protocol, version 2", "", proxied("2"), func(t *testing.T, p post) { p.behindProxy(t, "2") }},
	}
}

func proxied(version string) func(post) string {
	return func(p post) string {
		if !strings.Contains(p.versions, version) {
			return "not offered"
		}
		return ""
	}
}

func TestInteropServers(t *testing.T) {
	t.Parallel()
	list := posts(t)
	rows := [][]string{{"feature"}}
	for _, p := range list {
		rows[0] = append(rows[0], p.name+" "+version(t, p.pack))
	}
	offered := map[string]map[string][]string{}
	for _, p := range list {
		offered[p.name] = p.offers(t)
	}
	for _, f := range features() {
		row := []string{f.name}
		for _, p := range list {
			cell := "ok"
			_, offers := offered[p.name][f.keyword]
			switch {
			case f.fits != nil && f.fits(p) != "":
				cell = f.fits(p)
			case f.keyword != "" && !offers:
				cell = "not offered"
			case !t.Run(f.name+" at "+p.name, func(t *testing.T) { f.try(t, p) }):
				cell = "failed"
			case f.keyword == "AUTH":
				cell = "ok: " + fmt.Sprint(len(p.mechanisms(t)))
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	section(t, "servers", table(rows))
}

// A handshake that fails ends the conversation: nothing goes out in the clear for it.
func TestInteropBrokenTLS(t *testing.T) {
	p := posts(t)[2]
	if version(t, p.pack) != "6.8" {
		t.Skip("this OpenSMTPD may well have TLS")
	}
	for _, flags := range [][]string{nil, {"--tls-optional"}} {
		for _, server := range []string{p.addr, "smtps://" + p.tls} {
			s := p.peer.send(t, 5, server, flags, []string{"--to", "alice@example.test"})
			if s.Outcome != "TLS failed" || s.Recipients[0].Outcome != "undecided" || !strings.Contains(s.Summary, "alert") {
				t.Errorf("%s: %+v", s.Summary, s.Recipients)
			}
		}
	}
}

// offers are the keywords with their parameters that a server has, wherever it has them.
func (p post) offers(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, target := range []string{p.target, p.x} {
		if target == "" {
			continue
		}
		policy := "--tls-verify"
		if p.noTLS != "" {
			policy = "--no-tls"
		}
		out, errs, status := ehlo(t, "probe", "--json", "--helo", "client.test", policy, "--tls-ca-path", p.ca, target)
		var doc struct {
			Targets []struct {
				Servers []struct {
					Offers []struct {
						Extensions []struct {
							Keyword string
							Params  []string
						}
					}
				}
			}
		}
		if err := json.Unmarshal([]byte(out), &doc); err != nil || status != 0 {
			t.Fatalf("%s: %v, status %d: %s%s", target, err, status, errs, out)
		}
		for _, offers := range doc.Targets[0].Servers[0].Offers {
			for _, e := range offers.Extensions {
				found[e.Keyword] = e.Params
			}
		}
	}
	return found
}

// mechanisms are those that the server offers and that take a password.
func (p post) mechanisms(t *testing.T) []string {
	t.Helper()
	return slices.DeleteFunc(strings.Fields(p.mechs), func(m string) bool { return !slices.Contains(p.offers(t)["AUTH"], m) })
}

func (p post) logsIn(t *testing.T, target, mechanism string) {
	t.Helper()
	password := setting(t, "PASSWORD")
	user := setting(t, "USER")
	if p.name == "chasquid" {
		user += "@example.test"
	}
	flags := []string{"--auth-user", user, "--auth-password-file", secretFile(t, password)}
	login{target, mechanism, flags, password, 0, []string{"AUTH " + mechanism, "235 "}}.run(t)
}

// deliver sends to a target of the server's, logged in where that is needed.
func (p post) deliver(t *testing.T, want int, target string, flags ...string) sent {
	t.Helper()
	return p.send(t, want, target, p.flags, flags)
}

// carry sends a message to alice, and holds what arrived to what was sent. It tells
// what the message went behind.
func (p post) carry(t *testing.T, target string, flags ...string) string {
	t.Helper()
	s := p.deliver(t, 0, target, append([]string{"--to", "alice@example.test", "--subject", "für alle"}, flags...)...)
	body, how := s.body()
	if got := p.take(t, "alice", s.Message.ID); string(got) != body {
		t.Errorf("another message arrived than was sent: %s", difference(got, []byte(body)))
	}
	return how
}

// says sends a message, and looks for a parameter in what was said.
func (p post) says(t *testing.T, word string, flags ...string) {
	t.Helper()
	s := p.deliver(t, 0, p.target, append([]string{"--to", "alice@example.test"}, flags...)...)
	for _, r := range s.Transcript {
		for _, item := range r.Items {
			if strings.Contains(item.Text, word) {
				return
			}
		}
	}
	t.Errorf("nothing with %q was sent", word)
}

// eight sends a file with whatever a line can hold.
func (p post) eight(t *testing.T) {
	id := fmt.Sprintf("<%d@client.test>", rand.Int64())
	text := "From: sender@client.test\r\nDate: Sun, 22 Nov 2026 01:14:02 +0000\r\nMessage-ID: " + id + "\r\nX-Folded: one\r\n  two\r\n\tthree   \r\n\r\n" +
		".\r\n..\r\n.dot first\r\n\r\nFrom the start\r\ntrailing   \t \r\n" + strings.Repeat("x", 998) + "\r\n." + strings.Repeat("y", 997) + "\r\n" +
		"QUIT\r\n.\r\n\r\n8 bit: \xc3\xa4\xf6 \xff\r\n.\r\n"
	path := filepath.Join(t.TempDir(), "tricky.eml")
	write(t, path, []byte(text))
	p.deliver(t, 0, p.target, "--to", "alice@example.test", "--data", "@"+path)
	if got := p.take(t, "alice", id); string(got) != text {
		t.Errorf("another message arrived than was sent: %s", difference(got, []byte(text)))
	}
}

func (p post) oneRefused(t *testing.T) {
	s := p.deliver(t, 8, p.target, "--to", "alice@example.test,nobody@example.test")
	if got := s.Recipients; got[0].Outcome != "accepted" || got[1].Outcome != "refused" || got[1].Phase != "rcpt" {
		t.Errorf("%+v", got)
	}
	p.take(t, "alice", s.Message.ID)
}

func (p post) several(t *testing.T) {
	word := unique()
	s := p.deliver(t, 0, p.target, "--count", "3", "--to", "alice@example.test", "--subject", word)
	if n := s.told("connect"); n != 1 {
		t.Errorf("%d connections", n)
	}
	for range 3 {
		p.take(t, "alice", word)
	}
}

func (p post) international(t *testing.T) {
	s := p.deliver(t, 0, p.target, "--from", "jürgen@bücher.test", "--to", "Älice <älice@example.test>", "--body", "so")
	mailbox := "älice"
	if p.name == "Postfix" {
		mailbox = "aelice"
	}
	body, _ := s.body()
	if got := p.take(t, mailbox, s.Message.ID); string(got) != body || !strings.Contains(body, "<älice@example.test>") {
		t.Errorf("another message arrived than was sent: %s", difference(got, []byte(body)))
	}
}

// named sends as somebody else, which the message has to show.
func (p post) named(t *testing.T, target string, flags ...string) {
	t.Helper()
	s := p.deliver(t, 0, target, append([]string{"--to", "alice@example.test"}, flags...)...)
	_, raw := p.find(t, "alice", s.Message.ID)
	if p.log != "" {
		var err error
		if raw, err = os.ReadFile(p.log); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Contains(raw, []byte("198.51.100.7")) {
		t.Errorf("the client is not 198.51.100.7:\n%s", head(raw))
	}
}

func (p post) behindProxy(t *testing.T, version string) {
	target := p.proxy
	if p.lmtp {
		target = "lmtp://" + target
	}
	p.named(t, target, "--proxy-version", version, "--proxy-family", "TCP4", "--proxy-source", "198.51.100.7", "--proxy-source-port", "4711",
		"--proxy-dest", "203.0.113.25", "--proxy-dest-port", "25")
}
