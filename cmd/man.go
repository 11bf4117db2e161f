package cmd

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// runMan prints the manual page. It has no date: the same program gives the same page.
func runMan(_ context.Context, r *run) (exit, error) {
	version := strings.Fields(versionText(r.Env))[1]
	return exit{}, write(r.Env, manual(version))
}

// manual is ehlo(1) in roff with the man(7) macros.
func manual(version string) string {
	m := &roff{}
	fmt.Fprintf(m, ".TH EHLO 1 \"\" \"ehlo %s\" \"User Commands\"\n.nh\n", roffText(version))
	m.section("NAME")
	m.text("ehlo - speak SMTP, and say what went wrong, why, and what to do next")
	m.section("SYNOPSIS")
	for i, c := range visible() {
		if i > 0 {
			m.WriteString(".br\n")
		}
		m.text(synopsis(c))
	}
	m.section("DESCRIPTION")
	m.text("ehlo resolves where mail for a domain goes, opens the connection, steps through the commands of SMTP and prints a " +
		"transcript of every command and reply. It ends with one line that says the outcome, and tells by its exit status what a script needs to know.")
	m.section("COMMANDS")
	for _, c := range visible() {
		m.item(strings.TrimSpace(c.name+" "+c.usage), c.about+".")
	}
	m.section("OPTIONS")
	m.text("Flags stand before or after arguments; -- ends them. A flag's value follows it or an equals sign. A flag that is on or off by " +
		"itself is switched off by --no- before its name.")
	m.flags()
	m.section("EXIT STATUS")
	for _, row := range statusTable() {
		m.item(row.status.String(), row.about+".")
	}
	m.section("ENVIRONMENT")
	m.text("Most flags have a variable, named after the flag: EHLO_PORT is --port. A flag beats the environment, the environment beats the " +
		"profile, the profile beats the rest of the file. Files (@FILE) and commands are taken from the command line alone.")
	m.item("EHLO_CONFIG, EHLO_PROFILE", "The configuration file and the profile to use.")
	m.item("NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE, TERM", "Whether output is coloured, where --color does not say.")
	m.item("LC_ALL, LC_CTYPE, LANG", "Whether marks are printed in UTF-8.")
	m.section("FILES")
	m.item("$XDG_CONFIG_HOME/ehlo/config.toml", "Settings, a key for each flag: port = 587. A [profile.NAME] has settings for --profile NAME. "+
		"Without XDG_CONFIG_HOME it is ~/.config/ehlo/config.toml. The keys are: "+strings.Join(configKeys(), ", ")+".")
	m.section("EXAMPLES")
	for _, c := range visible() {
		for _, e := range c.examples {
			m.item(e.line, strings.ToUpper(e.about[:1])+e.about[1:]+".")
		}
	}
	m.section("SEE ALSO")
	m.text("RFC 5321 (SMTP), RFC 3207 (STARTTLS), RFC 2920 (PIPELINING), RFC 3030 (CHUNKING)")
	return m.String()
}

// roff writes man(7) macros.
type roff struct{ strings.Builder }

func (m *roff) section(title string) { m.WriteString(".SH " + title + "\n") }

func (m *roff) text(text string) { m.WriteString(roffText(text) + "\n") }

// item is a paragraph under a bold label.
func (m *roff) item(label, text string) {
	m.WriteString(".TP\n\\fB" + strings.TrimPrefix(roffText(label), `\&`) + "\\fR\n" + roffText(text) + "\n")
}

// flags are all flags by group, each with the commands that have it.
func (m *roff) flags() {
	for _, group := range groups() {
		fmt.Fprintf(m, ".SS %q\n", strings.ToUpper(group[:1])+group[1:])
		for i := range flagTable {
			f := &flagTable[i]
			if f.group != group {
				continue
			}
			text := f.purpose() + "."
			if def := f.standards(); def != "" {
				text += " Default: " + def + "."
			}
			if f.kind == isList {
				text += " Repeatable."
			}
			if group != "help" {
				text += " For " + strings.Join(commandsWith(f), ", ") + "."
			}
			m.item(strings.TrimSpace(spelt(f)), text)
		}
	}
}

// standards is f's default, with the commands that have another.
func (f *flag) standards() string {
	if f.kind == isBool || f.def == "" {
		return ""
	}
	all := []string{f.def}
	for _, c := range visible() {
		if def := c.standard(f); f.on(c) && def != f.def {
			all = append(all, c.name+": "+def)
		}
	}
	return strings.Join(slices.Compact(all), "; ")
}

// roffText is text that roff prints as it is: no escapes, no line that begins a
// request, hyphens that can be copied.
func roffText(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
