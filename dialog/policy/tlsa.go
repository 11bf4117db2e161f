package policy

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"fmt"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

// The fields of a TLSA record, by their names (RFC 7218).
const (
	pkixTA uint8 = 0
	pkixEE uint8 = 1
	daneTA uint8 = 2
	daneEE uint8 = 3

	selectCert uint8 = 0
	selectSPKI uint8 = 1

	matchFull   uint8 = 0
	matchSHA256 uint8 = 1
	matchSHA512 uint8 = 2
)

// Record is a TLSA record, and why it cannot be used.
type Record struct {
	route.TLSA
	Fault string // "" if it can be used
}

// Usable reports whether the record counts.
func (r Record) Usable() bool { return r.Fault == "" }

// String is the record with its data cut short: 3 1 1 5c1e0f7a…
func (r Record) String() string { return params(r.TLSA) + " " + short(r.Data) }

// Long is the record in the presentation format of RFC 6698 section 2.2.
func Long(r route.TLSA) string { return params(r) + " " + hex.EncodeToString(r.Data) }

func params(r route.TLSA) string { return fmt.Sprintf("%d %d %d", r.Usage, r.Selector, r.Matching) }

// short is the begin of data in hex, enough to tell hashes apart.
func short(data []byte) string {
	if len(data) <= 4 {
		return hex.EncodeToString(data)
	}
	return hex.EncodeToString(data[:4]) + "…"
}

// judge finds the records that can be used, and says why the others cannot.
func judge(records []route.TLSA) []Record {
	judged := make([]Record, len(records))
	whole := 0
	for i, r := range records {
		if i >= maxTLSA {
			judged[i] = Record{r, fmt.Sprintf("not looked at: a host needs no more than %d records", maxTLSA)}
			continue
		}
		judged[i] = Record{r, fault(r)}
		if r.Usage != daneTA || r.Matching != matchFull || !judged[i].Usable() {
			continue
		}
		if whole++; whole > maxWhole {
			judged[i].Fault = fmt.Sprintf("not looked at: a host needs no more than %d whole authorities", maxWhole)
		}
	}
	for i, r := range judged {
		if r.Usable() && r.Matching == matchSHA256 && outdone(r, judged) {
			judged[i].Fault = fmt.Sprintf("passed over for a record %d %d 2: the strongest hash counts (RFC 7671 section 9)", r.Usage, r.Selector)
		}
	}
	return judged
}

// outdone reports whether a record of the same usage and selector has a stronger
// hash than SHA-256.
func outdone(r Record, by []Record) bool {
	for _, o := range by {
		if o.Usable() && o.Usage == r.Usage && o.Selector == r.Selector && o.Matching == matchSHA512 {
			return true
		}
	}
	return false
}

// fault says why a record cannot be used for SMTP, or gives "".
func fault(r route.TLSA) string {
	switch {
	case r.Usage == pkixTA || r.Usage == pkixEE:
		return fmt.Sprintf("usage %d has no meaning for SMTP (RFC 7672 section 3.1.3)", r.Usage)
	case r.Usage != daneTA && r.Usage != daneEE:
		return fmt.Sprintf("usage %d is unknown", r.Usage)
	case r.Selector != selectCert && r.Selector != selectSPKI:
		return fmt.Sprintf("selector %d is unknown", r.Selector)
	}
	size := 0
	switch r.Matching {
	case matchFull:
		return fullFault(r)
	case matchSHA256:
		size = sha256.Size
	case matchSHA512:
		size = sha512.Size
	default:
		return fmt.Sprintf("matching type %d is unknown", r.Matching)
	}
	if len(r.Data) != size {
		return fmt.Sprintf("its hash has %d bytes, not %d", len(r.Data), size)
	}
	return ""
}

// fullFault is fault for a record that holds a certificate or a key as a whole.
func fullFault(r route.TLSA) string {
	var key any
	if r.Selector == selectCert {
		c, err := x509.ParseCertificate(r.Data)
		if err != nil {
			return "its data is no certificate"
		}
		key = c.PublicKey
	} else {
		var err error
		if key, err = x509.ParsePKIXPublicKey(r.Data); err != nil {
			return "its data is no public key"
		}
	}
	if k, ok := key.(*rsa.PublicKey); ok && k.N.BitLen() > maxRSA {
		return fmt.Sprintf("its RSA key has %d bits: more than %d are not used for TLS", k.N.BitLen(), maxRSA)
	}
	return ""
}

// matches reports whether r stands for the certificate c: what the selector selects,
// hashed as the matching type says (RFC 6698 section 2.1).
func matches(r route.TLSA, c *x509.Certificate) bool {
	data, ok := associate(r.Selector, r.Matching, c)
	return ok && bytes.Equal(data, r.Data)
}

// associate gives the data of the record that stands for c.
func associate(selector, matching uint8, c *x509.Certificate) ([]byte, bool) {
	var selected []byte
	switch selector {
	case selectCert:
		selected = c.Raw
	case selectSPKI:
		selected = c.RawSubjectPublicKeyInfo
	default:
		return nil, false
	}
	switch matching {
	case matchFull:
		return selected, true
	case matchSHA256:
		sum := sha256.Sum256(selected)
		return sum[:], true
	case matchSHA512:
		sum := sha512.Sum512(selected)
		return sum[:], true
	}
	return nil, false
}

// like gives, cut short, what c has in place of the data of r: its key is 9be1c04d….
func like(r route.TLSA, c *x509.Certificate) string {
	data, _ := associate(r.Selector, r.Matching, c)
	if r.Matching == matchFull {
		data, _ = associate(r.Selector, matchSHA256, c)
	}
	return short(data)
}

// selected names what the selector of r selects.
func selected(r route.TLSA) string {
	if r.Selector == selectCert {
		return "certificate"
	}
	return "key"
}
