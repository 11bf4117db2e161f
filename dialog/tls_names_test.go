package dialog

import (
	"crypto/tls"
	"slices"
	"strings"
	"testing"
)

func TestParseVersions(t *testing.T) {
	const v10, v11, v12, v13 = tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13
	for text, want := range map[string][2]uint16{
		"1.2": {v12, v12}, "TLSv1.2": {v12, v12}, "tls1.2": {v12, v12}, "TLS 1.2": {v12, v12}, "tlsv1_2": {v12, v12}, "TLSv1": {v10, v10},
		"1.2+": {v12, 0}, "1.2-": {v12, 0}, "-1.1": {v10, v11}, "1.2-1.3": {v12, v13}, "TLSv1.0-TLSv1.2": {v10, v12}, "1.3-1.3": {v13, v13},
		"tlsv1,tlsv1_1": {v10, v11}, "tlsv1_3,tlsv1_2": {v12, v13}, "1.1 1.2": {v11, v12}, "no_sslv2,no_sslv3": {v10, v13},
		"no_tlsv1,no_tlsv1_1": {v12, v13}, "no_tlsv1_3": {v10, v12},
	} {
		oldest, newest, err := ParseVersions(text)
		if err != nil || oldest != want[0] || newest != want[1] {
			t.Errorf("%s: %x to %x, %v", text, oldest, newest, err)
		}
	}
	for text, want := range map[string]string{
		"": "no TLS version", " , ": "no TLS version", "-": "no TLS version", "1.4": "unknown TLS version", "x": "unknown TLS version", "1.2.3": "unknown TLS version",
		"sslv3": "has no SSL", "sslv3-1.2": "has no SSL", "1.3-1.2": "the range is empty", "tlsv1,tlsv1_2": "TLS 1.1 is left out between two others",
		"tlsv1,no_tlsv1_1": "what is allowed, or what is not", "no_tlsv1_1": "TLS 1.1 is left out", "no_tlsv1,no_tlsv1_1,no_tlsv1_2,no_tlsv1_3": "none is left", "no_x": "unknown TLS version", "no_": "unknown TLS version",
	} {
		if oldest, newest, err := ParseVersions(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %x to %x, %v, want %q", text, oldest, newest, err, want)
		}
	}
}

func TestParseSuites(t *testing.T) {
	for text, want := range map[string][]uint16{
		"ECDHE-RSA-AES128-GCM-SHA256":                         {tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256},
		"TLS_RSA_WITH_AES_128_CBC_SHA":                        {tls.TLS_RSA_WITH_AES_128_CBC_SHA},
		"AES128-SHA:DES-CBC3-SHA,RC4-SHA":                     {tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA, tls.TLS_RSA_WITH_RC4_128_SHA},
		"ecdhe-ecdsa-chacha20-poly1305":                       {tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256},
		"ECDHE-RSA-AES256-SHA, ECDHE-RSA-AES256-SHA":          {tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA},
		"ECDHE-ECDSA-AES128-SHA256 ECDHE-RSA-DES-CBC3-SHA":    {tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA},
		"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256":       {tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256},
		"AES256-GCM-SHA384,ECDHE-ECDSA-RC4-SHA,AES128-SHA256": {tls.TLS_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA, tls.TLS_RSA_WITH_AES_128_CBC_SHA256},
	} {
		if got, err := ParseSuites(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %x, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"": "no cipher suite", "TLS_AES_128_GCM_SHA256": "it is of TLS 1.3", "AES128-SHA,TLS_CHACHA20_POLY1305_SHA256": "it is of TLS 1.3",
		"DHE-RSA-AES128-SHA": "the Go library has none of that name", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA": "the Go library has none",
		"HIGH:!aNULL": "OpenSSL's words", "!MD5": "OpenSSL's words", "@SECLEVEL=0": "OpenSSL's words", "x": "unknown cipher suite x",
	} {
		if got, err := ParseSuites(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %x, %v, want %q", text, got, err, want)
		}
	}
	seen := map[string]bool{}
	for _, id := range Suites() {
		for _, name := range []string{tls.CipherSuiteName(id), OpenSSLSuite(id)} {
			if got, err := ParseSuites(name); err != nil || got[0] != id || seen[name] {
				t.Errorf("%s is %x, %v", name, got, err)
			}
			seen[name] = true
		}
	}
	if len(seen) < 40 || OpenSSLSuite(tls.TLS_AES_128_GCM_SHA256) != "" || OpenSSLSuite(1) != "" {
		t.Errorf("%d names", len(seen))
	}
}

func TestParseGroups(t *testing.T) {
	for text, want := range map[string][]tls.CurveID{
		"X25519MLKEM768,x25519,P-256,secp384r1": {tls.X25519MLKEM768, tls.X25519, tls.CurveP256, tls.CurveP384},
		"prime256v1:P-521":                      {tls.CurveP256, tls.CurveP521},
		"SecP256r1MLKEM768 secp384r1mlkem1024":  {tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024},
		"p256,secp256r1":                        {tls.CurveP256},
	} {
		if got, err := ParseGroups(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{"": "no group", "x448": "the Go library has none", "ffdhe2048": "the Go library has none", "P-224x": "unknown group P-224x: there are X25519MLKEM768"} {
		if got, err := ParseGroups(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, id := range Groups() {
		if got, err := ParseGroups(id.String()); err != nil || got[0] != id {
			t.Errorf("%v: %v, %v", id, got, err)
		}
	}
}

// FuzzParseVersions: what is taken is a range of versions that there are.
func FuzzParseVersions(f *testing.F) {
	for _, text := range []string{"1.2", "1.2-1.3", "no_tlsv1,no_sslv3", "tlsv1:tlsv1_1", "+", "--"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		oldest, newest, err := ParseVersions(text)
		if err == nil && (oldest < tls.VersionTLS10 || newest != 0 && newest < oldest || newest > tls.VersionTLS13) {
			t.Errorf("%q: %x to %x", text, oldest, newest)
		}
	})
}
