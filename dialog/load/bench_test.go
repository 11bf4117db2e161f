package load

import (
	"bufio"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/ehlo-mail/ehlo/dialog/reach"
)

// BenchmarkConnection is a message on a connection of its own.
func BenchmarkConnection(b *testing.B) {
	hop := frugal(b)
	to := []string{"b@sink.test"}
	b.ReportAllocs()
	b.ResetTimer()
	result, err := Run(b.Context(), reaching(), hop, Offer{
		From: "a@client.test", To: to, Messages: []*Message{MadeUp("a@client.test", to, 1024)},
		Sessions: 1, Count: int64(b.N), PerConn: 1,
	}, nil)
	if err != nil || result.Accepted != int64(b.N) || result.Connections != int64(b.N) {
		b.Fatal(result, err)
	}
}

// frugal is a server that offers PIPELINING, and allocates little beside its connections.
func frugal(b *testing.B) reach.Hop {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	go func() {
		r := bufio.NewReader(nil)
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			r.Reset(nc)
			answer := []byte("220 sink.test\r\n")
			for _, end := range []string{"EHLO", "DATA", ".", "QUIT"} {
				_, _ = nc.Write(answer)
				for line := []byte(" "); len(line) > 0 && !strings.HasPrefix(string(line), end); {
					line, _ = r.ReadSlice('\n')
				}
				switch end {
				case "EHLO":
					answer = []byte("250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 0\r\n")
				case "DATA":
					answer = []byte("250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go\r\n")
				case ".":
					answer = []byte("250 2.0.0 gone\r\n")
				}
			}
			_, _ = nc.Write([]byte("221 2.0.0 bye\r\n"))
			_ = nc.Close()
		}
	}()
	addr := netip.MustParseAddrPort(l.Addr().String())
	return reach.Hop{Host: "mx.test", Addr: addr, Port: addr.Port()}
}
