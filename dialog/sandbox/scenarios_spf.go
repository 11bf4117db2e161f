package sandbox

// spfScenarios are the domains with SPF records (RFC 7208), each with others below it,
// one to a result or a fault.
func spfScenarios() []Scenario {
	return []Scenario{
		{Name: "spf", About: "an SPF record with an include, an MX host and an explanation; below it softfail, neutral, none, moved, macro, " +
			"reverse, _bounce",
			Expect: "spf-eval says pass for 203.0.113.1 and its MX host, fail for others, what the names say for the names",
			Hosts:  []Host{{Name: "mx1", Addrs: "203.0.113.200 2001:db8::c8", Services: []Service{{Offers: common}}}},
			Zone: `
@ MX 10 mx1
@ TXT "v=spf1 mx include:_net.spf.test exp=why.spf.test -all"
_net TXT "v=spf1 ip4:203.0.113.0/28 ip4:203.0.113.64/28 ip6:2001:db8:5bf::/48 ~all"
why TXT "%{i} is no host of %{d}, so nothing from %{s} comes from there"
softfail TXT "v=spf1 ip4:203.0.113.1 ~all"
neutral TXT "v=spf1 ip4:203.0.113.1 ?all"
none TXT "a text of no policy"
moved TXT "v=spf1 redirect=" "spf.test"
macro TXT "v=spf1 exists:%{ir}.%{l}._allow.%{d2} -all"
9.113.0.203.alice._allow A 127.0.0.2
reverse TXT "v=spf1 ptr:good.test -all"
_bounce TXT "v=spf1 ip4:203.0.113.1 -all"
`},
		{Name: "badspf", About: "an SPF record with syntax errors; below it one to each other fault, such as two, deep, loop, lost, void, open",
			Expect: "each check of SPF names the fault; spf-eval says permerror, and temperror where the DNS fails",
			Bogus:  "servfail TXT, later A",
			Zone: `
@ TXT "v=spf1 ip4:203.0.113.256 a:192.0.2.1 al"
two TXT "v=spf1 mx -all"
two TXT "v=spf1 a -all"
typo TXT "v=spf1;mx;-all"
deep TXT "v=spf1 include:a.deep.badspf.test include:b.deep.badspf.test a:mx1.good.test a:mx2.good.test -all"
a.deep TXT "v=spf1 a:mx1.good.test a:mx2.good.test mx:good.test ?all"
b.deep TXT "v=spf1 a:mx1.good.test a:mx2.good.test mx:good.test exists:mx1.good.test ?all"
nearly TXT "v=spf1 include:a.deep.badspf.test include:b.deep.badspf.test -all"
loop TXT "v=spf1 include:loop.badspf.test -all"
lost TXT "v=spf1 include:nowhere.badspf.test -all"
void TXT "v=spf1 a:gone1.badspf.test mx:gone2.badspf.test exists:gone3.badspf.test -all"
gone TXT "v=spf1 a:gone1.badspf.test -all"
open TXT "v=spf1 mx +all"
again TXT "v=spf1 ip4:203.0.113.1 ip4:203.0.113.1 -all"
wide TXT "v=spf1 ip4:128.0.0.0/1 ip4:0.0.0.0/1 -all"
unsaid TXT "v=spf1 mx:good.test"
odd TXT "v=spf1 include=good.test -all ptr redirect=good.test"
long TXT "v=spf1 ip4:203.0.113.1 ip4:203.0.113.2 ip4:203.0.113.3 ip4:203.0.113.4 ip4:203.0.113.5 ip4:203.0.113.6 ip4:203.0.113.7 ip4:203.0.113.8 " "ip4:203.0.113.9 ip4:203.0.113.10 ip4:203.0.113.11 ip4:203.0.113.12 ip4:203.0.113.13 ip4:203.0.113.14 ip4:203.0.113.15 " "ip4:203.0.113.16 ip4:203.0.113.17 ip4:203.0.113.18 ip4:203.0.113.19 ip4:203.0.113.20 ip4:203.0.113.21 ip4:203.0.113.22 " "ip4:203.0.113.23 ip4:203.0.113.24 ip4:203.0.113.25 ip4:203.0.113.26 ip4:203.0.113.27 ip4:203.0.113.28 -all"
crowd TXT "v=spf1 mx -all"
crowd MX 1 a
crowd MX 2 b
crowd MX 3 c
crowd MX 4 d
crowd MX 5 e
crowd MX 6 f
crowd MX 7 g
crowd MX 8 h
crowd MX 9 i
crowd MX 10 j
crowd MX 11 k
dangling TXT "v=spf1 redirect=nowhere.badspf.test"
closed TXT "v=spf1 -all"
behind TXT "v=spf1 -all ip4:203.0.113.0/24"
each TXT "v=spf1 exists:mx1.good.test -all"
denied TXT "v=spf1 -include:open.badspf.test -all"
meh TXT "v=spf1 ?include:open.badspf.test -all"
never TXT "v=spf1 -ip4:0.0.0.0/0 -ip6:::/0 +all"
bare TXT "v=spf1 a mx -all"
template TXT "v=spf1 redirect=_end.%{d}"
_end.template TXT "v=spf1 ~all"
servfail TXT "v=spf1 -all"
unsure TXT "v=spf1 a:later.badspf.test include:servfail.badspf.test -all"
later A 192.0.2.1
`},
	}
}
