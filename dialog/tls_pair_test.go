package dialog

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// clientKeys are one private key in all its forms, as OpenSSL 3.0 wrote it, and
// its certificate. Its passphrase is "sesame".
func clientKeys() map[string]string {
	return map[string]string{
		"certificate": `-----BEGIN CERTIFICATE-----
MIIBgDCCASegAwIBAgIUQ0mZzjPFN+Yks8vzQtMKjPCYHjkwCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLY2xpZW50LnRlc3QwHhcNMjYxMTIyMDUxMjUxWhcNNDYxMTE3
MDUxMjUxWjAWMRQwEgYDVQQDDAtjbGllbnQudGVzdDBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABJ1gYeUAK/w+ltun6AtwI6jiE8MU64A333W6ZouVgkhcvaUS9wKU
CbW0jx8mFaUtSrxdnlpAzDdYEKvXvyKzhzyjUzBRMB0GA1UdDgQWBBQOgnwfQmZz
TTAKtnHENxxmz1CaZTAfBgNVHSMEGDAWgBQOgnwfQmZzTTAKtnHENxxmz1CaZTAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIGonl1hqq4X5WnYYL5OM
66q+ficN/by9g7jhvo9RDF5SAiAld8zi3n1AVGu3S5S4bMCXD8OoYd8WPIog58+Z
8dTiEw==
-----END CERTIFICATE-----
`,
		"PKCS #8": `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgXD3XuBqITsNYvmv9
3F/17eFz6AnAPaTTCmvTkSwr8g+hRANCAASdYGHlACv8Ppbbp+gLcCOo4hPDFOuA
N991umaLlYJIXL2lEvcClAm1tI8fJhWlLUq8XZ5aQMw3WBCr178is4c8
-----END PRIVATE KEY-----
`,
		"SEC 1": `-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIFw917gaiE7DWL5r/dxf9e3hc+gJwD2k0wpr05EsK/IPoAoGCCqGSM49
AwEHoUQDQgAEnWBh5QAr/D6W26foC3AjqOITwxTrgDffdbpmi5WCSFy9pRL3ApQJ
tbSPHyYVpS1KvF2eWkDMN1gQq9e/IrOHPA==
-----END EC PRIVATE KEY-----
`,
		"AES-256": `-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAg9sZQoctJiXwICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEECkRhjklhh0qKZGchSDRjNcEgZBw
UZjQi9Kntzx2kacmrGREVdWKbeI4Awl1xk0JO5ubi6P5bWVTlGamzQWUn1PFvsml
Il+S6p0Pb5rrU7h+zVO4HMESwjPtGYCDtzAZi4mzwkjSprE6tyH6dTI3H48cy6TE
BAcqtKEY5F3vDuIw3pO8V7SXuUW7T38mbD3HE+1xjbupgZFXcPrZxqzn9W5ObLE=
-----END ENCRYPTED PRIVATE KEY-----
`,
		"Triple DES": `-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHVMEAGCSqGSIb3DQEFDTAzMBsGCSqGSIb3DQEFDDAOBAgzRNTIrv2xRQICCAAw
FAYIKoZIhvcNAwcECEhafdpOmaLqBIGQI+oKqCJ9l9lCd8KrtXBPN8mv1lj7PzfB
3OAvQYf3ifhvEwHIjBrc2pqVRGHnUZdLsstGiXbBYhsopHRD0xfjQsfDhMJrn+Pf
Iugx0Sq5mFlGEKL58i6K2dF6e82iJYrhG39NhiV3YRjb9cpzem4ZVpi2cNLEatMe
nGnGgb1fozR2cCpnzA3z5UQHFHzy+g7D
-----END ENCRYPTED PRIVATE KEY-----
`,
		"SHA-512": `-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAg8I+5Lna10kgICCAAw
DAYIKoZIhvcNAgsFADAdBglghkgBZQMEAQIEEA5ChFk4Dz2F97cA0UepLi8EgZD8
iHHQQoDlm1Sasjk4GEGb19XWoJTwvPRE3LHcxx3SnK3LPfjQOpZdKHFYESUPOcz+
4PSFbEFp2CmHixSCKSx2uQ5kxyqehIUianSNyzwvY/Pc3CKq0+arFAivLbAbaBdz
ku8LN6CrZFzwu0ciwBbWPOF/rzqFiWoIr3+2mOsrpitn77s2ZQSZIwbN5LCptjE=
-----END ENCRYPTED PRIVATE KEY-----
`,
		"legacy": `-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,C9AB0C7D1599B9EAA860956519A7DA3E

UlFl9y4G6T9yQG9ls04/8QBz5oBX5pq2b7wUSEAA+zXgB4cYKkcEBDyWIB7upo4/
R8+GWAmIjt29NWid3uL0010orA6sQSUJn9kNMWE2//RwDhKEMkZuCBNNIPLEkDbH
EfZU/WHcKPWvi/+yDxwICmugBG5gAyRklk05JqUzM7I=
-----END EC PRIVATE KEY-----
`,
		"scrypt": `-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHkME8GCSqGSIb3DQEFDTBCMCEGCSsGAQQB2kcECzAUBAjrwDmpj7ReQQICQAAC
AQgCAQEwHQYJYIZIAWUDBAEqBBChLb/NZIz6t/tU/VuTI+TBBIGQ3ZMN1/qLVlpJ
tX2qV2dNpFAPu+KWkeaKAWYUajstqer+m9BmBZOWnQSzsKYYKrncTxlhwphvYVCE
80B8JAaune/Eg1pUvxztVe3X9CViXfBx6dyXXD+up5R7EXNPcRnnZqnJ+XY4EP7D
MB6cB20rwNqNUl1p6JfZexv9bFScZvaBuSNoThPq/MzZqYTEMo5Y
-----END ENCRYPTED PRIVATE KEY-----
`,
		"PBES1": `-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGxMBwGCiqGSIb3DQEMAQMwDgQIhSkYRgwXS+ECAggABIGQ6CS8i8lNXEzgqBli
rS0D/4juxVppdObjfDkgGpPHZeH28DulHbxRZUHESluHePce7y01YTW4KM43Yiw3
osGgZ+DRN6A5btLAFlOL/WRM3iabbma1zzrBUHawtM7vooNVscX5L9wMdPU5VE7r
rIo5wpX5yY8k7AzXM6Jm7bdixUv7VIArryKbiZf8fQ9+TRbn
-----END ENCRYPTED PRIVATE KEY-----
`,
	}
}

