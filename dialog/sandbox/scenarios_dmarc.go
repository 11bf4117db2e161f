package sandbox

import "strings"

// dmarcScenarios are the domains whose point is what vouches for mail that claims to be
// from them: DMARC (RFC 9989), DKIM keys, BIMI, and lists of addresses (RFC 5782). None has
// a server.
func dmarcScenarios() []Scenario {
	published := func(name, about, expect, zone string) Scenario {
		return Scenario{Name: name, About: about, Expect: expect, Zone: zone}
	}
	return []Scenario{
		published("dmarc-none", "p=none, no address for reports, and no DKIM key", "warns: nothing is enforced, and nobody learns of it",
			"_dmarc TXT \"v=DMARC1; p=none\"\n@ TXT x\n"),
		published("dmarc-old", "tags that DMARC no longer has or never had: pct, rf, ri, x", "passes, and says that they mean nothing",
			"_dmarc TXT \"v=DMARC1; p=quarantine; pct=50; rf=afrf; ri=3600; x=1; rua=mailto:dmarc@good.test!10m\"\n"),
		published("dmarc-bad", "a policy that is no policy; below it typo, typos, two, near, void, open and parked", "fails, and says what receivers make of it",
			"_dmarc TXT \"v=DMARC1; p=monitor; rua=reports@dmarc-bad.test\"\n"+
				"_dmarc.typo TXT \"v=DMARC1; p=reject; sp=quarantin; rua=mailto:dmarc@good.test\"\n"+
				"_dmarc.typos TXT \"v=DMARC1; p=none; sp=; rua=mailto:dmarc@good.test\"\n"+
				"_dmarc.two TXT \"v=DMARC1; p=none\"\n_dmarc.two TXT \"v=DMARC1; p=reject\"\n"+
				"parked MX 0 .\n_dmarc.parked TXT \"v=DMARC1; p=reject\"\n"+
				"_dmarc.near TXT \"v=dmarc1; p=reject\"\n_dmarc.void TXT \"v=DMARC1\"\n"+
				"_dmarc.open TXT \"v=DMARC1; p=reject; sp=none; rua=mailto:dmarc@nowhere.dmarc-bad.test,mailto:dmarc@nullmx.test,mailto:dmarc@nomx.test,https://good.test/dmarc,mailto:dmarc@servfail.test\"\n"),
		published("dmarc-sub", "p=reject, and sp=none for its subdomains; shop.dmarc-sub.test is one", "warns, and says which tag has to be mended",
			"_dmarc TXT \"v=DMARC1; p=reject; sp=none; rua=mailto:dmarc@dmarc-sub.test\"\n@ MX 10 mx1.good.test.\nshop TXT x\n"),
		published("dmarc-test", "a policy under test (t=y), whose subdomains have milder ones; there.dmarc-test.test exists", "warns: it is not enforced",
			"_dmarc TXT \"v=DMARC1; p=reject; sp=quarantine; np=none; t=y; rua=mailto:dmarc@good.test\"\nthere TXT x\n"),
		published("dmarc-psd", "a public suffix by psd=y; shop.dmarc-psd.test has no record, uni.dmarc-psd.test is an organisation by psd=n",
			"takes the organisational domain to be the one below it",
			"_dmarc TXT \"v=DMARC1; p=reject; np=quarantine; psd=y; rua=mailto:dmarc@dmarc-psd.test\"\nshop TXT x\n"+
				"_dmarc.uni TXT \"v=DMARC1; p=quarantine; psd=n; rua=mailto:dmarc@good.test\"\n"),
		published("dmarc-away", "reports to other organisations, of which one agreed, one did not, one redirects, and one cannot be asked",
			"says to which of them no report is sent",
			"_dmarc TXT \"v=DMARC1; p=reject; rua=mailto:a@good.test,mailto:b@plain.test,mailto:c@dmarc-astray.test,mailto:d@servfail.test\"\n"),
		published("dmarc-astray", "takes reports about dmarc-away.test, and redirects them elsewhere", "no report is sent",
			"dmarc-away.test._report._dmarc TXT \"v=DMARC1; rua=mailto:x@elsewhere.test\"\n@ MX 10 mx1.good.test.\n"),
		{Name: "dmarc-down", About: "questions for its records are answered SERVFAIL, for its domain itself not", Expect: "no verdict on what is not known",
			Zone: "@ TXT x\n", Bogus: "_dmarc TXT, _domainkey TXT, s1._domainkey TXT"},
		published("dkim-bad", "DKIM keys that are short, broken, revoked, doubled, not alone, under test, not for mail or pasted with backslashes", "says of each what is wrong",
			badKeys()),
		published("bimi", "a logo with a certificate; below it plain, http, declined, two, near and weak", "passes; for the others says why no logo is shown",
			"_dmarc TXT \"v=DMARC1; p=quarantine; rua=mailto:dmarc@good.test\"\n"+
				"default._bimi TXT \"v=BIMI1; l=https://bimi.test/logo.svg; a=https://bimi.test/logo.pem\"\n"+
				"default._bimi.plain TXT \"v=BIMI1; l=https://bimi.test/logo.svg\"\n"+
				"default._bimi.http TXT \"v=BIMI1; l=http://bimi.test/logo.svg\"\n"+
				"default._bimi.declined TXT \"v=BIMI1; l=; a=;\"\n"+
				"default._bimi.near TXT \"l=https://bimi.test/logo.svg; v=BIMI1\"\n"+
				"default._bimi.two TXT \"v=BIMI1; l=\"\ndefault._bimi.two TXT \"v=BIMI1; a=\"\n"+
				"default._bimi.weak TXT \"v=BIMI1; l=https://bimi.test/logo.svg\"\n_dmarc.weak TXT \"v=DMARC1; p=none\"\n"),
		{Name: "dnsbl", About: "a list of addresses (RFC 5782): 198.51.100.247 and 2001:db8:b1::1 are on it; below it lists that are dead, full, closed or no list",
			Expect: "says who is listed, and of the others that they say nothing", Zone: lists(),
			PTR: "198.51.100.247 mail.dnsbl.test, 198.51.100.248 mx1.servfail.test"},
	}
}

