package spf

import "time"

// What one evaluation may cost (section 4.6.4).
const (
	MaxLookups = 10 // terms that ask the DNS
	MaxVoids   = 2  // questions of such terms that find nothing
)

const (
	maxHosts  = 10               // MX hosts of one mx; more are a permerror
	maxNames  = 10               // PTR names that are looked at; more are passed over
	timeLimit = 20 * time.Second // of one check, the least that section 4.6.4 allows

	maxDomain   = 253      // octets of a name; what macros make longer is cut from the left (section 7.3)
	maxExpanded = 64 << 10 // octets that a macro-string may grow to
	maxErrors   = 20       // syntax errors of one record that are told

	maxPublished = 450 // octets of a record that surely fit one answer over UDP (section 3.4)
	maxTally     = 40  // terms that Tally asks the DNS about
)
