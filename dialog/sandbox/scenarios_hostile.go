package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// modest is what servers offer whose point is another: every reply is waited for.
const modest = "SIZE 104857600, 8BITMIME, ENHANCEDSTATUSCODES"

// evilText is what no terminal may be shown as it is: escape sequences, C0 and C1
// controls, octets that are no UTF-8, bidirectional and invisible characters.
const evilText = "\x1b]0;owned\x07\x1b[2J\x08\x7f\u009b31m\x9b\xff\u202egnp.exe\u2066\u200b\ufeff\u2028\rdone"

// evil is a name with such characters, in valid UTF-8 as certificates have it.
func evil(name string) string { return name + "\x1b[31m\u009b\u202e\u200b" }

// hostileScenarios are the domains whose servers lie, flood, stall and break every
// rule, in the order in which a client meets it.
func hostileScenarios() []Scenario {
	return slices.Concat(
		phaseScenarios(),
		numbered("192.0.2.", 146, replyScenarios()),
		numbered("198.51.100.", 125, slices.Concat(orderScenarios(), textScenarios(), hostileTLS(), hostileAuth())),
		trickScenarios())
}

// numbered gives the rows' hosts that have none the addresses of a network from
// first on.
func numbered(network string, first int, rows []Scenario) []Scenario {
	for i := range rows {
		for j := range rows[i].Hosts {
			if h := &rows[i].Hosts[j]; h.Addrs == "" {
				h.Addrs = fmt.Sprint(network, first+i)
			}
		}
	}
	return rows
}

// breaks is a single MX host without TLS that has rules, to be numbered.
func breaks(rules ...Rule) []Host { return one("", Service{Offers: modest, Rules: rules}) }

// phaseScenarios are what can go wrong at any time, in each phase: "lost-rcpt".
func phaseScenarios() []Scenario {
	phases := []struct{ name, event, reply, at string }{
		{"banner", "CONNECT", "220", "in place of a banner"},
		{"ehlo", "EHLO", "250", "at EHLO"},
		{"starttls", "STARTTLS", "220", "at STARTTLS"},
		{"tls", "TLS", "", "right behind the handshake"},
		{"mail", "MAIL", "250", "at MAIL"},
		{"rcpt", "RCPT", "250", "at RCPT"},
		{"data", "DATA", "354", "at DATA"},
		{"body", "BODY", "", "within the message"},
		{"dot", "DOT", "250", "at the end of the message"},
		{"quit", "QUIT", "221", "at QUIT"},
	}
	var rows []Scenario
	for _, p := range phases {
		text := p.reply + "-" + strings.Repeat("x", 76) + "\r\n"
		lost, silent := []Act{HangUp()}, []Act{Silence()}
		if p.name == "body" {
			lost, silent = []Act{Swallow(10), HangUp()}, []Act{Deaf()}
		}
		stops := "stops: nothing was sent"
		later := "defers"
		switch p.name {
		case "starttls":
			later = "stops before MAIL, or goes on in the clear where that is allowed"
		case "body":
			stops = "stops; whether the message is lost or unknown depends on whether its end was written"
		case "dot":
			stops = "says that it does not know: the message may be delivered"
		case "quit":
			stops, later = "delivers: what becomes of QUIT does not matter", "delivers: what becomes of QUIT does not matter"
		}
		for _, f := range []struct {
			name, about, expect string
			acts                []Act
		}{
			{"lost", "closes without a word", stops, lost},
			{"reset", "resets the connection", stops, []Act{Wait(100 * time.Millisecond), Reset()}},
			{"421", "says 421 4.3.2 and closes", later, []Act{Say("421 4.3.2 {host} is shutting down"), HangUp()}},
			{"silent", "says nothing more", stops + ", after its time limit", silent},
			{"drip", "says one octet a second", stops + ", after its time limit", []Act{Drip(text, time.Second)}},
			{"endless", "says continuation lines without end", stops + ", after so many octets", []Act{Flood(text, 0)}},
		} {
			if p.reply == "" && (f.name == "drip" || f.name == "endless") || p.name == "tls" && f.name == "lost" {
				continue // nothing is to be said there; tlslost is a row of its own
			}
			about := f.about + " " + p.at
			if p.name == "body" && f.name == "silent" {
				about = "reads nothing of the message: the client's window closes"
			}
			offers := modest
			if p.event == "STARTTLS" || p.event == "TLS" {
				offers += ", STARTTLS"
			}
			rows = append(rows, Scenario{Name: f.name + "-" + p.name, About: about, Expect: f.expect,
				Hosts: one("", Service{Offers: offers, Rules: []Rule{On(p.event, f.acts...)}})})
		}
	}
	return numbered("192.0.2.", 200, rows)
}
