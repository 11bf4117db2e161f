package mime

import (
	"bytes"
	"io"
	"net/mail"
	"strings"
	"testing"
	"testing/iotest"
)

const mimeHead = head + "MIME-Version: 1.0\r\n"

// A message that needs 8BITMIME has with Fixup a form that needs nothing.
func TestFixupReencodes(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"text", mimeHead + "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nKöln\r\n.\r\n",
			mimeHead + "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nK=C3=B6ln\r\n.\r\n"},
		{"no MIME", head + "\r\nKöln\r\n",
			mimeHead + "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nK=C3=B6ln\r\n"},
		{"no MIME, nobody knows what", head + "\r\nK\xf6ln\r\n",
			mimeHead + "Content-Type: text/plain; charset=unknown-8bit\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nK=F6ln\r\n"},
		{"header only", head + "Subject: Köln am\r\n Rhein\r\nX: folded\r\n  so\r\n",
			head + "Subject: =?utf-8?q?K=C3=B6ln?= am Rhein\r\nX: folded\r\n  so\r\n"},
		{"raw header", head + "Subject: K\xf6ln\r\n\r\nx\r\n", head + "Subject: =?unknown-8bit?q?K=F6ln?=\r\n\r\nx\r\n"},
		{"addresses", head + "To: Jürgen <j@x.test>,\r\n \"Ö, P\" <p@x.test>\r\n\r\nx\r\n",
			head + "To: =?utf-8?q?J=C3=BCrgen?= <j@x.test>, =?utf-8?q?=C3=96=2C_P?= <p@x.test>\r\n\r\nx\r\n"},
		{"file name", mimeHead + "Content-Type: text/plain\r\nContent-Disposition: attachment; filename=\"ö.txt\"\r\n\r\nx\r\n",
			mimeHead + "Content-Type: text/plain\r\nContent-Disposition: attachment; filename*=utf-8''%C3%B6.txt\r\n\r\nx\r\n"},
		{"parts", mimeHead + "Content-Type: multipart/mixed; boundary=\"b\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\npré\r\n--b\r\n\r\nplain\r\n--b \r\nContent-Type: text/html\r\n\r\nö\r\n\r\n--b\r\nContent-Type: image/x\r\n\r\nö\r\n--b--\r\nend ü\r\n",
			mimeHead + "Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\npr?\r\n--b\r\n\r\nplain\r\n--b \r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=B6\r\n\r\n--b\r\nContent-Type: image/x\r\nContent-Transfer-Encoding: base64\r\n\r\nw7Y=\r\n--b--\r\nend ?\r\n"},
		{"nested", mimeHead + "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/alternative; boundary=ab\r\n\r\n--ab\r\n\r\nö\r\n--ab--\r\n--a\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: ö\r\n\r\nö\r\n--a--\r\n",
			mimeHead + "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/alternative; boundary=ab\r\n\r\n--ab\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=B6\r\n--ab--\r\n--a\r\nContent-Type: message/rfc822\r\n\r\nSubject: =?utf-8?q?=C3=B6?=\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=B6\r\n--a--\r\n"},
		{"unclosed", mimeHead + "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: image/x\r\n\r\nö\r\n",
			mimeHead + "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: image/x\r\nContent-Transfer-Encoding: base64\r\n\r\nw7YNCg==\r\n"},
		{"base64 that is none", mimeHead + "Content-Transfer-Encoding: base64\r\n\r\nö\r\n", "part 1 says that it is base64, and has octets over 127"},
		{"a report", mimeHead + "Content-Type: message/delivery-status\r\n\r\nX: ö\r\n", "part 1 is message/delivery-status, which must not be encoded"},
		{"an address", head + "To: ö@x.test\r\n\r\nx\r\n", "header To: an address in it needs SMTPUTF8"},
	} {
		m, err := Whole(Bytes([]byte(c.in)), Options{Fixup: true})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		forms := m.Forms()
		if string(read(t, m)) != c.in || len(forms[0].Needs()) == 0 || forms[0] != m {
			t.Errorf("%s: the first form is not as it was", c.name)
		}
		if len(forms) == 1 {
			if f := strings.Join(m.Findings(), "\n"); !strings.Contains(f, c.want) {
				t.Errorf("%s: one form, findings %q", c.name, f)
			}
			continue
		}
		b := read(t, forms[1])
		sound(t, forms[1], b)
		if string(b) != c.want || forms[1].Needs() != nil || len(forms[1].Notes()) == 0 || !bytes.Equal(b, read(t, forms[1])) {
			t.Errorf("%s: %q\nwant %q", c.name, b, c.want)
		}
	}
}

