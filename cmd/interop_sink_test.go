package cmd_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Postfix's smtp-sink misbehaves as it is told, at each command: what a correct
// client makes of it.

// fault is what smtp-sink is told, and what is right then.
type fault struct {
	sink    []string
	send    []string // more flags for send
	outcome string   // of the recipient
	status  int
	why     string
}

// faults are in the order of the page.
func faults() []fault {
	list := []fault{
		{nil, nil, "accepted", 0, "nothing is wrong"},
		{[]string{"-L"}, nil, "accepted", 0, "LMTP"},
	}
	// At each command: a refusal for good, one for now, 421 and the end of the connection, the end alone.
	commands := []struct{ name, why string }{
		{"CONNECT", "in place of the greeting"}, {"EHLO,HELO", "at the greeting"}, {"MAIL", "at MAIL"}, {"RCPT", "at RCPT"},
		{"DATA", "at DATA"}, {".", "behind the message"},
	}
	for _, c := range commands {
		lost := fault{[]string{"-q", c.name}, nil, "undecided", 7, "the connection ends " + c.why}
		switch c.name {
		case "CONNECT":
			lost.status = 4
		case ".":
			lost.outcome, lost.status = "unknown", 9
			lost.why += ": it may have been taken"
		}
		list = append(list,
			fault{[]string{"-f", c.name}, nil, "refused", 1, "500 " + c.why},
			fault{[]string{"-r", c.name}, nil, "deferred", 3, "450 " + c.why},
			fault{[]string{"-Q", c.name}, nil, "deferred", 3, "421 " + c.why},
			lost)
	}
	for _, flag := range []string{"-f", "-r", "-Q", "-q"} {
		list = append(list, fault{[]string{flag, "QUIT"}, []string{"--timeout", "quit=1s"}, "accepted", 0, "what comes of QUIT changes nothing"})
	}
	return append(list,
		fault{[]string{"-f", "EHLO"}, nil, "accepted", 0, "HELO follows (RFC 5321 section 3.2)"},
		fault{[]string{"-e"}, nil, "accepted", 0, "the greeting does not say ESMTP"},
		fault{[]string{"-P"}, nil, "accepted", 0, "a firewall hides the greeting"},
		fault{[]string{"-p"}, nil, "accepted", 0, "without PIPELINING"},
		fault{[]string{"-p"}, []string{"--pipeline"}, "refused", 1, "PIPELINING was demanded"},
		fault{[]string{"-8"}, nil, "accepted", 0, "without 8BITMIME, and nothing needs it"},
		fault{[]string{"-8"}, []string{"--transfer-encoding", "8bit", "--body", "ä"}, "refused", 1, "8BITMIME is needed"},
		fault{[]string{"-E"}, nil, "accepted", 0, "without ENHANCEDSTATUSCODES"},
		fault{[]string{"-N"}, []string{"--dsn-notify", "NEVER"}, "refused", 1, "DSN is needed"},
		fault{nil, []string{"--dsn-notify", "NEVER"}, "accepted", 0, "DSN is offered"},
		fault{[]string{"-C"}, []string{"--xclient", "NAME=far.test"}, "refused", 1, "XCLIENT is needed"},
		fault{[]string{"-F"}, []string{"--xforward", "NAME=far.test"}, "refused", 1, "XFORWARD is needed"},
		fault{[]string{"-b", "451 4.7.1 later", "-r", "RCPT"}, nil, "deferred", 3, "another reply for now"},
		fault{[]string{"-B", "554 5.7.1 no", "-f", "."}, nil, "refused", 1, "another reply for good"},
		fault{[]string{"-h", "mx.example.test"}, nil, "accepted", 0, "another name in the greeting"},
		fault{[]string{"-M", "1"}, nil, "unknown", 9, "it ends at the message, and does not answer it"},
		fault{[]string{"-T", "100"}, []string{"--attach", "BIG"}, "accepted", 0, "1 MiB through a window of 100 bytes"},
		fault{[]string{"-H", "1"}, []string{"--attach", "BIG"}, "accepted", 0, "1 MiB to somebody who reads a second later"},
		fault{[]string{"-A", "1"}, nil, "refused", 1, "550, and the message is not read"},
		fault{[]string{"-A", "1"}, []string{"--attach", "BIG"}, "refused", 1, "550 in the midst of 1 MiB"},
		// A sink that waits mixes up commands that came in one write: so -p.
		fault{[]string{"-w", "1"}, nil, "accepted", 0, "DATA takes a second"},
		fault{[]string{"-w", "10"}, []string{"--timeout", "reply=1s"}, "undecided", 4, "DATA takes longer than it may"},
		fault{[]string{"-p", "-W", "RCPT:10"}, []string{"--timeout", "reply=1s"}, "undecided", 4, "RCPT takes longer than it may"},
		fault{[]string{"-p", "-W", "CONNECT:10"}, []string{"--timeout", "banner=1s"}, "undecided", 4, "the greeting takes longer than it may"},
		fault{[]string{"-p", "-W", ".:10"}, []string{"--timeout", "dot=1s"}, "unknown", 9, "the message takes longer than it may"},
		fault{[]string{"-p", "-W", "QUIT:10"}, []string{"--timeout", "quit=1s"}, "accepted", 0, "QUIT takes longer than it may"},
	)
}

