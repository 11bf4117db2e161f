package sandbox

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// TestProtocol holds the engine against RFC 5321 and the extensions it offers.
func TestProtocol(t *testing.T) {
	greet := "S: 220 *\nC: EHLO client.test\nS> 250 HELP\n"
	for _, test := range []struct{ name, script string }{
		{"order", `
			S: 220 *
			C: MAIL FROM:<>
			S: 503 EHLO first
			C: EHLO
			S: 501 EHLO needs a domain or an address literal
			C: EHLO bad_name
			S: 501 *
			C: EHLO [192.0.2.300]
			S: 501 *
			C: EHLO [IPv6:2001:db8::1]
			S: 250-mx1.good.test greets [IPv6:2001:db8::1] [127.0.0.1]
			S> 250 HELP
			C: RCPT TO:<alice@good.test>
			C: DATA
			S: 503 5.5.1 MAIL first
			S: 503 5.5.1 MAIL first
			C: MAIL FROM:<>
			C: MAIL FROM:<>
			C: STARTTLS
			S: 250 2.1.0 Ok
			S: 503 5.5.1 a transaction is open: RSET ends it
			S: 503 5.5.1 STARTTLS is not allowed in a transaction
			C: DATA
			S: 554 5.5.1 no valid recipients
			C: EHLO again.test
			S> 250 HELP
			C: RCPT TO:<alice@good.test>
			S: 503 5.5.1 MAIL first`},
		{"unknown and obsolete", greet + `
			C: XFOO bar
			C: DOT
			C: CONNECT
			C:
			C: SEND FROM:<a@b.test>
			C: SOML FROM:<a@b.test>
			C: SAML FROM:<a@b.test>
			C: TURN
			C: ETRN good.test
			C: noop whatever
			C: RSET x
			C: DATA x
			S: 500 5.5.2 command not recognized
			S: 500 5.5.2 command not recognized
			S: 500 5.5.2 command not recognized
			S: 500 5.5.2 command not recognized
			S: 502 5.5.1 SEND is not implemented
			S: 502 5.5.1 SOML is not implemented
			S: 502 5.5.1 SAML is not implemented
			S: 502 5.5.1 TURN is not implemented
			S: 502 5.5.1 ETRN is not implemented
			S: 250 2.0.0 Ok
			S: 501 5.5.4 RSET takes no argument
			S: 501 5.5.4 DATA takes no argument
			C: QUIT now
			S: 501 5.5.4 QUIT takes no argument`},
		{"lines", greet + `
			C| NOOP\nNOOP\r\nNO\0OP\r\n
			S: 500 5.5.2 line ended by a bare LF
			S: 250 2.0.0 Ok
			S: 500 5.5.2 control character in the line
			C: NOOP ` + strings.Repeat("x", 4089) + `
			S: 250 2.0.0 Ok
			C: NOOP ` + strings.Repeat("x", 5000) + `
			C: NOOP ` + strings.Repeat("x", 200_000) + `
			C: NOOP
			S: 500 5.5.2 line too long
			S: 500 5.5.2 line too long
			S: 250 2.0.0 Ok`},
		{"paths", greet + `
			C: MAIL FROM: <a@client.test>
			C: MAIL FROM:a@client.test
			C: MAIL FROM:<a@client.test
			C: MAIL FROM:<a@client.test>SIZE=1
			C: MAIL FROM:<a@-client.test>
			C: MAIL FROM:<a..b@client.test>
			C: MAIL FROM:<client>
			C: MAIL FROM:<` + strings.Repeat("x", 65) + `@client.test>
			C: MAIL FROM:<é@client.test>
			C: mail from:<@one.test,@two.test:"a>b \" c"@client.test>
			C: RCPT TO:<>
			C: RCPT TO:<alice@[192.0.2.10]>
			C: RCPT TO:<alice@[IPv6:2001:db8::10]>
			C: RCPT TO:<alice@[192.0.2.11]>
			C: RCPT TO:<ALICE@sub.GOOD.test>
			S: 501 5.5.4 expected < behind FROM:
			S: 501 5.5.4 expected < behind FROM:
			S: 501 5.5.4 the address has no closing >
			S: 501 5.5.4 expected a space behind the address
			S: 553 5.1.7 bad address syntax
			S: 553 5.1.7 bad address syntax
			S: 553 5.1.7 bad address syntax
			S: 553 5.1.7 bad address syntax
			S: 553 5.6.7 a non-ASCII address needs SMTPUTF8
			S: 250 2.1.0 Ok
			S: 553 5.1.3 bad address syntax
			S: 250 2.1.5 Ok
			S: 250 2.1.5 Ok
			S: 550 5.7.1 *
			S: 250 2.1.5 Ok`},
		{"parameters", greet + `
			C: MAIL FROM:<> XFOO
			C: MAIL FROM:<> AUTH=<>
			C: MAIL FROM:<> SIZE=1 SIZE=1
			C: MAIL FROM:<> SIZE=
			C: MAIL FROM:<> SIZE=x
			C: MAIL FROM:<> SIZE=99999999999999999999
			C: MAIL FROM:<> SIZE=52428801
			C: MAIL FROM:<> BODY=9BIT
			C: MAIL FROM:<> BODY=BINARYMIME
			C: MAIL FROM:<> SMTPUTF8=yes
			C: MAIL FROM:<> RET=SOME
			C: MAIL FROM:<> ENVID=a+zz
			C: MAIL FROM:<> BODY=7BIT SMTPUTF8 RET=full ENVID=a SIZE=52428800
			C: RCPT TO:<alice@good.test> NOTIFY=NEVER,DELAY
			C: RCPT TO:<alice@good.test> ORCPT=alice
			C: RCPT TO:<alice@good.test> SIZE=3
			C: RCPT TO:<alice@good.test> NOTIFY=DELAY,success ORCPT=utf-8;李明@good.test
			S: 555 5.5.4 parameter not recognized: XFOO
			S: 555 5.5.4 parameter not recognized: AUTH
			S: 501 5.5.4 parameter SIZE given twice
			S: 501 5.5.4 bad parameter SIZE=
			S: 501 5.5.4 bad value: SIZE=x
			S: 501 5.5.4 bad value: SIZE=99999999999999999999
			S: 552 5.3.4 message too big
			S: 501 5.5.4 bad value: BODY=9BIT
			S: 501 5.5.4 bad value: BODY=BINARYMIME
			S: 501 5.5.4 *
			S: 501 5.5.4 *
			S: 501 5.5.4 *
			S: 250 2.1.0 Ok
			S: 501 5.5.4 *
			S: 501 5.5.4 *
			S: 555 5.5.4 *
			S: 250 2.1.5 Ok`},
		{"messages that are not taken", greet + message(`a\nb\r\n`) + `
			S: 554 5.6.0 the message has a CR or LF that is not part of a line end` + message(`a\rb\r\n`) + `
			S: 554 5.6.0 the message has a CR or LF that is not part of a line end` + message(`a\n.\r\nb\r\n`) + `
			S: 554 5.6.0 the message has a CR or LF that is not part of a line end` + message(`a\r\n.\nb\r\n`) + `
			S: 554 5.6.0 the message has a CR or LF that is not part of a line end` + message(`a\0\r\n`) + `
			S: 554 5.6.0 the message has a NUL` + message(`é\r\n`) + `
			S: 554 5.6.3 *` + message(strings.Repeat("x", 999)+`\r\n`) + `
			S: 554 5.6.0 the message has a line over 998 octets` + message(strings.Repeat("x", 998)+`\r\n`) + `
			S: 250 2.0.0 Ok: queued as sandbox-1`},
		{"a message sent before 354", greet + `
			C: MAIL FROM:<>
			C: RCPT TO:<alice@good.test>
			C: DATA
			C: .
			S: 250 2.1.0 Ok
			S: 250 2.1.5 Ok
			S: 503 5.5.1 DATA must end its group: the reply was not waited for
			EOF`},
		{"BDAT", greet + `
			C| BDAT 3 LAST\r\nabc
			S: 503 5.5.1 MAIL first
			C: MAIL FROM:<>
			C| BDAT 3\r\nabc
			S: 250 2.1.0 Ok
			S: 554 5.5.1 no valid recipients
			C: RCPT TO:<alice@good.test>
			C| BDAT 3\r\na\r\n
			C: DATA
			S: 250 2.1.5 Ok
			S: 250 2.0.0 3 octets received
			S: 503 5.5.1 BDAT has begun
			C: RCPT TO:<bob@good.test>
			C: BDAT
			C: BDAT x LAST
			C: BDAT 3 FIRST
			C| BDAT 3 last\r\n.\r\n
			S: 503 5.5.1 BDAT has begun
			S: 501 5.5.4 *
			S: 501 5.5.4 *
			S: 501 5.5.4 *
			S: 250 2.0.0 Ok: queued as sandbox-1`},
	} {
		t.Run(test.name, func(t *testing.T) { run(t, start(t, Options{}), "192.0.2.10:25", test.script) })
	}
}

