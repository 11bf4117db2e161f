package cmd

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestUsageErrors(t *testing.T) {
	tests := []struct {
		line string // words split at spaces; _ is the empty word
		want string // stderr, without the last line end
	}{
		{"send --form x", "ehlo: send has no flag --form\n  likely  --from\n  next    ehlo send --help"},
		{"send --subj x", "ehlo: send has no flag --subj\n  likely  --subject\n  next    ehlo send --help"},
		{"send -to x", "ehlo: send has no flag -to\n  likely  --to\n  next    ehlo send --help"},
		{"send --zzzzzz", "ehlo: send has no flag --zzzzzz\n  next    ehlo send --help"},
		{"mx --to a@b.test c.test", "ehlo: mx has no flag --to\n  likely  --to is a flag of send, bench, message\n  next    ehlo mx --help"},
		{"--form x send", "ehlo: ehlo has no flag --form\n  likely  --from\n  next    ehlo --help"},
		{"--zzzzzz", "ehlo: ehlo has no flag --zzzzzz\n  next    ehlo --help"},
		{"sned", "ehlo: there is no command 'sned'\n  likely  ehlo send\n  next    ehlo --help"},
		{"sned --help", "ehlo: there is no command 'sned'\n  likely  ehlo send\n  next    ehlo --help"},
		{"help sned", "ehlo: there is no command 'sned'\n  likely  ehlo send\n  next    ehlo --help"},
		{"a@b.test", "ehlo: there is no command 'a@b.test'\n  likely  ehlo verify a@b.test\n  next    ehlo --help"},
		{"mx1.b.test:25", "ehlo: there is no command 'mx1.b.test:25'\n  likely  ehlo probe mx1.b.test:25\n  next    ehlo --help"},
		{"\x1b[31m", "ehlo: there is no command '\\x1b[31m'\n  next    ehlo --help"},
		{"mx", "ehlo: mx needs a DOMAIN\n  next    ehlo mx --help"},
		{"verify -q", "ehlo: verify needs an ADDRESS\n  next    ehlo verify --help"},
		{"mx _", "ehlo: mx: an argument is empty\n  next    ehlo mx --help"},
		{"send bob@x.test", "ehlo: send takes no arguments: 'bob@x.test'\n  likely  --to bob@x.test\n  next    ehlo send --help"},
		{"completion bash zsh", "ehlo: completion takes one argument: 'zsh' is one more\n  next    ehlo completion --help"},
		{"completion bsh", "ehlo: no completion for 'bsh': there is bash, zsh, fish, powershell\n  likely  bash\n  next    ehlo completion --help"},
		{"send --to", "ehlo: --to needs a value: MAILBOX\n  next    ehlo send --help"},
		{"send --to --from x", "ehlo: --to needs a value: MAILBOX\n  next    ehlo send --help"},
		{"send --to -q", "ehlo: --to needs a value: MAILBOX\n  next    ehlo send --help"},
		{"send --to --", "ehlo: --to needs a value: MAILBOX\n  next    ehlo send --help"},
		{"send --to=", "ehlo: --to '': it is empty\n  next    ehlo send --help"},
		{"send --quiet=maybe", "ehlo: --quiet 'maybe': it is true or false\n  next    ehlo send --help"},
		{"send --tls=no", "ehlo: --tls=no says nothing: say --tls-policy VALUE\n  next    ehlo send --help"},
		{"send --pipeline --no-pipeline", "ehlo: --pipeline and --no-pipeline contradict each other\n  next    ehlo send --help"},
		{"send -4 --ipv6", "ehlo: -4 and --ipv6 contradict each other\n  next    ehlo send --help"},
		{"send -q -v", "ehlo: -q and -v contradict each other\n  next    ehlo send --help"},
		{"send --body x --data y", "ehlo: --data and --body contradict each other\n  next    ehlo send --help"},
		{"send --quit-after tls --drop-after rcpt", "ehlo: --quit-after and --drop-after contradict each other\n  next    ehlo send --help"},
		{"send --no-tls --tls-on-connect", "ehlo: --tls-on-connect and --no-tls contradict each other\n  next    ehlo send --help"},
		{"mx x.test --sandbox --dns-server 192.0.2.1", "ehlo: --sandbox and --dns-server contradict each other\n  next    ehlo mx --help"},
		{"send --body - --attach -", "ehlo: --body and --attach both read standard input\n  next    ehlo send --help"},
		{"send --attach @- --attach -", "ehlo: --attach and --attach both read standard input\n  next    ehlo send --help"},
		{"send --port 70000", "ehlo: --port '70000': it is a number from 1 to 65535\n  next    ehlo send --help"},
		{"send --port -5", "ehlo: --port '-5': it is a number from 1 to 65535\n  next    ehlo send --help"},
		{"send --max-time -5s", "ehlo: --max-time '-5s': a time is more than 0\n  next    ehlo send --help"},
		{"send --max-time 0", "ehlo: --max-time '0': a time is more than 0\n  next    ehlo send --help"},
		{"send --max-time 8d", "ehlo: --max-time '8d': a time is at most 7d\n  next    ehlo send --help"},
		{"send --max-time soon", "ehlo: --max-time 'soon': a time is written 500ms, 30s, 5m, 1h30m or 2d\n  next    ehlo send --help"},
		{"send --timeout tea=5s", "ehlo: --timeout 'tea=5s': its class is one of dns, connect, banner, reply, data, dot, quit, https\n  next    ehlo send --help"},
		{"send --now noon", "ehlo: --now 'noon': a time is written 2026-11-22T01:14:02Z or 2026-11-22\n  next    ehlo send --help"},
		{"send --format yaml", "ehlo: --format 'yaml': it is one of text, json, jsonl, none\n  next    ehlo send --help"},
		{"send --color=red", "ehlo: --color 'red': it is one of auto, always, never\n  next    ehlo send --help"},
		{"send --dns-server ns.test", "ehlo: --dns-server 'ns.test': it is an IP address, with a port or without, such as 192.0.2.53 or [2001:db8::53]:5353\n  next    ehlo send --help"},
		{"send --via ftp://x", "ehlo: --via 'ftp://x': it is socks5://HOST:PORT, http://HOST:PORT or https://HOST:PORT\n  next    ehlo send --help"},
		{"send --header Subject", "ehlo: --header 'Subject': a header field is 'Name: value'\n  next    ehlo send --help"},
		{"send --header X:a\r\nBcc:b", "ehlo: --header 'X:a\\x0d\\x0aBcc:b': it holds a line end (CR or LF)\n  next    ehlo send --help"},
		{"send --subject a\x00b", "ehlo: --subject 'a\\x00b': it holds a NUL\n  next    ehlo send --help"},
		{"send --helo a\nb", "ehlo: --helo 'a\\x0ab': it holds a line end (CR or LF)\n  next    ehlo send --help"},
		{"send --attach file", "ehlo: --attach 'file': a file is written @FILE, standard input -\n  next    ehlo send --help"},
		{"send --profile work", "ehlo: no profile 'work': there is no configuration file\n  next    ehlo send --help"},
		{"send --output /nowhere/at/all --dump", "ehlo: --output: /nowhere/at/all: no such file or directory\n  next    ehlo send --help"},
	}
	for _, tt := range tests {
		var args []string
		for _, word := range strings.Split(tt.line, " ") {
			args = append(args, strings.ReplaceAll(word, "_", ""))
		}
		out, errs, status := newWorld().run(args...)
		if out != "" || status != 2 || errs != tt.want+"\n" {
			t.Errorf("ehlo %q: status %d, stdout %q, stderr:\n%swant:\n%s", tt.line, status, out, errs, tt.want)
		}
	}
}

