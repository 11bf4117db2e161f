package policy

import "testing"

// Records that stand for the same key break together, whatever part of the certificate they
// hold.
func TestVerifyKeys(t *testing.T) {
	root := authorityCert(t, "root", nil)
	ca := authorityCert(t, "ca", root)
	leaf, next := leafCert(t, "mx.good.test", ca), leafCert(t, "mx.good.test", ca)
	wrong := leafCert(t, "x", ca, names("a.test"))
	for _, test := range []struct {
		name    string
		records []string
		sent    []*issued
		want    int
	}{
		{"one key", []string{tlsa(t, 3, 1, 1, leaf)}, []*issued{leaf, ca}, 1},
		{"its certificate too", []string{tlsa(t, 3, 1, 1, leaf), tlsa(t, 3, 0, 1, leaf)}, []*issued{leaf, ca}, 1},
		{"and as a whole", []string{tlsa(t, 3, 1, 1, leaf), tlsa(t, 3, 1, 0, leaf), tlsa(t, 3, 0, 0, leaf)}, []*issued{leaf, ca}, 1},
		{"the next one beside it", []string{tlsa(t, 3, 1, 1, leaf), tlsa(t, 3, 1, 1, next)}, []*issued{leaf, ca}, 1},
		{"one authority", []string{tlsa(t, 2, 1, 1, ca), tlsa(t, 2, 0, 1, ca), tlsa(t, 2, 1, 0, ca)}, []*issued{leaf, ca}, 1},
		{"one that is not sent", []string{tlsa(t, 2, 1, 0, ca), tlsa(t, 2, 0, 0, ca)}, []*issued{leaf}, 1},
		{"two authorities", []string{tlsa(t, 2, 1, 1, ca), tlsa(t, 2, 0, 1, root)}, []*issued{leaf, ca, root}, 2},
		{"a key and its authority", []string{tlsa(t, 3, 1, 1, leaf), tlsa(t, 2, 1, 1, ca)}, []*issued{leaf, ca}, 2},
		{"an authority that vouches for another name", []string{tlsa(t, 3, 1, 1, wrong), tlsa(t, 2, 1, 1, ca)}, []*issued{wrong, ca}, 1},
		{"none", []string{tlsa(t, 3, 1, 1, next)}, []*issued{leaf, ca}, 0},
	} {
		if v := host(t, test.records...).Verify(shown(t, test.sent...), noon()); v.Keys != test.want {
			t.Errorf("%s: %d keys, not %d\n%s", test.name, v.Keys, test.want, told(v))
		}
	}
}
