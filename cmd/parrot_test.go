package cmd

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

// parrot is a server that speaks enough of each mechanism to be told something,
// and repeats it: in every writing, or in one, as its leak says.
type parrot struct {
	*leak
	mu    sync.Mutex
	heard []string // the base64 of every answer that holds a secret
	calls int
	cert  tls.Certificate
	away  chan struct{} // closed when the run is over
}

// listen serves until the test is over, at the port that it gives.
func (p *parrot) listen(t *testing.T) (port string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.away = make(chan struct{})
	var served sync.WaitGroup
	served.Go(func() {
		for {
			nc, err := listener.Accept()
			if err != nil {
				return
			}
			served.Go(func() {
				defer nc.Close()
				_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
				p.serve(nc)
			})
		}
	})
	t.Cleanup(func() {
		close(p.away)
		_ = listener.Close()
		served.Wait()
	})
	_, port, _ = net.SplitHostPort(listener.Addr().String())
	return port
}

// parrotCert is a certificate that proves nothing.
func parrotCert(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// known is all that must not show, by what it is. What was answered on an earlier
// connection is not looked for.
func (p *parrot) known() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := map[string]string{"secret": p.secret}
	if p.way == "again" {
		return known
	}
	for i, line := range p.heard {
		known[fmt.Sprintf("answer %d", i)] = line
		answer, _ := base64.StdEncoding.DecodeString(line)
		if proof := proof(p.mechanism, string(answer)); proof != "" {
			known[fmt.Sprintf("proof %d", i)] = proof
			raw, err := hex.DecodeString(proof)
			if err != nil {
				raw, err = base64.StdEncoding.DecodeString(proof)
			}
			if err == nil {
				known[fmt.Sprintf("bytes of proof %d", i)] = string(raw)
			}
		}
	}
	return known
}

// told reports whether an answer with a secret has come.
func (p *parrot) told() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.heard) > 0
}

// learn keeps an answer, if there is a secret in it.
func (p *parrot) learn(line string) {
	answer, err := base64.StdEncoding.DecodeString(line)
	if err != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if strings.Contains(string(answer), p.secret) || proof(p.mechanism, string(answer)) != "" {
		p.heard = append(p.heard, line)
	}
}

// talk is all that the server repeats, a line each, in a random order.
func (p *parrot) talk() []string {
	var lines []string
	for _, secret := range p.known() {
		for form, written := range writings(secret) {
			if strings.ContainsAny(written, "\r\n") {
				continue
			}
			lines = append(lines, form+" "+written+" was wrong")
			if utf8.ValidString(written) {
				lines = append(lines, form+": <"+strings.ToUpper(written)+">")
			}
		}
		for _, before := range []string{"", "x", "no", "the password "} {
			lines = append(lines, base64.StdEncoding.EncodeToString([]byte(before+secret+" is wrong")))
		}
	}
	slices.Sort(lines)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.random.Shuffle(len(lines), func(i, k int) { lines[i], lines[k] = lines[k], lines[i] })
	return lines
}

// reply is lines as one reply.
func reply(code string, lines ...string) string {
	var b strings.Builder
	for i, line := range lines {
		sign := "-"
		if i == len(lines)-1 {
			sign = " "
		}
		b.WriteString(code + sign + line + "\r\n")
	}
	return b.String()
}

func (p *parrot) serve(nc net.Conn) {
	p.mu.Lock()
	p.calls++
	again := p.calls > 1
	p.mu.Unlock()
	in := bufio.NewReader(nc)
	say := func(text string) {
		step := len(text)
		if p.drips && len(text) < 500 {
			step = 1
		}
		for part := range slices.Chunk([]byte(text), step) {
			_, _ = nc.Write(part)
		}
	}
	greeting, offers := []string{"mx.test"}, []string{"mx.test"}
	if again {
		greeting = append(p.talk(), "mx.test")
		offers = append(offers, p.talk()...)
	}
	secure := false
	say(reply("220", greeting...))
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch verb {
		case "EHLO":
			offered := slices.Clone(offers)
			if p.secure && !secure {
				offered = append(offered, "STARTTLS")
			}
			say(reply("250", append(offered, "AUTH "+p.mechanism)...))
		case "STARTTLS":
			say("220 go\r\n")
			if p.way == "injected" {
				say(p.secret + "\r\n")
				return
			}
			secured := tls.Server(nc, &tls.Config{Certificates: []tls.Certificate{p.cert}})
			nc, in, secure = secured, bufio.NewReader(secured), true
		case "AUTH":
			_, first, initial := strings.Cut(rest, " ")
			if !p.auth(in, say, first, initial) {
				return
			}
		case "*":
			say(reply("501", p.talk()...))
		case "QUIT":
			say(reply("221", p.talk()...))
			return
		default:
			say("250 ok\r\n")
		}
	}
}

