package dialog

import (
	"fmt"
	"strings"
	"testing"
)

// referee reads a finished conversation on its own: what was heard, unit by unit,
// and which of the replies that were said stands in the place of each.
type referee struct {
	said    string
	replies []refReply
	rcpt    map[string]byte   // the class of the reply in the place of RCPT's; 0 is none
	message map[string]string // the code in the place of the message's; "" is none
	sent    map[string]bool   // the message went out to its end, for who was not refused
	whole   map[string]bool   // it did, for whomever
	mail    map[string]byte   // the class of the reply in the place of MAIL's
	served  map[string]bool   // RCPT was agreed to, for somebody
	quit    string            // the code in the place of QUIT's
}

func newReferee(heard, said string, kind *session) *referee {
	f := &referee{said: said, rcpt: map[string]byte{}, message: map[string]string{}, sent: map[string]bool{}, whole: map[string]bool{}, mail: map[string]byte{}, served: map[string]bool{}}
	f.replies, _ = refReplies(said)
	place := 1 // behind the banner
	if kind.tls && !strings.HasPrefix(said, "220 mx.test") {
		place = 0 // under TLS there is none
	}
	code := func(i int) string {
		if i < len(f.replies) {
			return f.replies[i].code
		}
		return ""
	}
	dotted := strings.TrimPrefix(strings.ReplaceAll("\r\n"+kind.body, "\r\n.", "\r\n.."), "\r\n") + ".\r\n"
	var to, taken []string
	var mail byte
	each := func() {
		for _, address := range to {
			f.whole[address], f.served[address] = true, len(taken) > 0
			f.sent[address] = f.rcpt[address] == '2' || f.rcpt[address] == 0
		}
		switch {
		case kind.lmtp:
			for i, address := range taken {
				f.message[address] = code(place + i)
			}
			place += len(taken)
			return
		case kind.prdr && len(to) > 1 && code(place) == "353":
			last := code(place + len(taken) + 1)
			for i, address := range taken {
				f.message[address] = last
				if last != "" && last[0] == '2' {
					f.message[address] = code(place + 1 + i)
				}
			}
			place += len(taken) + 2
			return
		}
		for _, address := range to {
			f.message[address] = code(place)
		}
		place++
	}
	for heard != "" {
		line, rest, ended := strings.Cut(heard, "\r\n")
		if !ended {
			break
		}
		verb, words, _ := strings.Cut(line, " ")
		switch verb {
		case "QUIT":
			f.quit = code(place)
		case "MAIL":
			to, taken, mail = nil, nil, (code(place) + "-")[0]
		case "RCPT":
			address, _, _ := strings.Cut(strings.TrimPrefix(words, "TO:<"), ">")
			to = append(to, address)
			f.rcpt[address], f.mail[address] = 0, mail
			if c := code(place); c != "" {
				f.rcpt[address] = c[0]
			}
			if f.rcpt[address] == '2' {
				taken = append(taken, address)
			}
		case "BDAT":
			var size int
			_, _ = fmt.Sscan(words, &size)
			if len(rest) < size {
				return f
			}
			if rest[:size] == kind.body {
				each()
				heard = rest[size:]
				continue
			}
		case "DATA":
			place++
			if after, ok := strings.CutPrefix(rest, dotted); ok {
				each()
				rest = after
			} else if after, ok := strings.CutPrefix(rest, ".\r\n"); ok {
				place++
				rest = after
			} else if strings.HasPrefix(rest, "Subject:") {
				return f
			}
			heard = rest
			continue
		}
		place++
		heard = rest
	}
	return f
}

// judge holds an outcome against the places.
func (f *referee) judge(t *testing.T, to *Recipient) {
	said := f.message[to.Address]
	switch to.Outcome {
	case Accepted:
		if !f.sent[to.Address] || f.rcpt[to.Address] != '2' || said == "" || said[0] != '2' || said == "221" {
			t.Errorf("%s is accepted; sent whole: %v, RCPT's reply %q, the message's %q", to.Address, f.sent[to.Address], f.rcpt[to.Address], said)
		}
	case Unknown:
		late := f.quit != "" && f.quit[0] == '2' && f.quit != "221" // the message's own reply, as it may be
		denied := f.mail[to.Address] != '2' && f.served[to.Address] // a contradiction
		if !f.sent[to.Address] && !(f.whole[to.Address] && (late || denied)) {
			t.Errorf("%s is unknown; its message did not go out whole", to.Address)
		}
	case Refused, Deferred:
		if want := map[Outcome]int{Refused: 5, Deferred: 4}[to.Outcome]; to.Reply == nil || to.Reply.Code/100 != want || !strings.Contains(f.said, string(to.Reply.Raw)) {
			t.Errorf("%s is %s by %v", to.Address, to.Outcome, to.Reply)
		}
	}
}
