package policy

import "fmt"

// Discovery is what the user asks of DANE and MTA-STS.
type Discovery uint8

// What can be asked.
const (
	Auto      Discovery = iota // what the domain publishes counts
	NeedsDANE                  // a host without usable TLSA records is not used
	NeedsSTS                   // a domain without an MTA-STS policy in force gets no mail
)

// Level is how much of TLS a host has to bring.
type Level uint8

// The levels, weakest first.
const (
	May    Level = iota // TLS where it is offered
	Must                // TLS, without proof
	Verify              // TLS, and the certificate has to prove the host
)

// Action is what becomes of a host.
type Action uint8

// The actions.
const (
	Go     Action = iota // speak to it, at the Level
	Skip                 // the policy excludes it: go on to the next host
	PutOff               // nothing is safe at it now: go on to the next host, and if that was the last, try later
	Refuse               // stop: what the user asks for is not there
)

// Demand is what all policies together make of one host.
type Demand struct {
	Action Action
	Level  Level
	// DANE, if set, proves the host in place of names, dates and authorities: its Verify
	// decides.
	DANE *DANE
	// Testing says that the certificate is to be held to the rules of Verify and that a
	// failure is only told: MTA-STS in mode testing.
	Testing bool
	By      string   // what the level comes from: "DANE", "MTA-STS", or ""
	Why     string   // of every Action but Go
	Notes   []string // what is worth knowing, and changes nothing
}

// Decide says what DANE and MTA-STS together demand of a host; either may be nil
// where it was not asked for. A host with usable records is judged by DANE alone, as
// MTA-STS must not stand in for a proof that fails (RFC 8461 section 2). Records that
// cannot be had put delivery off (RFC 7672 section 2.1.3), records that cannot be used
// ask for TLS without proof (section 2.2), which MTA-STS may raise.
func Decide(want Discovery, d *DANE, s *STS, host string) Demand {
	demand := Demand{}
	if d != nil {
		demand.dane(want, d)
	}
	switch {
	case demand.Action != Go:
		return demand
	case want == NeedsDANE:
		return needsDANE(demand, d, host)
	case want == NeedsSTS && s != nil && s.Stage == Unknown: // the DNS may know it later
		return Demand{Action: PutOff, By: "MTA-STS", Why: "MTA-STS is asked for: " + s.lack()}
	case want == NeedsSTS && !s.Active():
		return Demand{Action: Refuse, Why: "MTA-STS is asked for: " + s.lack()}
	}
	if s.Active() {
		demand.sts(want, s, host)
	}
	return demand
}

// dane is what DANE demands.
func (m *Demand) dane(want Discovery, d *DANE) {
	switch d.State {
	case Bogus:
		m.Action, m.By = PutOff, "DANE"
		m.Why = fmt.Sprintf("the TLSA records of %s cannot be had: %s", d.Host, d.Why)
	case Unusable:
		m.Level, m.By = Must, "DANE"
	case Usable:
		m.Level, m.By, m.DANE = Verify, "DANE", d
		if !d.Secure() && want != NeedsDANE {
			m.Notes = append(m.Notes, fmt.Sprintf("the MX records of %s are not signed: who forges them names another host", d.Domain))
		}
	}
}

// needsDANE refuses what is not DANE from end to end.
func needsDANE(m Demand, d *DANE, host string) Demand {
	refuse := func(format string, args ...any) Demand {
		return Demand{Action: Refuse, By: "DANE", Why: "DANE is asked for: " + fmt.Sprintf(format, args...)}
	}
	switch {
	case d == nil:
		return refuse("no TLSA records were looked up for %s", host)
	case d.State != Usable:
		return refuse("%s", d.summary())
	case !d.Secure():
		return refuse("the MX records of %s are not signed, so nothing proves that its mail goes to %s", d.Domain, d.Host)
	}
	return m
}

// sts is what an MTA-STS policy in force demands (RFC 8461 section 5).
func (m *Demand) sts(want Discovery, s *STS, host string) {
	unlisted := ""
	if !s.Allows(host) {
		unlisted = fmt.Sprintf("the MTA-STS policy of %s does not list %s (RFC 8461 section 4.1)", s.Domain, host)
	}
	switch {
	case m.DANE != nil && want != NeedsSTS:
		if unlisted != "" {
			m.Notes = append(m.Notes, unlisted+"; DANE decides")
		}
	case !s.Enforced():
		m.Testing = true
		if unlisted != "" {
			m.Notes = append(m.Notes, unlisted+"; in mode enforce, senders would pass it over")
		}
	case unlisted != "":
		m.Action, m.Level, m.By, m.DANE, m.Why = Skip, May, "MTA-STS", nil, unlisted
	case m.DANE == nil:
		m.Level, m.By = Verify, "MTA-STS"
	}
}
