package dialog

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseOffers(t *testing.T) {
	for _, test := range []struct{ name, list, want, odd string }{
		{"none", "", "", ""},
		{"several", "PIPELINING\nSIZE 100\n8BITMIME", "PIPELINING, SIZE 100, 8BITMIME", ""},
		{"any case", "pipelining\nSize 100", "PIPELINING, SIZE 100", ""},
		{"spaces", "SIZE  100 \n\t\nHELP\t", "SIZE 100, HELP", ""},
		{"AUTH=", "AUTH LOGIN PLAIN\nAUTH=LOGIN PLAIN", "AUTH LOGIN PLAIN", ""},
		{"AUTH= alone", "AUTH=login CRAM-MD5", "AUTH LOGIN CRAM-MD5", ""},
		{"AUTH= and nothing", "AUTH=", "AUTH", ""},
		{"AUTH= and a space", "AUTH= PLAIN", "AUTH PLAIN", ""},
		{"X-EXPS=", "X-EXPS=LOGIN", "", "not a keyword: X-EXPS=LOGIN"},
		{"twice", "SIZE 100\nHELP\nSIZE 200", "SIZE 100 200, HELP", ""},
		{"twice the same", "AUTH PLAIN\nAUTH plain LOGIN", "AUTH PLAIN LOGIN", ""},
		{"vendors", "XFOO\nX_BAR\nPIPE_CONNECT", "XFOO, X_BAR, PIPE_CONNECT", ""},
		{"odd", "-X\n_Y\n*Z\nSIZE=5\ngrüße", "", "not a keyword: -X|not a keyword: _Y|not a keyword: *Z|not a keyword: SIZE=5|not a keyword: grüße"},
		{"letters that only look alike", "\u017fIZE 5\nP\u0131PELINING", "", "not a keyword: \u017fIZE|not a keyword: P\u0131PELINING"},
		{"spaces that are none", "SIZE\u00a05\nHELP\u2003x", "", "not a keyword: SIZE\u00a05|not a keyword: HELP\u2003x"},
	} {
		t.Run(test.name, func(t *testing.T) {
			raw := "250-PIPELINING is the name of this host\r\n"
			for line := range strings.SplitSeq(test.list, "\n") {
				raw += "250-" + line + "\r\n"
			}
			o := ParseOffers(&Reply{Code: 250, Raw: []byte(raw)})
			var got []string
			for _, offer := range o.Extensions {
				got = append(got, strings.Join(append([]string{offer.Keyword}, offer.Params...), " "))
			}
			if g := strings.Join(got, ", "); g != test.want || strings.Join(o.Oddities, "|") != test.odd {
				t.Errorf("got %q, odd %q; want %q, odd %q", g, o.Oddities, test.want, test.odd)
			}
			if len(o.Extensions) > 0 {
				if _, ok := o.Find(strings.ToLower(o.Extensions[0].Keyword)); !ok {
					t.Error("a keyword in small letters is not found")
				}
			}
		})
	}
}

// TestManyParams: merging compares each parameter with each; the server does not
// say how much work that is.
func TestManyParams(t *testing.T) {
	var raw strings.Builder
	raw.WriteString("250-x\r\n")
	for i := 0; raw.Len() < maxReply-20; i++ {
		if i%100 == 0 {
			raw.WriteString("\r\n250-AUTH")
		}
		fmt.Fprintf(&raw, " %x", i)
	}
	o := ParseOffers(&Reply{Code: 250, Raw: []byte(raw.String())})
	if auth, ok := o.Find("AUTH"); !ok || len(auth.Params) > maxKeywords {
		t.Errorf("%d parameters", len(auth.Params))
	}
}
