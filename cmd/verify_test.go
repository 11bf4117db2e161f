package cmd_test

import (
	"bufio"
	"net"
	"strings"
	"testing"
)

// answering is a server that answers each command line by the first row of rules
// that it begins with, else with 250; the rows are "BEGINNING => REPLY".
func answering(t *testing.T, rules ...string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer nc.Close()
				_, _ = nc.Write([]byte("220 mx.test\r\n"))
				for lines := bufio.NewScanner(nc); lines.Scan(); {
					if lines.Text() == "QUIT" {
						_, _ = nc.Write([]byte("221 bye\r\n"))
						return
					}
					said := "250 ok"
					for _, rule := range rules {
						begins, reply, _ := strings.Cut(rule, " => ")
						if strings.HasPrefix(lines.Text(), begins) {
							said = reply
							break
						}
					}
					_, _ = nc.Write([]byte(said + "\r\n"))
				}
			}()
		}
	}()
	return l.Addr().String()
}

// TestVerifyTrust: a positive answer counts only where a mailbox of the same
// domain that cannot exist is refused as one.
func TestVerifyTrust(t *testing.T) {
	quiet := []string{"VRFY => 252 try it", "EXPN => 502 no"}
	rcpt := func(rules ...string) []string { return append(quiet[:2:2], rules...) }
	const bob, madeUp = "RCPT TO:<bob@x.test> => ", "RCPT TO:<no-such-user-"
	for _, test := range []struct {
		name   string
		rules  []string
		to     string
		status int
		says   string
	}{
		{"refused as a mailbox", rcpt(bob+"250 ok", "RCPT => 550 5.1.1 unknown"), "bob@x.test", 0, "exists"},
		{"greylisted", rcpt(bob+"250 ok", madeUp+" => 451 4.7.1 greylisted"), "bob@x.test", 9, "451 4.7.1, which says nothing"},
		{"too many recipients", rcpt(bob+"250 ok", madeUp+" => 452 4.5.3 too many recipients"), "bob@x.test", 9, "452 4.5.3, which says nothing"},
		{"blocked", rcpt(bob+"250 ok", madeUp+" => 554 5.7.1 blocked"), "bob@x.test", 9, "554 5.7.1, which says nothing"},
		{"252 to RCPT", rcpt(bob + "252 perhaps"), "bob@x.test", 9, "did not say"},
		{"not relayed", rcpt(bob + "550 5.7.1 relaying denied"), "bob@x.test", 9, "did not say"},
		{"VRFY refused as such", []string{"VRFY => 550 no VRFY here", "EXPN => 502 no", bob + "250 ok", "RCPT => 550 no such user"}, "bob@x.test", 0, "exists"},
		{"another domain takes all", rcpt(bob+"250 ok", "RCPT TO:<dave@all.test> => 250 ok", "RCPT TO:<no-such-user- => 550 5.1.1 unknown"), "bob@x.test", 0, "exists"},
	} {
		args := append([]string{"verify", "--server", answering(t, test.rules...), "--helo", "client.test"}, strings.Fields(test.to)...)
		out, errs, status := ehlo(t, args...)
		if status != test.status || !strings.Contains(out, test.says) {
			t.Errorf("%s: status %d, not %d, without %q:\n%s%s", test.name, status, test.status, test.says, out, errs)
		}
	}
}

// TestVerifyEachDomain: what one domain refuses says nothing of another one at the
// same server.
func TestVerifyEachDomain(t *testing.T) {
	server := answering(t, "VRFY => 252 try it", "EXPN => 502 no", "RCPT TO:<bob@x.test> => 250 ok", "RCPT TO:<dave@all.test> => 250 ok")
	strict := answering(t, "VRFY => 252 try it", "EXPN => 502 no", "RCPT TO:<bob@x.test> => 250 ok", "RCPT TO:<dave@all.test> => 250 ok", "RCPT => 550 5.1.1 unknown")
	for address, want := range map[string]int{server: 9, strict: 0} {
		out, _, status := ehlo(t, "verify", "--server", address, "--helo", "client.test", "bob@x.test", "dave@all.test")
		if status != want || strings.Count(out, "RCPT TO:<no-such-user-") != 2 {
			t.Errorf("status %d, not %d, or a domain was not asked for a made-up name:\n%s", status, want, out)
		}
	}
}
