package dialog

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
)

// systemStore is the system's store of authorities, as far as it concerns a chain. All
// of it, some 140 certificates, takes crypto/x509 longer to read than a whole
// conversation lasts; those that could have issued a chain are one or none.
type systemStore struct {
	chain []*x509.Certificate
	found *x509.CertPool // those with the name of an issuer in chain, or of a certificate in it
	file  string         // that was read, and has certificates
	fault error          // why a file that there is, or was named, could not be read
}

// readFile reads the store's one file.
func (s *systemStore) readFile() {
	paths := storeFiles()
	for _, path := range paths {
		blocks, _, err := s.read(path)
		if err != nil {
			if len(paths) == 1 || !errors.Is(err, fs.ErrNotExist) {
				s.fault = err
			}
			continue
		}
		if blocks > 0 {
			s.file = path
		}
		return
	}
}

// readDirectories reads what is in the store's directories, and reports whether any of it
// concerns the chain.
func (s *systemStore) readDirectories() bool {
	any := false
	for _, path := range storeDirectories(s.file) {
		_, found, _ := s.read(path) // other things may be in a directory
		any = any || found
	}
	return any
}

// read takes from a file what concerns the chain, and tells how many certificates it has.
func (s *systemStore) read(path string) (blocks int, any bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, false, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return 0, false, &fs.PathError{Op: "read", Path: path, Err: cmp.Or(err, errors.New("not a file"))}
	}
	blocks, found, plain := s.scan(f)
	if !plain {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return 0, false, err
		}
		if blocks, found, err = s.decode(f); err != nil {
			return 0, false, err
		}
	}
	for _, c := range found {
		s.found.AddCert(c)
	}
	return blocks, len(found) > 0, nil
}

// scan looks through a file of nothing but certificates and comments. It is not plain
// where encoding/pem could read it otherwise.
func (s *systemStore) scan(r io.Reader) (blocks int, found []*x509.Certificate, plain bool) {
	plain = true
	certificates := bufio.NewScanner(r)
	certificates.Buffer(make([]byte, 32<<10), maxCertificate)
	certificates.Split(func(data []byte, last bool) (advance int, block []byte, err error) {
		before, body, begun := bytes.Cut(data, pemBegin)
		i := bytes.IndexByte(body, '-')
		switch {
		case begun && i >= 0 && len(body) >= i+len(pemEnd):
			plain = bytes.HasPrefix(body[i:], pemEnd)
			end := len(before) + len(pemBegin) + i
			return end + len(pemEnd), data[:end], nil
		case last:
			plain = blocks == 0 || len(data) == 0 || endsLine(data)
			return len(data), nil, nil
		}
		return 0, nil, nil
	})
	room := make([]byte, 1<<10)
	for plain && certificates.Scan() {
		before, body, _ := bytes.Cut(certificates.Bytes(), pemBegin)
		plain = plain && (blocks == 0 || endsLine(before)) && (len(before) == 0 || before[len(before)-1] == '\n') && !bytes.Contains(before, pemBegin[:5]) &&
			endsLine(body) && body[len(body)-1] == '\n' && bytes.IndexByte(body, ':') < 0
		blocks++
		if !plain || !concerns(subjectIn(body, room), s.chain) {
			continue
		}
		der, err := decodePEM(body)
		plain = err == nil
		if c, err := x509.ParseCertificate(der); err == nil {
			found = append(found, c)
		}
	}
	return blocks, found, plain && certificates.Err() == nil
}

var (
	pemBegin = []byte("-----BEGIN CERTIFICATE-----")
	pemEnd   = []byte("-----END CERTIFICATE-----")
)

// endsLine reports whether text begins with the end of a line.
func endsLine(text []byte) bool {
	return bytes.HasPrefix(text, []byte("\n")) || bytes.HasPrefix(text, []byte("\r\n"))
}

// decode is scan for any file, as crypto/x509 reads it.
func (s *systemStore) decode(r io.Reader) (blocks int, found []*x509.Certificate, err error) {
	text, err := io.ReadAll(io.LimitReader(r, maxStore))
	if err != nil {
		return 0, nil, err
	}
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return blocks, found, nil
		}
		if block.Type != "CERTIFICATE" || len(block.Headers) > 0 {
			continue
		}
		blocks++
		if !concerns(subjectOf(block.Bytes), s.chain) {
			continue
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil {
			found = append(found, c)
		}
	}
}

const (
	maxCertificate = 1 << 20  // octets of a certificate, with what stands before it, that scan looks at
	maxStore       = 64 << 20 // octets of a file that decode does
)

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
			der, _ = decodePEM(body) // its lines are not those of RFC 7468
			break
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

// decodePEM is what body says.
func decodePEM(body []byte) ([]byte, error) {
	return base64.StdEncoding.AppendDecode(nil, bytes.Map(func(r rune) rune {
		if r == ' ' || r == '\t' {
			return -1
		}
		return r
	}, body))
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
