package dialog

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"slices"
	"sync"
)

// Store is the system's store of authorities, read as far as a chain asks for it. All
// of it, some 140 certificates, takes crypto/x509 longer to read than a whole
// conversation lasts; those that could have issued a chain are one or none.
type Store struct {
	loaded sync.Once
	path   string // of the system's one file
	file   []byte // what is in it

	listed sync.Once
	rest   [][]byte // what is in the files of its directories
}

// load reads the one file, unless that was done: a handshake waits for its server
// meanwhile.
func (s *Store) load() {
	s.loaded.Do(func() { s.path, s.file = storeFile() })
}

// roots are the authorities that could have issued a certificate of chain: those with
// the name of an issuer, or of the certificate itself. all looks into the
// directories too.
func (s *Store) roots(chain []*x509.Certificate, all bool) *x509.CertPool {
	s.load()
	texts := [][]byte{s.file}
	if all {
		s.listed.Do(func() { s.rest = storeDirectories(s.path) })
		texts = append(texts, s.rest...)
	}
	pool := x509.NewCertPool()
	for _, text := range texts {
		for body, text := pemBody(text); body != nil; body, text = pemBody(text) {
			if !concerns(body, chain) {
				continue
			}
			der, _ := decodePEM(nil, body, len(body))
			if c, err := x509.ParseCertificate(der); err == nil {
				pool.AddCert(c)
			}
		}
	}
	return pool
}

// concerns reports whether a certificate has the name of an issuer or a subject of
// chain.
func concerns(body []byte, chain []*x509.Certificate) bool {
	var room [headLength]byte
	der, err := decodePEM(room[:0], body, headLength/3*4)
	subject := subjectOf(der)
	if err != nil || subject == nil { // its names are long
		der, _ = decodePEM(nil, body, len(body))
		subject = subjectOf(der)
	}
	return subject != nil && slices.ContainsFunc(chain, func(c *x509.Certificate) bool {
		return bytes.Equal(subject, c.RawIssuer) || bytes.Equal(subject, c.RawSubject)
	})
}

// headLength octets hold what stands in a certificate up to its subject, mostly.
const headLength = 384

// pemBody is what stands between the next two lines that say CERTIFICATE, in base64
// (RFC 7468 section 2), and what follows; nil at the end of text.
func pemBody(text []byte) (body, rest []byte) {
	_, text, _ = bytes.Cut(text, []byte("-----BEGIN CERTIFICATE-----"))
	body, rest, found := bytes.Cut(text, []byte("-----END CERTIFICATE-----"))
	if !found {
		return nil, nil
	}
	return body, rest
}

// decodePEM appends to der what most characters of body say. encoding/pem would take
// three times as long.
func decodePEM(der, body []byte, most int) ([]byte, error) {
	var room [headLength / 3 * 4]byte
	packed := room[:0]
	for len(body) > 0 && len(packed) < most {
		line, rest, _ := bytes.Cut(body, []byte("\n"))
		line = bytes.TrimSpace(line)
		packed = append(packed, line[:min(len(line), most-len(packed))]...)
		body = rest
	}
	return base64.StdEncoding.AppendDecode(der, packed)
}

// subjectOf is the subject of a certificate of which der holds the beginning, in DER;
// nil if that is too short (RFC 5280 section 4.1).
func subjectOf(der []byte) []byte {
	_, der = derHeader(der)     // Certificate
	_, fields := derHeader(der) // TBSCertificate
	if len(fields) > 0 && fields[0] == 0xa0 {
		_, fields = derElement(fields) // version
	}
	for range 4 { // serialNumber, signature, issuer, validity
		_, fields = derElement(fields)
	}
	subject, _ := derElement(fields)
	return subject
}

// derElement cuts the first element off b; both are nil if it is not whole.
func derElement(b []byte) (element, rest []byte) {
	length, content := derHeader(b)
	if content == nil || length > len(content) {
		return nil, nil
	}
	end := len(b) - len(content) + length
	return b[:end], b[end:]
}

// derHeader is the length that the first element of b has, and b behind that; nil if
// it is not there (X.690 section 8.1.3).
func derHeader(b []byte) (length int, content []byte) {
	if len(b) < 2 {
		return 0, nil
	}
	if b[1] < 0x80 {
		return int(b[1]), b[2:]
	}
	octets := int(b[1] & 0x7f)
	if octets == 0 || octets > 3 || len(b) < 2+octets {
		return 0, nil
	}
	for _, o := range b[2 : 2+octets] {
		length = length<<8 | int(o)
	}
	return length, b[2+octets:]
}