// message is the script of one message with that text, up to its reply.
func message(text string) string {
	return `
			C: MAIL FROM:<>
			C: RCPT TO:<alice@good.test>
			C: DATA
			S: 250 2.1.0 Ok
			S: 250 2.1.5 Ok
			S: 354 *
			C| ` + text + `.\r\n`
}

// TestRules holds what a row of Scenarios can say against what its server does.
func TestRules(t *testing.T) {
	w := start(t, Options{Scenarios: []Scenario{{Name: "x", Hosts: []Host{{Name: "mx", Addrs: "192.0.2.1", Services: []Service{{
		Offers: "PIPELINING, SIZE 10, CHUNKING", Secure: "DSN", Mailboxes: "a*",
		Idle: 20 * time.Second,
		Rules: []Rule{
			On("XFOO", Wait(time.Millisecond), Say("250-one", "250 {host} {client} {from} {to}")),
			On("DATA a1@", Say("451 not now")),
			On("DATA a2@", HangUp()),
			On("RCPT none@", Say("250 welcome")),
			On("RCPT 3ms@", WaitNamed()),
			On("MAIL", Wait(time.Nanosecond)),
			On("NOOP bye", Say("250 bye"), HangUp()),
			First(2, On("NOOP", Say("450 later"))),
		}}}}}}}})
	run(t, w, "192.0.2.1:25", `
		S: 220 *
		C: EHLO client.test
		S: 250-*
		S: 250-PIPELINING
		S: 250-SIZE 10
		S: 250 CHUNKING
		C: MAIL FROM:<f@client.test>
		C: XFOO bar
		C: RCPT TO:<b@x.test>
		C: RCPT TO:<none@x.test>
		C: RCPT TO:<3ms@x.test>
		C: RCPT TO:<a1@x.test>
		C: DATA
		S: 250 Ok
		S: 250-one
		S: 250 mx.x.test 127.0.0.1 f@client.test bar
		S: 550 <b@x.test> no such user here
		S: 250 welcome
		S: 550 <3ms@x.test> no such user here
		S: 250 Ok
		S: 451 not now
		C| BDAT 3\r\nabcBDAT 3 LAST\r\nabc
		C: RSET
		S: 451 not now
		S: 503 a chunk was refused: RSET first
		S: 250 Ok
		C: MAIL FROM:<>
		C: RCPT TO:<a@x.test>
		C| BDAT 11\r\nabcabcabcabBDAT 0 LAST\r\n
		C: RSET
		S: 250 Ok
		S: 250 Ok
		S: 552 message too big
		S: 503 a chunk was refused: RSET first
		S: 250 Ok
		C: NOOP
		C: NOOP
		C: NOOP
		S: 450 later
		S: 450 later
		S: 250 Ok
		C: MAIL FROM:<>
		C: RCPT TO:<a2@x.test>
		C| BDAT 1 LAST\r\nx
		S: 250 Ok
		S: 250 Ok
		EOF`)
	run(t, w, "192.0.2.1:25", `
		S: 220 *
		C: NOOP bye
		S: 250 bye
		EOF`)
}