// A line means the same wherever its flags stand.
func TestFlagsAnywhere(t *testing.T) {
	lines := []string{
		"mx --short --max-time 9s -4 a.test",
		"mx a.test --short --max-time=9s -4",
		"--max-time 9s mx a.test -4 --short",
		"-4 --short --max-time=9s mx a.test",
		"mx --no-short -4 --short=yes --max-time 5s --max-time 9 a.test",
		"mx --max-time 9s -4 --short -- a.test",
		"--max-time 9s -4 --short -- mx a.test",
	}
	for _, line := range lines {
		for setting, want := range map[string]string{
			"(argument)": "command line a.test", "short": "true", "ipv4": "-4 true", "max-time": "--max-time 9",
		} {
			args := strings.Fields(line)
			end := len(args)
			for i, a := range args {
				if a == "--" {
					end = i
				}
			}
			args = append(append(append([]string{}, args[:end]...), "--dump"), args[end:]...)
			out, errs, status := newWorld().run(args...)
			if status != 0 {
				t.Fatalf("%s: status %d, %s", line, status, errs)
			}
			var got string
			for _, l := range strings.Split(out, "\n") {
				if f := strings.Fields(l); len(f) > 0 && f[0] == setting {
					got = strings.Join(f[1:], " ")
				}
			}
			if !strings.Contains(got, want) {
				t.Errorf("%s: %s is %q, want %q", line, setting, got, want)
			}
		}
	}
}