// auth is the server's part of an exchange, up to where it begins to repeat. It
// reports whether the conversation goes on.
func (p *parrot) auth(in *bufio.Reader, say func(string), answer string, answered bool) bool {
	ask := func(challenge string) bool {
		say("334 " + base64.StdEncoding.EncodeToString([]byte(challenge)) + "\r\n")
		line, err := in.ReadString('\n')
		answer = strings.TrimSpace(line)
		p.learn(answer)
		return err == nil
	}
	if p.mechanism == "LOGIN" || strings.HasSuffix(p.mechanism, "-MD5") {
		answered = true // the server speaks first
	}
	p.learn(answer)
	if !answered && !ask("") {
		return false
	}
	first, _ := base64.StdEncoding.DecodeString(answer)
	for _, challenge := range p.challenges(string(first)) {
		if !ask(challenge) {
			return false
		}
	}
	return p.repeat(say, ask)
}

// challenges are what the mechanism asks before the answer that holds the secret.
func (p *parrot) challenges(first string) []string {
	switch {
	case p.mechanism == "LOGIN":
		return []string{"Username:", "Password:"}
	case p.mechanism == "CRAM-MD5":
		return []string{"<1896.697170952@mx.test>"}
	case p.mechanism == "DIGEST-MD5":
		return []string{`realm="mx.test",nonce="OA6MG9tEQGm2hh",qop="auth",charset=utf-8,algorithm=md5-sess`}
	case p.mechanism == "NTLM":
		return []string{ntlmChallenge()}
	case strings.HasPrefix(p.mechanism, "SCRAM"):
		_, nonce, _ := strings.Cut(first, ",r=")
		return []string{"r=" + nonce + "ser,s=" + base64.StdEncoding.EncodeToString([]byte("saltsalt")) + ",i=4096"}
	}
	return nil
}

// ntlmChallenge is a CHALLENGE_MESSAGE of nobody in particular (MS-NLMP section 2.2.1.2).
func ntlmChallenge() string {
	const unicode, ntlm, extended, info = 0x1, 0x200, 0x80000, 0x800000
	b := binary.LittleEndian.AppendUint32([]byte("NTLMSSP\x00"), 2)
	b = binary.LittleEndian.AppendUint64(b, 48<<32) // no name
	b = binary.LittleEndian.AppendUint32(b, unicode|ntlm|extended|info)
	b = append(b, "12345678\x00\x00\x00\x00\x00\x00\x00\x00"...)
	b = binary.LittleEndian.AppendUint64(b, 48<<32|12<<16|12)
	return string(b) + "\x02\x00\x04\x00M\x00X\x00\x00\x00\x00\x00"
}

// repeat is what the server does in place of a plain refusal. It reports whether
// the conversation goes on.
func (p *parrot) repeat(say func(string), ask func(string) bool) bool {
	talk := p.talk()
	switch p.way {
	case "refusal":
		say(reply("535", talk...))
	case "success":
		say(reply("235", talk...))
	case "again":
		say("235 ok\r\n")
	case "farewell": // more is said at QUIT
		say("535 no\r\n")
	case "goodbye":
		say(reply("421", talk...))
		return false
	case "malformed":
		say(talk[0] + "\r\n")
	case "codes":
		say("535-no\r\n550 " + talk[0] + "\r\n")
	case "stray":
		say("535 no\r\n535 " + talk[0] + "\r\n")
	case "long":
		say("535 " + strings.Join(talk, ", ") + strings.Repeat("x", 8192) + "\r\n")
	case "lost":
		say("535-" + talk[0] + "\r\n535-" + talk[1])
		return false
	case "silence":
		say("535-" + talk[0] + "\r\n")
		<-p.away
		return false
	case "folded":
		say(reply("535", folded(talk)...))
	case "challenge":
		texts := []string{talk[0], "e=" + p.secret, `{"status":"` + talk[1] + `"}`, `realm="` + talk[2] + `",nonce="x"`}
		if !ask(texts[len(talk[0])%len(texts)]) {
			return false
		}
		say(reply("535", talk[3:]...))
	}
	return true
}

// folded are lines broken in two, as a long reply is.
func folded(lines []string) []string {
	var halves []string
	for _, line := range lines {
		middle := len(line) / 2
		halves = append(halves, line[:middle], line[middle:])
	}
	return halves
}
