package route

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// shown is the lines of an event, each with its mark, and what differs from run
// to run replaced.
func shown(c *Client, e transcript.Event) string {
	marks := map[transcript.Mark]string{transcript.Phase: "●", transcript.Finding: "!", transcript.Failure: "✗", transcript.Note: "·"}
	var b strings.Builder
	for _, l := range e.Lines() {
		b.WriteString(marks[l.Mark] + " " + strings.TrimSpace(l.Label+" "+l.Text) + "\n")
	}
	return strings.ReplaceAll(b.String(), c.Servers[0].String(), "SERVER")
}

func eventWorld(t *testing.T) *Client {
	c, _ := world(t, `
		SECURE
		example.net. 3600 IN MX 20 mx2.example.net.
		example.net. 3600 IN MX 10 mx1.example.net.
		mx1.example.net. 300 IN A 192.0.2.10
		mx1.example.net. 300 IN AAAA 2001:db8::10
		mx2.example.net. 300 IN A 10.0.0.5
		one.test. 60 IN MX 10 mx2.example.net.
		dead.test. 60 IN MX 10 gone.test.
		null.test. 60 IN MX 0 .
		implicit.test. 60 IN A 192.0.2.1
		broken.test. SERVFAIL
		xn--r8jz45g.test. 60 IN MX 10 mx1.example.net.
	`)
	return c
}

func TestResolvedLines(t *testing.T) {
	c := eventWorld(t)
	for domain, want := range map[string]string{
		"example.net": `
			● resolve example.net → 10 mx1.example.net  192.0.2.10  2001:db8::10 · 20 mx2.example.net  10.0.0.5
			! mx2.example.net: private address: only a sender inside that network reaches it (RFC 1918)
			· 10 mx1.example.net  192.0.2.10  2001:db8::10 · ttl 5 min · DNSSEC secure
			· 20 mx2.example.net  10.0.0.5 · ttl 5 min · DNSSEC secure
			· answered by SERVER · DNSSEC secure`,
		"one.test": `
			● resolve one.test → 10 mx2.example.net  10.0.0.5
			! private address: only a sender inside that network reaches it (RFC 1918)
			· 10 mx2.example.net  10.0.0.5 · ttl 5 min · DNSSEC secure
			· answered by SERVER · DNSSEC secure`,
		"dead.test": `
			● resolve dead.test → no host with an address to connect to
			✗ gone.test: no such name (NXDOMAIN): a sender skips this host
			· answered by SERVER · DNSSEC secure`,
		"null.test": `
			● resolve null.test → takes no mail, as its null MX says (RFC 7505)
			· answered by SERVER · DNSSEC secure`,
		"implicit.test": `
			● resolve implicit.test → implicit.test  192.0.2.1 · no MX record, so the domain itself
			· implicit.test  192.0.2.1 · ttl 1 min · DNSSEC secure
			· answered by SERVER · DNSSEC secure`,
		"broken.test": `
			● resolve broken.test → MX of broken.test from SERVER: the server could not find out (SERVFAIL)
			· answered by SERVER`,
		"例え.test": `
			● resolve 例え.test (xn--r8jz45g.test) → 10 mx1.example.net  192.0.2.10  2001:db8::10
			· 10 mx1.example.net  192.0.2.10  2001:db8::10 · ttl 5 min · DNSSEC secure
			· answered by SERVER · DNSSEC secure`,
		"[192.0.2.1]": `
			● resolve [192.0.2.1] → 192.0.2.1 · no DNS asked`,
		"localhost": `
			● resolve localhost → localhost  127.0.0.1  ::1 · this host, no DNS asked`,
	} {
		rt, err := To(background(t), c, domain, 25, Options{Shuffle: unshuffled})
		want = strings.ReplaceAll(strings.TrimPrefix(want, "\n"), "\t", "") + "\n"
		if diff := cmp.Diff(want, shown(c, Resolved{rt, err})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", domain, diff)
		}
	}
}

func TestResolvedJSON(t *testing.T) {
	c := eventWorld(t)
	for domain, want := range map[string]string{
		"example.net": `{"domain":"example.net","ascii":"example.net","port":25,"hosts":[
			{"preference":10,"host":"mx1.example.net","addresses":["192.0.2.10","2001:db8::10"],"ttl_seconds":300,"authentic":true,"findings":[]},
			{"preference":20,"host":"mx2.example.net","addresses":["10.0.0.5"],"ttl_seconds":300,"authentic":true,"findings":[
			{"id":"private","fail":false,"text":"private address: only a sender inside that network reaches it (RFC 1918)","address":"10.0.0.5"}]}],
			"implicit":false,"null":false,"literal":false,"direct":false,"loopback":false,"authentic":true,"ttl_seconds":3600,
			"server":"SERVER","findings":[],"took_ms":1.5}`,
		"null.test": `{"domain":"null.test","ascii":"null.test","port":25,"hosts":[],
			"implicit":false,"null":true,"literal":false,"direct":false,"loopback":false,"authentic":true,"ttl_seconds":60,
			"server":"SERVER","findings":[],"took_ms":1.5,"error":"null.test: takes no mail, as its null MX says (RFC 7505)","definite":true}`,
		"[192.0.2.1]": `{"domain":"[192.0.2.1]","port":25,"hosts":[{"addresses":["192.0.2.1"],"ttl_seconds":0,"authentic":false,"findings":[]}],
			"implicit":false,"null":false,"literal":true,"direct":false,"loopback":false,"authentic":false,"ttl_seconds":0,"findings":[],"took_ms":1.5}`,
	} {
		rt, err := To(background(t), c, domain, 25, Options{Shuffle: unshuffled})
		rt.Took = 1500 * time.Microsecond
		got, jsonErr := json.Marshal(Resolved{rt, err})
		if jsonErr != nil {
			t.Fatal(jsonErr)
		}
		want = strings.NewReplacer("\n", "", "\t", "", "SERVER", c.Servers[0].String()).Replace(want)
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", domain, diff)
		}
	}
}

func TestQueryEvent(t *testing.T) {
	q := Query{Name: "example.net", Type: "MX", Server: "192.0.2.53:53", Net: "udp", Rcode: "NOERROR", Truncated: true, Took: time.Millisecond}
	got, err := json.Marshal(q)
	want := `{"name":"example.net","type":"MX","server":"192.0.2.53:53","net":"udp","rcode":"NOERROR","truncated":true,"records":0,"ad":false,"authentic":false,"took_ms":1}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v", got, err)
	}
	lines := q.Lines()
	if len(lines) != 1 || lines[0].Mark != transcript.Note || lines[0].Text != "MX example.net at 192.0.2.53:53 (udp): NOERROR, truncated" {
		t.Errorf("%+v", lines)
	}
	q.Err = &Error{Name: q.Name, Type: q.Type, Server: q.Server, Kind: Network}
	if text := q.Lines()[0].Text; text != "MX example.net at 192.0.2.53:53 (udp): the server cannot be reached" {
		t.Error(text)
	}
}

func TestTTL(t *testing.T) {
	for d, want := range map[int]string{0: "0 s", 59: "59 s", 60: "1 min", 90: "90 s", 300: "5 min", 3547: "59 min", 3600: "1 h",
		5400: "90 min", 86400: "24 h", 604800: "7 d"} {
		if got := TTL(time.Duration(d) * time.Second); got != want {
			t.Errorf("%d: %s", d, got)
		}
	}
}
