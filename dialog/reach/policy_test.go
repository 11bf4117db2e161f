package reach

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/policy"
	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/dialog/sandbox"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// publishing is a domain with an MTA-STS policy and two MX hosts, the first of which
// has that certificate.
func publishing(name string, first sandbox.Cert, mode string, mx ...string) sandbox.Scenario {
	body := "version: STSv1\r\nmode: " + mode + "\r\nmax_age: 604800\r\nmx: " + strings.Join(mx, "\r\nmx: ") + "\r\n"
	page := sandbox.Service{Port: 443, TLS: true, Page: &sandbox.Page{Body: body}}
	return sandbox.Scenario{
		Name: name,
		Zone: "@ MX 10 mx1\n@ MX 20 mx2\n_mta-sts TXT \"v=STSv1; id=1;\"\n",
		Hosts: []sandbox.Host{
			{Name: "mx1", Addrs: "198.51.100.1", Services: []sandbox.Service{{Offers: "STARTTLS", Cert: first}}},
			{Name: "mx2", Addrs: "198.51.100.2", Services: []sandbox.Service{{Offers: "STARTTLS"}}},
			{Name: "mta-sts", Addrs: "198.51.100.3", Services: []sandbox.Service{page}},
		},
	}
}

// signed is a domain with two MX hosts that have those TLSA records; the questions in
// bogus are not answered.
func signed(name, bogus, first, second string) sandbox.Scenario {
	return sandbox.Scenario{
		Name: name, Signed: true, Bogus: bogus,
		Hosts: []sandbox.Host{
			{Name: "mx1", Addrs: "198.51.100.1", Services: []sandbox.Service{{Offers: "STARTTLS", TLSA: first}}},
			{Name: "mx2", Addrs: "198.51.100.2", Services: []sandbox.Service{{Offers: "STARTTLS", TLSA: second}}},
		},
	}
}

// discovering is a Reach in a world of one domain, which asks for what is published;
// what it shows is written to shown.
func discovering(t *testing.T, want policy.Discovery, s sandbox.Scenario, shown *strings.Builder) *Reach {
	t.Helper()
	world, err := sandbox.Start(context.Background(), sandbox.Options{Scenarios: []sandbox.Scenario{s}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = world.Close() })
	sink, err := transcript.New(shown, transcript.Options{Format: "text"})
	if err != nil {
		t.Fatal(err)
	}
	times := dialog.DefaultTimeouts()
	times.Reply, times.Banner = 5*time.Second, 5*time.Second
	return &Reach{
		Resolver:       &route.Client{Servers: []route.Server{{Addr: netip.MustParseAddrPort(world.DNS())}}},
		Dial:           world.Dial,
		ConnectTimeout: 5 * time.Second,
		Discover:       &Discovery{Want: want, Fetch: policy.Fetcher{Roots: world.Roots(), Store: "the world's store", Now: time.Now}},
		Session: dialog.Options{
			Timeouts: times, Hello: "client.test", Now: time.Now, Stream: transcript.NewStream(sink, time.Now),
			TLS: dialog.TLS{Policy: dialog.PolicyMay, Roots: world.Roots(), Store: "the world's store"},
		},
	}
}

