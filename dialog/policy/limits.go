package policy

import "time"

// What foreign data may cost.
const (
	maxTLSA      = 64               // TLSA records of one host that are judged
	maxWhole     = 4                // of them, those with an authority as a whole
	maxChain     = 16               // certificates of a chain that are judged
	maxRSA       = 8192             // bits of a key; crypto/tls takes no more in a handshake either
	maxText      = 200              // bytes of foreign text in one line
	maxShown     = 5                // names, hashes or patterns that one line lists
	maxPolicy    = 64 << 10         // bytes of an MTA-STS policy (RFC 8461 section 3.3)
	maxHeader    = 32 << 10         // bytes of an HTTP response before its body
	maxWire      = 4 * maxPolicy    // bytes of an HTTP body as it is sent, chunks and all
	maxInterim   = 5                // HTTP responses 1xx before the one that counts
	maxAddresses = 4                // addresses of a policy host that are tried
	maxReported  = 20               // places that reports go to
	fetchTime    = 60 * time.Second // for the whole fetch (RFC 8461 section 3.3)
	maxAge       = 31557600         // seconds, about a year (RFC 8461 section 3.2)
	shortAge     = 24 * time.Hour   // a max_age below protects hardly anyone
)
