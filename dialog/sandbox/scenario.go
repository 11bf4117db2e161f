package sandbox

import (
	"strings"
	"time"
)

// Scenario is one domain of the world.
type Scenario struct {
	Name   string // the domain without ".test"
	About  string // what it does, in one line
	Expect string // what a correct client does, in one line
	// Zone is in master file format (RFC 1035 section 5), relative to the
	// domain. "": an MX for each host, in order, with preference 10, 20, ...
	// The hosts' addresses and their PTR records come by themselves.
	Zone    string
	Rcode   int      // of every DNS answer about the domain, where it is not NOERROR
	Trick   Trick    // what its DNS server does in place of an honest answer
	Bogus   string   // questions that are answered SERVFAIL, for bad signatures: "_25._tcp.mx1 TLSA", separated by ", "
	Invalid string   // likewise, and the answers say why: DNSSEC Bogus (RFC 8914 section 4.7)
	Signed  bool     // whether DNS answers are secure: AD is set for who asks for it (RFC 6840 section 5.8)
	PTR     string   // names of addresses beside its hosts': "192.0.2.99 mail.elsewhere.test", separated by ", "
	Also    []string // further names under which its hosts know the domain: its U-label form
	Hosts   []Host
	// What a correct client finds out, for tests; "" is nothing.
	DANE string // of the first MX host: match, mismatch, missing, insecure, bogus or unusable (RFC 7672 section 2.2)
	STS  string // the mode of the policy; "broken": a record, but no policy is to be had (RFC 8461 section 3.3)
}

// Host is one host of a domain. Without services it refuses every connection.
type Host struct {
	Name     string // below the domain; "@" is the domain itself
	Addrs    string // its addresses, separated by spaces, of the documentation networks
	Services []Service
}

// Service is how one port of a host behaves: a correct server (RFC 5321) but for
// its rules.
type Service struct {
	Port   int    // 0: 25
	Offers string // EHLO keywords, separated by ", "; what SIZE, LIMITS and others declare is enforced
	Secure string // those under TLS; "": Offers without STARTTLS
	TLS    bool   // from the first byte on (RFC 8314)
	LMTP   bool   // LHLO, and a reply to each recipient behind the message (RFC 2033)
	Cert   Cert
	// TLSA are its TLSA records, separated by ", ": "3 1 1" is of its own
	// certificate, "2 1 1" of what issued it, "3 1 1 other" of a host that it is not.
	TLSA      string
	Handshake Handshake
	// Injectable: what came in the clear behind STARTTLS is kept, and answered under
	// TLS. A correct server throws it away (RFC 3207 section 4.2).
	Injectable bool
	// Eager: what came in the clear behind STARTTLS is answered in the clear, before the
	// handshake.
	Eager bool
	// Wary: where something came in the clear behind STARTTLS, the connection ends in place of
	// the handshake.
	Wary bool
	// Lax: CR and LF end a line of a message's text by themselves, too, so that a dot between
	// them ends the message, and what follows it is obeyed. To a correct server only CR LF
	// does (RFC 5321 section 2.3.8).
	Lax    bool
	Page   *Page  // an HTTPS server with this page in place of an SMTP server
	Hidden string // SASL mechanisms that AUTH takes beside those that Offers or Secure list
	Lie    Lie    // what SCRAM lies about
	// Mailboxes are the local parts that RCPT accepts, separated by spaces, a "*"
	// at the end of one for any ending; "": people.
	Mailboxes string
	Login     bool          // MAIL only from who has authenticated
	Rules     []Rule        // the first that matches an event is played
	Delay     time.Duration // before every reply
	Idle      time.Duration // the longest silence of a client; 0: 5 minutes (RFC 5321 section 4.5.3.2.7)
}

// Rule is what a server does at an event in place of its usual reply.
type Rule struct {
	event, match string
	acts         []Act
	times        int // met as often by one triplet, it no longer applies; 0: always applies
}

// On is the rule for an event and, behind a space, what it concerns:
//
//	CONNECT          a connection, before the banner
//	TLS              the end of a handshake behind STARTTLS, where nothing is said usually
//	EHLO ... QUIT    a command in order and without syntax error; an unknown one too. LHLO is EHLO
//	MAIL alice@      the sender
//	RCPT alice@      the recipient
//	DATA alice@      DATA or a first BDAT for a recipient accepted before
//	BODY alice@      the text behind 354, before any of it is read; nothing is said usually
//	RRVS alice@      a recipient whose RCPT has the parameter RRVS, before RCPT is
//	DOT alice@       the end of the message, by DATA or BDAT, for such a recipient; where
//	                 each has a reply (LMTP, PRDR), for this one
//	VRFY alice       its argument, without brackets and the server's own domain; EXPN likewise
//	AUTH plain       the mechanism, before the server says anything of its own
//	RESPONSE plain   each response of the client behind AUTH; the mechanism
//	VERDICT alice    the end of AUTH, in place of 235 or 535; the user name as the client gave it
//	HELP topic       its argument; ETRN, NOOP and other commands likewise
//
// What it concerns is compared without regard to case; an "@" or a "*" at its
// end matches any ending. A rule without acts keeps the usual reply. A 334 that is
// said at AUTH or RESPONSE asks the client for one more response.
func On(event string, acts ...Act) Rule {
	event, match, _ := strings.Cut(event, " ")
	return Rule{event: event, match: match, acts: acts}
}

// First limits r to the first n times that it meets the same client address,
// sender and recipient, in any connection: greylisting.
func First(n int, r Rule) Rule {
	r.times = n
	return r
}

// applies reports whether r concerns any of subjects.
func (r Rule) applies(event string, subjects []string) bool {
	if r.event != event {
		return false
	}
	if r.match == "" {
		return true
	}
	for _, s := range subjects {
		if matches(r.match, s) {
			return true
		}
	}
	return false
}

// matches compares s with a pattern that may end in "@" or "*" for any ending.
func matches(pattern, s string) bool {
	open := strings.HasSuffix(pattern, "@") || strings.HasSuffix(pattern, "*")
	pattern = strings.TrimSuffix(pattern, "*")
	if open {
		return len(s) >= len(pattern) && strings.EqualFold(s[:len(pattern)], pattern)
	}
	return strings.EqualFold(s, pattern)
}

// Row is a domain of the world as a list shows it.
type Row struct {
	Domain string // good.test
	About  string
	Expect string
	Hosts  []string // "mx1.good.test 192.0.2.10 2001:db8::10", in the order of the table
}

// Table lists the domains of Scenarios.
func Table() []Row {
	var rows []Row
	for _, s := range Scenarios() {
		r := Row{Domain: s.domain(), About: s.About, Expect: s.Expect}
		for _, h := range s.Hosts {
			r.Hosts = append(r.Hosts, s.hostname(h)+" "+h.Addrs)
		}
		rows = append(rows, r)
	}
	return rows
}

// port is the TCP port of v.
func (v *Service) port() uint16 {
	if v.Port == 0 {
		return 25
	}
	return uint16(v.Port)
}

func (s Scenario) domain() string { return s.Name + ".test" }

func (s Scenario) hostname(h Host) string {
	if h.Name == "@" {
		return s.domain()
	}
	return h.Name + "." + s.domain()
}