// A published policy, or that it cannot be had, keeps us from a host and not from the
// next one (RFC 7672 sections 2.1.3 and 2.2, RFC 8461 section 5); what the user asks
// for and is not there ends the search.
func TestDiscover(t *testing.T) {
	const bogus = "_25._tcp.mx1 TLSA"
	for _, test := range []struct {
		name   string
		want   policy.Discovery
		domain sandbox.Scenario
		visits string // the hosts, in brackets those that were not connected to, and the outcome
		shows  string // in the transcript
	}{
		{"DANE matches", policy.Auto, signed("a", "", "3 1 1", "3 1 1"),
			"mx1 accepted:250:mx1", "verified mx1.a.test by DANE"},
		{"DANE matches, as is asked for", policy.NeedsDANE, signed("a", "", "3 1 1", "3 1 1"),
			"mx1 accepted:250:mx1", "by DANE"},
		{"a mismatch is passed over", policy.Auto, signed("a", "", "3 1 1 other", "3 1 1"),
			"mx1 mx2 accepted:250:mx2", "hop 2 of 2 · after mx1.a.test did not pass DANE"},
		{"two mismatches", policy.NeedsDANE, signed("a", "", "3 1 1 other", "3 1 1 other"),
			"mx1 mx2 undecided:0:", "this one would match"},
		{"records that cannot be had are passed over", policy.Auto, signed("a", bogus, "3 1 1", "3 1 1"),
			"(mx1) mx2 accepted:250:mx2", "hop 2 of 2 · after mx1.a.test has TLSA records that cannot be had"},
		{"also where MTA-STS is asked for", policy.NeedsSTS, signed("a", bogus, "3 1 1", "3 1 1"),
			"(mx1) (mx2) undecided:0:", "MTA-STS is asked for"},
		{"none where none are asked for", policy.Auto, signed("a", "", "", ""),
			"mx1 accepted:250:mx1", "no TLSA record"},
		{"none where they are", policy.NeedsDANE, signed("a", "", "", "3 1 1"),
			"(mx1) undecided:0:", "DANE is asked for: no TLSA record for mx1.a.test"},
		{"MTA-STS", policy.Auto, publishing("a", sandbox.Valid, "enforce", "*.a.test"),
			"mx1 accepted:250:mx1", "verified mx1.a.test"},
		{"a host that is not listed", policy.NeedsSTS, publishing("a", sandbox.Valid, "enforce", "mx2.a.test"),
			"(mx1) mx2 accepted:250:mx2", "hop 2 of 2 · after mx1.a.test is not to be used"},
		{"a host that is not proved", policy.Auto, publishing("a", sandbox.SelfSigned, "enforce", "*.a.test"),
			"mx1 mx2 accepted:250:mx2", "hop 2 of 2 · after mx1.a.test did not pass MTA-STS"},
		{"mode testing", policy.NeedsSTS, publishing("a", sandbox.SelfSigned, "testing", "*.a.test"),
			"mx1 accepted:250:mx1", "in mode enforce, senders would not deliver to mx1.a.test"},
		{"mode testing, not listed", policy.Auto, publishing("a", sandbox.Valid, "testing", "mx2.a.test"),
			"mx1 accepted:250:mx1", "in mode enforce, senders would pass it over"},
		{"mode none", policy.Auto, publishing("a", sandbox.SelfSigned, "none", "*.a.test"),
			"mx1 accepted:250:mx1", "MTA-STS none"},
		{"mode none where a policy is asked for", policy.NeedsSTS, publishing("a", sandbox.Valid, "none", "*.a.test"),
			"(mx1) undecided:0:", "MTA-STS is asked for"},
	} {
		var shown strings.Builder
		got := deliver(t, discovering(t, test.want, test.domain, &shown), "a.test", "alice")
		if got != test.visits || !strings.Contains(shown.String(), test.shows) {
			t.Errorf("%s: %s, want %s and %q in\n%s", test.name, got, test.visits, test.shows, shown.String())
		}
	}
}

// Where REQUIRETLS is asked for, DNSSEC or an MTA-STS policy has to lead to the host
// (RFC 8689 section 4.2.1); a server that the user names is named well enough.
func TestVouch(t *testing.T) {
	unsigned := signed("a", "", "", "")
	unsigned.Signed = false
	for _, test := range []struct {
		name   string
		domain sandbox.Scenario
		want   policy.Discovery
		target string
		visits string
	}{
		{"DNSSEC", signed("a", "", "", ""), policy.Auto, "a.test", "mx1 accepted:250:mx1"},
		{"MTA-STS", publishing("a", sandbox.Valid, "enforce", "*.a.test"), policy.Auto, "a.test", "mx1 accepted:250:mx1"},
		{"MTA-STS, which the user does not ask for", publishing("a", sandbox.Valid, "enforce", "*.a.test"), policy.NeedsDANE, "a.test", "mx1 accepted:250:mx1"},
		{"a host that is not listed", publishing("a", sandbox.Valid, "enforce", "mx2.a.test"), policy.NeedsDANE, "a.test", "(mx1) mx2 accepted:250:mx2"},
		{"neither", unsigned, policy.Auto, "a.test", "(mx1) (mx2) undecided:0:"},
	} {
		var shown strings.Builder
		r := discovering(t, test.want, test.domain, &shown)
		r.Vouch = &r.Discover.Fetch
		if test.want == policy.NeedsDANE { // only the vouching looks for MTA-STS
			fetch := r.Discover.Fetch
			r.Discover, r.Vouch = nil, &fetch
		}
		if got := deliver(t, r, test.target, "alice"); got != test.visits {
			t.Errorf("%s: %s, want %s in\n%s", test.name, got, test.visits, shown.String())
		}
	}
}

