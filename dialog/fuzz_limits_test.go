package dialog

import (
	"slices"
	"strings"
	"testing"
)

// FuzzLimits: whatever LIMITS says, every recipient is in one transaction at most, in
// order, at least one is carried unless there is none, none beyond a limit, and rest is
// true exactly where some are left.
func FuzzLimits(f *testing.F) {
	for _, seed := range []string{"RCPTMAX=1", "MAILMAX=1 RCPTMAX=2", "RCPTDOMAINMAX=1", "RCPTMAX=0 MAILMAX=-1", "rcptmax=999999", "RCPTMAX=9999999", "RCPTMAX", "MAILMAX=x RCPTDOMAINMAX=2 RCPTMAX=2"} {
		f.Add(seed, uint8(5), uint8(2))
	}
	f.Fuzz(func(t *testing.T, said string, recipients, domains uint8) {
		reply := &Reply{Code: 250, Raw: []byte("250-x\r\n250 LIMITS " + strings.NewReplacer("\n", " ", "\r", " ").Replace(said) + "\r\n")}
		s := &Session{Report: Report{Offers: []Offers{ParseOffers(reply)}}}
		l := s.limits()
		if l.mails < 0 || l.recipients < 0 || l.domains < 0 || max(l.mails, l.recipients, l.domains) > 999_999 {
			t.Fatalf("%q is %+v", said, l)
		}
		d := &Delivery{}
		for i := range int(recipients % 40) {
			d.To = append(d.To, Recipient{Address: "a@" + strings.Repeat("x", 1+i%(1+int(domains%8))) + ".test"})
		}
		all, rest := l.share([]*Delivery{d}, map[*Recipient]bool{})
		var carried []int
		names := map[string]bool{}
		for _, one := range all {
			if l.recipients > 0 && len(one.batch) > l.recipients || len(one.batch) == 0 {
				t.Fatalf("%q: %d recipients in a transaction", said, len(one.batch))
			}
			carried = append(carried, one.batch...)
			for _, i := range one.batch {
				names[d.To[i].Address] = true
			}
		}
		switch {
		case !slices.IsSorted(carried) || len(slices.Compact(slices.Clone(carried))) != len(carried):
			t.Fatalf("%q: %v", said, carried)
		case len(d.To) > 0 && len(carried) == 0:
			t.Fatalf("%q: nobody is carried", said)
		case l.mails > 0 && len(all) > l.mails, l.domains > 0 && len(names) > l.domains:
			t.Fatalf("%q: %d transactions to %d domains", said, len(all), len(names))
		case rest != (len(carried) < len(d.To)):
			t.Fatalf("%q: %d of %d carried, rest %v", said, len(carried), len(d.To), rest)
		}
	})
}
