package sandbox

import "strings"

// dkimRecords are the DKIM keys of good.test (RFC 6376 section 3.6.1, RFC 8463 section
// 4.2), whose private halves stand in testdata/script: ed and rsa are fit for use, the
// domain only tests with testing, and revoked is no longer.
func dkimRecords() string {
	const ed = "zocBhfZI5z34SBDJvfuoXyZG9DR8lbqkpGT1dJLv/Ww="
	rsa := []string{
		"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAq+Zh8pjTL/9jBFb+z5cK+vJXewge4NFdTDo1s8AgGsEnmPkeXYyR",
		"FH37JVWqlyTN0febCSA9bDJyIcP74I0YoCcZbodkx92gicr1POh2DPd7cjRremw0TLwQQAib8WHbfPtN/Cbm9LqhrQh8CZG1",
		"Xn5B79Rx9ZeOPlbm2FdWlzE5nxXjS7k7Y8tsqd1pP79ou+QNzmX15riVIoL6+sDbtTCeKpeJqKBbewew2pPNzFsQpKHUFiPD",
		"98ZFxJGRllVA4Wetnew/B++AKWjjKDHQtjBK7IrFu6mICOi/okD7mReVfk3XCp5spC6NibFb0s36qz4O85rUpj/nLMS8mj+C",
		"QwIDAQAB",
	}
	return `
ed._domainkey TXT "v=DKIM1; k=ed25519; p=` + ed + `"
rsa._domainkey TXT "v=DKIM1; k=rsa; p=" "` + strings.Join(rsa, `" "`) + `"
testing._domainkey TXT "v=DKIM1; k=ed25519; t=y; p=` + ed + `"
revoked._domainkey TXT "v=DKIM1; k=ed25519; p="
`
}
