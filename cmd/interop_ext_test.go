package cmd_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Extensions where servers that others wrote have them: what they make of them is
// in the message as it arrives, in a report of delivery or in a log. None of these
// servers has LIMITS, BINARYMIME, DELIVERBY, FUTURERELEASE, MT-PRIORITY or REQUIRETLS.

// servers are Postfix and Exim, with where they are.
func servers(t *testing.T) map[string]peer {
	t.Helper()
	list := map[string]peer{}
	for _, name := range []string{"POSTFIX", "EXIM"} {
		list[name] = peer{addr: setting(t, name), mail: setting(t, name+"_MAIL"), ca: setting(t, "CA")}
	}
	return list
}

// unique is a word that stands in no other message.
func unique() string { return fmt.Sprintf("word%d", rand.Uint64()) }

// outcomes are what became of each recipient.
func (s sent) outcomes() []string {
	var list []string
	for _, to := range s.Recipients {
		list = append(list, fmt.Sprintf("%s %s %s %d", to.Address, to.Outcome, to.Phase, to.Code))
	}
	return list
}

// told is how often the program spoke in an event of a kind.
func (s sent) told(event string) int {
	n := 0
	for _, r := range s.Transcript {
		if r.Event == event {
			n++
		}
	}
	return n
}

func TestInteropLMTP(t *testing.T) {
	p := peer{mail: setting(t, "LMTP_MAIL"), ca: setting(t, "CA"), ascii: true}
	for _, server := range []string{"lmtp://" + setting(t, "LMTP"), setting(t, "LMTP_SOCKET")} {
		for _, flags := range [][]string{nil, {"--no-chunking"}, {"--no-chunking", "--no-pipeline"}, {"--no-tls"}} {
			t.Run(fmt.Sprint(server, flags), func(t *testing.T) {
				p.whole(t, server, flags)
				p.partly(t, server, flags)
				// The same mailbox answers behind the message, too.
				s := p.send(t, 8, server, flags, []string{"--to", "alice@example.test,nobody@example.test,full@example.test,bob@example.test"})
				want := []string{"alice@example.test accepted dot 250", "nobody@example.test refused rcpt 550",
					"full@example.test refused dot 552", "bob@example.test accepted dot 250"}
				if got := s.outcomes(); !slices.Equal(got, want) {
					t.Errorf("%q, not %q", got, want)
				}
				p.take(t, "alice", s.Message.ID)
				p.take(t, "bob", s.Message.ID)
				p.send(t, 1, server, flags, []string{"--to", "full@example.test"})
				p.send(t, 1, server, flags, []string{"--to", "nobody@example.test"})
				if s := p.send(t, 1, server, flags, []string{"--to", "älice@example.test"}); !strings.Contains(s.Summary, "SMTPUTF8") {
					t.Errorf("%q", s.Summary)
				}
			})
		}
	}
}

// Reports of delivery come to the sender, and name the envelope and the recipient
// as they were asked to.
func TestInteropDSN(t *testing.T) {
	for name, p := range servers(t) {
		t.Run(name, func(t *testing.T) {
			// envid has all that xtext encodes; Exim gives it back so, Postfix as it was.
			send := func(to, notify, ret string) (envid, secret string) {
				envid, secret = "a+b=c d"+unique(), unique()
				p.send(t, 0, p.addr, []string{"--from", "alice@example.test", "--to", to, "--body", secret,
					"--dsn-notify", notify, "--dsn-ret", ret, "--dsn-envid", envid, "--dsn-orcpt", "rfc822;first+choice=1@elsewhere.test"})
				return envid, secret
			}
			never, _ := send("fails@example.test", "NEVER", "HDRS")
			unasked, _ := send("bob@example.test", "FAILURE,DELAY", "HDRS")
			for _, test := range []struct {
				to, notify, ret, action string
				whole                   bool // the report has the text
			}{
				{"bob@example.test", "SUCCESS,FAILURE", "HDRS", "delivered", false},
				{"fails@example.test", "FAILURE", "HDRS", "failed", false},
				{"fails@example.test", "SUCCESS,FAILURE,DELAY", "FULL", "failed", true},
			} {
				envid, secret := send(test.to, test.notify, test.ret)
				report := string(p.take(t, "alice", envid[len("a+b=c d"):]))
				for _, field := range []string{
					`Original-Envelope-I[Dd]: (` + regexp.QuoteMeta(envid) + `|a\+2Bb\+3Dc\+20d` + envid[len("a+b=c d"):] + `)`,
					`Original-Recipient: rfc822; ?first\+(choice=|2Bchoice\+3D)1@elsewhere\.test`,
					`Action: ` + test.action,
				} {
					if !regexp.MustCompile(`(?m)^` + field + `\r$`).MatchString(report) {
						t.Errorf("%+v: the report has no %s:\n%s", test, field, report)
					}
				}
				if strings.Contains(report, secret) != test.whole {
					t.Errorf("%+v: the report has the text: %t\n%s", test, !test.whole, report)
				}
			}
			files, err := filepath.Glob(filepath.Join(p.mail, "alice", "new", "*"))
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				raw, err := os.ReadFile(file)
				if err == nil && (bytes.Contains(raw, []byte(never[7:])) || bytes.Contains(raw, []byte(unasked[7:]))) {
					t.Errorf("a report that nobody asked for:\n%s", raw)
				}
			}
		})
	}
}

