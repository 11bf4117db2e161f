package cmd

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/fatih/color"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// helpWidth is the width of help, on every terminal and in every pipe.
const helpWidth = 80

// page lays out help.
type page struct {
	strings.Builder
	bold bool
}

func newPage(env Env, c *call) *page {
	bold, err := transcript.Color(c.asked(env, "color"), env.Getenv, env.OutWidth > 0)
	return &page{bold: bold && err == nil}
}

// head begins a section.
func (p *page) head(title string) {
	if p.Len() > 0 {
		p.WriteByte('\n')
	}
	if p.bold {
		title = paint(title, color.Bold)
	}
	p.WriteString(title + "\n")
}

// row is a label with its text beside it from column at on, or below if the
// label is too long.
func (p *page) row(label, text string, at int) {
	line := "  " + label
	if len(line) > at-2 {
		p.WriteString(line + "\n")
		line = ""
	}
	line += strings.Repeat(" ", at-len(line))
	for i, word := range strings.Fields(text) {
		if i > 0 && len(line)+1+len(word) > helpWidth {
			p.WriteString(line + "\n")
			line = strings.Repeat(" ", at)
		} else if i > 0 {
			line += " "
		}
		line += word
	}
	p.WriteString(strings.TrimRight(line, " ") + "\n")
}

func (p *page) examples(list []example) {
	p.head("Examples")
	for _, e := range list {
		p.WriteString("  " + e.line + "\n      " + e.about + "\n")
	}
}

// overview is what "ehlo" alone and "ehlo --help" print.
func overview(p *page) string {
	p.WriteString("ehlo speaks SMTP and says what went wrong, why, and what to do next.\n")
	p.examples([]example{
		{"ehlo send --sandbox --to alice@starttls.test", "send a test message in the offline mail world"},
		{"ehlo probe --sandbox starttls.test", "ask a server what it can do"},
		{"ehlo mx --sandbox starttls.test", "where mail for a domain goes"},
	})
	p.head("Commands")
	for _, c := range commands() {
		if !c.hidden {
			p.row(strings.TrimSpace(c.name+" "+c.usage), c.about, 24)
		}
	}
	p.head("More")
	p.row("ehlo COMMAND --help", "a command's flags, three examples first", 24)
	p.row("ehlo --version", "the version", 24)
	return p.String()
}

// helpText is what --help prints for a command, or for all.
func helpText(p *page, c *command) string {
	if c == nil {
		return overview(p)
	}
	p.WriteString("ehlo " + c.name + ": " + c.about + "\n")
	p.examples(c.examples)
	p.head("Usage")
	p.WriteString("  " + synopsis(c) + "\n")
	flags := flagsOf(c)
	for _, group := range groups() {
		headed := false
		for _, f := range flags {
			if f.group != group {
				continue
			}
			if !headed {
				p.head(strings.ToUpper(group[:1]) + group[1:] + " flags")
				headed = true
			}
			p.row(spelt(f), f.described(c), 31)
		}
	}
	p.head("Exit status")
	for _, row := range statusTable() {
		p.row(row.status.String(), row.about, 7)
	}
	return p.String()
}

// synopsis is the shape of a command's line.
func synopsis(c *command) string {
	words := []string{"ehlo", c.name}
	if len(c.groups) > 1 {
		words = append(words, "[flags]")
	}
	if c.usage != "" {
		words = append(words, c.usage)
	}
	return strings.Join(words, " ")
}

// spelt is a flag as help lists it: "-4, --ipv4", "--port PORT".
func spelt(f *flag) string {
	label := "    " + f.shown()
	if f.short != "" {
		label = "-" + f.short + ", " + f.shown()
	}
	switch {
	case f.optional != "":
		label += "[=" + f.value + "]"
	case f.takesValue():
		label += " " + f.value
	}
	return label
}

// described is a flag's line of help with what it is without it.
func (f *flag) described(c *command) string {
	text := f.purpose()
	if def := c.standard(f); def != "" && f.kind != isBool && f.kind != isWord {
		text += " (" + def + ")"
	}
	if f.kind == isList {
		text += "; repeatable"
	}
	return text
}

// standard is the value that f has on c if nobody sets it.
func (c *command) standard(f *flag) string {
	if def, ok := c.defaults[f.name]; ok {
		return def
	}
	return f.def
}

func runHelp(_ context.Context, r *run) (exit, error) {
	var c *command
	if len(r.args) == 1 {
		if c = findCommand(r.args[0]); c == nil {
			return exit{}, unknownCommand(r.args[0])
		}
	}
	return exit{}, write(r.Env, helpText(newPage(r.Env, nil), c))
}

func runVersion(_ context.Context, r *run) (exit, error) {
	return exit{}, write(r.Env, versionText(r.Env))
}

// versionText is "ehlo 1.2.3 (go1.26.0, linux/amd64)".
func versionText(env Env) string {
	version := strings.TrimPrefix(env.Version, "v")
	if version == "" {
		version = "(devel)"
		if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
			version = strings.TrimPrefix(info.Main.Version, "v")
		}
	}
	return fmt.Sprintf("ehlo %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
