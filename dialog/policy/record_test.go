package policy

import (
	"slices"
	"strings"
	"testing"

	"github.com/ehlo-mail/ehlo/testdata/mutate"
)

func TestChoose(t *testing.T) {
	for _, tt := range []struct {
		texts []string
		want  string // the record, "none", or "!" and the error
	}{
		{nil, "none"},
		{[]string{"v=spf1 -all"}, "none"},
		{[]string{"v=spf1 -all", "x"}, "none"},
		{[]string{"v=STSv1; id=1"}, "v=STSv1; id=1"},
		{[]string{"v=STSv1 ; id=1"}, "v=STSv1 ; id=1"},
		{[]string{"v=spf1 -all", "v=STSv1; id=1"}, "v=STSv1; id=1"},
		{[]string{"v=STSv1; id=1", "v=STSv2; id=2"}, "v=STSv1; id=1"},
		{[]string{"v=STSv1; id=1", "v=STSv1; id=1"}, "!2 records begin with v=STSv1: senders take that for none"},
		{[]string{"v=stsv1; id=1"}, "!it does not begin with exactly v=STSv1;"},
		{[]string{"x", " v=STSv1; id=1"}, "!it does not begin with exactly v=STSv1;"},
		{[]string{`"v=STSv1; id=1"`}, "!it does not begin with exactly v=STSv1;"},
		{[]string{"x", "v=STSv1 ; id=1"}, "!it does not begin with exactly v=STSv1;"},
	} {
		got, found, err := choose(tt.texts, stsVersion)
		switch {
		case err != nil:
			got = "!" + err.Error()
		case !found:
			got = "none"
		}
		if got != tt.want {
			t.Errorf("%q: %s", tt.texts, got)
		}
	}
}

func TestSTSRecord(t *testing.T) {
	for record, want := range map[string]string{ // the id, or "!" and the error
		"v=STSv1; id=20260101T000000;":              "20260101T000000",
		"v=STSv1;id=a":                              "a",
		"v=STSv1 ;\tid=a\t; ":                       "a",
		"v=STSv1; x=y; id=a; z=1":                   "a",
		"v=STSv1; id=a; id=b":                       "a",
		"v=STSv1; id=" + strings.Repeat("a", 32):    strings.Repeat("a", 32),
		"v=STSv1; id=" + strings.Repeat("a", 33):    "!the id '" + strings.Repeat("a", 33) + "' is not 1 to 32 letters and digits",
		"v=STSv1":                                   "!nothing comes behind v=STSv1",
		"v=STSv1;":                                  "!nothing comes behind v=STSv1",
		"v=STSv1; x=y":                              "!it has no id",
		"v=STSv1; id=":                              "!the id '' is not 1 to 32 letters and digits",
		"v=STSv1; id=a-b":                           "!the id 'a-b' is not 1 to 32 letters and digits",
		"v=STSv1; id=a b":                           "!the id 'a b' is not 1 to 32 letters and digits",
		"v=STSv1; id=a ":                            "!the id 'a ' is not 1 to 32 letters and digits",
		"v=STSv1; ID=a":                             "!it has no id",
		"v=STSv1; id =a":                            "!'id ' is no name of a field",
		"v=STSv1; id":                               "!'id' is not NAME=VALUE",
		"v=STSv1;; id=a":                            "!nothing between two semicolons",
		"v=STSv1; id=a;;":                           "!nothing between two semicolons",
		"v=STSv1; id=a; x=":                         "!'' is no value of a field",
		"v=STSv1; id=a; x=y=z":                      "!'y=z' is no value of a field",
		"v=STSv1; id=a; x=\u00e9":                   "!'é' is no value of a field",
		"v=STSv1; id=a; " + strings.Repeat("x", 33): "!'" + strings.Repeat("x", 33) + "' is not NAME=VALUE",
		"v=STSv1x; id=a":                            "!behind v=STSv1 comes no semicolon",
		"v=STSv1 id=a":                              "!behind v=STSv1 comes no semicolon",
	} {
		got, err := new(STS).read(record)
		if err != nil {
			got = "!" + err.Error()
		}
		if got != want {
			t.Errorf("%q:\ngot  %s\nwant %s", record, got, want)
		}
	}
}