func TestFixupBreaksSignature(t *testing.T) {
	for _, field := range []string{"DKIM-Signature: d=x.test; s=y\r\n", "Content-Type: multipart/signed; boundary=x\r\n"} {
		m, err := Whole(Bytes([]byte(mimeHead+field+"Subject: ö\r\n\r\n--x\r\n\r\nö\r\n--x--\r\n")), Options{Fixup: true})
		if err != nil {
			t.Fatal(err)
		}
		forms := m.Forms()
		if len(forms) != 2 || len(m.Findings()) != 0 || !strings.Contains(strings.Join(forms[1].Findings(), ""), "signature") {
			t.Errorf("%s: %d forms, %q", field, len(forms), m.Findings())
		}
	}
}

func TestDowngradeBounds(t *testing.T) {
	for in, want := range map[string]string{
		mimeHead + "Content-Type: multipart/mixed; boundary=a\r\n\r\n" + strings.Repeat("--a\r\n", 20000) + "ö\r\n": "over 10000 parts",
		mimeHead + strings.Repeat("Content-Type: message/rfc822\r\n\r\n", 20000) + "ö\r\n":                          "over 10000 parts",
		mimeHead + strings.Repeat("Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n", 200) + "ö\r\n":        "over 100 deep",
		mimeHead + strings.Repeat("X: ö"+strings.Repeat("x", 900)+"\r\n", 400) + "\r\n":                             "a header over 256 KiB",
		mimeHead + "Content-Type: text/plain; name*=\"ö\r\n\r\n":                                                    "cannot be read",
	} {
		m, err := Whole(Bytes([]byte(in)), Options{Fixup: true})
		if err != nil || len(m.Forms()) != 1 || !strings.Contains(strings.Join(m.Findings(), ""), want) {
			t.Errorf("%.200q: %v, want %q", in, err, want)
		}
	}
}

// FuzzDowngrade: what is re-encoded is 7bit in lines that any server takes, is the
// same each time, and leaves ASCII alone.
func FuzzDowngrade(f *testing.F) {
	for _, s := range []string{
		mimeHead + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nö\r\n--b--\r\n", head + "\r\nö\r\n", "A: ö\r\n",
		"A: b\r\nContent-Type: message/rfc822\r\n\r\nB: ö\r\n\r\nö\r\n", "A: b\r\nContent-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n--b\r\n\r\nC: d\r\n\r\nö\r\n--b--",
		"Content-Type: image/x\r\n\r\n\xff\x01\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		h, _ := Bytes(in).hold(spoolMost)
		raw, s, err := scannedBy(h, func(r io.Reader) *scan { return newScan(r, false) })
		if err != nil {
			return
		}
		seven, _, err := downgraded(raw)
		if err != nil {
			if !s.eightBody && !s.utf8Header && s.kept <= headerMost && !strings.HasPrefix(err.Error(), "multiparts") && !strings.HasPrefix(err.Error(), "a header") {
				t.Fatalf("%q: %v", in, err)
			}
			return
		}
		b, err := seven.read()
		if err != nil || int64(len(b)) != seven.size {
			t.Fatal(err, len(b), seven.size)
		}
		if !ascii(b) {
			t.Fatalf("%q became %q", in, b)
		}
		for line := range bytes.SplitSeq(b, []byte("\r\n")) {
			if len(line) > 998 || bytes.ContainsAny(line, "\r\n\x00") {
				t.Fatalf("%q became %q", in, b)
			}
		}
		before, err := raw.read()
		if err != nil {
			t.Fatal(err)
		}
		if ascii(before) && !bytes.Equal(before, b) && !bytes.Contains(bytes.ToLower(before), []byte("content-transfer-encoding")) {
			t.Fatalf("%q became %q", before, b)
		}
		r, err := raw.open()
		if err != nil {
			t.Fatal(err)
		}
		again := newDowngrade(iotest.OneByteReader(r))
		first := newDowngrade(bytes.NewReader(before))
		first.learns = true
		io.Copy(io.Discard, first)
		again.seen = first.seen
		if c, err := io.ReadAll(again); err != nil || !bytes.Equal(c, b) {
			t.Fatalf("%q (%v), before %q", c, err, b)
		}
		if msg, err := mail.ReadMessage(bytes.NewReader(before)); err == nil {
			if _, err := mail.ReadMessage(bytes.NewReader(b)); err != nil {
				t.Fatalf("%q cannot be read: %v, was %v", b, err, msg)
			}
		}
	})
}
