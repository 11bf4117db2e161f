package dialog

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/ehlo-mail/ehlo/testdata/mutate"
)

// refReply is a reply as the reference below reads it.
type refReply struct {
	code string
	raw  string
}

// refReplies is a slow second opinion on what a server said: all replies up to
// the first thing that is none, and why it ends there: "protocol", "end", "within".
func refReplies(said string) (replies []refReply, end string) {
	for total := 0; ; {
		var r refReply
		for {
			at := strings.Index(said, "\n") + 1
			switch {
			case at == 0 && len(said) >= maxReplyLine, at > maxReplyLine:
				return replies, "protocol"
			case at == 0 && said == "" && r.raw == "":
				return replies, "end"
			case at == 0:
				return replies, "within"
			}
			total += at
			code, more, ok := refLine(said[:at])
			if !ok || r.code != "" && code != r.code || len(r.raw)+at > maxReply || total > maxReplies {
				return replies, "protocol"
			}
			r.code, r.raw, said = code, r.raw+said[:at], said[at:]
			if !more {
				break
			}
		}
		replies = append(replies, r)
	}
}

// refLine reads one line with its end: three digits, of which the first is 2 to 5, then
// nothing, or a space or "-" and anything.
func refLine(line string) (code string, more, ok bool) {
	line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	if len(line) < 3 || !strings.Contains("2345", line[:1]) || strings.Trim(line[:3], "0123456789") != "" {
		return "", false, false
	}
	return line[:3], strings.HasPrefix(line[3:], "-"), line[3:] == "" || line[3] == ' ' || line[3] == '-'
}

// TestRefLine holds the reference to the grammar as an expression states it.
func TestRefLine(t *testing.T) {
	grammar := regexp.MustCompile(`^([2-5][0-9][0-9])(?:([ -])[^\n]*?)?\r?\n$`)
	for _, code := range []string{"", "2", "25", "250", "199", "600", "599", "2a0", " 250", "25\u0660", "+50"} {
		for _, text := range []string{"", " ", "-", "-a", " a\rb", "\r", "\r\r", " \r", "0", "x", "\x00", " \xff", "-\xe2\x80\xae\r"} {
			line := code + text + "\n"
			m := grammar.FindStringSubmatch(line)
			got, more, ok := refLine(line)
			if ok != (m != nil) || ok && (got != m[1] || more != (m[2] == "-")) {
				t.Errorf("%q: %q, %v, %v, not %q", line, got, more, ok, m)
			}
		}
	}
}

// FuzzReply: whatever a server sends, the reader and the reference see the same
// replies, which are a prefix of it; each has one code from 200 to 599, keeps to
// the limits and reads the same again.
func FuzzReply(f *testing.F) {
	c := mutate.For(f)
	for _, seed := range []string{
		"", "220 mx.test\r\n", "250-a\r\n250-b\r\n250 c\r\n", "250\n250 \n", "250-a\r\n251 b\r\n", "199 a\r\n", "600 a\r\n", "250-a\r\n",
		"25", "2500 x\r\n", "550 5.1.1 no\r\n", "250 5.1.1 odd\r\n", "250 2.1.0.0\r\n", "250 a\rb\r\r\n", "250 \x00\xff\r\n", "250\r\r\n", "\r\n", " 250 a\r\n",
		"250 " + strings.Repeat("a", maxReplyLine-6) + "\r\n", "250 " + strings.Repeat("a", maxReplyLine-5) + "\r\n", strings.Repeat("a", maxReplyLine),
		strings.Repeat("250-"+strings.Repeat("b", 1018)+"\r\n", 255) + "250 " + strings.Repeat("b", 1018) + "\r\n",
		strings.Repeat("250-"+strings.Repeat("b", 1018)+"\r\n", 256) + "250 x\r\n",
	} {
		c.Add([]byte(seed), false)
	}
	c.Tokens("250-", "250 ", "\r\n", "\n", "550 5.1.1 ", "2.0.0 ", "421", "354 ", "-5.7.1 ", "199", "600", "250\r\n")
	c.Limits(maxReplyLine, maxReply, 4, 5)
	mutate.Fuzz2(c, func(t testing.TB, said []byte, slow bool) {
		var r io.Reader = bytes.NewReader(said)
		if slow {
			r = iotest.OneByteReader(r)
		}
		rr := newReplyReader(r)
		want, end := refReplies(string(said))
		var all []byte
		for i := 0; ; i++ {
			reply, err := rr.next()
			if err != nil {
				got := "end"
				switch {
				case errors.As(err, new(*ProtocolError)):
					got = "protocol"
				case errors.Is(err, io.ErrUnexpectedEOF):
					got = "within"
				case !errors.Is(err, io.EOF):
					t.Fatal(err)
				}
				if got != end || i != len(want) {
					t.Fatalf("%d replies, then %s (%v); the reference has %d, then %s", i, got, err, len(want), end)
				}
				return
			}
			if i == len(want) {
				t.Fatalf("reply %q is none to the reference", reply.Raw)
			}
			if string(reply.Raw) != want[i].raw || reply.Codes()[:3] != want[i].code {
				t.Fatalf("got %d %q, the reference %s %q", reply.Code, reply.Raw, want[i].code, want[i].raw)
			}
			all = append(all, reply.Raw...)
			if !bytes.HasPrefix(said, all) {
				t.Fatalf("%q is not how it begins", all)
			}
			checkReply(t, reply)
		}
	})
}