// Where TLS is off nothing is looked up of a host.
func TestDiscoverWithoutTLS(t *testing.T) {
	var shown strings.Builder
	r := discovering(t, policy.NeedsDANE, signed("a", "", "", ""), &shown)
	r.Session.TLS.Policy = dialog.PolicyNever
	if got := deliver(t, r, "a.test", "alice"); got != "mx1 accepted:250:mx1" || strings.Contains(shown.String(), "DANE") {
		t.Errorf("%s\n%s", got, shown.String())
	}
}

// A floor that the user sets stands where the policy asks for less.
func TestDiscoverFloor(t *testing.T) {
	var shown strings.Builder
	r := discovering(t, policy.Auto, publishing("a", sandbox.SelfSigned, "none", "*.a.test"), &shown)
	r.Session.TLS.Policy = dialog.PolicyVerify
	if got := deliver(t, r, "a.test", "alice"); got != "mx1 undecided:0:" {
		t.Errorf("%s\n%s", got, shown.String())
	}
}

// --connect-to holds for the policy host too, and the name that it has to prove stays.
func TestDiscoverRedirected(t *testing.T) {
	var shown strings.Builder
	domain := publishing("a", sandbox.Valid, "enforce", "*.a.test")
	domain.Hosts = append(domain.Hosts, sandbox.Host{Name: "web", Addrs: "198.51.100.4",
		Services: []sandbox.Service{{Port: 8443, TLS: true, Page: &sandbox.Page{Body: "version: STSv1\r\nmode: none\r\nmax_age: 1\r\n"}}}})
	r := discovering(t, policy.NeedsSTS, domain, &shown)
	r.ConnectTo = []Redirect{{Host: "mta-sts.a.test", Port: "443", To: "198.51.100.4", ToPort: "8443"}}
	if got := deliver(t, r, "a.test", "alice"); got != "(mx1) undecided:0:" {
		t.Errorf("%s\n%s", got, shown.String())
	}
	if !strings.Contains(shown.String(), "the certificate does not prove mta-sts.a.test") {
		t.Errorf("it did not go to web.a.test:\n%s", shown.String())
	}
}

// Where nothing answers, the address that was dialled is told, and not the one that was meant.
func TestDiscoverRedirectedAstray(t *testing.T) {
	var shown strings.Builder
	r := discovering(t, policy.NeedsSTS, publishing("a", sandbox.Valid, "enforce", "*.a.test"), &shown)
	r.ConnectTo = []Redirect{{Port: "443", To: "198.51.100.99", ToPort: "8443"}}
	found := policy.FindSTS(t.Context(), r.Resolver, r.Fetcher(r.Discover.Fetch, "a.test"), "a.test")
	if found.Err == nil || !strings.Contains(found.Err.Error(), ": 198.51.100.99:8443: no connection") {
		t.Error(found.Err)
	}
}

func TestTryNextPolicy(t *testing.T) {
	cause := &dialog.TLSError{Reason: "x"}
	for _, test := range []struct {
		err  *PolicyError
		next bool
		why  string
	}{
		{&PolicyError{Action: policy.Skip, By: "MTA-STS"}, true, "is not to be used"},
		{&PolicyError{Action: policy.PutOff, By: "DANE"}, true, "has TLSA records that cannot be had"},
		{&PolicyError{Action: policy.Refuse, By: "DANE"}, false, "is not to be used"},
		{&PolicyError{Action: policy.Skip, By: "DANE", Err: cause}, true, "did not pass DANE"},
	} {
		err := &dialog.Error{Phase: dialog.PhaseTLS, Err: test.err}
		if next, why := TryNext(err); next != test.next || why != test.why {
			t.Errorf("%+v: %v %q", test.err, next, why)
		}
		if errors.Is(err, cause) != (test.err.Err != nil) {
			t.Errorf("%+v does not unwrap to its cause", test.err)
		}
	}
}
