package check

import (
	"strings"
	"testing"
)

func TestMisstated(t *testing.T) {
	for _, test := range []struct {
		offer, fault string
	}{
		{"SIZE", ""}, {"SIZE 0", ""}, {"SIZE 52428800", ""},
		{"SIZE 99999999999999999999999999", ""}, // any number of digits (RFC 1870 section 3)
		{"SIZE abc", "abc is no number of octets"},
		{"SIZE abc 99999999999999999999999", "abc is no number of octets"},
		{"SIZE 104857600 1", "more numbers than one: 104857600, 1"},
		{"SIZE -1", "-1 is no number of octets"}, {"SIZE +1", "+1 is no number of octets"},
		{"SIZE 50M", "50M is no number of octets"}, {"SIZE ٣", "٣ is no number of octets"}, {"SIZE =5", "=5 is no number of octets"},

		{"LIMITS", ""}, {"LIMITS MAILMAX=2 RCPTMAX=2 rcptdomainmax=1", ""}, {"LIMITS RCPTMAX=999999", ""},
		{"LIMITS X NEW_ONE=a=b", ""}, // one that another RFC may bring
		{"LIMITS RCPTMAX=0 =3 X", "no limits: RCPTMAX=0, =3"},
		{"LIMITS RCPTMAX=-1 MAILMAX=zz", "no limits: RCPTMAX=-1, MAILMAX=zz"},
		{"LIMITS RCPTMAX", "no limits: RCPTMAX"}, {"LIMITS RCPTMAX=", "no limits: RCPTMAX="}, {"LIMITS X=", "no limits: X="},
		{"LIMITS RCPTMAX=0100", "no limits: RCPTMAX=0100"}, {"LIMITS RCPTMAX=1000000", "no limits: RCPTMAX=1000000"},
		{"LIMITS A.B=1 A=1;2 Ä=1", "no limits: A.B=1, A=1;2, Ä=1"},
		{"8BITMIME anything", ""},
	} {
		words := strings.Fields(test.offer)
		fault, ref := misstated(words[0], words[1:])
		if fault != test.fault || (fault != "") != strings.HasPrefix(ref, "RFC ") {
			t.Errorf("%s: %q (%s), not %q", test.offer, fault, ref, test.fault)
		}
	}
}
