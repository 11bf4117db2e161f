package sandbox

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rc4"
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

// NTLM's flags that matter here (MS-NLMP section 2.2.2.5).
const (
	ntlmUnicode     = 0x00000001
	ntlmOEM         = 0x00000002
	ntlmTarget      = 0x00000004
	ntlmNTLM        = 0x00000200
	ntlmAlwaysSign  = 0x00008000
	ntlmDomain      = 0x00010000
	ntlmExtended    = 0x00080000
	ntlmTargetInfo  = 0x00800000
	ntlmVersion     = 0x02000000
	ntlm128         = 0x20000000
	ntlmKeyExchange = 0x40000000
	ntlm56          = 0x80000000
)

// Kinds of AV_PAIR (MS-NLMP section 2.2.2.1).
const (
	avEnd       = 0
	avComputer  = 1
	avDomain    = 2
	avDNSHost   = 3
	avDNSDomain = 4
	avFlags     = 6
	avTimestamp = 7
)

// avMIC in the flags says that the client's last message has a MIC.
const avMIC = 2

const (
	ntlmMark = "NTLMSSP\x00" // begins every message
	ntlmName = "SANDBOX"     // of the domain
)

// serveNTLM serves NTLM by MS-NLMP, framed by MS-SMTPNTLM. Only version 2 passes.
func serveNTLM(e *exchange) error {
	negotiate, err := e.ask("")
	if err != nil {
		return err
	}
	if len(negotiate) < 16 || !ntlmMessage(negotiate, 1) {
		return malformed("bad NTLM message: expected NEGOTIATE")
	}
	nonce := make([]byte, 8)
	_, _ = rand.Read(nonce) // it never fails
	challenge := e.ntlmChallenge(binary.LittleEndian.Uint32(negotiate[12:]), nonce)
	message, err := e.ask(string(challenge))
	if err != nil {
		return err
	}
	m, ok := parseAuthenticate(message)
	if !ok {
		return malformed("bad NTLM message: expected AUTHENTICATE")
	}
	e.user = m.user
	a, ok := findAccount(m.user)
	if !ok || !m.proves(a.Password, negotiate, challenge, nonce) {
		return denied()
	}
	return e.as("", a)
}

func ntlmMessage(b []byte, kind uint32) bool {
	return len(b) >= 12 && string(b[:8]) == ntlmMark && binary.LittleEndian.Uint32(b[8:]) == kind
}

// ntlmChallenge makes CHALLENGE (MS-NLMP section 2.2.1.2).
func (e *exchange) ntlmChallenge(asked uint32, nonce []byte) []byte {
	const header = 56
	flags := asked&(ntlmUnicode|ntlmTarget|ntlmAlwaysSign|ntlmVersion|ntlm128|ntlm56|ntlmKeyExchange) |
		ntlmNTLM | ntlmDomain | ntlmExtended | ntlmTargetInfo
	target := utf16le(ntlmName)
	if flags&ntlmUnicode == 0 {
		flags |= ntlmOEM
		target = []byte(ntlmName)
	}
	var info []byte
	pair := func(kind int, value []byte) {
		info = binary.LittleEndian.AppendUint16(info, uint16(kind))
		info = binary.LittleEndian.AppendUint16(info, uint16(len(value)))
		info = append(info, value...)
	}
	pair(avDomain, utf16le(ntlmName)) // in Unicode whatever the flags say
	pair(avComputer, utf16le("MX1"))
	pair(avDNSDomain, utf16le(e.scenario.domain()))
	pair(avDNSHost, utf16le(e.session.name))
	// A FILETIME counts 100 ns from 1601 on.
	pair(avTimestamp, binary.LittleEndian.AppendUint64(nil, uint64(e.world.opt.Now().Unix()+11644473600)*10_000_000))
	pair(avEnd, nil)

	b := binary.LittleEndian.AppendUint32([]byte(ntlmMark), 2)
	b = appendField(b, len(target), header)
	b = binary.LittleEndian.AppendUint32(b, flags)
	b = append(append(b, nonce...), make([]byte, 8)...)
	b = appendField(b, len(info), header+len(target))
	b = append(b, 10, 0, 0x5d, 0x58, 0, 0, 0, 15) // a version of Windows; NTLMSSP revision 15
	return append(append(b, target...), info...)
}