// Exim tells the recipients apart behind the message: one takes it, one refuses it,
// one puts it off.
func TestInteropPRDR(t *testing.T) {
	p := servers(t)["EXIM"]
	for _, flags := range [][]string{nil, {"--no-chunking"}, {"--no-chunking", "--no-pipeline"}} {
		s := p.send(t, 8, p.addr, flags, []string{"--prdr", "--to", "alice@example.test,refuses@example.test,defers@example.test"})
		want := []string{"alice@example.test accepted dot 250", "refuses@example.test refused dot 550", "defers@example.test deferred dot 450"}
		if got := s.outcomes(); !slices.Equal(got, want) {
			t.Errorf("%q: %q, not %q", flags, got, want)
		}
		p.take(t, "alice", s.Message.ID)
		if s := p.send(t, 0, p.addr, flags, []string{"--prdr", "--to", "alice@example.test,bob@example.test"}); s.Outcome != "accepted" {
			t.Errorf("%q: %s", flags, s.Outcome)
		}
		// Of one recipient Exim makes no difference: it answers once.
		if s := p.send(t, 0, p.addr, flags, []string{"--prdr", "--to", "bob@example.test"}); s.Outcome != "accepted" {
			t.Errorf("%q: %s", flags, s.Outcome)
		}
	}
	for _, mailbox := range []string{"refuses", "defers"} {
		if files, _ := filepath.Glob(filepath.Join(p.mail, mailbox, "new", "*")); len(files) != 0 {
			t.Errorf("%s has %d messages", mailbox, len(files))
		}
	}
}

func TestInteropXCLIENT(t *testing.T) {
	p, server := servers(t)["POSTFIX"], setting(t, "POSTFIX_X")
	for _, tls := range []string{"--tls-verify", "--no-tls"} {
		s := p.send(t, 0, server, []string{tls, "--to", "alice@example.test", "--xclient", "NAME=far.test",
			"--xclient", "ADDR=198.51.100.7", "--xclient", "HELO=greets.test"})
		if _, raw := p.find(t, "alice", s.Message.ID); !bytes.Contains(raw, []byte("(far.test [198.51.100.7])")) {
			t.Errorf("%s: the client is not far.test:\n%s", tls, raw)
		}
		s = p.send(t, 0, server, []string{tls, "--to", "alice@example.test", "--xclient", "ADDR=IPV6:2001:db8::7"})
		if _, raw := p.find(t, "alice", s.Message.ID); !bytes.Contains(raw, []byte("[IPv6:2001:db8::7]")) {
			t.Errorf("%s: the client is not 2001:db8::7:\n%s", tls, raw)
		}
	}
}

func TestInteropXFORWARD(t *testing.T) {
	p, name := servers(t)["POSTFIX"], unique()+".test"
	p.send(t, 0, setting(t, "POSTFIX_X"), []string{"--to", "alice@example.test", "--xforward", "NAME=" + name, "--xforward", "ADDR=198.51.100.8"})
	// the log is written before the reply to DATA
	log, err := os.ReadFile(setting(t, "POSTFIX_LOG"))
	if want := "orig_client=" + name + "[198.51.100.8]"; err != nil || !bytes.Contains(log, []byte(want)) {
		t.Errorf("%v: the log has no %s", err, want)
	}
}

