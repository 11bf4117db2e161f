// Package cmd is the command line: flags in, a run, an exit status out.
//
//	Env       everything that the program takes from the world
//	Main      one run of the program
//	command   a subcommand, a row of the commands table
//	flag      a row of the table that all about flags is made from
//	Settings  what flags, environment and configuration say together
//	Status    what the process tells its caller
package cmd

import "context"

// command is one row of the commands table.
type command struct {
	name     string
	usage    string // its arguments, "DOMAIN..."; "" takes none
	about    string // one line
	examples []example
	groups   []string          // the groups of flags it takes
	defaults map[string]string // where they differ from the flags' own
	least    int               // arguments
	most     int               // -1: any number
	hidden   bool
	run      func(context.Context, *run) (exit, error)
}

// example is a line that works as it stands.
type example struct{ line, about string }

// run is one run of a command: what it is given.
type run struct {
	Env
	*Settings
	command *command
	args    []string
	login   login
}

// commands are the subcommands, in the order in which help lists them.
func commands() []*command {
	dialogue := []string{"route", "time", "protocol", "TLS", "auth"}
	common := []string{"output", "settings", "help"}
	with := func(own ...string) []string { return append(own[:len(own):len(own)], common...) }
	return []*command{
		{
			name: "mx", usage: "DOMAIN...", about: "where mail for a domain goes, host by host",
			examples: []example{
				{"ehlo mx --sandbox starttls.test", "a domain of the offline mail world"},
				{"ehlo mx --sandbox --short good.test backup.test", "lines for a script"},
				{"ehlo mx --sandbox --json implicit.test", "one JSON document"},
			},
			groups: with("route", "time", "MX"), least: 1, most: -1, run: runMX,
		},
		{
			name: "probe", usage: "TARGET...", about: "what a server says it can do, before and after TLS",
			examples: []example{
				{"ehlo probe --sandbox starttls.test", "banner, EHLO, STARTTLS, EHLO again"},
				{"ehlo probe --sandbox -q vrfy.test", "the report without the transcript"},
				{"ehlo probe --sandbox --vrfy alice --command NOOP vrfy.test", "and ask more"},
			},
			groups: with(append(dialogue, "probe")...), least: 1, most: -1, run: runProbe,
		},
		{
			name: "send", about: "compose one message and deliver it",
			examples: []example{
				{"ehlo send --sandbox --to alice@starttls.test", "a test message"},
				{"ehlo send --sandbox --to bob@good.test --subject Hello --body 'It works.'", "one of your own"},
				{"ehlo send --sandbox --to alice@good.test --quit-after rcpt", "stop before the message"},
			},
			groups: with(append(dialogue, "envelope", "message")...), defaults: map[string]string{"max-time": "15m"}, run: runSend,
		},
		{
			name: "tls", usage: "TARGET...", about: "the TLS of a server in depth: versions, chain, DANE, MTA-STS",
			examples: []example{
				{"ehlo tls --sandbox good.test", "what a well-kept server shows"},
				{"ehlo tls --sandbox -q stapled.test", "the report without the transcript"},
				{"ehlo tls --sandbox --suites --active starttls.test", "every suite, and an injected command"},
			},
			groups: with("route", "time", "protocol", "TLS", "scan"), least: 1, most: -1, run: runTLS,
		},
		{
			name: "verify", usage: "ADDRESS...", about: "is there such a mailbox, and can the answer be trusted",
			examples: []example{
				{"ehlo verify --sandbox alice@vrfy.test", "a server that answers VRFY"},
				{"ehlo verify --sandbox alice@good.test bob@good.test", "several addresses"},
				{"ehlo verify --sandbox --json alice@good.test", "one JSON document"},
			},
			groups: with(dialogue...), least: 1, most: -1, run: runVerify,
		},
		{
			name: "check", usage: "[DOMAIN...]", about: "deliverability: every verdict with its reason and its fix",
			examples: []example{
				{"ehlo check --sandbox good.test", "how a domain takes mail and what vouches for its own"},
				{"ehlo check --sandbox --receiving --active catchall.test", "and ask its servers about mailboxes"},
				{"ehlo check --sandbox --only 'mx-*,starttls' starttls.test", "some checks, with all that they saw"},
			},
			groups: with("route", "time", "protocol", "TLS", "check", "sender", "scan"), most: -1, run: runCheck,
		},
		{
			name: "explain", usage: "[TEXT...]", about: "what a reply, a code or a keyword means, and what to do next",
			examples: []example{
				{"ehlo explain '550 5.7.26 Unauthenticated email'", "a reply"},
				{"ehlo explain 452 4.7.1 CHUNKING SCRAM-SHA-256", "codes, EHLO keywords, AUTH mechanisms"},
				{"ehlo verify --sandbox bob@good.test | ehlo explain", "a transcript, a log, a bounce"},
			},
			groups: with("explain"), most: -1, run: runExplain,
		},
		{
			name: "bench", usage: "TARGET", about: "offer load to a server of your own, and measure it",
			examples: []example{
				{"ehlo bench --sandbox good.test", "1000 messages over 10 connections"},
				{"ehlo bench --sandbox --rate 200 --duration 2s chunking.test", "at a rate: waiting counts as latency"},
				{"ehlo bench --sandbox --fail-if 'p99>2s' --json good.test", "a bound and a document for scripts"},
			},
			groups: with(append(dialogue, "envelope", "load")...), defaults: map[string]string{"max-time": "1h"}, least: 1, most: 1, run: runBench,
		},
		{
			name: "message", usage: "build|show|sign|verify [FILE]", about: "build, show, sign and verify a message without sending it",
			examples: []example{
				{"ehlo message build --sandbox --to bob@good.test --subject Hello > hello.eml", "what send would send"},
				{"ehlo message build --sandbox --to bob@good.test | ehlo message show -", "its parts, header and faults"},
				{"ehlo message build --sandbox --to a@good.test | ehlo message show --json -", "one JSON document"},
			},
			groups: with("route", "time", "protocol", "envelope", "message", "sender", "parts"), most: -1, run: runMessage,
		},
		{
			name: "sandbox", about: "run the offline mail world in the foreground",
			examples: []example{
				{"ehlo sandbox", "until Ctrl-C"},
				{"ehlo sandbox --list", "its domains and what each does"},
				{"ehlo sandbox --maildir mail", "keep what arrives in ./mail"},
			},
			groups: with("sandbox"), run: runSandbox,
		},
		{
			name: "completion", usage: "SHELL", about: "print a completion script for bash, zsh, fish or powershell",
			examples: []example{
				{"source <(ehlo completion bash)", "for this session of bash"},
				{"ehlo completion zsh > _ehlo", "then move it to a directory of $fpath"},
				{"ehlo completion fish | source", "for this session of fish"},
			},
			groups: []string{"help"}, least: 1, most: 1, run: runCompletion,
		},
		{
			name: "help", usage: "[COMMAND]", about: "print help for a command",
			examples: []example{
				{"ehlo help", "the commands"},
				{"ehlo help send", "one command with its flags"},
				{"ehlo send --help", "the same"},
			},
			groups: []string{"help"}, most: 1, run: runHelp,
		},
		{
			name: "version", about: "print the version",
			examples: []example{
				{"ehlo version", "of ehlo and of Go"},
				{"ehlo --version", "the same"},
				{"ehlo version | cut -d ' ' -f 2", "the number alone"},
			},
			groups: []string{"help"}, run: runVersion,
		},
		{
			name: "man", about: "print the manual page, in roff", hidden: true,
			examples: []example{
				{"ehlo man", "as it is installed"},
				{"ehlo man > ehlo.1", "into a file"},
				{"ehlo man | man -l -", "read it"},
			},
			groups: []string{"help"}, run: runMan,
		},
	}
}

func findCommand(name string) *command {
	for _, c := range commands() {
		if c.name == name {
			return c
		}
	}
	return nil
}
