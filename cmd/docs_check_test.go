package cmd_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/ehlo-mail/ehlo/dialog/check"
)

// TestDocsChecks holds docs/checks.md to the table of checks; -update writes it anew.
func TestDocsChecks(t *testing.T) {
	const path = "../docs/checks.md"
	want := checksPage()
	if *update {
		write(t, path, []byte(want))
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the table of checks makes of it: go test ./cmd -run TestDocsChecks -update", path)
	}
}

// checksPage is the page about checks.
func checksPage() string {
	var b strings.Builder
	b.WriteString(checksIntroduction)
	for _, g := range []struct {
		group       check.Group
		title, text string
	}{
		{check.Always, "Always", "Where it fails or is not known, nothing else of the domain is judged."},
		{check.Receiving, "Receiving (`--receiving`)", "How the domain takes mail."},
		{check.Sending, "Sending (`--sending`)", "What vouches for mail in the domain's name."},
		{check.Message, "A message (`--message FILE`)", "A message as it would be received."},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| id | passes if | comes to | needs | reference |\n|---|---|---|---|---|\n", g.title, g.text)
		for _, c := range check.All() {
			if c.Group != g.group {
				continue
			}
			var needs []string
			for _, n := range c.Needs {
				if n != check.NeedDomain && n != check.NeedMessage && n != check.NeedGreeting {
					needs = append(needs, "`"+n.String()+"`")
				}
			}
			var words []string
			for _, v := range c.Gives {
				words = append(words, v.String())
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", c.ID, strings.ReplaceAll(c.About, "|", `\|`), strings.Join(words, " "), strings.Join(needs, " "), c.Ref)
		}
	}
	return b.String()
}

const checksIntroduction = `# Checks

` + "`ehlo check DOMAIN`" + ` looks at a domain from outside and gives verdicts, each with what was seen, the rule behind it and
a fix to paste. This page is made from the table of checks in the program.

` + "```" + `
ehlo check --sandbox good.test
ehlo check --sandbox --receiving --active catchall.test
ehlo check --sandbox --only 'mx-*,starttls' privatemx.test
ehlo check --sandbox --fail-on warn --format nagios good.test
` + "```" + `

| verdict | means |
|---|---|
| ` + "`pass`" + ` | as it should be |
| ` + "`info`" + ` | worth knowing, neither good nor bad |
| ` + "`warn`" + ` | it works today, and should be mended |
| ` + "`fail`" + ` | mail is lost, delayed, exposed or refused by it: exit status 1 |
| ` + "`error`" + ` | it was tried and nothing is known, as where the DNS does not answer, or no server does: exit status 8. It never counts as a failure, and what rests on it is ` + "`error`" + `, too |
| ` + "`skip`" + ` | it needs a flag, or there is nothing to judge. It counts for nothing; where everything is skipped the exit status is 8, or 2 if it is for want of a flag |

- The tables below say which verdicts each check comes to by itself. Any is ` + "`skip`" + `, too, where it lacks what it needs or there is
  no such domain, and ` + "`error`" + ` where the DNS does not say whether there is, or time is up.
- Where several hosts come to the same ` + "`info`" + `, one line names them; with ` + "`-v`" + `, and in JSON, each has its own.
- ` + "`--only`" + ` and ` + "`--skip`" + ` take ids and patterns, separated by commas. With ` + "`--only`" + `, or with ` + "`-v`" + `, every check is shown
  with what it saw. Whether the domain exists is tested whatever they say, and told of where it does not.
- A certificate that does not prove its host fails where MTA-STS demands proof; of DANE ` + "`dane-tlsa`" + ` tells. Without a policy it is
  a warning, as senders then encrypt and ask for no proof. One that has expired, or is not valid yet, fails all the same: somebody forgot it.
- ` + "`--fail-on warn`" + ` ends with status 1 for a warning, too.
- ` + "`--format`" + ` has ` + "`nagios`" + ` (a line with figures, and the exit statuses of its plugins: 0 OK, 1 WARNING, 2 CRITICAL, 3
  UNKNOWN), ` + "`junit`" + `, ` + "`prometheus`" + ` (the text format) and ` + "`csv`" + ` beside ` + "`text`" + `, ` + "`json`" + `, ` + "`jsonl`" + ` and ` + "`none`" + `.

## What a server sees

By default: connections, EHLO, STARTTLS, one handshake for each version of TLS, QUIT. An address sees one conversation at a
time, at most 8 connections in a run, and a second between two of them; one's own servers, at loopback and private addresses
and in the sandbox, see no pause and no end. Addresses are visited side by side, and each once in a run, whatever the number of
checks, hosts and domains that lead to it, and for no more than these checks need: ` + "`--only mx-reach`" + ` makes one connection. A
further name that leads to an address costs a handshake, as the certificate may be another. What the limit leaves out is ` + "`error`" + `,
says so, and never fails.

- ` + "`--active`" + ` asks about mailboxes (VRFY, EXPN, and RCPT for postmaster, abuse and a name that nobody has, from the null sender,
  without DATA), and sends a NOOP along with STARTTLS.
- ` + "`--relay-open`" + ` asks for a recipient at example.org in six forms, without DATA.
- A refusal of the moment (4yz), or of the client (a blocklist, its address, its EHLO name, a limit, the null sender), is no
  answer to what these two ask: it is ` + "`error`" + `, with the reply. One that gives no reason is taken for an answer.
- ` + "`--smuggling`" + ` sends messages to postmaster with another one behind odd line ends around a lone dot: to loopback and private
  addresses alone. It fails where the other one's MAIL and RCPT, or its DATA, were obeyed.
`
