package scan_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/scan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// what lists the attempts that were accepted, those that were not, and those that
// say nothing.
func what(all []scan.Attempt) (accepted, not, untested []string) {
	for _, a := range all {
		switch {
		case a.Untested != "":
			untested = append(untested, a.What)
		case a.Accepted:
			accepted = append(accepted, a.What)
		default:
			not = append(not, a.What)
		}
	}
	return accepted, not, untested
}

// Each thing is found that a server has, and nothing else, with as many connections
// as were announced.
func TestRun(t *testing.T) {
	s := &server{config: &tls.Config{
		Certificates: []tls.Certificate{certificate(t)}, MinVersion: tls.VersionTLS11, MaxVersion: tls.VersionTLS12,
		CipherSuites:     []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA},
		CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP384},
	}}
	s.start(t)
	r, hop := s.at(t)
	told := 0
	o := scan.Options{Suites: true, Active: true, Tried: func(scan.Attempt) { told++ }}
	report := scan.Run(t.Context(), r, hop, o)
	if report.Visit.Err != nil || report.Visit.Report.TLS == nil {
		t.Fatalf("%v", report.Visit.Err)
	}
	accepted, not, untested := what(report.Versions)
	if diff := cmp.Diff([]string{"TLS 1.1", "TLS 1.2"}, accepted); diff != "" || len(untested) > 0 {
		t.Errorf("versions: %s, untested %v", diff, untested)
	}
	if diff := cmp.Diff([]string{"TLS 1.0", "TLS 1.3"}, not); diff != "" {
		t.Errorf("versions that are not there: %s", diff)
	}
	accepted, _, untested = what(report.Suites)
	wanted := map[string]bool{"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": true, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": true}
	for _, suite := range accepted {
		if !wanted[suite] {
			t.Errorf("%s is not there", suite)
		}
	}
	if len(accepted) != len(wanted) || len(untested) > 0 || len(report.Suites) != len(dialog.Suites()) {
		t.Errorf("suites: %v, untested %v", accepted, untested)
	}
	accepted, _, untested = what(report.Groups)
	if diff := cmp.Diff([]string{"X25519", "CurveP384"}, accepted); diff != "" || len(untested) > 0 || len(report.Groups) != len(dialog.Groups()) {
		t.Errorf("groups: %s, untested %v", diff, untested)
	}
	if report.Tickets == 0 || !report.Resumed.Accepted || report.Injection != dialog.InjectionDiscarded {
		t.Errorf("%d tickets, resumed %+v, injection %v", report.Tickets, report.Resumed, report.Injection)
	}
	if n := int(s.seen.Load()); n != o.Connections() || report.Tries != n {
		t.Errorf("%d connections, %d reported, up to %d announced", n, report.Tries, o.Connections())
	}
	if want := o.Connections() - 2; told != want { // not of the first conversation, nor of the injection
		t.Errorf("told of %d attempts, not %d", told, want)
	}
	for _, a := range report.Versions {
		if a.Accepted && (a.Suite == 0 || a.Group != tls.X25519) {
			t.Errorf("%s without what was negotiated: %+v", a.What, a)
		}
	}
}

func TestVersions13(t *testing.T) {
	s := &server{config: &tls.Config{Certificates: []tls.Certificate{certificate(t)}, MinVersion: tls.VersionTLS13}}
	s.start(t)
	r, hop := s.at(t)
	report := scan.Run(t.Context(), r, hop, scan.Options{Suites: true})
	if accepted, _, untested := what(report.Versions); !cmp.Equal(accepted, []string{"TLS 1.3"}) || len(untested) > 0 {
		t.Errorf("versions %v, untested %v", accepted, untested)
	}
	if accepted, _, untested := what(report.Suites); len(accepted)+len(untested) > 0 {
		t.Errorf("suites %v, untested %v", accepted, untested)
	}
	if accepted, _, untested := what(report.Groups); len(accepted) == 0 || len(untested) > 0 {
		t.Errorf("groups %v, untested %v", accepted, untested)
	}
	if report.Injection != dialog.InjectionUntested {
		t.Errorf("injection %v, and nobody asked", report.Injection)
	}
}

