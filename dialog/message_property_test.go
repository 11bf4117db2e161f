package dialog

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
)

// taking is a server that keeps what it is sent. It reads in pieces of the sizes
// that it is given, over and over, and takes the message apart one octet at a time,
// as RFC 5321 section 4.5.2 and RFC 3030 section 2 say it.
type taking struct {
	nc    net.Conn
	sizes []int
	ahead []byte

	verbs    []string // in the order of their coming
	declared int64    // by MAIL's SIZE
	chunk    int64    // by BDAT
	message  []byte
	failed   error
}

// next is the next octet.
func (s *taking) next() byte {
	for len(s.ahead) == 0 && s.failed == nil {
		p := make([]byte, s.sizes[0])
		s.sizes = append(s.sizes[1:], s.sizes[0])
		var n int
		n, s.failed = s.nc.Read(p)
		s.ahead = p[:n]
	}
	if len(s.ahead) == 0 {
		return 0
	}
	c := s.ahead[0]
	s.ahead = s.ahead[1:]
	return c
}

// line is the next one, without its CR LF.
func (s *taking) line() []byte {
	var line []byte
	for s.failed == nil {
		line = append(line, s.next())
		if n := len(line); n > 1 && line[n-2] == '\r' && line[n-1] == '\n' {
			return line[:n-2]
		}
	}
	return nil
}

// serve has the whole conversation. Replies go out by themselves, so that a group
// on a pipe without a buffer does not wait for them.
func (s *taking) serve(keywords string) {
	said := make(chan string, 100)
	written := make(chan struct{})
	go func() {
		defer close(written)
		for reply := range said {
			_, _ = io.WriteString(s.nc, reply+"\r\n")
		}
	}()
	defer func() { close(said); <-written }()
	said <- "220 x"
	for s.failed == nil {
		line := string(s.line())
		verb, rest, _ := strings.Cut(line, " ")
		s.verbs = append(s.verbs, verb)
		switch verb {
		case "EHLO":
			said <- "250-x\r\n250-SIZE\r\n250-" + strings.ReplaceAll(keywords, " ", "\r\n250-") + "\r\n250 8BITMIME"
		case "MAIL":
			_, size, _ := strings.Cut(rest, " SIZE=")
			_, _ = fmt.Sscan(size, &s.declared)
			said <- "250 ok"
		case "DATA":
			said <- "354 go"
			for s.failed == nil {
				line := s.line()
				if string(line) == "." {
					break
				}
				line = bytes.TrimPrefix(line, []byte("."))
				s.message = append(append(s.message, line...), "\r\n"...)
			}
			said <- "250 ok"
		case "BDAT":
			_, _ = fmt.Sscan(rest, &s.chunk)
			for range s.chunk {
				s.message = append(s.message, s.next())
			}
			said <- "250 ok"
		case "QUIT":
			said <- "221 bye"
			return
		default:
			said <- "250 ok"
		}
	}
}

// pieces gives a message in reads of the given sizes, the last of them at once
// with the end.
func pieces(body string, sizes []int) text {
	return text{body: body, needs: []string{"8BITMIME"}, open: func() (io.ReadCloser, error) {
		return io.NopCloser(&piecewise{body: body, sizes: slices.Clone(sizes)}), nil
	}}
}

type piecewise struct {
	body  string
	sizes []int
}

func (p *piecewise) Read(b []byte) (int, error) {
	n := copy(b[:min(len(b), p.sizes[0])], p.body)
	p.sizes = append(p.sizes[1:], p.sizes[0])
	if p.body = p.body[n:]; p.body == "" {
		return n, io.EOF
	}
	return n, nil
}

// arrive sends a message in each way there is, and holds what arrives against it.
func arrive(t *testing.T, body string, sourceSizes, serverSizes []int, dial func(t *testing.T) (client, server net.Conn)) {
	t.Helper()
	for _, keywords := range []string{"HELP", "PIPELINING", "CHUNKING", "CHUNKING PIPELINING"} {
		client, server := dial(t)
		srv := &taking{nc: server, sizes: slices.Clone(serverSizes)}
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer server.Close()
			srv.serve(keywords)
		}()
		o := testOptions()
		var told, total int64
		o.Writing = func(n, of int64) { told, total = n, of }
		d := newDelivery("a@x.test", pieces(body, sourceSizes))
		s := NewSession(client, o)
		err := standard(d).Run(context.Background(), s)
		client.Close()
		<-done
		if got := verdict(d, s, err); got != "a accepted dot 250" || srv.failed != nil {
			t.Fatalf("%s, %d octets: %s (%v)", keywords, len(body), got, srv.failed)
		}
		if string(srv.message) != body {
			at := 0
			for at < min(len(body), len(srv.message)) && body[at] == srv.message[at] {
				at++
			}
			t.Fatalf("%s: %d octets became %d, not the same from %d on: %.20q, not %.20q", keywords, len(body), len(srv.message), at,
				srv.message[min(at, len(srv.message)):], body[min(at, len(body)):])
		}
		chunked := strings.HasPrefix(keywords, "CHUNKING")
		if srv.declared != int64(len(body)) || chunked && srv.chunk != srv.declared {
			t.Errorf("%s: %d octets declared as %d, in a chunk of %d", keywords, len(body), srv.declared, srv.chunk)
		}
		want := "EHLO MAIL RCPT DATA QUIT"
		if chunked {
			want = "EHLO MAIL RCPT BDAT QUIT"
		}
		if got := strings.Join(srv.verbs, " "); got != want {
			t.Errorf("%s: heard %q, want %q", keywords, got, want)
		}
		if told != int64(len(body)) || total != told {
			t.Errorf("%s: Writing was told %d of %d, want %d", keywords, told, total, len(body))
		}
	}
}

