package dialog

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

// mutant is a correct server whose replies are spoilt on their way out. What it
// really took is known beside what it was made to say.
type mutant struct {
	nc       net.Conn
	r        *bufio.Reader
	kind     *session
	spoiling []spoiling
	rand     *rand.Rand

	mouth   chan []byte // what is to be said, piece by piece
	replies int         // so far
	kept    []byte      // a reply that is held back
	mute    bool
	said    bytes.Buffer // in the clear and under TLS
	heard   bytes.Buffer
	done    chan struct{}

	to    []string        // of the transaction that is open
	chunk []byte          // of it, by BDAT
	truth map[string]byte // the class of the server's own reply to the message, for each recipient of a message that came whole
}

// spoiling is what happens to a reply of the server.
type spoiling struct {
	how   string // a word of spoilings
	reply int    // which, the banner is the first
	at    int    // the octet, modulo its length
	with  string
}

// spoilings are the ways in which replies go wrong. The first of them leave every
// reply that comes a true one.
func spoilings() []string {
	return []string{"cut", "silent", "reset", "split", "double", "drop", "swap", "replace", "corrupt", "insert", "remove"}
}

// honest is how many of spoilings only cut, repeat or lose what the server says.
const honest = 6

// say gives a reply, spoilt as it is to be.
func (m *mutant) say(reply string) {
	text := []byte(reply + "\r\n")
	n := m.replies
	m.replies++
	closes, pieces := false, false
	for _, s := range m.spoiling {
		if s.reply != n {
			continue
		}
		at := s.at % (len(text) + 1)
		switch s.how {
		case "cut", "reset":
			text, closes = text[:at], true
		case "silent":
			m.speak(text[:at], pieces)
			m.mute = true
			return
		case "split":
			pieces = true
		case "double":
			text = append(text, text...)
		case "drop":
			text = nil
		case "swap":
			m.kept = text
			return
		case "replace":
			text = []byte(s.with)
		case "corrupt":
			if len(text) > 0 {
				text[at%len(text)] = s.with[0]
			}
		case "insert":
			text = append(text[:at:at], append([]byte(s.with), text[at:]...)...)
		case "remove":
			if len(text) > 0 {
				text = append(text[:at%len(text)], text[at%len(text)+1:]...)
			}
		}
	}
	m.speak(append(text, m.kept...), pieces)
	m.kept = nil
	if closes {
		m.speak(nil, false)
		m.mute = true
	}
}

// speak hands text to the wire; nil closes it.
func (m *mutant) speak(text []byte, pieces bool) {
	switch {
	case m.mute:
	case text == nil:
		m.mouth <- nil
	case pieces:
		for i := range text {
			m.mouth <- text[i : i+1]
		}
	case len(text) > 0:
		m.mouth <- text
	}
}

// open has the replies go out by themselves, so that a client that writes a group
// does not wait for a server that says something.
func (m *mutant) open(nc net.Conn) {
	m.nc, m.r = nc, bufio.NewReader(io.TeeReader(nc, &m.heard))
	m.mouth, m.done = make(chan []byte, 4096), make(chan struct{})
	go func(mouth chan []byte, done chan struct{}) {
		defer close(done)
		for text := range mouth {
			if text == nil {
				nc.Close()
			}
			if len(text) == 1 {
				time.Sleep(time.Millisecond)
			}
			if n, _ := nc.Write(text); n > 0 {
				m.said.Write(text[:n])
			}
		}
	}(m.mouth, m.done)
}

func (m *mutant) shut() { close(m.mouth); <-m.done }

// serve has the conversation to its end.
func (m *mutant) serve(t *testing.T, nc net.Conn) {
	m.open(nc)
	defer func() { m.shut(); nc.Close() }()
	m.say("220 mx.test")
	for {
		line, err := m.r.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimSuffix(line, "\r\n"), " ")
		switch verb {
		case "EHLO", "LHLO":
			keywords := m.kind.keywords
			if _, secure := m.nc.(*tls.Conn); m.kind.tls && !secure {
				keywords += " STARTTLS"
			}
			m.say("250-mx.test\r\n250-" + strings.ReplaceAll(strings.TrimSpace(keywords), " ", "\r\n250-") + "\r\n250 AUTH PLAIN")
		case "STARTTLS":
			m.say("220 go")
			m.shut()
			secured := tls.Server(m.nc, &tls.Config{Certificates: []tls.Certificate{testCertificate()}})
			if err := secured.Handshake(); err != nil {
				m.mouth, m.done = make(chan []byte, 1), make(chan struct{})
				close(m.done)
				return
			}
			m.heard.Reset()
			m.said.Reset()
			m.open(secured)
		case "AUTH":
			m.say("235 2.7.0 in")
		case "MAIL":
			m.to, m.chunk = nil, nil
			m.say("250 2.1.0 ok")
		case "RCPT":
			m.rcpt(rest)
		case "DATA":
			if len(m.to) == 0 {
				m.say("554 5.5.1 no recipients")
				continue
			}
			m.say("354 go")
			if !m.text() {
				return
			}
		case "BDAT":
			n, _ := strconv.Atoi(strings.TrimSuffix(rest, " LAST"))
			chunk := make([]byte, n)
			if _, err := io.ReadFull(m.r, chunk); err != nil {
				return
			}
			m.chunk = append(m.chunk, chunk...)
			m.message(string(m.chunk))
		case "RSET", "NOOP":
			m.to = nil
			m.say("250 2.0.0 ok")
		case "QUIT":
			m.say("221 2.0.0 bye")
			m.speak(nil, false)
			_, _ = io.Copy(io.Discard, m.r)
			return
		default:
			m.say("500 5.5.2 what")
		}
	}
}

func (m *mutant) rcpt(path string) {
	address, _, _ := strings.Cut(strings.TrimPrefix(path, "TO:<"), ">")
	switch m.rand.IntN(6) {
	case 0:
		m.say("550 5.1.1 " + address + " is nobody")
	case 1:
		m.say("450 4.2.1 " + address + " later")
	default:
		m.to = append(m.to, address)
		m.say("250 2.1.5 " + address + " ok")
	}
}

// text reads the message behind DATA, and reports whether it came to its end.
func (m *mutant) text() bool {
	var b strings.Builder
	for {
		line, err := m.r.ReadString('\n')
		switch {
		case err != nil:
			return false
		case line == ".\r\n":
			m.message(b.String())
			return true
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
}

// message answers a message: whole, or for each recipient.
func (m *mutant) message(text string) {
	verdict := func() string {
		return [...]string{"250 2.0.0 queued", "250 2.0.0 queued", "550 5.7.1 spam", "451 4.3.0 later"}[m.rand.IntN(4)]
	}
	took := func(address, reply string) {
		if text == m.kind.body {
			m.truth[address] = reply[0]
		}
	}
	switch {
	case len(m.to) == 0:
		m.say("554 5.5.1 no recipients")
	case m.kind.lmtp:
		for _, address := range m.to {
			reply := verdict()
			took(address, reply)
			m.say(reply + " for " + address)
		}
	case m.kind.prdr && len(m.to) > 1:
		m.say("353 each")
		own := make([]string, len(m.to))
		for i := range m.to {
			own[i] = verdict()
			m.say(own[i])
		}
		whole := verdict()
		for i, address := range m.to {
			if whole[0] == '2' {
				took(address, own[i])
			} else {
				took(address, whole)
			}
		}
		m.say(whole)
	default:
		reply := verdict()
		for _, address := range m.to {
			took(address, reply)
		}
		m.say(reply)
	}
	m.to, m.chunk = nil, nil
}
