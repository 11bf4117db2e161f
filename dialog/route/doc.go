// Package route asks the DNS and finds where mail for a domain goes.
//
//	To, ToHost  the route to a domain (RFC 5321 section 5.1) or to a named host
//	Route       hosts best first, each with its addresses and its findings
//	NoRoute     why there is no route, and whether that is definite
//	Finding     something about a domain or a host that its owner should know
//	Resolver    the questions that are asked; Client asks them of real servers
//	Server      whom Client asks, over UDP and TCP or over TLS, and who may vouch for DNSSEC
//	Answer      records with their TTL, whether they are authentic, and who answered
//	Error       a question without records: NXDOMAIN, NODATA, SERVFAIL, ... kept apart
//	Query       one query as it was sent, an event for the verbose transcript
//	Resolved    a route, an event: the transcript's resolve line
//
// Names are absolute, so there is no search list, and are given without their
// last dot, but for the root, which is ".". They are in lower case, in the
// presentation format of RFC 1035 section 5.1: a dot within a label is "\.",
// a NUL is "\000".
package route
