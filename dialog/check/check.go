// Package check gives verdicts: on how a domain receives mail, on how it sends it,
// and on a message.
//
//	Check    one row of All: what is asked, by which rule, and what it needs
//	All      the table of checks, in the order in which results are shown
//	Select   the rows that a user wants
//	Subject  what is judged, and the facts about it, each found out once
//	Visits   what servers showed to the subjects of a run, which share it
//	Run      runs checks side by side: an Outcome for each, in the table's order
//	Result   one thing that a check found: its Verdict, what was seen, the fix
//
// To add a check, write a function func(context.Context, *Subject) []Result in a
// file of its family and add its row to the family's table, which All joins. It
// prints nothing. What it looks up it asks of Subject.Resolver, which remembers;
// what servers show it takes from Subject.Servers, which look at what Check.Looks says; what
// several checks want, from Once. It gives one
// Result for each thing that it judges (each host, each selector), made by Passed,
// Noted, Warned, Failed, Skipped or Untested. What could not be found out is
// Untested and never Failed: a resolver that is silent proves nothing. So is what rests
// on a host or a record that could not be had; Skipped is what has nothing to judge. Of
// Check.Needs Run takes care: without them the check is skipped and not run. Check.Gives has
// the verdicts of its results, each of which has to stand in a script of testdata.
package check

import (
	"context"
	"slices"
)

// Check is one row of the table.
type Check struct {
	ID    string // lower case, words parted by hyphens: "cert-expiry"
	Group Group
	Topic string // one word, under which checks that pass are summed up: "transport", "spf"
	About string // what has to be so for a pass, in a line without a full stop
	Ref   string // the RFC and section, or the rule of a receiver
	Needs []Need // what it cannot be run without
	Looks Look   // what it has to see of servers; 0 if it visits none
	// Gives are the verdicts that its Run comes to, from good to bad. Run gives Skip and
	// Error beside them, to any check: see Verdicts.
	Gives []Verdict
	// Joined is of a row that Select adds, for others rest on it: it is told of
	// only where it does not pass.
	Joined bool
	// Run judges. It ends when its context does, and then gives what it has. No
	// result at all means that there was nothing to judge, and passes.
	Run func(context.Context, *Subject) []Result
}

// Group is what a check is about.
type Group string

// The groups.
const (
	Receiving Group = "receiving" // how a domain takes mail
	Sending   Group = "sending"   // what vouches for mail from a domain
	Message   Group = "message"   // a message as it is
	Always    Group = ""          // whatever was asked for: whether there is such a domain
)

// Need is an input or a permission that a check cannot be run without.
type Need uint8

// The needs.
const (
	NeedDomain    Need = iota + 1
	NeedIP             // Options.IP
	NeedHELO           // Options.HELO
	NeedSender         // Options.MailFrom, or what stands for it: HELO, or the domain
	NeedGreeting       // Options.HELO, where the sender is null: SPF is then asked for that name
	NeedSelector       // Options.Selectors
	NeedMessage        // Options.Message
	NeedDNSBL          // Options.DNSBLs
	NeedActive         // Options.Active: the server sees more than a greeting
	NeedRelayOpen      // Options.RelayOpen: the server is asked to relay
	NeedSmuggling      // Options.Smuggling: the server is sent messages
)

// String is what a user has to give: "--ip".
func (n Need) String() string {
	words := [...]string{"", "DOMAIN", "--ip", "--helo", "--mail-from, --helo or DOMAIN", "--helo, as the sender is null", "--selector", "--message", "--dnsbl", "--active", "--relay-open", "--smuggling"}
	if int(n) < len(words) {
		return words[n]
	}
	return ""
}

// Lacks gives the first need of c that s does not meet, or 0.
func (c Check) Lacks(s *Subject) Need {
	for _, n := range c.Needs {
		if !s.has(n) {
			return n
		}
	}
	return 0
}

// Verdicts are all that c can come to: what it gives, Error where the run ends before it or
// the DNS does not say whether there is such a domain, and Skip where it lacks what it needs
// or there is no such domain.
func (c Check) Verdicts() []Verdict {
	all := slices.Clone(c.Gives)
	if len(c.Needs) > 0 && !slices.Contains(all, Skip) {
		all = append(all, Skip)
	}
	if !slices.Contains(all, Error) {
		all = append(all, Error)
	}
	return all
}

// needs reports whether c needs n.
func (c Check) needs(n Need) bool { return slices.Contains(c.Needs, n) }
