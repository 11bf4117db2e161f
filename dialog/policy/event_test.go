package policy

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// lines is an event for people, each line with its mark.
func lines(e transcript.Event) string {
	marks := map[transcript.Mark]string{transcript.Phase: "●", transcript.Finding: "!", transcript.Failure: "✗", transcript.Good: "✓", transcript.Note: "·"}
	var b strings.Builder
	for _, l := range e.Lines() {
		b.WriteString(marks[l.Mark] + " " + strings.TrimSpace(l.Label+" "+l.Text) + "\n")
	}
	return b.String()
}

func TestDANEEvent(t *testing.T) {
	c, _ := daneWorld(t)
	for _, tt := range []struct {
		q    Query
		want string
	}{
		{Query{Host: "mx.good.test", Domain: "good.test", Signed: true}, `
			● policy DANE: 2 usable TLSA records for mx.good.test, vouched for by SERVER
			· 3 1 1 aaaaaaaa…
			· 2 0 2 bbbbbbbb…`},
		{Query{Host: "mx.alias.test", Domain: "good.test"}, `
			● policy DANE: 2 usable TLSA records for mx.alias.test, vouched for by SERVER
			! the MX records of good.test are not signed: who forges them names another host
			· 3 1 1 aaaaaaaa…
			· 2 0 2 bbbbbbbb…
			· found at mx.good.test, which mx.alias.test is an alias of`},
		{Query{Host: "mx.agile.test"}, `
			● policy DANE: 2 usable TLSA records for mx.agile.test, vouched for by SERVER
			! 3 1 1 aaaaaaaa… cannot be used: passed over for a record 3 1 2: the strongest hash counts (RFC 7671 section 9)
			· 3 1 2 aaaaaaaa…
			· 3 0 1 aaaaaaaa…`},
		{Query{Host: "mx.plain.test"}, "● policy DANE: none for mx.plain.test: its addresses are not signed"},
		{Query{Host: "mx.none.test"}, "● policy DANE: no TLSA record for mx.none.test, vouched for by SERVER"},
		{Query{Host: "mx.bogus.test"}, "● policy DANE: the TLSA records of mx.bogus.test cannot be had: TLSA of _25._tcp.mx.bogus.test: the server could not find out (SERVFAIL)"},
	} {
		tt.q.Port = 25
		d := FindDANE(background(t), c, tt.q)
		want := strings.ReplaceAll(strings.TrimPrefix(tt.want, "\n"), "\t", "") + "\n"
		if diff := cmp.Diff(want, strings.ReplaceAll(lines(d), c.Servers[0].String(), "SERVER")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.q.Host, diff)
		}
	}
}

func TestSTSEvent(t *testing.T) {
	for want, s := range map[string]*STS{
		`
			● policy MTA-STS enforce · mx1.good.test, *.good.test · max_age 7 d
			! FINDING
			· _mta-sts.good.test: v=STSv1; id=1
			· the policy host is 192.0.2.1:443`: {Domain: "good.test", Stage: Fetched, Record: "v=STSv1; id=1", Address: "192.0.2.1:443",
			Policy:   Policy{Mode: Enforce, MX: []string{"mx1.good.test", "*.good.test"}, MaxAge: 7 * day},
			Checks:   []Line{{"name", true, "x"}},
			Findings: []route.Finding{{ID: "x", Text: "FINDING"}}},
		"● policy MTA-STS none · max_age 0 s":                                                        {Domain: "good.test", Stage: Fetched, Policy: Policy{Mode: None}},
		"● policy MTA-STS: no record at _mta-sts.good.test":                                          {Domain: "good.test"},
		"● policy MTA-STS: not known: WHY":                                                           {Domain: "good.test", Stage: Unknown, Err: errors.New("WHY")},
		"● policy MTA-STS: the record of good.test does not count: WHY (RFC 8461 section 3.1)":       {Domain: "good.test", Stage: BadRecord, Err: errors.New("WHY")},
		"● policy MTA-STS: the policy of good.test is not valid: line 2: WHY (RFC 8461 section 3.2)": {Domain: "good.test", Stage: BadPolicy, Err: &PolicyError{2, "WHY"}},
		`
			● policy MTA-STS: no policy: URL: WHY
			✗ name: wanted A
			✓ dates: valid`: {Domain: "good.test", Stage: NotFetched, Err: &FetchError{"URL", StepTLS, "WHY", nil},
			Checks: []Line{{"name", false, "wanted A"}, {"dates", true, "valid"}}},
		"● policy MTA-STS testing · a, b, c, d, e and 1 more · max_age 24 h": {Stage: Fetched, Policy: Policy{Mode: Testing, MX: strings.Split("abcdef", ""), MaxAge: day}},
	} {
		want := strings.ReplaceAll(strings.TrimPrefix(want, "\n"), "\t", "") + "\n"
		if diff := cmp.Diff(want, lines(s)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestEventJSON(t *testing.T) {
	const took = 1500 * time.Microsecond
	for want, e := range map[string]transcript.Event{
		`{"host":"mx.good.test","port":25,"state":"usable","base":"mx.good.test","names":["mx.good.test"],"mx_signed":true,"records":[
			{"usage":3,"selector":1,"matching":1,"data":"00ff","usable":true},
			{"usage":0,"selector":1,"matching":1,"data":"","usable":false,"fault":"usage 0"}],"server":"127.0.0.1:53","took_ms":1.5}`: &DANE{
			Query: Query{Host: "mx.good.test", Port: 25}, State: Usable, Base: "mx.good.test", Names: []string{"mx.good.test"}, Server: "127.0.0.1:53", Took: took,
			Records: []Record{{route.TLSA{Usage: 3, Selector: 1, Matching: 1, Data: []byte{0, 255}}, ""}, {route.TLSA{Selector: 1, Matching: 1}, "usage 0"}}},
		`{"host":"mx.good.test","port":25,"state":"insecure","mx_signed":false,"records":[],"doubted":"192.0.2.53:53","why":"WHY","took_ms":0}`: &DANE{
			Query: Query{Host: "mx.good.test", Port: 25, Domain: "good.test"}, Doubted: "192.0.2.53:53", Why: "WHY"},
		`{"domain":"good.test","state":"fetched","record":"v=STSv1; id=1","id":"1","mode":"none","max_age_seconds":0,"findings":[],"took_ms":1.5}`: &STS{
			Domain: "good.test", Stage: Fetched, Record: "v=STSv1; id=1", ID: "1", Policy: Policy{Mode: None}, Took: took},
		`{"domain":"good.test","state":"not-fetched","certificate":[{"check":"name","ok":false,"text":"x"}],"findings":[],
			"error":"URL: WHY","failed_at":"tls","took_ms":0}`: &STS{Domain: "good.test", Stage: NotFetched, Checks: []Line{{"name", false, "x"}},
			Err: &FetchError{"URL", StepTLS, "WHY", nil}},
		`{"domain":"good.test","state":"found","record":"R","rua":["mailto:a@b.test"],"findings":[],"took_ms":0}`: &Reports{Domain: "good.test", Stage: Fetched,
			Record: "R", To: []string{"mailto:a@b.test"}},
		`{"domain":"good.test","state":"none","rua":[],"findings":[],"took_ms":0}`: &Reports{Domain: "good.test"},
	} {
		got, err := json.Marshal(e)
		if diff := cmp.Diff(strings.NewReplacer("\n", "", "\t", "").Replace(want), string(got)); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
}
