package sandbox

import (
	"crypto/sha256"
	"crypto/tls"
	"strings"
	"testing"
)

// TestSCRAMPlus binds to the channel by each type, and fails where it does not fit.
func TestSCRAMPlus(t *testing.T) {
	w := start(t, Options{})
	old := &tls.Config{MaxVersion: tls.VersionTLS12}
	exporter := func(p *peer) string {
		state := p.conn.ConnectionState()
		b, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", []byte{}, 32)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	unique := func(p *peer) string { return string(p.conn.ConnectionState().TLSUnique) }
	endPoint := func(p *peer) string {
		sum := sha256.Sum256(p.conn.ConnectionState().PeerCertificates[0].Raw)
		return string(sum[:])
	}
	wrong := func(*peer) string { return "something else" }
	nothing := func(*peer) string { return "" }
	const good, bad = "235 2.7.0 ", "535 5.7.8 "
	for _, test := range []struct {
		name, mechanism, flag string
		bound                 func(*peer) string
		settings              *tls.Config
		password              string
		want                  string
	}{
		{"exporter", "SCRAM-SHA-256-PLUS", "p=tls-exporter", exporter, nil, "wonderland", good},
		{"exporter in TLS 1.2", "SCRAM-SHA-1-PLUS", "p=tls-exporter", exporter, old, "wonderland", good},
		{"end point", "SCRAM-SHA-512-PLUS", "p=tls-server-end-point", endPoint, nil, "wonderland", good},
		{"unique", "SCRAM-SHA-256-PLUS", "p=tls-unique", unique, old, "wonderland", good},
		{"unique in TLS 1.3", "SCRAM-SHA-256-PLUS", "p=tls-unique", nothing, nil, "wonderland", bad},
		{"unknown type", "SCRAM-SHA-256-PLUS", "p=tls-fantasy", nothing, nil, "wonderland", bad},
		{"exporter, wrong password", "SCRAM-SHA-256-PLUS", "p=tls-exporter", exporter, nil, "x", bad},
		{"another channel", "SCRAM-SHA-256-PLUS", "p=tls-exporter", wrong, nil, "wonderland", bad},
		{"not bound", "SCRAM-SHA-256-PLUS", "n", nothing, nil, "wonderland", "501 5.5.2 "},
		{"bound without PLUS", "SCRAM-SHA-256", "p=tls-exporter", exporter, nil, "wonderland", "501 5.5.2 "},
		{"without PLUS", "SCRAM-SHA-256", "n", nothing, nil, "wonderland", good},
		{"downgraded", "SCRAM-SHA-256", "y", nothing, nil, "wonderland", bad},
		{"no flag", "SCRAM-SHA-256", "", nothing, nil, "wonderland", "501 5.5.2 "},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := meet(t, w, "203.0.113.18:587", test.settings)
			s := scramTalk{hash: hashOf(test.mechanism), user: "alice", password: test.password, flag: test.flag, bound: test.bound(p)}
			if got := p.auth(test.mechanism, true, s.talk(t)); !strings.HasPrefix(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	p := meet(t, w, "203.0.113.16:25", nil)
	s := scramTalk{hash: sha256.New, user: "alice", password: "wonderland", flag: "y"}
	if got := p.auth("SCRAM-SHA-256", true, s.talk(t)); !strings.HasPrefix(got, good) {
		t.Errorf("y where -PLUS is not offered: got %q", got)
	}
}

// TestSCRAMMessages breaks the grammar (RFC 5802 section 7).
func TestSCRAMMessages(t *testing.T) {
	w := start(t, Options{})
	const bad, denied = "501 5.5.2 ", "535 5.7.8 "
	for first, want := range map[string]string{
		"":                          bad,
		"n,,":                       bad,
		"n=alice,r=x":               bad,
		"n,,n=alice":                bad,
		"n,,r=x,n=alice":            bad,
		"n,,n=,r=x":                 bad,
		"n,,n=al=ice,r=x":           bad,
		"n,,n=alice,r=":             bad,
		"n,,n=alice,r=a b":          bad,
		"n,,m=x,n=alice,r=x":        bad,
		"n,bob,n=alice,r=x":         bad,
		"z,,n=alice,r=x":            bad,
		"n,,n=\xff,r=x":             bad,
		"n,,n=alice,r=x,later=fine": "334 ",
		"n,a=bob,n=alice,r=x":       "334 ",
		"n,a=a=3Db=2Cc,n=a=3Db,r=x": "334 ",
	} {
		p := meet(t, w, "203.0.113.16:25", nil)
		ir := b64(first)
		if ir == "" {
			ir = "="
		}
		if got := p.do("AUTH SCRAM-SHA-256 " + ir); !strings.HasPrefix(got, want) {
			t.Errorf("%q: got %q, want %q", first, got, want)
		}
	}
	for name, test := range map[string]struct {
		final func(string) string
		nonce string
		want  string
	}{
		"no proof":        {final: func(s string) string { return s[:strings.Index(s, ",p=")] }, want: bad},
		"no base64":       {final: func(s string) string { return s + "?" }, want: bad},
		"short proof":     {final: func(s string) string { return s[:strings.Index(s, ",p=")] + ",p=AAAA" }, want: denied},
		"empty":           {final: func(string) string { return "" }, want: bad},
		"another order":   {final: func(string) string { return "r=x,c=biws,p=AAAA" }, want: bad},
		"another header":  {final: func(s string) string { return strings.Replace(s, "c=biws", "c=eSws", 1) }, want: denied},
		"another nonce":   {nonce: "CLIENTNONCE", want: denied},
		"binding is junk": {final: func(s string) string { return strings.Replace(s, "c=biws", "c=!", 1) }, want: denied},
	} {
		p := meet(t, w, "203.0.113.16:25", nil)
		s := scramTalk{hash: sha256.New, user: "alice", password: "wonderland", flag: "n", final: test.final, nonce: test.nonce}
		if got := p.auth("SCRAM-SHA-256", false, s.talk(t)); !strings.HasPrefix(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// TestSCRAMLies shows what the liars say.
func TestSCRAMLies(t *testing.T) {
	w := start(t, Options{})
	const proof = "c=biws,r=x,p=AAAA"
	greedy := meet(t, w, "203.0.113.34:587", nil)
	if got := greedy.auth("SCRAM-SHA-256", true, func(challenge string) string {
		if challenge == "" {
			return "n,,n=alice,r=x"
		}
		if !strings.HasSuffix(challenge, ",i=50000000") {
			t.Errorf("greedy says %q", challenge)
		}
		return proof
	}); !strings.HasPrefix(got, "535 5.7.8 ") {
		t.Errorf("greedy: %q", got)
	}
	liar := meet(t, w, "203.0.113.35:587", nil)
	if got := liar.auth("SCRAM-SHA-256", true, func(challenge string) string {
		switch {
		case challenge == "":
			return "n,,n=carol,r=x"
		case strings.HasPrefix(challenge, "v="):
			if challenge != "v="+b64(strings.Repeat("\x00", 32)) {
				t.Errorf("liar says %q", challenge)
			}
			return ""
		}
		return proof
	}); !strings.HasPrefix(got, "235 2.7.0 ") {
		t.Errorf("liar: %q", got)
	}
	nonce := meet(t, w, "203.0.113.36:587", nil)
	if got := nonce.auth("SCRAM-SHA-256", true, func(challenge string) string {
		if challenge == "" {
			return "n,,n=alice,r=mine"
		}
		if strings.HasPrefix(challenge, "r=mine") {
			t.Errorf("nonce says %q", challenge)
		}
		return proof
	}); !strings.HasPrefix(got, "535 5.7.8 ") {
		t.Errorf("nonce: %q", got)
	}
}