// appendField appends where in a message a value stands.
func appendField(b []byte, length, offset int) []byte {
	b = binary.LittleEndian.AppendUint16(b, uint16(length))
	b = binary.LittleEndian.AppendUint16(b, uint16(length))
	return binary.LittleEndian.AppendUint32(b, uint32(offset))
}

// ntlmAuthenticate is an AUTHENTICATE message (MS-NLMP section 2.2.1.3).
type ntlmAuthenticate struct {
	raw          []byte
	flags        uint32
	response     []byte // NtChallengeResponse
	key          []byte // EncryptedRandomSessionKey
	domain, user string
}

func parseAuthenticate(b []byte) (ntlmAuthenticate, bool) {
	if len(b) < 64 || !ntlmMessage(b, 3) {
		return ntlmAuthenticate{}, false
	}
	m := ntlmAuthenticate{raw: b, flags: binary.LittleEndian.Uint32(b[60:])}
	fine := true
	field := func(at int) []byte {
		n, from := uint64(binary.LittleEndian.Uint16(b[at:])), uint64(binary.LittleEndian.Uint32(b[at+4:]))
		if from+n > uint64(len(b)) {
			fine = false
			return nil
		}
		return b[from : from+n]
	}
	text := func(at int) string {
		if m.flags&ntlmUnicode == 0 {
			return string(field(at))
		}
		return fromUTF16le(field(at))
	}
	m.response, m.domain, m.user, m.key = field(20), text(28), text(36), field(52)
	return m, fine && m.user != ""
}

// proves reports whether the message was made with a password (MS-NLMP section
// 3.3.2, and 3.1.5.1.2 for the MIC).
func (m ntlmAuthenticate) proves(password string, negotiate, challenge, nonce []byte) bool {
	const pairs = 16 + 28 // behind the proof and the head of NTLMv2_CLIENT_CHALLENGE
	if len(m.response) < pairs {
		return false // NTLMv1 has 24 octets
	}
	key := ntowf2(password, m.user, m.domain)
	proof := sumMD5(string(key), string(nonce), string(m.response[16:]))
	if !hmac.Equal(proof, m.response[:16]) {
		return false
	}
	flags, ok := avPair(m.response[pairs:], avFlags)
	if !ok || len(flags) != 4 || binary.LittleEndian.Uint32(flags)&avMIC == 0 {
		return true
	}
	return m.sealed(sumMD5(string(key), string(proof)), negotiate, challenge)
}

// sealed checks the MIC over the three messages, in place of which there were zeros.
func (m ntlmAuthenticate) sealed(base, negotiate, challenge []byte) bool {
	const at, end = 72, 88
	if len(m.raw) < end {
		return false
	}
	key := base
	if m.flags&ntlmKeyExchange != 0 {
		c, err := rc4.NewCipher(base)
		if err != nil || len(m.key) != 16 {
			return false
		}
		key = make([]byte, 16)
		c.XORKeyStream(key, m.key)
	}
	blank := bytes.Clone(m.raw)
	clear(blank[at:end])
	return hmac.Equal(sumMD5(string(key), string(negotiate), string(challenge), string(blank)), m.raw[at:end])
}

// ntowf2 is the key that a password gives (MS-NLMP section 3.3.2).
func ntowf2(password, user, domain string) []byte {
	hash := md4(utf16le(password))
	return sumMD5(string(hash[:]), string(utf16le(strings.ToUpper(user)+domain)))
}

// avPair finds a value in a list of AV_PAIR.
func avPair(b []byte, kind uint16) ([]byte, bool) {
	for len(b) >= 4 {
		got, n := binary.LittleEndian.Uint16(b), int(binary.LittleEndian.Uint16(b[2:]))
		if b = b[4:]; got == avEnd || n > len(b) {
			break
		}
		if got == kind {
			return b[:n], true
		}
		b = b[n:]
	}
	return nil, false
}

func utf16le(s string) []byte {
	var b []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return b
}

func fromUTF16le(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}