func TestResumption(t *testing.T) {
	pair := certificate(t)
	for _, test := range []struct {
		name    string
		config  *tls.Config
		tickets bool
		resumed bool
	}{
		{"no tickets", &tls.Config{Certificates: []tls.Certificate{pair}, SessionTicketsDisabled: true}, false, false},
		{"tickets", &tls.Config{Certificates: []tls.Certificate{pair}}, true, true},
		{"tickets of TLS 1.2", &tls.Config{Certificates: []tls.Certificate{pair}, MaxVersion: tls.VersionTLS12}, true, true},
		{"tickets that are not taken", &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			config := &tls.Config{Certificates: []tls.Certificate{pair}}
			var key [32]byte
			_, err := rand.Read(key[:])
			config.SetSessionTicketKeys([][32]byte{key})
			return config, err
		}}, true, false},
	} {
		s := &server{config: test.config}
		s.start(t)
		r, hop := s.at(t)
		o := scan.Options{}
		report := scan.Run(t.Context(), r, hop, o)
		tries := o.Connections()
		if !test.tickets {
			tries--
		}
		if (report.Tickets > 0) != test.tickets || report.Resumed.Accepted != test.resumed || report.Resumed.Untested != "" || report.Tries != tries {
			t.Errorf("%s: %d tickets, %+v, %d connections", test.name, report.Tickets, report.Resumed, report.Tries)
		}
	}
}

// Behind a conversation that was had before, only what is asked for is tried: the version that
// it shows is not.
func TestRest(t *testing.T) {
	s := &server{config: &tls.Config{Certificates: []tls.Certificate{certificate(t)}, MinVersion: tls.VersionTLS12}}
	s.start(t)
	r, hop := s.at(t)
	first := r.Visit(t.Context(), hop, scan.Conversation())
	for _, test := range []struct {
		o        scan.Options
		accepted []string
		tries    int
	}{
		{scan.Options{Brief: true}, []string{"TLS 1.2", "TLS 1.3"}, 3},
		{scan.Options{Once: true}, nil, 0},
		{scan.Options{Once: true, Active: true}, nil, 1},
	} {
		report := scan.Rest(t.Context(), r, hop, first, test.o)
		accepted, _, untested := what(report.Versions)
		if !cmp.Equal(accepted, test.accepted) || len(untested) > 0 || report.Tries != test.tries || test.o.Connections() != 1+test.tries {
			t.Errorf("%+v: %v, untested %v, %d connections", test.o, accepted, untested, report.Tries)
		}
	}
}

func TestInjection(t *testing.T) {
	for how, want := range map[injected]dialog.Injection{
		discards: dialog.InjectionDiscarded, answersTLS: dialog.InjectionAnswered,
		answersInClear: dialog.InjectionInClear, closes: dialog.InjectionUntested,
	} {
		s := &server{config: &tls.Config{Certificates: []tls.Certificate{certificate(t)}}, injected: how}
		s.start(t)
		r, hop := s.at(t)
		o := scan.Options{Active: true}
		if report := scan.Run(t.Context(), r, hop, o); report.Injection != want || report.Tries != o.Connections() {
			t.Errorf("%d: %v, not %v, after %d connections", how, report.Injection, want, report.Tries)
		}
	}
}

