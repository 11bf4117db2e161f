package check

import (
	"crypto/x509"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/reach"
	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/dialog/scan"
)

// showing is a server that was visited, with what came of it.
func showing(visit reach.Visit) *Server {
	visit.Reached = true
	return &Server{Host: "mx.good.test", Addr: netip.MustParseAddr("192.0.2.1"), Report: scan.Report{Visit: visit}}
}

// Who waits less than senders do has not seen that a server does not greet.
func TestGreetingPatience(t *testing.T) {
	for _, test := range []struct {
		phase dialog.Phase
		err   error
		want  Verdict
	}{
		{dialog.PhaseConnect, &dialog.TimeoutError{For: "greeting", After: time.Second}, Error},
		{dialog.PhaseConnect, &dialog.TimeoutError{For: "greeting", After: time.Minute}, Error},
		{dialog.PhaseConnect, &dialog.TimeoutError{For: "greeting", After: 5 * time.Minute}, Fail},
		{dialog.PhaseFirstHello, &dialog.TimeoutError{For: "reply to EHLO", After: 30 * time.Second}, Error},
		{dialog.PhaseFirstHello, &dialog.TimeoutError{For: "reply to EHLO", After: 5 * time.Minute}, Fail},
		{dialog.PhaseConnect, &dialog.LostError{}, Fail},
		{dialog.PhaseConnect, errors.New("time is up"), Error},
	} {
		v := showing(reach.Visit{Err: &dialog.Error{Phase: test.phase, Err: test.err}})
		if r := mxGreeting(t.Context(), nil, v)[0]; r.Verdict != test.want {
			t.Errorf("%s, %v: %s: %s", test.phase, test.err, r.Verdict, r.Summary)
		}
	}
}

// Without a limit of the user's only a certificate that is not valid now fails.
func TestCertificateDates(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	const hour, day = time.Hour, 24 * time.Hour
	for _, test := range []struct {
		from, until time.Duration // from now
		warn, fail  int
		want        Verdict
		summary     string
	}{
		{-day, 61 * day, 14, 0, Pass, "61 days left, until 2027-01-22"},
		{-day, 14*day + hour, 14, 0, Warn, "14 days left, until 2026-12-06"},
		{-day, 23 * hour, 14, 0, Warn, "23 hours left, until 2026-11-23"},
		{-day, time.Minute, 14, 0, Warn, "0 hours left, until 2026-11-22"},
		{-day, 23 * hour, 14, 1, Fail, "23 hours left, until 2026-11-23: --fail-days is 1"},
		{-day, 2 * day, 14, 1, Warn, "2 days left, until 2026-11-24"},
		{-day, -hour, 14, 0, Fail, "expired 1 hour ago, on 2026-11-22"},
		{day, 90 * day, 14, 0, Fail, "not valid before 2026-11-23 12:00Z, in 1 day"},
	} {
		w := &world{txt: map[string]error{"_mta-sts.good.test": &route.Error{Kind: route.NXDomain}}}
		s, err := NewSubject(Options{Domain: "good.test", WarnDays: test.warn, FailDays: test.fail}, w, &reach.Reach{})
		if err != nil {
			t.Fatal(err)
		}
		v := showing(reach.Visit{Report: dialog.Report{TLS: &dialog.TLSReport{
			Chain: []*x509.Certificate{{NotBefore: now.Add(test.from), NotAfter: now.Add(test.until)}}}}})
		v.at = now
		if r := certExpiry(t.Context(), s, v)[0]; r.Verdict != test.want || r.Summary != test.summary {
			t.Errorf("%s to %s, with %d and %d: %s: %s", test.from, test.until, test.warn, test.fail, r.Verdict, r.Summary)
		}
	}
}
