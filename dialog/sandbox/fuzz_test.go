package sandbox

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"
)

// FuzzUnstuff: what a client stuffs comes back as it was, and not one octet
// behind the dot is taken, however small the buffer.
func FuzzUnstuff(f *testing.F) {
	for _, s := range []string{"", "a", ".\r\n", "..\r\n.\r\n", "a\n.\r\nb", "a\r.\r\n", "\r", "\r\r\n.", ".\r", strings.Repeat("x", 15) + "\r\n."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text += "\r\n"
		var wire strings.Builder
		for _, line := range strings.SplitAfter(text, "\r\n") {
			if strings.HasPrefix(line, ".") {
				wire.WriteByte('.')
			}
			wire.WriteString(line)
		}
		const behind = "NOOP\r\n.\r\n"
		r := bufio.NewReaderSize(strings.NewReader(wire.String()+".\r\n"+behind), 16)
		var got bytes.Buffer
		if err := unstuff(&got, r); err != nil || got.String() != text {
			t.Errorf("%q became %q, %v", text, got.String(), err)
		}
		if rest, _ := io.ReadAll(r); string(rest) != behind {
			t.Errorf("behind the dot: %q", rest)
		}
	})
}

// FuzzPath: a path that is taken stands in the command as it came back, no
// parameter holds a space, and a valid mailbox has no control character and
// is put together again from its parts.
func FuzzPath(f *testing.F) {
	for _, s := range []string{"FROM:<>", "FROM:<a@b.test>", `FROM:<"a>b"@c.test> SIZE=3`, "FROM:<@a,@b:c@d.test> X=1 Y", "FROM:<a@[IPv6:::1]>",
		"FROM:<a@b> NOTIFY=NEVER> X", `FROM:<"\`, "FROM:<é@ü.test> SMTPUTF8"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		path, params, err := parsePath("FROM:", arg)
		if err != nil {
			return
		}
		if !strings.Contains(arg, path+">") {
			t.Errorf("%q gave the path %q", arg, path)
		}
		for _, p := range params {
			if strings.ContainsAny(p.String(), " \t\r\n") || !strings.Contains(strings.ToUpper(arg), strings.ToUpper(p.String())) {
				t.Errorf("%q gave the parameter %q", arg, p)
			}
		}
		local, domain, ok := splitMailbox(path, true)
		if ok && (local+"@"+domain != path || strings.ContainsAny(path, "\r\n\x00\x7f") || domain == "" || local == "") {
			t.Errorf("%q gave %q at %q", path, local, domain)
		}
		if _, _, narrow := splitMailbox(path, false); narrow && !ok {
			t.Errorf("%q is valid in ASCII only", path)
		}
	})
}

// FuzzSOCKS: a request that is granted names an address that can be split, and
// the answer to the method is the only thing written.
func FuzzSOCKS(f *testing.F) {
	f.Add([]byte("\x05\x01\x00\x05\x01\x00\x01\xc0\x00\x02\x0a\x00\x19"))
	f.Add([]byte("\x05\x02\x02\x00\x05\x01\x00\x03\x04a:b]\x00\x19"))
	f.Add([]byte("\x05\x00"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var w bytes.Buffer
		addr, code, err := socksRequest(struct {
			io.Reader
			io.Writer
		}{bytes.NewReader(in), &w})
		out := w.String()
		if out != "" && out != "\x05\x00" && out != "\x05\xff" {
			t.Errorf("%q: wrote %q", in, out)
		}
		if err == nil && code == socksGranted && (addr == "" || out != "\x05\x00") {
			t.Errorf("%q: granted %q after %q", in, addr, out)
		}
	})
}
