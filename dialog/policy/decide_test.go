package policy

import (
	"errors"
	"strings"
	"testing"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

// Every pair of what DANE and MTA-STS may say of a host, under every wish.
func TestDecide(t *testing.T) {
	query := Query{Host: "mx1.good.test", Port: 25, Domain: "good.test", Signed: true}
	dane := func(s State) *DANE {
		return &DANE{Query: query, State: s, Server: "127.0.0.1:53", Why: "WHY", Records: []Record{{TLSA: route.TLSA{Usage: 3}, Fault: map[bool]string{s != Usable: "x"}[true]}}}
	}
	unsigned := dane(Usable)
	unsigned.Signed = false
	direct := dane(Usable)
	direct.Domain, direct.Signed = "", false
	sts := func(mode Mode, mx string) *STS {
		return &STS{Domain: "good.test", Stage: Fetched, Policy: Policy{Mode: mode, MX: []string{mx}}}
	}
	enforce, other := sts(Enforce, "*.good.test"), sts(Enforce, "mx.other.test")
	testing, testingOther := sts(Testing, "*.good.test"), sts(Testing, "mx.other.test")
	none, failed := sts(None, ""), &STS{Domain: "good.test", Stage: NotFetched, Err: errors.New("FAILED")}

	const (
		unlisted = "the MTA-STS policy of good.test does not list mx1.good.test (RFC 8461 section 4.1)"
		loose    = "the MX records of good.test are not signed: who forges them names another host"
		bogus    = "the TLSA records of mx1.good.test cannot be had: WHY"
	)
	for _, tt := range []struct {
		name string
		want Discovery
		dane *DANE
		sts  *STS
		is   string // action and level, "dane" or "testing" where they are set, By, Why, Notes
	}{
		{"nothing asked", Auto, nil, nil, "go may"},
		{"nothing there", Auto, dane(Missing), &STS{}, "go may"},
		{"insecure", Auto, dane(Insecure), nil, "go may"},
		{"usable", Auto, dane(Usable), nil, "go verify dane by DANE"},
		{"usable, MX unsigned", Auto, unsigned, nil, "go verify dane by DANE (" + loose + ")"},
		{"usable, host named", Auto, direct, nil, "go verify dane by DANE"},
		{"unusable", Auto, dane(Unusable), nil, "go must by DANE"},
		{"bogus", Auto, dane(Bogus), nil, "put off may by DANE: " + bogus},
		{"enforce", Auto, nil, enforce, "go verify by MTA-STS"},
		{"enforce, unlisted", Auto, nil, other, "skip may by MTA-STS: " + unlisted},
		{"testing", Auto, nil, testing, "go may testing"},
		{"testing, unlisted", Auto, nil, testingOther, "go may testing (" + unlisted + "; in mode enforce, senders would pass it over)"},
		{"none", Auto, nil, none, "go may"},
		{"not fetched", Auto, nil, failed, "go may"},
		{"DANE before MTA-STS", Auto, dane(Usable), enforce, "go verify dane by DANE"},
		{"DANE, unlisted", Auto, dane(Usable), other, "go verify dane by DANE (" + unlisted + "; DANE decides)"},
		{"DANE, testing", Auto, dane(Usable), testing, "go verify dane by DANE"},
		{"MTA-STS does not mend DANE", Auto, dane(Bogus), enforce, "put off may by DANE: " + bogus},
		{"MTA-STS raises", Auto, dane(Unusable), enforce, "go verify by MTA-STS"},
		{"testing does not lower", Auto, dane(Unusable), testing, "go must testing by DANE"},
		{"unusable, unlisted", Auto, dane(Unusable), other, "skip may by MTA-STS: " + unlisted},
		{"missing, enforce", Auto, dane(Missing), enforce, "go verify by MTA-STS"},

		{"--dane", NeedsDANE, dane(Usable), nil, "go verify dane by DANE"},
		{"--dane, host named", NeedsDANE, direct, nil, "go verify dane by DANE"},
		{"--dane, not looked up", NeedsDANE, nil, nil, "refuse may by DANE: DANE is asked for: no TLSA records were looked up for mx1.good.test"},
		{"--dane, missing", NeedsDANE, dane(Missing), nil, "refuse may by DANE: DANE is asked for: no TLSA record for mx1.good.test, vouched for by 127.0.0.1:53"},
		{"--dane, insecure", NeedsDANE, dane(Insecure), enforce, "refuse may by DANE: DANE is asked for: none for mx1.good.test: WHY"},
		{"--dane, unusable", NeedsDANE, dane(Unusable), nil, "refuse may by DANE: DANE is asked for: 1 TLSA record for mx1.good.test, none of use: TLS is a must, without proof (RFC 7672 section 2.2), vouched for by 127.0.0.1:53"},
		{"--dane, bogus", NeedsDANE, dane(Bogus), nil, "put off may by DANE: " + bogus},
		{"--dane, MX unsigned", NeedsDANE, unsigned, nil, "refuse may by DANE: DANE is asked for: the MX records of good.test are not signed, so nothing proves that its mail goes to mx1.good.test"},
		{"--dane, unlisted", NeedsDANE, dane(Usable), other, "go verify dane by DANE"},

		{"--mta-sts", NeedsSTS, nil, enforce, "go verify by MTA-STS"},
		{"--mta-sts, unlisted", NeedsSTS, nil, other, "skip may by MTA-STS: " + unlisted},
		{"--mta-sts, testing", NeedsSTS, nil, testing, "go may testing"},
		{"--mta-sts, not looked for", NeedsSTS, nil, nil, "refuse may: MTA-STS is asked for: no policy was looked for"},
		{"--mta-sts, no record", NeedsSTS, nil, &STS{Domain: "good.test"}, "refuse may: MTA-STS is asked for: no record at _mta-sts.good.test"},
		{"--mta-sts, none", NeedsSTS, nil, none, "refuse may: MTA-STS is asked for: the policy of good.test is in mode none"},
		{"--mta-sts, not known", NeedsSTS, nil, &STS{Domain: "good.test", Stage: Unknown, Err: errors.New("FAILED")}, "put off may by MTA-STS: MTA-STS is asked for: not known: FAILED"},
		{"--mta-sts, not fetched", NeedsSTS, nil, failed, "refuse may: MTA-STS is asked for: no policy: FAILED"},
		{"--mta-sts, DANE", NeedsSTS, dane(Usable), enforce, "go verify dane by DANE"},
		{"--mta-sts, DANE, unlisted", NeedsSTS, dane(Usable), other, "skip may by MTA-STS: " + unlisted},
		{"--mta-sts, DANE alone", NeedsSTS, dane(Usable), failed, "refuse may: MTA-STS is asked for: no policy: FAILED"},
		{"--mta-sts, bogus", NeedsSTS, dane(Bogus), enforce, "put off may by DANE: " + bogus},
	} {
		d := Decide(tt.want, tt.dane, tt.sts, "mx1.good.test")
		got := map[Action]string{Go: "go", Skip: "skip", PutOff: "put off", Refuse: "refuse"}[d.Action] + " " +
			map[Level]string{May: "may", Must: "must", Verify: "verify"}[d.Level]
		if d.DANE != nil {
			got += " dane"
		}
		if d.Testing {
			got += " testing"
		}
		if d.By != "" {
			got += " by " + d.By
		}
		if d.Why != "" {
			got += ": " + d.Why
		}
		if len(d.Notes) > 0 {
			got += " (" + strings.Join(d.Notes, ") (") + ")"
		}
		if got != tt.is {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.is)
		}
		if (d.Action == Go) != (d.Why == "") {
			t.Errorf("%s: %q", tt.name, d.Why)
		}
	}
}
