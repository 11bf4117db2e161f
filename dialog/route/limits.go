package route

import "time"

// What a domain may cost, whatever its DNS says. What is cut is a finding.
const (
	maxHosts     = 10 // MX hosts in a route
	maxAddresses = 5  // addresses of one host
	maxQueries   = 20 // questions for one route, unless Options.Queries is another number
	maxAliases   = 8  // CNAMEs followed for one question
)

// What one question may cost.
const (
	defaultTimeout = 2 * time.Second  // one try
	maxTries       = 8                // queries sent for one question, over all servers
	maxRounds      = 2                // times that a silent server is asked
	padTo          = 128              // octets that the length of a query over TLS is a multiple of
	maxIdle        = 30 * time.Second // a connection is kept without a question
	maxStrays      = 100              // messages without a question that a connection may bring
	maxNames       = 5                // of a certificate that are told
	maxReasons     = 5                // of an answer (RFC 8914) that are told
	ednsSize       = 1232             // bytes of an answer over UDP (DNS flag day 2020)
	readSize       = 65535            // bytes that are read: a larger answer than we asked for does no harm
)

// What a run remembers.
const (
	maxCached = 4096
	// Failures, and answers of a shorter TTL, are kept this long: one run sees one
	// world, and RFC 9520 section 3.2 asks for a pause after a failure.
	minCached = 5 * time.Second
	maxFile   = 1 << 20 // bytes read of a hosts file
)
