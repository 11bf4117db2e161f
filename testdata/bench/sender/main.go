// Command sender sends one big message with as little work as the protocol
// allows: the speed that a client on this machine can reach. It looks at no reply
// but for its code, and at the message not at all.
//
//	-addr HOST:PORT   the server
//	-attach FILE      a multipart with the file in base64
//	-data FILE        a whole message, as it stands but for dots: lines in CR LF
//	-bdat             by BDAT, in one chunk, else by DATA
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
)

const (
	lineIn  = 57 // octets of a file in a line of base64
	block   = 1024 * lineIn
	before  = "From: <a@sender.test>\r\nTo: <b@sink.test>\r\nSubject: big\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=big\r\n\r\n"
	behind  = "\r\n--b--\r\n"
	newline = "\r\n"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:2525", "the server")
	attach := flag.String("attach", "", "a file to attach")
	data := flag.String("data", "", "a whole message to send")
	bdat := flag.Bool("bdat", false, "use BDAT")
	flag.Parse()
	file, err := os.Open(*attach + *data)
	if err != nil {
		log.Fatal(err)
	}
	info, err := file.Stat()
	if err != nil {
		log.Fatal(err)
	}
	nc, err := net.Dial("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	c := &client{nc: nc, r: bufio.NewReader(nc)}
	size := info.Size()
	if *attach != "" {
		size = int64(len(before)+len(behind)) + encoded(size)
	}
	c.expect(1)
	c.send("EHLO sender.test" + newline)
	c.expect(1)
	envelope := fmt.Sprintf("MAIL FROM:<a@sender.test> SIZE=%d\r\nRCPT TO:<b@sink.test>\r\n", size)
	end := "QUIT" + newline
	if *bdat {
		c.send(envelope)
		c.expect(2)
		c.send(fmt.Sprintf("BDAT %d LAST\r\n", size))
	} else {
		c.send(envelope + "DATA" + newline)
		c.expect(3)
		end = "." + newline + end
	}
	if *attach != "" {
		err = c.attach(file)
	} else {
		err = c.whole(file, !*bdat)
	}
	if err != nil {
		log.Fatal(err)
	}
	c.send(end)
	c.expect(2)
}

// encoded is what n octets become in base64.
func encoded(n int64) int64 {
	return (n+2)/3*4 + (n+lineIn-1)/lineIn*2
}

type client struct {
	nc net.Conn
	r  *bufio.Reader
}

// expect reads n replies, none of which may be a refusal.
func (c *client) expect(n int) {
	for n > 0 {
		line, err := c.r.ReadSlice('\n')
		if err != nil || len(line) < 4 || line[0] > '3' {
			log.Fatalf("reply %q: %v", line, err)
		}
		if line[3] != '-' {
			n--
		}
	}
}

func (c *client) send(text string) {
	if _, err := io.WriteString(c.nc, text); err != nil {
		log.Fatal(err)
	}
}

// attach writes the multipart.
func (c *client) attach(file io.Reader) error {
	in, out := make([]byte, block), make([]byte, 0, 2*block)
	out = append(out, before...)
	for {
		n, end := io.ReadFull(file, in)
		for rest := in[:n]; len(rest) > 0; {
			line := rest[:min(lineIn, len(rest))]
			out = append(base64.StdEncoding.AppendEncode(out, line), newline...)
			rest = rest[len(line):]
		}
		over := errors.Is(end, io.EOF) || errors.Is(end, io.ErrUnexpectedEOF)
		switch {
		case over:
			out = append(out, behind...)
		case end != nil:
			return end
		}
		if _, err := c.nc.Write(out); err != nil || over {
			return err
		}
		out = out[:0]
	}
}

// whole writes the message, with dots doubled if it goes behind DATA (RFC 5321
// section 4.5.2).
func (c *client) whole(file io.Reader, dots bool) error {
	const last = len(newline) // octets kept of the block before
	buf := make([]byte, last+block)
	copy(buf, newline)
	for {
		n, err := file.Read(buf[last:])
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		text := buf[:last+n]
		if dots && bytes.Contains(text, []byte("\r\n.")) {
			text = bytes.ReplaceAll(text, []byte("\r\n."), []byte("\r\n.."))
		}
		if _, err := c.nc.Write(text[last:]); err != nil {
			return err
		}
		copy(buf, buf[n:last+n])
	}
}
