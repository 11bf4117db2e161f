package sandbox

import (
	"bufio"
	"crypto/hmac"
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/rc4"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
)

// The client side of every mechanism, by hand from the RFCs.

// peer is a client's end of a connection that has greeted under TLS.
type peer struct {
	t    *testing.T
	conn *tls.Conn
	r    *bufio.Reader
}

// meet connects to the server at addr, by STARTTLS unless the port is 465, and
// greets it. settings may be nil.
func meet(t *testing.T, w *World, addr string, settings *tls.Config) *peer {
	t.Helper()
	if settings == nil {
		settings = &tls.Config{}
	}
	settings = settings.Clone()
	settings.RootCAs, settings.ServerName, settings.Time = w.Roots(), w.nameOf(addr), w.opt.Now
	plain := dial(t, w, addr)
	p := &peer{t: t, r: bufio.NewReader(plain)}
	if _, port, _ := net.SplitHostPort(addr); port != "465" {
		p.expect("220")
		if _, err := io.WriteString(plain, "EHLO client.test\r\n"); err != nil {
			t.Fatal(err)
		}
		p.expect("250")
		if _, err := io.WriteString(plain, "STARTTLS\r\n"); err != nil {
			t.Fatal(err)
		}
		p.expect("220")
	}
	p.conn = tls.Client(plain, settings)
	if err := p.conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	p.r = bufio.NewReader(p.conn)
	if _, port, _ := net.SplitHostPort(addr); port == "465" {
		p.expect("220")
	}
	if got := p.do("EHLO client.test"); !strings.HasPrefix(got, "250 ") {
		t.Fatalf("EHLO: %s", got)
	}
	return p
}

func (p *peer) expect(code string) {
	p.t.Helper()
	if got := p.reply(); !strings.HasPrefix(got, code+" ") {
		p.t.Fatalf("got %q, want %s", got, code)
	}
}

// reply reads a reply and gives its last line.
func (p *peer) reply() string {
	p.t.Helper()
	for {
		line, err := p.r.ReadString('\n')
		if err != nil {
			p.t.Fatalf("reading: %v behind %q", err, line)
		}
		if len(line) < 6 || line[3] != '-' {
			return strings.TrimSuffix(line, "\r\n")
		}
	}
}

// do sends a line and gives the last line of the reply.
func (p *peer) do(line string) string {
	p.t.Helper()
	if _, err := io.WriteString(p.conn, line+"\r\n"); err != nil {
		p.t.Fatal(err)
	}
	return p.reply()
}

// talker is a client's side of a mechanism: for a challenge it gives a response.
type talker func(challenge string) string

