package spf

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
	"gopkg.in/yaml.v3"
)

// scenario is one document of the official suite: tests over one set of zones.
type scenario struct {
	Description string
	Tests       map[string]suiteTest
	Zones       map[string][]map[string]yaml.Node `yaml:"zonedata"`
}

type suiteTest struct {
	HELO        string `yaml:"helo"`
	Host        string
	MailFrom    string
	Result      oneOrMore
	Explanation string
}

// oneOrMore is a value, or a list of values.
type oneOrMore []string

func (o *oneOrMore) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.SequenceNode {
		return node.Decode((*[]string)(o))
	}
	*o = oneOrMore{""}
	return node.Decode(&(*o)[0])
}

// scenarios reads the suite.
func scenarios(t testing.TB) []scenario {
	t.Helper()
	file, err := os.Open("testdata/rfc7208-tests.yml")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []scenario
	for decoder := yaml.NewDecoder(file); ; {
		var s scenario
		err := decoder.Decode(&s)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Tests) > 0 {
			all = append(all, s)
		}
	}
}

// TestOfficialSuite asks every question of the suite of openspf.org for RFC 7208, over
// real packets, of servers that serve its zones. All are asked at the same time, as
// some wait for a silent server.
func TestOfficialSuite(t *testing.T) {
	const want = 203
	type answer struct {
		name string
		test suiteTest
		got  Result
	}
	var answers []*answer
	var group sync.WaitGroup
	for _, s := range scenarios(t) {
		server := serve(t, s.zone(t))
		for name, test := range s.Tests {
			a := &answer{name: s.Description + "/" + name, test: test}
			answers = append(answers, a)
			group.Go(func() {
				a.got = Check(t.Context(), client(server), netip.MustParseAddr(test.Host), test.HELO, test.MailFrom)
			})
		}
	}
	group.Wait()
	met := 0
	for _, a := range answers {
		// The suite has the nibbles of %{i} in capitals, the example of section 7.4 not.
		explanation := a.test.Explanation
		explained := explanation == "" || explanation == "DEFAULT" || strings.EqualFold(explanation, a.got.Explanation)
		if slices.Contains(a.test.Result, string(a.got.Outcome)) && explained {
			met++
			continue
		}
		t.Errorf("%s: %s %q, want %s %q\n%s", a.name, a.got.Outcome, a.got.Explanation, a.test.Result, explanation,
			strings.Join(a.got.Lines(), "\n"))
	}
	if len(answers) != want || met != want {
		t.Errorf("%d of %d tests are met, want %d of %d", met, len(answers), want, want)
	}
}

// zone is what the scenario's server knows. The suite's conventions: a record of type
// SPF stands for one of TXT, unless the name has TXT records too, of which NONE says
// that there are none; where there is a TIMEOUT, nobody answers for types of which
// nothing else is given.
func (s *scenario) zone(t testing.TB) *zone {
	t.Helper()
	z := &zone{records: map[string][]dns.RR{}, silent: map[string]bool{}}
	for name, records := range s.Zones {
		owner := fqdn(name)
		z.records[owner] = []dns.RR{} // the name exists
		given := func(rr dns.RR, typ uint16) {
			*rr.Header() = dns.RR_Header{Name: owner, Rrtype: typ, Class: dns.ClassINET, Ttl: 60}
			z.records[owner] = append(z.records[owner], rr)
		}
		hasTXT := slices.ContainsFunc(records, func(r map[string]yaml.Node) bool { _, ok := r["TXT"]; return ok })
		for _, record := range records {
			for kind, node := range record {
				var values oneOrMore
				if err := node.Decode(&values); err != nil {
					t.Fatalf("%s of %s: %v", kind, name, err)
				}
				switch kind {
				case "TIMEOUT":
					z.silent[owner] = true
				case "A":
					given(&dns.A{A: netip.MustParseAddr(values[0]).AsSlice()}, dns.TypeA)
				case "AAAA":
					given(&dns.AAAA{AAAA: netip.MustParseAddr(values[0]).AsSlice()}, dns.TypeAAAA)
				case "MX":
					mx := &dns.MX{Mx: fqdn(values[1])}
					if _, err := fmt.Sscan(values[0], &mx.Preference); err != nil {
						t.Fatalf("MX of %s: %v", name, err)
					}
					given(mx, dns.TypeMX)
				case "PTR":
					given(&dns.PTR{Ptr: fqdn(values[0])}, dns.TypePTR)
				case "CNAME":
					given(&dns.CNAME{Target: fqdn(values[0])}, dns.TypeCNAME)
				case "SPF", "TXT":
					if kind == "SPF" && hasTXT || len(values) == 1 && values[0] == "NONE" || len(values) == 0 {
						continue
					}
					given(&dns.TXT{Txt: latin1(values)}, dns.TypeTXT)
				default:
					t.Fatalf("%s has a record of type %s", name, kind)
				}
			}
		}
	}
	return z
}

// fqdn is a name of the suite, which is not escaped.
func fqdn(name string) string { return readName(presentation(name)) }

// latin1 makes of each \xNN of the suite, which YAML takes for a character, the octet that
// it means, as the DNS library writes it. No string is longer than 255 octets.
func latin1(values []string) []string {
	var cut []string
	for _, value := range values {
		var b strings.Builder
		n := 0
		for _, r := range value {
			if n == 255 {
				cut = append(cut, b.String())
				b.Reset()
				n = 0
			}
			n++
			fmt.Fprintf(&b, "\\%03d", r)
		}
		cut = append(cut, b.String())
	}
	return cut
}