// sendingRecords are those of a domain that only its MX hosts send for.
func sendingRecords(domain string) string {
	return "@ TXT \"v=spf1 mx -all\"\nbounce TXT \"v=spf1 mx:" + domain + " -all\"\n_dmarc TXT \"v=DMARC1; p=reject; rua=mailto:dmarc@" + domain + "\"\n" +
		"dmarc-away.test._report._dmarc TXT \"v=DMARC1\"\ndmarc-old.test._report._dmarc TXT \"v=DMARC1\"\n"
}

// badKeys are keys that no receiver takes, or not for long (RFC 6376 section 3.6.1).
func badKeys() string {
	const ed = "zocBhfZI5z34SBDJvfuoXyZG9DR8lbqkpGT1dJLv/Ww="
	short := strings.Join([]string{
		"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDZ1yPjGJsdcm5YAUttrAFtgQ5j5BYoUQGVTegozIGbPhJj2ENvcjXLOS9eepfbTNZqtIjI",
		"eSmDzard5ju8OMy/RIGWkqBCwKwKrrh3zYy5S6iLuKT2H9OpIdl0YyKFsCBfXyMS4ZkX6LfmDnqpafxxzN/cJGcn9G1VOIMaMxCO7wIDAQAB",
	}, "\" \"")
	return "short._domainkey TXT \"v=DKIM1; p=\" \"" + short + "\"\n" +
		"broken._domainkey TXT \"v=DKIM1; p=AAAA\"\nrevoked._domainkey TXT \"v=DKIM1; p=\"\n" +
		"testing._domainkey TXT \"v=DKIM1; k=ed25519; t=y; p=" + ed + "\"\n" +
		"two._domainkey TXT \"v=DKIM1; k=ed25519; p=" + ed + "\"\ntwo._domainkey TXT \"v=DKIM1; p=\"\n" +
		"pasted._domainkey TXT \"v=DKIM1\\\\; k=ed25519\\\\; p=" + ed + "\"\n" +
		"beside._domainkey TXT \"v=DKIM1; k=ed25519; p=" + ed + "\"\nbeside._domainkey TXT \"site-verification=1\"\n" +
		"sha1._domainkey TXT \"v=DKIM1; k=ed25519; h=sha1; p=" + ed + "\"\n" +
		"report._domainkey TXT \"v=DKIM1; k=ed25519; s=tlsrpt; p=" + ed + "\"\n"
}

// lists is the zone of dnsbl.test.
func lists() string {
	const test = "2.0.0.127"
	six := func(last string) string { // ::ffff:7f00:N, by nibbles
		return last + ".0.0.0.0.0.f.7.f.f.f.f" + strings.Repeat(".0", 20)
	}
	return test + " A 127.0.0.2\n" + six("2") + " A 127.0.0.2\n" +
		"247.100.51.198 A 127.0.0.2\n247.100.51.198 TXT \"seen sending spam\"\n" +
		"1" + strings.Repeat(".0", 19) + ".1.b.0.0.8.b.d.0.1.0.0.2 A 127.0.0.10\n" +
		"mail A 198.51.100.249\n" +
		test + ".full A 127.0.0.2\n1.0.0.127.full A 127.0.0.2\n" +
		test + ".closed A 127.255.255.254\n" + test + ".busy A 127.255.255.255\n" + test + ".typo A 127.255.255.252\n" +
		test + ".odd A 127.255.255.1\n" + test + ".parked A 192.0.2.1\n" +
		test + ".later A 127.0.0.2\n247.100.51.198.later A 127.255.255.255\n" +
		test + ".refused A 127.0.0.1\n" +
		test + ".shy A 127.0.0.2\n247.100.51.198.shy A 127.0.0.1\n"
}