// A server that takes no more connections is left alone after three, and nothing is
// said of what could not be tried.
func TestNoMoreConnections(t *testing.T) {
	s := &server{config: &tls.Config{Certificates: []tls.Certificate{certificate(t)}}, most: 4} // the conversation and three versions
	s.start(t)
	r, hop := s.at(t)
	report := scan.Run(t.Context(), r, hop, scan.Options{Suites: true, Active: true})
	accepted, not, untested := what(report.Versions)
	if !cmp.Equal(accepted, []string{"TLS 1.2"}) || !cmp.Equal(not, []string{"TLS 1.0", "TLS 1.1"}) || !cmp.Equal(untested, []string{"TLS 1.3"}) {
		t.Errorf("versions: %v, not %v, untested %v", accepted, not, untested)
	}
	if !strings.Contains(report.Versions[3].Untested, "421 4.7.0") {
		t.Errorf("no reason: %q", report.Versions[3].Untested)
	}
	for _, list := range [][]scan.Attempt{report.Suites, report.Groups} {
		if accepted, not, _ := what(list); len(list) == 0 || len(accepted)+len(not) > 0 {
			t.Errorf("accepted %v, not %v", accepted, not)
		}
	}
	if report.Tickets == 0 || report.Resumed.Accepted || report.Resumed.Untested == "" || report.Injection != dialog.InjectionUntested {
		t.Errorf("%d tickets, resumed %+v, injection %v", report.Tickets, report.Resumed, report.Injection)
	}
	if n := s.seen.Load(); n != s.most+3 || report.Tries != int(n) {
		t.Errorf("%d connections, %d reported", n, report.Tries)
	}
}

// What is left when the run ends is untested, with its cause.
func TestRunEnds(t *testing.T) {
	s := &server{config: &tls.Config{Certificates: []tls.Certificate{certificate(t)}}}
	s.start(t)
	r, hop := s.at(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	o := scan.Options{Suites: true, Active: true, Tried: func(a scan.Attempt) {
		if a.What == "TLS 1.2" {
			cancel(errors.New("enough"))
		}
	}}
	report := scan.Run(ctx, r, hop, o)
	accepted, _, untested := what(report.Versions)
	if !cmp.Equal(accepted, []string{"TLS 1.2"}) || !cmp.Equal(untested, []string{"TLS 1.3"}) || report.Versions[3].Untested != "enough" {
		t.Errorf("versions: %+v", report.Versions)
	}
	if accepted, not, untested := what(report.Suites); len(accepted)+len(not) > 0 || len(untested) != len(dialog.Suites()) {
		t.Errorf("suites: %v, not %v", accepted, not)
	}
	if report.Injection != dialog.InjectionUntested || report.Tries != 4 || s.seen.Load() != 4 {
		t.Errorf("injection %v after %d connections", report.Injection, report.Tries)
	}
}

// Without a handshake there is nothing to try.
func TestNoHandshake(t *testing.T) {
	s := &server{config: &tls.Config{}} // no certificate
	s.start(t)
	r, hop := s.at(t)
	o := scan.Options{Suites: true, Active: true}
	report := scan.Run(t.Context(), r, hop, o)
	if !errors.As(report.Visit.Err, new(*dialog.TLSError)) || report.Versions != nil || report.Tries != 1 || s.seen.Load() != 1 {
		t.Errorf("%v, %+v, %d connections", report.Visit.Err, report.Versions, report.Tries)
	}
	hop.Addr = closed(t)
	if report := scan.Run(t.Context(), r, hop, o); report.Visit.Reached || report.Visit.Err == nil || report.Versions != nil {
		t.Errorf("nobody listens: %+v", report)
	}
}

// Who demands a certificate of us takes no handshake, and says nothing of versions: in
// TLS 1.3 the no comes behind the handshake.
func TestClientDemanded(t *testing.T) {
	s := &server{config: &tls.Config{Certificates: []tls.Certificate{certificate(t)}, ClientAuth: tls.RequireAnyClientCert}}
	s.start(t)
	r, hop := s.at(t)
	report := scan.Run(t.Context(), r, hop, scan.Options{})
	accepted, not, untested := what(report.Versions)
	if !cmp.Equal(accepted, []string{"TLS 1.3"}) || !cmp.Equal(not, []string{"TLS 1.0", "TLS 1.1"}) || !cmp.Equal(untested, []string{"TLS 1.2"}) {
		t.Errorf("versions: %v, not %v, untested %v", accepted, not, untested)
	}
}
