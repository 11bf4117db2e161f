package sasl

import (
	"slices"
	"strings"
	"testing"
)

func TestDirectives(t *testing.T) {
	got, err := parseDirectives(" ,a=b , C = \"d\\\"e\\\\,f\"\t,\r\n g=,h=\"\",,")
	want := []directive{{"a", "b"}, {"c", `d"e\,f`}, {"g", ""}, {"h", ""}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestRealm(t *testing.T) {
	for _, test := range []struct{ user, realms, want string }{
		{"alice", "", ""}, {"alice", `realm="a",realm="b",`, `realm="a",`},
		{"alice@B", `realm="a",realm="b",`, `realm="b",`}, {"alice@c", `realm="a\"",realm="b",`, `realm="a\"",`},
	} {
		m := answer(t, begin(t, "DIGEST-MD5", with(test.user, "secret")), test.realms+`nonce="n\\",algorithm=md5-sess`)
		if want := `username="` + test.user + `",` + test.want + `nonce="n\\",nc=00000001,`; !strings.HasPrefix(string(m.Data), want) {
			t.Errorf("%q does not begin with %q", m.Data, want)
		}
	}
}

// TestCharset: without charset=utf-8 the directives are in ISO 8859-1, and the
// digest is the same either way (RFC 2831 section 2.1.2.1).
func TestCharset(t *testing.T) {
	var responses []string
	for _, charset := range []string{"", ",charset=utf-8"} {
		d := begin(t, "DIGEST-MD5", with("j\u00fcrgen", "gr\u00fc\u00df dich")).(*digestMD5)
		d.cnonce = "c"
		d.Authzid = "boss"
		m := answer(t, d, `nonce="n",algorithm=md5-sess`+charset)
		_, response, _ := strings.Cut(string(m.Data), "response=")
		responses = append(responses, response)
		name := "j\u00fcrgen"
		if charset == "" {
			name = "j\xfcrgen"
		}
		if !strings.Contains(string(m.Data), `username="`+name+`"`) || !strings.Contains(string(m.Data), `,authzid="boss",`) {
			t.Errorf("with %q: %q", charset, m.Data)
		}
	}
	if responses[0] != responses[1] || responses[0] == "" {
		t.Errorf("the responses are %q", responses)
	}
	for _, c := range []Credentials{with("\u4f8b", "secret"), with("alice", "\u4f8b\u3048")} {
		_, err := begin(t, "DIGEST-MD5", c).Next([]byte(`nonce="n",algorithm=md5-sess`))
		wantBreach(t, err, "the server reads no UTF-8")
		answer(t, begin(t, "DIGEST-MD5", c), `nonce="n",algorithm=md5-sess,charset=utf-8`)
	}
}