func TestInteropVERP(t *testing.T) {
	p := servers(t)["POSTFIX"]
	s := p.send(t, 0, setting(t, "POSTFIX_X"), []string{"--to", "alice@example.test,bob@example.test", "--verp"})
	for _, name := range []string{"alice", "bob"} {
		if _, raw := p.find(t, name, s.Message.ID); !bytes.HasPrefix(raw, []byte("Return-Path: <sender+"+name+"=example.test@client.test>\n")) {
			t.Errorf("the sender for %s is not its own:\n%s", name, raw)
		}
	}
	if s := p.send(t, 1, p.addr, []string{"--to", "alice@example.test", "--verp"}); !strings.Contains(s.Summary, "XVERP") {
		t.Errorf("where it is not offered: %q", s.Summary)
	}
}

// The header of the PROXY protocol names the client, and TLS comes behind it.
func TestInteropPROXY(t *testing.T) {
	for name, p := range servers(t) {
		for _, version := range []string{"1", "2"} {
			for _, flags := range [][]string{nil, {"--no-tls"}} {
				for source, want := range map[string]string{
					"198.51.100.7": "[198.51.100.7]", "2001:db8::7": map[string]string{"POSTFIX": "[IPv6:2001:db8::7]", "EXIM": "[2001:db8::7]"}[name],
				} {
					dest, family := "203.0.113.25", "TCP4"
					if strings.Contains(source, ":") {
						dest, family = "2001:db8::25", "TCP6"
					}
					s := p.send(t, 0, setting(t, name+"_PROXY"), flags, []string{"--to", "alice@example.test", "--proxy-version", version,
						"--proxy-family", family, "--proxy-source", source, "--proxy-source-port", "4711", "--proxy-dest", dest, "--proxy-dest-port", "25"})
					if _, raw := p.find(t, "alice", s.Message.ID); !bytes.Contains(raw, []byte(want)) {
						t.Errorf("%s, version %s: the client is not %s:\n%s", name, version, source, raw)
					}
				}
			}
		}
	}
}

// Addresses in UTF-8, in the envelope and in the header.
func TestInteropSMTPUTF8(t *testing.T) {
	for name, p := range servers(t) {
		mailbox := map[string]string{"POSTFIX": "aelice", "EXIM": "älice"}[name]
		for _, flags := range [][]string{nil, {"--no-chunking"}} {
			s := p.send(t, 0, p.addr, flags, []string{"--from", "jürgen@bücher.test", "--to", "Älice <älice@example.test>", "--body", "so",
				"--dsn-notify", "NEVER", "--dsn-orcpt", "auto"})
			body, _ := s.body()
			if !strings.Contains(body, "<älice@example.test>") || !strings.Contains(body, "jürgen@") {
				t.Errorf("%s: the header:\n%s", name, body)
			}
			p.arrived(t, mailbox, s.Message.ID, []byte(body))
			if _, raw := p.find(t, mailbox, s.Message.ID); !regexp.MustCompile(`(?i)with utf8`).Match(raw) {
				t.Errorf("%s took it without SMTPUTF8:\n%s", name, raw)
			}
		}
	}
}

// Several messages on one connection.
func TestInteropSeveral(t *testing.T) {
	list := servers(t)
	list["LMTP"] = peer{addr: "lmtp://" + setting(t, "LMTP"), mail: setting(t, "LMTP_MAIL"), ca: setting(t, "CA")}
	for name, p := range list {
		for _, flags := range [][]string{nil, {"--no-chunking"}, {"--no-pipeline"}} {
			word := unique()
			s := p.send(t, 0, p.addr, flags, []string{"--count", "5", "--to", "alice@example.test,bob@example.test", "--subject", word})
			if s.told("connect") != 1 {
				t.Errorf("%s %q: %d connections", name, flags, s.told("connect"))
			}
			for _, mailbox := range []string{"alice", "bob"} {
				for range 5 {
					p.take(t, mailbox, word) // each is there once
				}
			}

			folder, want := t.TempDir(), map[string][]byte{}
			for i := range 3 {
				id := fmt.Sprintf("<%s.%d@client.test>", word, i)
				want[id] = []byte("Date: Sun, 22 Nov 2026 01:14:02 +0000\r\nFrom: a@client.test\r\nMessage-ID: " + id + "\r\n\r\n.\r\n" +
					strings.Repeat("a line\r\n", i*5000) + ".\r\n")
				write(t, filepath.Join(folder, fmt.Sprintf("%d.eml", i)), want[id])
			}
			s = p.send(t, 0, p.addr, flags, []string{"--to", "alice@example.test", "--data-folder", folder})
			if s.told("connect") != 1 {
				t.Errorf("%s %q: %d connections", name, flags, s.told("connect"))
			}
			for id, message := range want {
				if got := p.take(t, "alice", id); !bytes.Equal(got, message) {
					t.Errorf("%s %q: another message arrived than was sent: %s", name, flags, difference(got, message))
				}
			}
		}
	}
}

