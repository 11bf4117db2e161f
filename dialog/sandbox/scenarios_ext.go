package sandbox

// extensionScenarios are the domains whose servers have an extension that others
// lack. plain.test has none; good.test has those that every good server has.
func extensionScenarios() []Scenario {
	return []Scenario{
		{Name: "deliverby", About: "DELIVERBY: a deadline for delivery, to return a message after no less than 600 seconds",
			Expect: "sends the deadline, and no nearer one",
			Hosts:  extended("203.0.113.100", "DELIVERBY 600")},
		{Name: "futurerelease", About: "FUTURERELEASE: holds a message for up to a day",
			Expect: "says how long, and no longer than that",
			Hosts:  extended("203.0.113.101", "FUTURERELEASE 86400 2099-12-31T23:59:59Z")},
		{Name: "mt-priority", About: "MT-PRIORITY: messages have a priority",
			Expect: "sends the priority",
			Hosts:  extended("203.0.113.102", "MT-PRIORITY MIXER")},
		{Name: "requiretls", About: "REQUIRETLS, offered under TLS alone",
			Expect: "demands it under verified TLS",
			Signed: true,
			Hosts: []Host{{Name: "mx1", Addrs: "203.0.113.103",
				Services: []Service{{Offers: common, Secure: underTLS + ", REQUIRETLS"}}}}},
		{Name: "rrvs", About: "RRVS: carol@ has changed hands (550 5.7.17), erin@'s history is not known (451 4.7.19)",
			Expect: "asks since when the mailbox has to have had its owner",
			Hosts: extended("203.0.113.104", "RRVS",
				On("RRVS carol@", Say("550 5.7.17 <{to}> has had another owner since then")),
				On("RRVS erin@", Say("451 4.7.19 <{to}> cannot be checked now")))},
		{Name: "xverp", About: "XVERP: a bounce address for each recipient",
			Expect: "asks for it",
			Hosts:  extended("203.0.113.105", "XVERP")},
		{Name: "xclient", About: "XCLIENT: takes the client for another one, and greets anew",
			Expect: "names the other client, and greets again",
			Hosts:  extended("203.0.113.106", "XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT")},
		{Name: "xforward", About: "XFORWARD: is told where a message came from, for its log",
			Expect: "hands it on, before each message",
			Hosts:  extended("203.0.113.107", "XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE")},
		{Name: "prdr", About: "PRDR: behind the message carol@ is 550 5.7.1 and erin@ 452 4.2.2, where it is asked for",
			Expect: "asks for a reply to each recipient, with an outcome for each",
			Hosts:  extended("203.0.113.108", "PRDR", eachOwn()...)},
		{Name: "limits", About: "LIMITS: 2 messages on a connection, 2 recipients for each, all of one domain; carol@ is 450 4.2.1",
			Expect: "keeps to it: further transactions, further connections",
			Hosts: extended("203.0.113.109", "LIMITS MAILMAX=2 RCPTMAX=2 RCPTDOMAINMAX=1",
				On("RCPT carol@", Say("450 4.2.1 <{to}> is busy")))},
		{Name: "lmtp", About: "LMTP on port 24: behind the message carol@ is 550 5.7.1 and erin@ 452 4.2.2; port 25 refuses connections",
			Expect: "delivers to lmtp://mx1.lmtp.test, with an outcome for each recipient",
			Hosts: []Host{{Name: "mx1", Addrs: "203.0.113.110",
				Services: []Service{{Port: 24, LMTP: true, Offers: common, Rules: eachOwn()}}}}},
	}
}

// extended is a host that offers extension beside what is common.
func extended(addr, extension string, rules ...Rule) []Host {
	return []Host{{Name: "mx1", Addrs: addr, Services: []Service{{Offers: common + ", " + extension, Rules: rules}}}}
}

// eachOwn are different replies to the recipients of one message.
func eachOwn() []Rule {
	return []Rule{
		On("DOT carol@", Say("550 5.7.1 <{to}> does not want this message")),
		On("DOT erin@", Say("452 4.2.2 <{to}> mailbox full")),
	}
}
