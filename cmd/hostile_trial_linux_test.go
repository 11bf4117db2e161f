package cmd_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ehlo-mail/ehlo/dialog/sandbox"
)

// trial is one run of the program against one domain.
type trial struct {
	spec
	result
	domain, command string
	big             bool // with a message that no kernel's buffers hold
	id              string
	message         []byte // as a server should take it; nil: none is sent
	limit           time.Duration

	status   int
	outcomes []string // of the recipients
	accepted bool     // what the program says
}

func (x *trial) wall() time.Duration { return time.Duration(x.Wall) }

// name is the same in every round.
func (x *trial) name() string {
	where := "pipe"
	if x.TTY {
		where = "terminal"
	}
	return x.domain + " " + x.column() + " " + where
}

// column is where the exit status of the run stands in the table.
func (x *trial) column() string {
	if x.big {
		return "big"
	}
	return x.command
}

// bigMessage is more than the kernels on the way hold between them, so that a
// server that reads no more is felt.
const bigMessage = 48 << 20

// trials are those of one round: send and probe on a pipe and on a terminal; what
// else there is on one of them, in a long run on both.
func (h *hostile) trials(long bool, round int) []*trial {
	var all []*trial
	for i, s := range sandbox.Scenarios() {
		if testing.Short() && i%4 != 0 {
			continue
		}
		domain := s.Name + ".test"
		for j, command := range []string{"send", "probe", "mx", "verify", "tls", "login", "big"} {
			for _, tty := range []bool{false, true} {
				if command != "big" && !long && j > 1 && tty != ((i+j)%2 == 0) {
					continue
				}
				if command == "big" && (tty || !strings.HasSuffix(s.Name, "-body") && !strings.HasPrefix(s.Name, "early-")) || command == "login" && !knowsLogin(s) {
					continue
				}
				id := fmt.Sprintf("r%d-%d-%d-%v", round, i, j, tty)
				all = append(all, h.trial(s, domain, command, id, tty))
			}
		}
	}
	return all
}

// knowsLogin reports whether a domain has a server for submission.
func knowsLogin(s sandbox.Scenario) bool {
	return slices.ContainsFunc(s.Hosts, func(host sandbox.Host) bool {
		return slices.ContainsFunc(host.Services, func(v sandbox.Service) bool { return v.Port == 587 })
	})
}

func (h *hostile) trial(s sandbox.Scenario, domain, command, id string, tty bool) *trial {
	x := &trial{domain: domain, command: command, id: id, limit: hostileTime}
	x.TTY = tty
	if s.Name == "slow" || command == "tls" { // it is to be waited for, and tls makes many connections
		x.limit = 10 * time.Second
	}
	flags := append([]string{"--max-time", x.limit.String()}, h.flags...)
	if command != "mx" && command != "tls" && (s.STS != "" || s.DANE != "") {
		flags = append(flags, "--tls-policy", "auto")
	}
	if !tty {
		flags = append(flags, "--json")
	}
	switch command {
	case "big":
		x.command, x.big = "send", true
		fallthrough
	case "send":
		file := h.path(id + ".eml")
		x.message = parcel(id, x.big)
		write(h.T, file, x.message)
		x.Args = append([]string{"send", "--from", id + "@client.test", "--to", "bob@" + domain, "--data", "@" + file}, flags...)
	case "mx":
		x.Args = []string{"mx", domain, "--max-time", x.limit.String(), "--dns-server", h.world.DNS()}
		if !tty {
			x.Args = append(x.Args, "--json")
		}
	case "verify":
		who := "bob@"
		if s.Name == "greylist" { // verify has one sender, and the server knows who it has heard of
			who = "user-" + id + "@"
		}
		x.Args = append([]string{"verify", who + domain}, flags...)
	case "login":
		x.Args = append([]string{"probe", "--auth", "--auth-user", "alice", "--auth-password-file", h.path("password.txt"), "mx1." + domain + ":587"}, flags...)
	default:
		x.Args = append([]string{command, domain}, flags...)
	}
	return x
}

// parcel is a message with all that is easily spoilt on its way: dots at the
// begin of lines, an empty line at the end, and the longest line that there may be.
func parcel(id string, big bool) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "From: <%s@client.test>\r\nTo: <bob@example.test>\r\nDate: Sun, 22 Nov 2026 01:14:02 +0000\r\n"+
		"Message-ID: <%s@client.test>\r\nX-Run: %s\r\nSubject: hostile\r\n\r\n", id, id, id)
	b.WriteString(".\r\n..\r\n.QUIT\r\nMAIL FROM:<>\r\n" + strings.Repeat("x", 998) + "\r\n.\r\n\r\n")
	if big {
		line := strings.Repeat("0123456789", 7) + "\r\n"
		b.WriteString(strings.Repeat(line, bigMessage/len(line)))
	}
	return []byte(b.String())
}

// document looks at the JSON document of a run.
func (h *hostile) document(x *trial) {
	var doc struct {
		Status     *int `json:"exit_status"`
		Recipients []struct {
			Outcome string `json:"outcome"`
		} `json:"recipients"`
	}
	if err := json.Unmarshal([]byte(x.Out), &doc); err != nil {
		h.fault(x.name(), "no document: %v\n%s%s", err, x.Out, x.Err)
		return
	}
	if doc.Status == nil || *doc.Status != x.status {
		h.fault(x.name(), "the document's exit status is %v, the process ended with %d", doc.Status, x.status)
	}
	if x.command != "send" {
		return
	}
	for _, r := range doc.Recipients {
		x.outcomes = append(x.outcomes, r.Outcome)
	}
	x.accepted = slices.Contains(x.outcomes, "accepted")
}

// own are the escapes that the program itself may write: colours; on a terminal,
// a line that is drawn anew, and the terminal's CR LF.
var own = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// ownProgress is that line, and the end of one.
var ownProgress = regexp.MustCompile(`\r\x1b\[K|\r\n`)

// controls are the characters of a text that a terminal would obey or not show,
// "" if there are none.
func controls(text string, tty bool) string {
	if tty {
		text = ownProgress.ReplaceAllString(own.ReplaceAllString(text, ""), "\n")
	}
	var bad strings.Builder
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && n == 1, r < ' ' && r != '\n', r >= 0x7f && r < 0xa0, r == 0xad,
			r >= 0x200b && r <= 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2060 && r <= 0x206f, r == 0xfeff, r == 0x061c:
			bad.WriteString(text[i : i+n])
		}
		i += n
	}
	return bad.String()
}