func TestLoadPair(t *testing.T) {
	keys := clientKeys()
	certificate := keys["certificate"]
	p := newPKI(t)
	others := string(EncodeChain(certificates([]*holder{p.leaf})))
	der, _ := x509.MarshalPKCS8PrivateKey(rsaKey())
	another := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	der, _ = x509.MarshalPKCS8PrivateKey(p.leaf.key)
	alike := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	block, _ := pem.Decode([]byte(certificate))
	tests := []struct{ name, cert, key, passphrase, want string }{
		{"PKCS #8", certificate, keys["PKCS #8"], "", ""},
		{"a passphrase that is not needed", certificate, keys["PKCS #8"], "sesame", ""},
		{"SEC 1", certificate, keys["SEC 1"], "", ""},
		{"both in one file", keys["PKCS #8"] + certificate, "", "", ""},
		{"text around", "some text\n" + certificate + "more", "Bag Attributes\n" + keys["PKCS #8"], "", ""},
		{"AES-256", certificate, keys["AES-256"], "sesame", ""},
		{"Triple DES", certificate, keys["Triple DES"], "sesame", ""},
		{"SHA-512", certificate, keys["SHA-512"], "sesame", ""},
		{"legacy", certificate, keys["legacy"], "sesame", ""},
		{"AES-256, wrong", certificate, keys["AES-256"], "sesam", ErrWrongPassphrase.Error()},
		{"legacy, wrong", certificate, keys["legacy"], "sesam", ErrWrongPassphrase.Error()},
		{"AES-256, none", certificate, keys["AES-256"], "", ErrNoPassphrase.Error()},
		{"legacy, none", certificate, keys["legacy"], "", ErrNoPassphrase.Error()},
		{"scrypt", certificate, keys["scrypt"], "sesame", "openssl pkey -in KEY -aes256 -out NEW"},
		{"PBES1", certificate, keys["PBES1"], "sesame", "openssl pkey -in KEY -aes256 -out NEW"},
		{"nothing", "", "", "", "no certificate in the file"},
		{"no certificate", keys["PKCS #8"], keys["PKCS #8"], "", "no certificate in the file"},
		{"no key", certificate, "", "", "no private key in the file"},
		{"binary", string(block.Bytes), keys["PKCS #8"], "", "it is binary"},
		{"a key of another kind", certificate, another, "", "the key does not fit the certificate of client.test: it is RSA 2048, and the certificate's is EC P-256"},
		{"another key", certificate, alike, "", "it is another EC P-256"},
		{"out of order", others + certificate, keys["PKCS #8"], "", "the key fits certificate 2 of the file, client.test"},
		{"a broken certificate", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", keys["PKCS #8"], "", "certificate 1 of the file cannot be read"},
		{"a broken key", certificate, "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n", "", "the private key (PRIVATE KEY) cannot be read"},
		{"a broken encrypted key", certificate, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n", "x", "the key cannot be opened"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pair, err := LoadPair([]byte(tt.cert), []byte(tt.key), transcript.NewSecret(tt.passphrase))
			switch {
			case tt.want == "":
				if err != nil {
					t.Fatal(err)
				}
				if key, ok := pair.PrivateKey.(*ecdsa.PrivateKey); !ok || len(pair.Certificate) != 1 || !key.PublicKey.Equal(pair.Leaf.PublicKey) {
					t.Errorf("%T for %d certificates", pair.PrivateKey, len(pair.Certificate))
				}
			case err == nil || !strings.Contains(err.Error(), tt.want):
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// TestKeyRounds: a file does not make us hash for as long as it likes.
func TestKeyRounds(t *testing.T) {
	block, _ := pem.Decode([]byte(clientKeys()["AES-256"]))
	few, _ := asn1.Marshal(2048)
	lots := append(block.Bytes[:0:0], block.Bytes...)
	at := strings.Index(string(lots), string(few))
	lots[at+2], lots[at+3] = 0x80, 0 // -32768
	if _, err := decryptPKCS8(lots, transcript.NewSecret("sesame")); err == nil || !strings.Contains(err.Error(), "hashed -32768 times") {
		t.Error(err)
	}
}

// FuzzDecryptPKCS8: whatever is in a key file, it gives bytes or an error.
func FuzzDecryptPKCS8(f *testing.F) {
	for _, text := range clientKeys() {
		block, _ := pem.Decode([]byte(text))
		f.Add(block.Bytes, "sesame")
		f.Add(block.Bytes, "x")
	}
	f.Fuzz(func(t *testing.T, der []byte, passphrase string) {
		if len(der) > 1000 {
			return
		}
		plain, err := decryptPKCS8(der, transcript.NewSecret(passphrase))
		if err != nil && plain != nil || len(plain) > len(der) {
			t.Errorf("%d bytes, %v", len(plain), err)
		}
		if errors.Is(err, ErrNoPassphrase) {
			t.Error(err)
		}
	})
}
