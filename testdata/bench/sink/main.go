// Command sink is an SMTP server that takes every message and keeps none, with
// as little work as the protocol allows: what a client measured against it loses is
// the client's own.
//
//	-addr HOST:PORT   where it listens; its address is printed once it does
//	-no-chunking      CHUNKING is not offered
//	-tls              STARTTLS is offered, with a certificate made for the run
//	-implicit         TLS from the first byte
//	-ca FILE          that certificate's authority is written there, in PEM
//	-rate N           reads at most N MiB a second, to look at a client that waits
package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"os"
	"strconv"
	"time"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "where to listen")
	noChunking := flag.Bool("no-chunking", false, "do not offer CHUNKING")
	secure := flag.Bool("tls", false, "offer STARTTLS")
	implicit := flag.Bool("implicit", false, "TLS from the first byte")
	ca := flag.String("ca", "", "where to write the authority's certificate")
	rate := flag.Int("rate", 0, "MiB a second that are read; 0 is all that comes")
	flag.Parse()
	var config *tls.Config
	if *secure || *implicit {
		config = certified(*ca)
	}
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	for {
		nc, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			defer nc.Close()
			if *implicit {
				serve(tls.Server(nc, config), !*noChunking, *rate, nil)
				return
			}
			serve(nc, !*noChunking, *rate, config)
		}()
	}
}

// slow reads at most rate MiB a second.
type slow struct {
	io.Reader
	rate  int
	began time.Time
	read  int64
}

func (s *slow) Read(p []byte) (int, error) {
	if s.rate > 0 {
		p = p[:min(len(p), 16<<10)]
		due := time.Duration(float64(s.read) / float64(s.rate<<20) * float64(time.Second))
		time.Sleep(time.Until(s.began.Add(due)))
	}
	n, err := s.Reader.Read(p)
	if s.read == 0 {
		s.began = time.Now()
	}
	s.read += int64(n)
	return n, err
}

// certified is what a server needs for TLS: a key, and a certificate by an authority
// of its own, which file is to hold.
func certified(file string) *tls.Config {
	until := time.Now().Add(24 * time.Hour)
	authority := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "The sink's authority"}, NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	root, rootKey := issue(authority, authority, nil)
	if file != "" {
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root}), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	der, key := issue(&x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{"sink.test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: until,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, authority, rootKey)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// issue makes a key and a certificate for it, by the key of its issuer or, without one,
// its own.
func issue(c, by *x509.Certificate, issuer *ecdsa.PrivateKey) ([]byte, *ecdsa.PrivateKey) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	if issuer == nil {
		issuer = key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by, key.Public(), issuer)
	if err != nil {
		log.Fatal(err)
	}
	return der, key
}

func serve(nc net.Conn, chunking bool, rate int, config *tls.Config) {
	r := bufio.NewReaderSize(&slow{Reader: nc, rate: rate}, 64<<10)
	w := bufio.NewWriter(nc)
	defer w.Flush()
	say := func(reply string) { _, _ = w.WriteString(reply + "\r\n") }
	say("220 sink.test ESMTP")
	for {
		if r.Buffered() == 0 && w.Flush() != nil {
			return
		}
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		words := bytes.Fields(bytes.ToUpper(line))
		if len(words) == 0 {
			say("500 5.5.2 a command is wanted")
			continue
		}
		switch string(words[0]) {
		case "EHLO":
			say("250-sink.test")
			if chunking {
				say("250-CHUNKING")
			}
			if config != nil {
				say("250-STARTTLS")
			}
			say("250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 0")
		case "STARTTLS":
			if config == nil {
				say("502 5.5.1 not offered")
				continue
			}
			say("220 2.0.0 go ahead")
			if w.Flush() != nil {
				return
			}
			nc, config = tls.Server(nc, config), nil
			r.Reset(nc)
			w.Reset(nc)
		case "DATA":
			say("354 go ahead")
			if w.Flush() != nil || !text(r) {
				return
			}
			say("250 2.0.0 gone")
		case "BDAT":
			if len(words) < 2 {
				return
			}
			n, err := strconv.Atoi(string(words[1]))
			if err != nil || n < 0 {
				return
			}
			if _, err := r.Discard(n); err != nil {
				return
			}
			say("250 2.0.0 gone")
		case "QUIT":
			say("221 2.0.0 bye")
			return
		default:
			say("250 2.0.0 ok")
		}
	}
}

// text reads a message to the line of one dot (RFC 5321 section 4.1.1.4).
func text(r *bufio.Reader) bool {
	const end = "\r\n.\r\n"
	if head, err := r.Peek(3); err != nil || string(head) == end[2:] {
		_, _ = r.Discard(3)
		return err == nil
	}
	for more := 1; ; { // beyond what is known not to hold the end
		if _, err := r.Peek(more); err != nil {
			return false
		}
		block, _ := r.Peek(r.Buffered())
		if i := bytes.Index(block, []byte(end)); i >= 0 {
			_, _ = r.Discard(i + len(end))
			return true
		}
		keep := min(len(block), len(end)-1)
		_, _ = r.Discard(len(block) - keep)
		more = keep + 1
	}
}
