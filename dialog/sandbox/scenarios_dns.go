package sandbox

import (
	"fmt"
	"strings"

	"github.com/miekg/dns"
)

// trickScenarios are the domains whose DNS lies, floods or leads astray. Where a
// client finds its host all the same, that takes mail.
func trickScenarios() []Scenario {
	const none = "no answer: it may work later"
	const astray = "says what kind of address that is; a sender of mail from outside does not go there"
	next := 0
	address := func() string { next++; return fmt.Sprintf("203.0.113.%d", 150+next) }
	trick := func(name, about, expect string, t Trick) Scenario {
		return Scenario{Name: "dns-" + name, About: about, Expect: expect, Trick: t, Hosts: one(address(), Service{Offers: modest})}
	}
	zone := func(name, about, expect, zone string) Scenario {
		return Scenario{Name: "dns-" + name, About: about, Expect: expect, Zone: zone}
	}
	code := func(name string, rcode int) Scenario {
		return Scenario{Name: "dns-" + name, About: "the DNS server answers " + dns.RcodeToString[rcode], Expect: none, Rcode: rcode}
	}
	// led is a domain the zone of which leads to its host, the address of which is $ADDRESS.
	led := func(name, about, expect, zone string) Scenario {
		a := address()
		return Scenario{Name: "dns-" + name, About: about, Expect: expect, Zone: strings.ReplaceAll(zone, "$ADDRESS", a),
			Hosts: one(a, Service{Offers: modest})}
	}
	label := strings.Repeat("x", 63) + "."
	longName := strings.Repeat(label, 3) + strings.Repeat("x", 253-len(".dns-longname.test")-3*64)
	half := led("half", "the address of its first MX host is answered SERVFAIL", "goes on to the second and delivers", "@ MX 10 mx0\n@ MX 20 mx1\nmx0 A 203.0.113.150\n")
	half.Bogus = "mx0 A, mx0 AAAA"
	return []Scenario{
		trick("id", "answers have the id of another question", none, TrickID),
		trick("question", "answers repeat another question", none, TrickQuestion),
		trick("owner", "answers are about another name", "has nowhere to go, or no answer: what was not asked for is not believed", TrickOwner),
		trick("cut", "answers are cut short (TC) without end, over TCP too", none, TrickCut),
		trick("mute", "no answer at all", none+"; that is not SERVFAIL", TrickMute),
		trick("later", "answers are cut short, and over TCP there is none", none, TrickLater),
		trick("garbage", "answers are garbage", none, TrickGarbage),
		trick("short", "answers are half a header", none, TrickShort),
		trick("large", "answers of 60,000 octets, over UDP without being asked", "delivers, or has no answer", TrickLarge),
		trick("forged", "a hundred forged answers, with wrong ids, ahead of the right one", "delivers: they are not believed", TrickForged),
		trick("poison", "wrong addresses in the additional section", "delivers: it asks for itself", TrickPoison),
		code("refused", dns.RcodeRefused),
		code("formerr", dns.RcodeFormatError),
		code("notimp", dns.RcodeNotImplemented),
		code("yxdomain", dns.RcodeYXDomain),
		half,
		led("chain", "its MX host is 12 CNAMEs away", "gives up on the host", "@ MX 10 a0\n"+chain(12)+"a12 A $ADDRESS\n"),
		zone("self", "is a CNAME of itself", "has nowhere to go, or no answer", "@ CNAME @\n"),
		zone("nohost", "its MX host does not exist", "has nowhere to go", "@ MX 10 nowhere\n"),
		led("manymx", "300 MX hosts, all at one address", "looks at a part of them, and delivers", "@ MX 1 mx1\n"+many(300, "@ MX %d mx0\n")+"mx0 A $ADDRESS\n"),
		zone("manyaddr", "500 addresses, where nobody is", "tries a part of them", "@ MX 10 mx1\n"+many(500, "mx1 AAAA 2001:db8:ffff::%d\n")),
		led("nullmix", "a null MX beside another one", "notes the breach of RFC 7505 section 3", "@ MX 0 .\n@ MX 10 mx1\n"),
		zone("literal", "its MX host is named 192.0.2.1", "says that an MX host is a name (RFC 5321 section 5.1)", "@ MX 10 192.0.2.1.\n"),
		led("evil", "escapes, bidirectional and invisible characters in the name of its MX host", "shows them escaped",
			"@ MX 10 \\027[31m\\226\\128\\174mx1\n\\027[31m\\226\\128\\174mx1 A $ADDRESS\n"),
		led("dot", "a dot and a space within a label of its MX host", "shows them escaped", "@ MX 10 mx\\.one\\032two\nmx\\.one\\032two A $ADDRESS\n"),
		led("longname", "an MX host with a name of 253 octets", "delivers",
			"@ MX 10 "+longName+"\n"+longName+" A $ADDRESS\n"),
		zone("loopback", "its MX host has the addresses 127.0.0.1 and ::1", astray, "@ MX 10 mx1\nmx1 A 127.0.0.1\nmx1 AAAA ::1\n"),
		zone("linklocal", "its MX host has the address 169.254.169.254", astray, "@ MX 10 mx1\nmx1 A 169.254.169.254\nmx1 AAAA fe80::1\n"),
		zone("multicast", "its MX host has the address 224.0.0.1", astray, "@ MX 10 mx1\nmx1 A 224.0.0.1\n"),
		zone("unspecified", "its MX host has the addresses 0.0.0.0 and ::", astray, "@ MX 10 mx1\nmx1 A 0.0.0.0\nmx1 AAAA ::\n"),
		zone("mapped", "its MX host has the address ::ffff:10.0.0.5", astray, "@ MX 10 mx1\nmx1 AAAA ::ffff:10.0.0.5\n"),
		zone("shared", "its MX host has the address 100.64.0.1", astray, "@ MX 10 mx1\nmx1 A 100.64.0.1\n"),
	}
}

// chain is n CNAMEs, each of the next: a0 to an.
func chain(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%d CNAME a%d\n", i, i+1)
	}
	return b.String()
}

// many is a record n times, with a number from 1 on.
func many(n int, record string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, record, i+1)
	}
	return b.String()
}
