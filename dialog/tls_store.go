package dialog

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"os"
	"slices"
)

// systemStore is the system's store of authorities, as far as it concerns a chain. All
// of it, some 140 certificates, takes crypto/x509 longer to read than a whole
// conversation lasts; those that could have issued a chain are one or none.
type systemStore struct {
	chain []*x509.Certificate
	found *x509.CertPool // those with the name of an issuer in chain, or of a certificate in it
	file  string         // that was read
}

// readFile reads the store's one file.
func (s *systemStore) readFile() {
	for _, path := range storeFiles() {
		if _, err := s.read(path); err == nil {
			s.file = path
			return
		}
	}
}

// readDirectories reads what is in the store's directories, and reports whether any of it
// concerns the chain.
func (s *systemStore) readDirectories() bool {
	any := false
	for _, path := range storeDirectories(s.file) {
		found, _ := s.read(path) // other things may be in a directory
		any = any || found
	}
	return any
}

// read reads the certificates of a file: what stands between the lines that say so
// (RFC 7468 section 2).
func (s *systemStore) read(path string) (found bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	certificates := bufio.NewScanner(f)
	certificates.Buffer(make([]byte, 32<<10), maxCertificate)
	certificates.Split(func(data []byte, last bool) (advance int, body []byte, err error) {
		const end = "-----END CERTIFICATE-----"
		_, rest, _ := bytes.Cut(data, []byte("-----BEGIN CERTIFICATE-----"))
		if i := bytes.Index(rest, []byte(end)); i >= 0 {
			return len(data) - len(rest) + i + len(end), rest[:i], nil
		}
		if last {
			return len(data), nil, nil
		}
		return 0, nil, nil
	})
	room := make([]byte, 1<<10)
	for certificates.Scan() {
		body := certificates.Bytes()
		if !concerns(subjectIn(body, room), s.chain) {
			continue
		}
		if c, err := x509.ParseCertificate(decodePEM(body)); err == nil {
			s.found.AddCert(c)
			found = true
		}
	}
	return found, certificates.Err()
}

// maxCertificate bounds a certificate of the store and what stands before it, in octets.
const maxCertificate = 1 << 20

// concerns reports whether a subject is an issuer or a subject of chain.
func concerns(subject []byte, chain []*x509.Certificate) bool {
	return slices.ContainsFunc(chain, func(c *x509.Certificate) bool {
		return bytes.Equal(subject, c.RawIssuer) || bytes.Equal(subject, c.RawSubject)
	})
}

// subjectIn is the subject of the certificate that body says, of which no more than
// that takes is decoded, into room; nil if there is none.
func subjectIn(body, room []byte) []byte {
	var err error
	der := room[:0]
	for line := range bytes.Lines(body) {
		if der, err = base64.StdEncoding.AppendDecode(der, bytes.TrimSpace(line)); err != nil {
			return subjectOf(decodePEM(body)) // its lines are not those of RFC 7468
		}
		if len(der) < 192 { // sooner it hardly ends
			continue
		}
		if subject := subjectOf(der); subject != nil {
			return subject
		}
	}
	return subjectOf(der)
}

// decodePEM is what body says, up to a fault.
func decodePEM(body []byte) []byte {
	der, _ := base64.StdEncoding.AppendDecode(nil, bytes.Join(bytes.Fields(body), nil))
	return der
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