func TestIdleClient(t *testing.T) {
	w := start(t, Options{Scenarios: []Scenario{{Name: "x", Hosts: []Host{{Name: "mx", Addrs: "192.0.2.1",
		Services: []Service{{Offers: "STARTTLS, ENHANCEDSTATUSCODES", Idle: time.Millisecond}}}}}}})
	run(t, w, "192.0.2.1:25", `
		S: 220 *
		S: 421 mx.x.test waited too long for the client
		EOF`)
}

// TestPipelineIsAnsweredInOneWrite reads once and finds every reply.
func TestPipelineIsAnsweredInOneWrite(t *testing.T) {
	c := dial(t, start(t, Options{}), "192.0.2.30:25")
	r := bufio.NewReader(c)
	for line := ""; line != "250 SMTPUTF8\r\n"; {
		if strings.HasPrefix(line, "220") {
			_, _ = io.WriteString(c, "EHLO client.test\r\n")
		}
		var err error
		if line, err = r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	const many = 100
	_, _ = io.WriteString(c, "MAIL FROM:<>\r\n"+strings.Repeat("RCPT TO:<x@catchall.test>\r\n", many))
	got := make([]byte, 10_000)
	n, err := c.Read(got)
	if want := 1 + many; err != nil || bytes.Count(got[:n], []byte("\r\n")) != want {
		t.Errorf("the first write holds %d replies (%v), want %d", bytes.Count(got[:n], []byte("\r\n")), err, want)
	}
}

func TestNothingSaidInSilence(t *testing.T) {
	c := dial(t, start(t, Options{}), "192.0.2.26:25")
	_ = c.SetDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read %d, %v", n, err)
	}
}