// piped is a connection without any buffer: every write is a read.
func piped(*testing.T) (client, server net.Conn) { return net.Pipe() }

// dialed is a connection over TCP.
func dialed(t *testing.T) (client, server net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		nc, _ := listener.Accept()
		accepted <- nc
	}()
	if client, err = net.Dial("tcp", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	return client, <-accepted
}

// anyMessage is one of about n octets, in legal lines of what is most likely to be
// taken for something else: dots, bare line ends of nothing, high octets.
func anyMessage(r *rand.Rand, n int) string {
	var b strings.Builder
	for b.Len() < n {
		length := [...]int{0, 0, 1, 1, 2, 3, r.IntN(80), r.IntN(998)}[r.IntN(8)]
		for range min(length, max(0, n-b.Len()-2)) {
			b.WriteByte("...... .x\xff\t"[r.IntN(11)])
		}
		b.WriteString("\r\n")
	}
	return b.String()
}

// TestAnyMessage: whatever a message is, however its source gives it and however
// the server reads, the same octets arrive, by DATA and by BDAT, in lockstep and
// pipelined, and as many as were declared.
func TestAnyMessage(t *testing.T) {
	const seed = 5321
	r := rand.New(rand.NewPCG(seed, 3030))
	sizes := func(n int) []int {
		few := [...]int{1, 2, 3, 79, 4096, writeBuffer, 2 * writeBuffer}
		most := few[r.IntN(len(few))]
		if n > 5000 { // octet by octet takes long, and shows no more
			most = few[3+r.IntN(len(few)-3)]
		}
		list := make([]int, 1+r.IntN(5))
		for i := range list {
			list[i] = 1 + r.IntN(most)
		}
		return list
	}
	for i := range 96 {
		n := [...]int{2, 3, 10, 100, 4000, writeBuffer - 100 + r.IntN(200), 2*writeBuffer - 3 + r.IntN(6), 100_000}[i%8]
		dial := piped
		if i%3 == 0 {
			dial = dialed
		}
		arrive(t, anyMessage(r, n), sizes(n), sizes(n), dial)
		if t.Failed() {
			t.Fatalf("message %d of seed %d", i, seed)
		}
	}
}

// TestMessageAtBufferEnds puts each sequence that has a meaning on each place about
// the end of the first buffer, which by BDAT holds the command too.
func TestMessageAtBufferEnds(t *testing.T) {
	const command = len("BDAT 32768 LAST\r\n")
	for _, sequence := range []string{"\r\n.\r\n", "\r\n..\r\n", "\r\n\r\n.", "\r\n.\r\n.\r\n.\r\n", "x.\r\n"} {
		for at := writeBuffer - command - 8; at < writeBuffer+3; at++ {
			before := lines(at)
			// No line ends right before the sequence.
			body := "x" + before[:len(before)-2] + "x" + sequence + "the end\r\n"
			arrive(t, body, []int{writeBuffer}, []int{writeBuffer}, piped)
			if t.Failed() {
				t.Fatalf("%q at %d", sequence, at)
			}
		}
	}
}

// FuzzMessage: any text that has an end of line at its end arrives as it is.
func FuzzMessage(f *testing.F) {
	for _, seed := range []string{"", ".", "..", "\r\n.\r\n", ".\r\n.\r\n", "a\r\n.b", "\n.\n", "\r.\r", "\r\r\n.", "\x00.\r\n"} {
		f.Add(seed, uint16(1), uint16(1))
		f.Add(strings.Repeat("x", 78)+seed, uint16(78), uint16(2))
	}
	f.Fuzz(func(t *testing.T, body string, source, server uint16) {
		body += "\r\n"
		// A bare CR or LF is nothing that mime lets through, and here no line end.
		arrive(t, body, []int{1 + int(source)}, []int{1 + int(server)}, piped)
	})
}

// BenchmarkBody is a big message on its way to a server that takes all at once.
func BenchmarkBody(b *testing.B) {
	body := text{body: lines(16 << 20)}
	for _, keyword := range []string{"DATA", "CHUNKING"} {
		b.Run(keyword, func(b *testing.B) {
			b.SetBytes(int64(len(body.body)))
			b.ReportAllocs()
			for b.Loop() {
				client, server := net.Pipe()
				go swallow(server, keyword)
				d := newDelivery("a@x.test", body)
				if err := standard(d).Run(b.Context(), NewSession(client, testOptions())); err != nil || d.To[0].Outcome != Accepted {
					b.Fatal(err, d.To)
				}
				client.Close()
			}
		})
	}
}

// swallow takes one message without a look at it.
func swallow(nc net.Conn, keyword string) {
	defer nc.Close()
	r := bufio.NewReaderSize(nc, 1<<20)
	say := func(reply string) { _, _ = io.WriteString(nc, reply+"\r\n") }
	say("220 x")
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		var n int
		switch {
		case bytes.HasPrefix(line, []byte("EHLO")):
			say("250-x\r\n250 " + keyword)
		case bytes.HasPrefix(line, []byte("DATA")):
			say("354 go")
			for string(line) != ".\r\n" && err == nil {
				line, err = r.ReadSlice('\n')
			}
			say("250 ok")
		case bytes.HasPrefix(line, []byte("BDAT")):
			_, _ = fmt.Sscanf(string(line), "BDAT %d", &n)
			_, _ = r.Discard(n)
			say("250 ok")
		case bytes.HasPrefix(line, []byte("QUIT")):
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}