func TestInteropSink(t *testing.T) {
	t.Parallel()
	setting(t, "SINK")
	rows := [][]string{{"smtp-sink", "send", "what happens", "recipient", "status"}}
	big := filepath.Join(t.TempDir(), "big.bin")
	write(t, big, noise(1<<20))
	for _, f := range faults() {
		rows = append(rows, []string{code(f.sink), code(f.send), f.why, f.outcome, fmt.Sprint(f.status)})
		for _, way := range [][]string{nil, {"--no-pipeline"}} {
			if len(way) > 0 && slices.Contains(f.send, "--pipeline") {
				continue
			}
			t.Run(fmt.Sprint(f.sink, f.send, way), func(t *testing.T) {
				server := sinkhole(t, f.sink...)
				if slices.Contains(f.sink, "-L") {
					server = "lmtp://" + server
				}
				args := slices.Concat([]string{"send", "--json", "--helo", "client.test", "--from", "sender@client.test",
					"--to", "alice@example.test", "--server", server, "--no-tls"}, f.send, way)
				for i := range args {
					args[i] = strings.ReplaceAll(args[i], "BIG", "@"+big)
				}
				out, errs, status := ehlo(t, args...)
				s := document(t, out)
				if status != f.status || errs != "" || len(s.Recipients) != 1 || s.Recipients[0].Outcome != f.outcome {
					t.Errorf("%s: status %d, not %d, or not %s: %+v %s%s", f.why, status, f.status, f.outcome, s.Recipients, errs, out)
				}
			})
		}
	}
	section(t, "smtp-sink", "Postfix "+version(t, "postfix")+":\n\n"+table(rows))
}

// code are words as code in Markdown.
func code(words []string) string {
	if len(words) == 0 {
		return "–"
	}
	return "`" + strings.Join(words, " ") + "`"
}

// A 550 that comes together with the 354 is a protocol error if it is read before
// the message is begun and a refusal behind that; accepted it is never.
func TestInteropSinkAtOnce(t *testing.T) {
	setting(t, "SINK")
	for range 5 {
		out, errs, status := ehlo(t, "send", "--json", "--helo", "client.test", "--from", "sender@client.test",
			"--to", "alice@example.test", "--server", sinkhole(t, "-A", "0"), "--no-tls")
		if got := document(t, out).Recipients[0].Outcome; (status != 1 || got != "refused") && (status != 7 || got != "undecided") {
			t.Errorf("%s, status %d: %s%s", got, status, errs, out)
		}
	}
}

// A message comes through smtp-sink as it was, whatever the way.
func TestInteropSinkMessage(t *testing.T) {
	setting(t, "SINK")
	text := "X-First: yes\r\nFrom: sender@client.test\r\nDate: Sun, 22 Nov 2026 01:14:02 +0000\r\nMessage-ID: <1@client.test>\r\n\r\n" +
		".\r\n..\r\nFrom here\r\n\r\ntrailing \t\r\n" + strings.Repeat("x", 998) + "\r\n.\r\n"
	path := filepath.Join(t.TempDir(), "whole.eml")
	write(t, path, []byte(text))
	for _, way := range [][]string{nil, {"--no-pipeline"}, {"--protocol", "SMTP"}} {
		dir := t.TempDir()
		for _, d := range []string{filepath.Dir(dir), dir} { // the sink is nobody
			if err := os.Chmod(d, 0o777); err != nil {
				t.Fatal(err)
			}
		}
		server := sinkhole(t, "-d", dir+"/message.")
		args := []string{"send", "--helo", "client.test", "--from", "sender@client.test", "--to", "alice@example.test",
			"--server", server, "--no-tls", "--data", "@" + path}
		if out, errs, status := ehlo(t, append(args, way...)...); status != 0 {
			t.Fatalf("%q: status %d: %s%s", way, status, errs, out)
		}
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(files) != 1 {
			t.Fatalf("%q: %q is what arrived, %v", way, files, err)
		}
		got, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		got = bytes.ReplaceAll(got, []byte("\n"), []byte("\r\n"))
		// The sink puts fields of its own on top, and a line behind the message.
		got = bytes.TrimSuffix(got[max(0, bytes.Index(got, []byte("X-First:"))):], []byte("\r\n"))
		if want := strings.TrimSuffix(text, "\r\n"); string(bytes.TrimSuffix(got, []byte("\r\n"))) != want {
			t.Errorf("%q: %s", way, difference(got, []byte(want)))
		}
	}
}

// sinkhole is where an smtp-sink with these flags listens, until the test ends.
func sinkhole(t *testing.T, flags ...string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.27.1:0") // where no client's port can be in the way
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	var said bytes.Buffer
	command := exec.CommandContext(t.Context(), setting(t, "SINK"), append(slices.Clone(flags), addr, "10")...)
	command.Stdout, command.Stderr = &said, &said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait() // it is killed with the test
		close(ended)
	}()
	t.Cleanup(func() {
		_ = command.Process.Kill() // or it has ended by itself
		<-ended
	})
	deadline := time.After(15 * time.Second)
	for {
		if listening(addr) {
			return addr
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ended:
			t.Fatalf("smtp-sink %q: %s", flags, said.Bytes())
		case <-deadline:
			t.Fatalf("smtp-sink %q does not listen", flags)
		}
	}
}

// listening reports whether somebody listens at a port of 127.0.27.1, without a
// connection, which the sink would count.
func listening(addr string) bool {
	_, port, _ := net.SplitHostPort(addr)
	var number int
	_, _ = fmt.Sscan(port, &number)
	list, err := os.ReadFile("/proc/net/tcp")
	return err == nil && bytes.Contains(list, fmt.Appendf(nil, " 011B007F:%04X 00000000:0000 0A ", number))
}