func checkReply(t testing.TB, r *Reply) {
	if r.Code < 200 || r.Code > 599 || len(r.Raw) > maxReply {
		t.Fatalf("code %d, %d bytes", r.Code, len(r.Raw))
	}
	again, err := newReplyReader(bytes.NewReader(r.Raw)).next()
	if err != nil || again.Code != r.Code || !bytes.Equal(again.Raw, r.Raw) || again.Enhanced != r.Enhanced || !slices.Equal(again.Oddities, r.Oddities) {
		t.Fatalf("reads again as %+v, %v", again, err)
	}
	if n := bytes.Count(r.Raw, []byte("\n")); len(r.Lines()) != n || strings.Contains(strings.Join(r.Lines(), ""), "\n") {
		t.Fatalf("%d lines of %q", len(r.Lines()), r.Raw)
	}
	if !r.Enhanced.IsZero() && r.Enhanced.Class != r.Code/100 {
		t.Fatalf("enhanced code %s of %d", r.Enhanced, r.Code)
	}
	if _, err := r.MarshalJSON(); err != nil {
		t.Fatal(err)
	}
}

// FuzzOffers: each keyword is one, once, in capitals and was in the reply; there
// are at most 1000; and listed again they are the same.
func FuzzOffers(f *testing.F) {
	c := mutate.For(f)
	for _, seed := range []string{
		"", "SIZE 100\nPIPELINING", "AUTH PLAIN LOGIN\nAUTH=PLAIN CRAM-MD5", "AUTH=", "auth=login", "size\nSIZE 5\nSize 6", "*x*\n-A\n_b\nX-Y\n8BITMIME",
		"\u017fIZE 5", "SIZE\u00a05", "SIZE\t5", "SIZE 5\r", strings.Repeat("X\n", 1001), "AUTH " + strings.Repeat("a b ", 500) + "\nAUTH c d",
	} {
		c.Add(seed)
	}
	c.Tokens("\n", "SIZE ", "AUTH ", "AUTH=", "STARTTLS", "PIPELINING", "8BITMIME", "LIMITS RCPTMAX=1", "XCLIENT ADDR NAME", " ", "=")
	const keyword = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	mutate.Fuzz1(c, func(t testing.TB, list string) {
		reply := &Reply{Code: 250, Raw: []byte("250-mx.test\r\n")}
		for line := range strings.SplitSeq(list, "\n") {
			reply.Raw = append(reply.Raw, "250-"+line+"\r\n"...)
		}
		offers := ParseOffers(reply)
		if len(offers.Extensions) > maxKeywords {
			t.Fatalf("%d keywords", len(offers.Extensions))
		}
		again := &Reply{Code: 250, Raw: []byte("250-mx.test\r\n")}
		seen := map[string]bool{}
		for _, offer := range offers.Extensions {
			if strings.Trim(offer.Keyword, keyword+"_-") != "" || strings.IndexAny(offer.Keyword, keyword) != 0 || seen[offer.Keyword] {
				t.Fatalf("keyword %q", offer.Keyword)
			}
			seen[offer.Keyword] = true
			if !strings.Contains(capitals(list), offer.Keyword) {
				t.Fatalf("%q is not in %q", offer.Keyword, list)
			}
			for _, param := range offer.Params {
				if param == "" || strings.ContainsAny(param, " \t\r\n") {
					t.Fatalf("parameter %q of %s", param, offer.Keyword)
				}
			}
			again.Raw = append(again.Raw, "250-"+strings.Join(append([]string{offer.Keyword}, offer.Params...), " ")+"\r\n"...)
		}
		if o := ParseOffers(again); !slices.EqualFunc(o.Extensions, offers.Extensions, func(a, b Offer) bool {
			return a.Keyword == b.Keyword && slices.Equal(a.Params, b.Params)
		}) {
			t.Fatalf("%q, listed again %q", offers.Extensions, o.Extensions)
		}
	})
}

// FuzzDot: over any division into blocks the stuffer writes what the definition
// says, the end of the message comes once, and taking the dots off again gives
// the message.
func FuzzDot(f *testing.F) {
	c := mutate.For(f)
	for _, seed := range []string{"", ".", "..", "\r\n", "\r\n.\r\n", ".\r\n.\r\n", "a\r\n.b\r\n", "a\n.b", "\r.\r\n.", "a\r\r\n.\r", "\r\n\r\n..\r\n.x"} {
		c.Add([]byte(seed), []byte{1})
		c.Add([]byte(seed), []byte{2, 3, 0, 1})
	}
	c.Tokens("\r\n.", "\r\n", ".\r\n", "\r\n.\r\n", "\n.", "\r.", "..")
	mutate.Fuzz2(c, func(t testing.TB, message, sizes []byte) {
		want := strings.ReplaceAll("\r\n"+string(message), "\r\n.", "\r\n..")
		if !strings.HasSuffix(want, "\r\n") {
			want += "\r\n"
		}
		want = want[2:] + ".\r\n"

		var b strings.Builder
		s := stuffer{w: &b, atStart: true}
		for rest, i := message, 0; len(rest) > 0; i++ {
			n := len(rest)
			if i < len(sizes) {
				n = min(n, int(sizes[i]))
			}
			if err := s.write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := s.end(); err != nil {
			t.Fatal(err)
		}
		if b.String() != want {
			t.Fatalf("wrote %q, want %q", b.String(), want)
		}
		if at := strings.Index("\r\n"+want, "\r\n.\r\n"); at != len(want)-3 {
			t.Fatalf("%q ends at %d", want, at)
		}
		var back strings.Builder
		for line := range strings.SplitAfterSeq(strings.TrimSuffix(want, ".\r\n"), "\r\n") {
			back.WriteString(strings.TrimPrefix(line, "."))
		}
		if got := strings.TrimSuffix(back.String(), "\r\n"); got != strings.TrimSuffix(string(message), "\r\n") {
			t.Fatalf("read back as %q", got)
		}
	})
}
