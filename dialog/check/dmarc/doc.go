// Package dmarc finds and applies what a domain publishes about mail that claims
// to be from it (RFC 9989, which replaces RFC 7489).
//
//	Parse      reads a policy record; Record holds its tags, Problems what is wrong with it
//	Tree       the DNS tree walk: a Walk of Steps, and the organisational domain at its end
//	Discover   the policy that applies to a domain: a Discovery
//	Evaluate   a Message's SPF and DKIM results against that policy: a Verdict with its trace
//	Authorise  whether another domain agreed to take a domain's reports (RFC 9990 section 4)
//
// The DNS is asked through a Lookup, which a route.Resolver is. Text of records
// is given as it came: whoever shows it makes it printable.
package dmarc
