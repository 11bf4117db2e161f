package sandbox

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAuthVectors holds the computations to the examples of their documents.
func TestAuthVectors(t *testing.T) {
	check := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %s, want %s", what, got, want)
		}
	}
	// RFC 2195 section 2
	check("CRAM-MD5", cramDigest("tanstaaftanstaaf", "<1896.697170952@postoffice.reston.mci.net>"), "b913a602c7eda7a495b4e6e7334d3890")

	// RFC 2831 section 4
	d, ok := directives(`charset=utf-8,username="chris",realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",nc=00000001,` +
		`cnonce="OA6MHXh6VqTrRk",digest-uri="imap/elwood.innosoft.com",response=d388dad90d4bbd760a152321f2143af7,qop=auth`)
	if !ok {
		t.Error("the example of RFC 2831 does not parse")
	}
	response, rspauth := digestMD5(d, "secret")
	check("DIGEST-MD5", response, d["response"])
	check("rspauth", rspauth, "ea40f60335c427b5527b84dbabcdfffd")

	for _, test := range []struct { // RFC 5802 section 5, RFC 7677 section 3
		name                     string
		hash                     func() hash.Hash
		bare, challenge, without string
		salt, proof, signature   string
	}{
		{"SCRAM-SHA-1", sha1.New, "n=user,r=fyko+d2lbbFgONRv9qkxdawL",
			"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
			"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j",
			"QSXCR+Q6sek8bf92", "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "rmF9pqV8S7suAoZWja4dJRkFsKQ="},
		{"SCRAM-SHA-256", sha256.New, "n=user,r=rOprNGfwEbeRWgbNEkqO",
			"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
			"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
			"W22ZaJ0SNY7soEsUEjb6gQ==", "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
	} {
		s := scram{hash: test.hash}
		salt, err := base64.StdEncoding.DecodeString(test.salt)
		if err != nil {
			t.Fatal(err)
		}
		salted, err := pbkdf2.Key(s.hash, "pencil", salt, 4096, s.hash().Size())
		if err != nil {
			t.Fatal(err)
		}
		proof, signature := s.proofs(salted, test.bare+","+test.challenge+","+test.without)
		check(test.name, b64(string(proof)), test.proof)
		check(test.name+" server", b64(string(signature)), test.signature)
	}

	for message, want := range map[string]string{ // RFC 1320 appendix A.5
		"":                              "31d6cfe0d16ae931b73c59d7e0c089c0",
		"a":                             "bde52cb31de33e46245e05fbdbd6fb24",
		"abc":                           "a448017aaf21d8525fc10ae87aa6729d",
		strings.Repeat("1234567890", 8): "e33b4ddc9c38f2199c3e7b164fcc0536",
	} {
		sum := md4([]byte(message))
		check("MD4 of "+message, hex.EncodeToString(sum[:]), want)
	}

	// MS-NLMP section 4.2.4
	key := ntowf2("Password", "User", "Domain")
	check("NTOWFv2", hex.EncodeToString(key), "0c868a403bfd7a93a3001ef22ef02e3f")
	nonce, _ := hex.DecodeString("0123456789abcdef")
	temp, _ := hex.DecodeString("01010000000000000000000000000000aaaaaaaaaaaaaaaa00000000" +
		"02000c0044006f006d00610069006e0001000c005300650072007600650072000000000000000000")
	proof := sumMD5(string(key), string(nonce), string(temp))
	check("NTProofStr", hex.EncodeToString(proof), "68cd0ab851e51c96aabc927bebef6a1c")
	m := ntlmAuthenticate{user: "User", domain: "Domain", response: append(proof, temp...)}
	if !m.proves("Password", nil, nil, nonce) || m.proves("password", nil, nil, nonce) {
		t.Error("the response of MS-NLMP does not pass, or another password does")
	}
}

func TestDirectives(t *testing.T) {
	for in, want := range map[string]map[string]string{
		``:                         {},
		`a=1`:                      {"a": "1"},
		` , A=1 ,, b="x, \"y\\" ,`: {"a": "1", "b": `x, "y\`},
		`a=""`:                     {"a": ""},
		`a=1,a=2`:                  nil,
		`a`:                        nil,
		`a=`:                       nil,
		`a="`:                      nil,
		`a="\`:                     nil,
		`a="x"y`:                   nil,
		`a=1 b=2`:                  nil,
		`="x"`:                     nil,
	} {
		got, ok := directives(in)
		if ok != (want != nil) || ok && cmp.Diff(want, got) != "" {
			t.Errorf("%s: got %v, %t", in, got, ok)
		}
	}
}

// FuzzDirectives: what is quoted comes back as it was, behind whatever parses.
func FuzzDirectives(f *testing.F) {
	f.Add(`realm="a",nonce=b`, `x, "y\`)
	f.Add(`, a=1 ,`, "")
	f.Fuzz(func(t *testing.T, list, value string) {
		before, ok := directives(list)
		if !ok {
			return
		}
		if _, there := before["fuzz"]; there {
			return
		}
		got, ok := directives(list + `,fuzz="` + strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(value) + `"`)
		if !ok || got["fuzz"] != value || len(got) != len(before)+1 {
			t.Errorf("%q with %q gave %q, %t", list, value, got, ok)
		}
	})
}

// FuzzNTLM: no message passes without the password, nor makes the server read
// outside of it.
func FuzzNTLM(f *testing.F) {
	negotiate := ntlmClient("alice", "wonderland", true)("")
	f.Add([]byte(negotiate))
	f.Add([]byte(ntlmMark + "\x03\x00\x00\x00" + strings.Repeat("\x10\x00\x10\x00\x40\x00\x00\x00", 6) + strings.Repeat("\x01\x00\x00\x00", 20)))
	f.Fuzz(func(t *testing.T, message []byte) {
		m, ok := parseAuthenticate(message)
		if !ok {
			return
		}
		if len(message) < 64 || m.user == "" {
			t.Errorf("%q parsed", message)
		}
		if m.proves("a password that nobody has", []byte(negotiate), nil, make([]byte, 8)) {
			t.Errorf("%q passed", message)
		}
	})
}

func TestEndPoint(t *testing.T) {
	for kind, size := range map[x509.SignatureAlgorithm]int{
		x509.SHA1WithRSA: 32, x509.MD5WithRSA: 32, x509.ECDSAWithSHA256: 32, x509.SHA384WithRSAPSS: 48, x509.ECDSAWithSHA512: 64, x509.PureEd25519: 0,
	} {
		if got := len(endPoint(&x509.Certificate{SignatureAlgorithm: kind, Raw: []byte("x")})); got != size {
			t.Errorf("%v: %d octets, want %d", kind, got, size)
		}
	}
}