func TestValues(t *testing.T) {
	tests := []struct{ setting, line, want string }{
		{"to", "send --to a@x.test,b@x.test --to c@x.test", "--to a@x.test,b@x.test | --to c@x.test"},
		{"body", "send --body -", "--body -"},
		{"body", "send --body=--from", "--body --from"},
		{"body", "send --body --unknown", "--body --unknown"},
		{"body", "send --body -text-", "--body -text-"},
		{"tls-policy", "send --no-tls --tls", "--tls must"},
		{"tls-policy", "send --tls-policy verify --tls-optional", "--tls-optional may"},
		{"pipeline", "send", "default -"},
		{"pipeline", "send --no-pipeline", "--no-pipeline false"},
		{"chunking", "send", "default true"},
		{"chunking", "send --no-chunking", "--no-chunking false"},
		{"chunking", "send --no-chunking --chunking", "--chunking true"},
		{"format", "send --json --format text", "--format text"},
		{"color", "mx --color never x.test", "--color never"},
		{"quiet", "send -4q", "-q true"},
		{"max-time", "send", "default 15m"},
		{"max-time", "probe x", "default 5m"},
		{"help-topic", "probe x --help-topic=", "--help-topic"},
	}
	for _, tt := range tests {
		if got := dumped(t, newWorld(), tt.setting, strings.Fields(tt.line)...); got != tt.want {
			t.Errorf("ehlo %s: %s is %q, want %q", tt.line, tt.setting, got, tt.want)
		}
	}
	// The next word belongs to a flag with an optional value only if it is one of its words.
	if got := dumped(t, newWorld(), "(argument)", "mx", "--color", "red.test"); got != "command line red.test" {
		t.Errorf("--color took the argument: %q", got)
	}
}

func TestNearest(t *testing.T) {
	words := []string{"from", "format", "subject", "to", "tls", "tls-verify"}
	for word, want := range map[string]string{
		"form": "from", "frm": "from", "fromat": "format", "subj": "subject", "ot": "to", "tls-verfiy": "tls-verify",
		"x": "", "quux": "", "": "", "t": "",
	} {
		if got := nearest(word, words); got != want {
			t.Errorf("nearest %q is %q, want %q", word, got, want)
		}
	}
}

// Whatever the words: no panic, and urfave/cli hands the command just what parse
// has read, in its order.
func FuzzParse(f *testing.F) {
	for _, line := range []string{
		"send --to a --to b", "--color -- mx x", "mx -4q --no-short=false 0", "probe --vrfy a --timeout=5 x", "- --", "send --=", "---x",
		"mx -- -x --help", "mx help h short", "mx x --short=0 --dns-server ::1", "verify --tls -- --tls",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		c, err := parse(strings.Split(line, " "))
		if c == nil {
			t.Fatal("no call")
		}
		if err != nil || c.command == nil || c.help || c.version {
			return
		}
		var read []Pair
		for _, g := range c.flags {
			if g.flag.name == "dump" || g.flag.name == "config" || g.flag.name == "profile" {
				return
			}
			read = append(read, Pair{g.flag.setting(), g.value})
		}
		ran := false
		c.command.run = func(_ context.Context, r *run) (exit, error) {
			ran = true
			if !slices.Equal(r.typed, read) || !slices.Equal(r.args, c.args) {
				t.Errorf("%q: read %q %q, the command got %q %q", line, read, c.args, r.typed, r.args)
			}
			return exit{}, nil
		}
		var usage *usageError
		if _, _, err := c.dispatch(context.Background(), newWorld().Env); !ran && !errors.As(err, &usage) {
			t.Errorf("%q: %q did not run: %v", line, c.words(), err)
		}
	})
}
