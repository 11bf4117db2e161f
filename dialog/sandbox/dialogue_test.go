package sandbox

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
)

// run plays a dialogue with the server at addr. Its lines:
//
//	C: text    sent with CR LF; lines that follow one another go out in one write
//	C| text    sent as it is, where \r \n \0 \t are one octet
//	S: text    expected; a "*" at its end is any ending
//	S> text    expected, behind any number of other lines
//	TLS        STARTTLS and a verified handshake; TLS! one that does not verify; TLSNOW without STARTTLS
//	EOF        the server ends the connection
func run(t *testing.T, w *World, addr, script string) {
	t.Helper()
	c := dial(t, w, addr)
	r := bufio.NewReader(c)
	name := strings.TrimSuffix(w.nameOf(addr), ".")
	var out strings.Builder
	flush := func() {
		t.Helper()
		if out.Len() > 0 {
			if _, err := io.WriteString(c, out.String()); err != nil {
				t.Fatalf("writing %q: %v", out.String(), err)
			}
			out.Reset()
		}
	}
	expect := func(want string, skip bool) {
		t.Helper()
		prefix, open := strings.CutSuffix(want, "*")
		for {
			got, err := r.ReadString('\n')
			text, ended := strings.CutSuffix(got, "\r\n")
			same := ended && (text == want || open && strings.HasPrefix(text, prefix))
			if err != nil || !same && !skip {
				t.Fatalf("got %q (%v), want %q", got, err, want)
			}
			if same {
				return
			}
		}
	}
	secure := func(verify bool) {
		t.Helper()
		s := tls.Client(c, &tls.Config{RootCAs: w.Roots(), ServerName: name, InsecureSkipVerify: !verify, Time: w.opt.Now})
		if err := s.Handshake(); err != nil {
			t.Fatal(err)
		}
		c, r = s, bufio.NewReader(s)
	}
	for _, line := range strings.Split(script, "\n") {
		line = strings.TrimLeft(line, "\t")
		if !strings.HasPrefix(line, "C") {
			flush()
		}
		switch kind, text, _ := strings.Cut(line, " "); kind {
		case "":
		case "C:":
			out.WriteString(text + "\r\n")
		case "C|":
			out.WriteString(strings.NewReplacer(`\r`, "\r", `\n`, "\n", `\0`, "\x00", `\t`, "\t").Replace(text))
		case "S:", "S>":
			expect(text, kind == "S>")
		case "TLS", "TLS!":
			if _, err := io.WriteString(c, "STARTTLS\r\n"); err != nil {
				t.Fatal(err)
			}
			expect("220 *", false)
			secure(kind == "TLS")
		case "TLSNOW":
			secure(true)
		case "EOF":
			if b, err := r.ReadByte(); err == nil {
				t.Fatalf("got %q, want the end", b)
			} else if err != io.EOF && err != io.ErrUnexpectedEOF {
				t.Fatalf("got %v, want the end", err)
			}
		default:
			t.Fatalf("no such line: %q", line)
		}
	}
	flush()
}

// nameOf is the name of the host that has an address.
func (w *World) nameOf(addr string) string {
	host, _, _ := net.SplitHostPort(addr)
	for _, s := range w.scenarios {
		for _, h := range s.Hosts {
			for _, a := range strings.Fields(h.Addrs) {
				if a == host {
					return s.hostname(h)
				}
			}
		}
	}
	return host
}