// auth runs an exchange and gives the last reply. With initial the talker's answer
// to no challenge goes out in the command.
func (p *peer) auth(mechanism string, initial bool, next talker) string {
	p.t.Helper()
	line := "AUTH " + mechanism
	if initial {
		first := b64(next(""))
		if first == "" {
			first = "="
		}
		line += " " + first
	}
	got := p.do(line)
	for rounds := 0; strings.HasPrefix(got, "334 "); rounds++ {
		challenge, err := base64.StdEncoding.DecodeString(got[4:])
		if err != nil || rounds > 9 {
			p.t.Fatalf("round %d: %q: %v", rounds, got, err)
		}
		got = p.do(b64(next(string(challenge))))
	}
	return got
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// lines answers challenges in order, whatever they are.
func lines(answers ...string) talker {
	return func(string) string {
		if len(answers) == 0 {
			return ""
		}
		next := answers[0]
		answers = answers[1:]
		return next
	}
}

func cramClient(user, password string) talker {
	return func(challenge string) string {
		mac := hmac.New(md5.New, []byte(password))
		io.WriteString(mac, challenge)
		return fmt.Sprintf("%s %x", user, mac.Sum(nil))
	}
}

// narrow is s in ISO 8859-1.
func narrow(s string) string {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}

// digestClient takes changes to what it would say: old and new text in turn.
func digestClient(t *testing.T, host, authzid, user, password string, change ...string) talker {
	h := func(s string) string { return fmt.Sprintf("%x", md5.Sum([]byte(s))) }
	var proof string
	return func(challenge string) string {
		if given, ok := strings.CutPrefix(challenge, "rspauth="); ok {
			if given != proof {
				t.Errorf("the server proves itself by %s, want %s", given, proof)
			}
			return ""
		}
		nonce := regexp.MustCompile(`nonce="([^"]+)"`).FindStringSubmatch(challenge)[1]
		realm := regexp.MustCompile(`realm="([^"]+)"`).FindStringSubmatch(challenge)[1]
		secret := md5.Sum([]byte(narrow(user) + ":" + realm + ":" + narrow(password)))
		a1 := string(secret[:]) + ":" + nonce + ":CNONCE"
		as := ""
		if authzid != "" {
			a1 += ":" + authzid
			as = fmt.Sprintf(`,authzid="%s"`, authzid)
		}
		a1 = h(a1)
		proof = h(a1 + ":" + nonce + ":00000001:CNONCE:auth:" + h(":smtp/"+host))
		return strings.NewReplacer(change...).Replace(fmt.Sprintf(
			`charset=utf-8,username="%s",realm="%s",nonce="%s",nc=00000001,cnonce="CNONCE",digest-uri="smtp/%s",response=%s,qop=auth%s`,
			user, realm, nonce, host, h(a1+":"+nonce+":00000001:CNONCE:auth:"+h("AUTHENTICATE:smtp/"+host)), as))
	}
}

// scramTalk is a SCRAM client that can be made to err.
type scramTalk struct {
	hash           func() hash.Hash
	user, password string
	flag           string // of the GS2 header: "n", "y" or "p=tls-exporter"
	bound          string // what the channel is bound by
	final          func(string) string
	nonce          string // in place of the server's
}

func (s scramTalk) talk(t *testing.T) talker {
	header := s.flag + ",,"
	bare := "n=" + strings.NewReplacer("=", "=3D", ",", "=2C").Replace(s.user) + ",r=CLIENTNONCE"
	mac := func(key []byte, text string) []byte {
		m := hmac.New(s.hash, key)
		io.WriteString(m, text)
		return m.Sum(nil)
	}
	var proof []byte
	return func(challenge string) string {
		switch {
		case challenge == "":
			return header + bare
		case strings.HasPrefix(challenge, "v="):
			if got := challenge[2:]; got != b64(string(proof)) {
				t.Errorf("the server's signature is %s, want %s", got, b64(string(proof)))
			}
			return ""
		case strings.HasPrefix(challenge, "e="):
			return ""
		}
		m := regexp.MustCompile(`^r=(CLIENTNONCE[^,]+),s=([^,]+),i=(\d+)$`).FindStringSubmatch(challenge)
		if m == nil {
			t.Fatalf("challenge %q", challenge)
		}
		salt, err := base64.StdEncoding.DecodeString(m[2])
		if err != nil {
			t.Fatal(err)
		}
		i, _ := strconv.Atoi(m[3])
		salted, err := pbkdf2.Key(s.hash, s.password, salt, i, s.hash().Size())
		if err != nil {
			t.Fatal(err)
		}
		nonce := m[1]
		if s.nonce != "" {
			nonce = s.nonce
		}
		without := "c=" + b64(header+s.bound) + ",r=" + nonce
		message := bare + "," + challenge + "," + without
		key := mac(salted, "Client Key")
		stored := s.hash()
		stored.Write(key)
		for i, b := range mac(stored.Sum(nil), message) {
			key[i] ^= b
		}
		proof = mac(mac(salted, "Server Key"), message)
		last := without + ",p=" + b64(string(key))
		if s.final != nil {
			last = s.final(last)
		}
		return last
	}
}

func hashOf(mechanism string) func() hash.Hash {
	switch {
	case strings.Contains(mechanism, "256"):
		return sha256.New
	case strings.Contains(mechanism, "512"):
		return sha512.New
	}
	return sha1.New
}

// ntlmClient is NTLMv2 with a MIC, and with a session key of its own if exchange.
func ntlmClient(user, password string, exchange bool) talker {
	flags := uint32(0x00088205) // UNICODE, REQUEST_TARGET, NTLM, ALWAYS_SIGN, EXTENDED_SESSIONSECURITY
	if exchange {
		flags |= 0x40000000
	}
	return ntlmTalk(flags, user, password)
}

// oemClient is NTLMv2 of a client that writes names without Unicode, as curl does.
func oemClient(user, password string) talker { return ntlmTalk(0x00088206, user, password) }

func ntlmTalk(flags uint32, user, password string) talker {
	exchange := flags&0x40000000 != 0
	wide := func(s string) string {
		var b []byte
		for _, u := range utf16.Encode([]rune(s)) {
			b = append(b, byte(u), byte(u>>8))
		}
		return string(b)
	}
	mac := func(key, text string) string {
		m := hmac.New(md5.New, []byte(key))
		io.WriteString(m, text)
		return string(m.Sum(nil))
	}
	name := wide
	if flags&1 == 0 {
		name = func(s string) string { return s }
	}
	negotiate := "NTLMSSP\x00\x01\x00\x00\x00" + string(binary.LittleEndian.AppendUint32(nil, flags)) + strings.Repeat("\x00", 16)
	return func(challenge string) string {
		if challenge == "" {
			return negotiate
		}
		at := int(binary.LittleEndian.Uint32([]byte(challenge[44:])))
		n := int(binary.LittleEndian.Uint16([]byte(challenge[40:])))
		info := challenge[at : at+n-4] // without MsvAvEOL
		info += "\x06\x00\x04\x00\x02\x00\x00\x00" + "\x00\x00\x00\x00"
		hash := md4([]byte(wide(password)))
		key := mac(string(hash[:]), wide(strings.ToUpper(user)+"SANDBOX"))
		temp := "\x01\x01\x00\x00\x00\x00\x00\x00" + "\x00\x80\x3e\xd5\xde\xb1\x9d\x01" + "clientch" + "\x00\x00\x00\x00" + info + "\x00\x00\x00\x00"
		proof := mac(key, challenge[24:32]+temp)
		base := mac(key, proof)
		session, sealed := base, ""
		if exchange {
			session = "0123456789abcdef"
			c, _ := rc4.NewCipher([]byte(base))
			b := make([]byte, 16)
			c.XORKeyStream(b, []byte(session))
			sealed = string(b)
		}
		head, payload := "NTLMSSP\x00\x03\x00\x00\x00", ""
		for _, part := range []string{strings.Repeat("\x00", 24), proof + temp, name("SANDBOX"), name(user), name("CLIENT"), sealed} {
			f := binary.LittleEndian.AppendUint16(nil, uint16(len(part)))
			f = binary.LittleEndian.AppendUint16(f, uint16(len(part)))
			head += string(binary.LittleEndian.AppendUint32(f, uint32(88+len(payload))))
			payload += part
		}
		head += string(binary.LittleEndian.AppendUint32(nil, flags)) + strings.Repeat("\x00", 8)
		mic := mac(session, negotiate+challenge+head+strings.Repeat("\x00", 16)+payload)
		return head + mic + payload
	}
}