// Exim and dkimpy verify what was signed by the keys that BIND has, whatever its
// size, its encoding and its way.
func TestInteropDKIM(t *testing.T) {
	t.Parallel()
	list, keys := servers(t), setting(t, "CERTIFICATES")
	list["LMTP"] = peer{addr: "lmtp://" + setting(t, "LMTP"), mail: setting(t, "LMTP_MAIL"), ca: setting(t, "CA")}
	signing := []string{"--from", "Jürgen <sender@signed.test>", "--dns-server", setting(t, "DNS"),
		"--dkim-domain", "signed.test", "--dkim-selector", "rsa", "--dkim-key", filepath.Join(keys, "dkim-rsa.key"),
		"--dkim-domain", "signed.test", "--dkim-selector", "ed25519", "--dkim-key", filepath.Join(keys, "dkim-ed25519.key")}
	small, big := filepath.Join(t.TempDir(), "small"), filepath.Join(t.TempDir(), "big")
	write(t, small, noise(50_000)) // more than one write
	write(t, big, noise(1<<20))
	dir, n := t.TempDir(), 0
	sign := func(p peer, exim bool, flags ...string) {
		s := p.send(t, 0, p.addr, signing, flags, []string{"--show-data", "none", "--subject", "so   weit", "--header", "X-Note: two  spaces",
			"--to", "alice@example.test"})
		raw := p.take(t, "alice", s.Message.ID)
		for _, key := range []string{"rsa rsa-sha256", "ed25519 ed25519-sha256"} {
			if exim && !bytes.Contains(raw, []byte("\r\nX-DKIM: pass signed.test "+key+"\r\n")) {
				t.Errorf("%q: Exim does not verify %s:\n%s", flags, key, head(raw))
			}
		}
		if len(raw) < 1<<20 { // dkimpy is slow
			write(t, filepath.Join(dir, fmt.Sprintf("%03d", n)), raw)
			n++
		}
	}
	for name, p := range list {
		for _, way := range []string{"--chunking", "--no-chunking", "--protocol=SMTP"} {
			if name == "LMTP" && way == "--protocol=SMTP" {
				continue
			}
			for _, canonical := range []string{"relaxed/relaxed", "relaxed/simple", "simple/relaxed", "simple/simple"} {
				sign(p, name == "EXIM", way, "--tls-optional", "--dkim-canonicalization", canonical, "--body", ".\nGrüße   \n \n\n\n")
				sign(p, name == "EXIM", way, "--tls-optional", "--dkim-canonicalization", canonical, "--html", "<p>so", "--attach", "@"+small)
			}
		}
	}
	sign(list["EXIM"], true, "--attach", "@"+big)
	sign(list["EXIM"], true, "--no-chunking", "--attach", "@"+big)
	for i, r := range byPython(t, dir) {
		if !slices.Equal(r.DKIM, []bool{true, true}) {
			t.Errorf("message %d: dkimpy says %v", i, r.DKIM)
		}
	}
}

// A key that is not the published one is found out before anything is sent, and is
// indeed worth nothing.
func TestInteropDKIMKey(t *testing.T) {
	p, key := servers(t)["EXIM"], filepath.Join(setting(t, "CERTIFICATES"), "dkim-rsa.key")
	for _, selector := range []string{"revoked", "ed25519", "absent"} {
		s := p.send(t, 0, p.addr, []string{"--from", "sender@signed.test", "--to", "alice@example.test", "--dns-server", setting(t, "DNS"),
			"--dkim-domain", "signed.test", "--dkim-selector", selector, "--dkim-key", key})
		if s.Transcript[0].Event != "finding" || !strings.Contains(s.Transcript[0].Text, "DKIM") {
			t.Errorf("%s: it begins with %+v", selector, s.Transcript[0])
		}
		raw := p.take(t, "alice", s.Message.ID)
		if !bytes.Contains(raw, []byte("\r\nX-DKIM: ")) || bytes.Contains(raw, []byte("X-DKIM: pass")) {
			t.Errorf("%s: Exim says\n%s", selector, raw)
		}
	}
}
