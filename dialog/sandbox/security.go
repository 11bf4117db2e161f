package sandbox

import (
	"crypto/tls"
	"strings"
	"time"
)

// Cert is what is unusual about the certificate of a service. Kinds may be
// joined: Expired|WrongName. Where they contradict each other, the first named
// here counts.
type Cert uint

// Valid is a certificate with nothing unusual: by the world's authority, for the
// host's name, with a P-256 key, from 29 days ago to 61 days ahead.
const Valid Cert = 0

// The kinds of certificate.
const (
	Expired       Cert = 1 << iota // 20 days ago
	NotYet                         // valid from 10 days ahead
	Expiring                       // in 5 days
	WrongName                      // for *.hosting.example
	CNOnly                         // without a subjectAltName: the name is the common name alone
	ClientOnly                     // for clients: its extended key usage is clientAuth alone
	WeakKey                        // RSA, 1024 bits
	RSAKey                         // RSA, 2048 bits
	WeakSignature                  // signed over SHA-1

	SelfSigned   // by its own key
	UnknownCA    // by an authority that is not the world's and is not sent
	LeafIssued   // by a certificate for hosts, which is no authority; it is sent
	ExpiredCA    // by an intermediate authority that expired 20 days ago; it is sent
	Intermediate // by an intermediate authority, which is sent
	Unsent       // of the chain only the host's own certificate is sent
	Disordered   // the authorities are sent from the root down
	Stapled      // with an OCSP response that says it is good (RFC 6960)
	LongChain    // under 120 authorities, one below the other, which are all sent
	ManyNames    // for 8000 more names: about 200 KB
	TooManyNames // for 20,000 more names: more than a TLS library of today takes
	EvilNames    // with terminal escapes, bidirectional and invisible characters in its names
	LastDay      // in 12 hours
)

// has reports whether c is, among others, of a kind.
func (c Cert) has(kind Cert) bool { return c&kind != 0 }

// Breaks names what a certificate of the kind breaks for a client that trusts the
// world's authority: of "name dates chain usage key signature" those that it
// does, in this order.
func (c Cert) Breaks() string {
	var broken []string
	for _, rule := range []struct {
		kinds Cert
		word  string
	}{
		{WrongName | CNOnly, "name"},
		{Expired | NotYet | ExpiredCA, "dates"},
		{SelfSigned | UnknownCA | LeafIssued | Unsent | LongChain, "chain"},
		{ClientOnly, "usage"},
		{WeakKey, "key"},
		{WeakSignature, "signature"},
	} {
		if c.has(rule.kinds) {
			broken = append(broken, rule.word)
		}
	}
	return strings.Join(broken, " ")
}

// Handshake is what is unusual about the TLS of a service.
type Handshake struct {
	Min, Max   uint16             // versions, as in tls.Config; 0: the library's
	Suites     []uint16           // of TLS 1.2 and below; nil: the library's
	ClientAuth tls.ClientAuthType // of the client; the authority is the world's
}

// Page is what an HTTPS server has at the path of MTA-STS policies. At other
// paths it says 404.
type Page struct {
	Status   int           // 0: 200
	Type     string        // "": text/plain
	Location string        // the path that it redirects to, where Body is found
	Body     string        // its lines end as HTTP sends them
	Fill     int           // Body is filled up to so many octets by fields that nobody knows
	Drip     time.Duration // behind each octet of Body
	Endless  bool          // Body comes again and again, and no length is said
}
