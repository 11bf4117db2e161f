package mime

import (
	"fmt"
	"strings"
)

// Encoding is a Content-Transfer-Encoding (RFC 2045 section 6).
type Encoding uint8

// The encodings. AutoEncoding is the best that the content and the server
// allow; EightBit needs 8BITMIME (RFC 6152), Binary BINARYMIME (RFC 3030).
const (
	AutoEncoding Encoding = iota
	SevenBit
	QuotedPrintable
	Base64
	EightBit
	Binary
)

// ParseEncoding reads the name of an encoding, in any case; auto is one too.
func ParseEncoding(s string) (Encoding, error) {
	for e := AutoEncoding; e <= Binary; e++ {
		if strings.EqualFold(s, e.String()) {
			return e, nil
		}
	}
	return 0, fmt.Errorf("transfer encoding %s: one of auto, 7bit, quoted-printable, base64, 8bit, binary is wanted", clip(s))
}

// String is the name that the Content-Transfer-Encoding field has.
func (e Encoding) String() string {
	switch e {
	case SevenBit:
		return "7bit"
	case QuotedPrintable:
		return "quoted-printable"
	case Base64:
		return "base64"
	case EightBit:
		return "8bit"
	case Binary:
		return "binary"
	}
	return "auto"
}

// carriage is what a server carries unharmed. Each carries what the ones before
// it do, and a message has a form for each that makes a difference.
type carriage uint8

const (
	carries7bit   carriage = iota // RFC 5321 alone
	carries8bit                   // 8BITMIME: any octets in lines
	carriesBinary                 // BINARYMIME: any octets
)

// carriage is the least that e can travel by.
func (e Encoding) carriage() carriage {
	switch e {
	case EightBit:
		return carries8bit
	case Binary:
		return carriesBinary
	}
	return carries7bit
}

// need is the EHLO keyword that says so.
func (c carriage) need() []string {
	switch c {
	case carries8bit:
		return []string{"8BITMIME"}
	case carriesBinary:
		return []string{"BINARYMIME"}
	}
	return nil
}