func TestInjectedBehindStartTLS(t *testing.T) {
	log := make(chan string, 100)
	w := start(t, Options{Log: func(s string) { log <- s }})
	c := dial(t, w, "192.0.2.13:25")
	_, _ = bufio.NewReader(c).ReadString('\n')
	_, _ = io.WriteString(c, "STARTTLS\r\nNOOP injected\r\n")
	b := make([]byte, 100)
	n, err := c.Read(b)
	if got := string(b[:n]); err != nil || got != "220 go ahead\r\n" {
		t.Fatalf("%q, %v", got, err)
	}
	s := tls.Client(c, &tls.Config{RootCAs: w.Roots(), ServerName: "mx1.starttls.test"})
	_, _ = io.WriteString(s, "HELO client.test\r\n")
	if n, err := s.Read(b); err != nil || !strings.HasPrefix(string(b[:n]), "250 mx1.starttls.test greets") {
		t.Errorf("%q, %v", b[:n], err)
	}
	for line := range log {
		if line == "mx1.starttls.test:25 -- 15 bytes behind STARTTLS ignored" {
			return
		}
		if strings.Contains(line, "injected") {
			t.Fatal(line)
		}
	}
}

func TestQuitUnderTLSEndsWithCloseNotify(t *testing.T) {
	w := start(t, Options{})
	s := tls.Client(dial(t, w, "192.0.2.15:465"), &tls.Config{RootCAs: w.Roots(), ServerName: "mx1.smtps.test"})
	_, _ = io.WriteString(s, "QUIT\r\n")
	if all, err := io.ReadAll(s); err != nil || !strings.HasSuffix(string(all), "221 mx1.smtps.test closing\r\n") {
		t.Errorf("%q, %v", all, err)
	}
}

func TestManyClients(t *testing.T) {
	w := start(t, Options{})
	errs := make(chan error)
	for i := range 20 {
		go func() {
			c, err := w.Dial(t.Context(), "tcp", fmt.Sprintf("192.0.2.%d:25", 10+i%3))
			if err == nil {
				_, err = bufio.NewReader(c).ReadString('\n')
				err = errors.Join(err, c.Close())
			}
			errs <- err
		}()
	}
	for range 20 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