func TestReportsRecord(t *testing.T) {
	for record, want := range map[string]string{ // the places, or "!" and the error; then the findings
		"v=TLSRPTv1; rua=mailto:tls@good.test":                                   "mailto:tls@good.test",
		"v=TLSRPTv1;rua=mailto:a@b.test,https://c.test/x?y=z , mailto:d@e.test;": "mailto:a@b.test https://c.test/x?y=z mailto:d@e.test",
		"v=TLSRPTv1; x=y; rua=https://c.test":                                    "https://c.test",
		"v=TLSRPTv1; rua=mailto:a@b.test; rua=mailto:c@d.test":                   "mailto:a@b.test mailto:c@d.test (rua comes again: not every sender reads more than the first)",
		"v=TLSRPTv1; rua=ftp://a.test,mailto:a@b.test":                           "mailto:a@b.test ('ftp://a.test' is neither mailto: nor https: (RFC 8460 section 3))",
		"v=TLSRPTv1; rua=http://a.test":                                          "!rua names no place that reports can go to ('http://a.test' is neither mailto: nor https: (RFC 8460 section 3))",
		"v=TLSRPTv1; rua=a@b.test":                                               "!rua names no place that reports can go to ('a@b.test' is neither mailto: nor https: (RFC 8460 section 3))",
		"v=TLSRPTv1; rua=mailto:nobody":                                          "!rua names no place that reports can go to ('mailto:nobody' names no mailbox)",
		"v=TLSRPTv1; rua=mailto:a@b.test!10m":                                    "!rua names no place that reports can go to ('mailto:a@b.test!10m' is no URI)",
		"v=TLSRPTv1; rua=https:///x":                                             "!rua names no place that reports can go to ('https:///x' names no host)",
		"v=TLSRPTv1; rua=":                                                       "!rua names no place that reports can go to ('' is neither mailto: nor https: (RFC 8460 section 3))",
		"v=TLSRPTv1; x=y":                                                        "!it has no rua",
		"v=TLSRPTv1":                                                             "!nothing comes behind v=TLSRPTv1",
	} {
		p := new(Reports)
		err := p.read(record)
		got := strings.Join(p.To, " ")
		if err != nil {
			got = "!" + err.Error()
		}
		for _, f := range p.Findings {
			got += " (" + f.Text + ")"
		}
		if got != want {
			t.Errorf("%q:\ngot  %s\nwant %s", record, got, want)
		}
	}
}

// FuzzRecord: what the grammar takes is what is built again from its fields, and every
// field is within the grammar.
func FuzzRecord(f *testing.F) {
	c := mutate.For(f)
	for _, s := range []string{"v=STSv1; id=1;", "v=STSv1 ;\tx=y; id=a ; ", "v=STSv1;;", "v=STSv1; id=a "} {
		c.Add(s)
	}
	c.Tokens("v=STSv1", "id=", ";", " ; ", "\t", "x=y;")
	c.Limits(32, 10+32)
	mutate.Fuzz1(c, func(t testing.TB, record string) {
		found, err := fieldsOf(record, stsVersion, "id")
		if err != nil {
			if found != nil || err.Error() == "" {
				t.Errorf("%q, %v", found, err)
			}
			return
		}
		built := stsVersion
		for _, f := range found {
			if !extName(f.name) || f.name != "id" && !extValue(f.value) || strings.Contains(f.value, ";") {
				t.Errorf("%q is no field", f)
			}
			built += ";" + f.name + "=" + f.value
		}
		again, err := fieldsOf(built, stsVersion, "id")
		if err != nil || !slices.Equal(found, again) {
			t.Errorf("%q was read as %q, and that as %q, %v", record, found, again, err)
		}
		for _, ended := range []string{record + ";", record + " ; "} {
			if again, err := fieldsOf(ended, stsVersion, "id"); !strings.HasSuffix(strings.TrimRight(record, " \t"), ";") &&
				strings.TrimRight(record, " \t") == record && (err != nil || !slices.Equal(found, again)) {
				t.Errorf("%q is %q, %v", ended, again, err)
			}
		}
		id, err := new(STS).read(record)
		if (err == nil) != (len(id) >= 1 && len(id) <= 32 && alphanumerics(id)) {
			t.Errorf("%q has the id %q, %v", record, id, err)
		}
	})
}

// FuzzReports: where reports go is what the record says, each place by a scheme that is
// known, and no more of them than are wanted.
func FuzzReports(f *testing.F) {
	c := mutate.For(f)
	for _, s := range []string{"v=TLSRPTv1; rua=mailto:tls@good.test", "v=TLSRPTv1;rua=mailto:a@b.test,https://c.test/x?y=z ,x; z=1;"} {
		c.Add(s)
	}
	c.Tokens("v=TLSRPTv1", ";", "rua=", "mailto:", "https://", ",", "@b.test", "!10m", "%2C")
	mutate.Fuzz1(c, func(t testing.TB, record string) {
		p := new(Reports)
		err := p.read(record)
		if (err == nil) != (len(p.To) > 0) && err == nil || len(p.To) > maxReported || len(p.Findings) > maxReported {
			t.Errorf("%q, %v, %d findings", p.To, err, len(p.Findings))
		}
		for _, to := range p.To {
			lower := strings.ToLower(to)
			if !strings.Contains(record, to) || !strings.HasPrefix(lower, "mailto:") && !strings.HasPrefix(lower, "https:") || strings.ContainsAny(to, ",; !") {
				t.Errorf("reports go to %q", to)
			}
		}
	})
}
