package cmd

import (
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// dump is the document of --dump: every setting of a command, its value and
// where it came from.
type dump struct {
	Schema     string        `json:"schema"`
	OK         bool          `json:"ok"`
	ExitStatus Status        `json:"exit_status"`
	Outcome    string        `json:"outcome"`
	Command    string        `json:"command"`
	Arguments  []string      `json:"arguments"`
	Settings   []dumpSetting `json:"settings"`
}

type dumpSetting struct {
	Name   string   `json:"name"`
	Values []string `json:"values"` // empty: not set, and no default
	From   string   `json:"from"`
}

// Kind makes it the event that ends the command.
func (d *dump) Kind() string { return transcript.ResultKind }

// Lines are its table, a row for every value.
func (d *dump) Lines() []transcript.Line {
	lines := []transcript.Line{{Mark: transcript.RowHead, Cells: []string{"SETTING", "FROM", "VALUE"}}}
	row := func(cells ...string) {
		lines = append(lines, transcript.Line{Mark: transcript.Row, Cells: cells})
	}
	for _, a := range d.Arguments {
		row("(argument)", "command line", a)
	}
	for _, s := range d.Settings {
		if len(s.Values) == 0 {
			row(s.Name, s.From, "-")
		}
		for _, v := range s.Values {
			row(s.Name, s.From, v)
		}
	}
	return lines
}

// runDump shows the settings and does nothing else.
func runDump(r *run) (exit, error) {
	stream, closed, err := r.output(nil)
	if err != nil {
		return exit{}, err
	}
	d := &dump{Schema: "ehlo.dump/1", OK: true, Outcome: endingOf(StatusDone).word, Command: r.command.name, Arguments: r.args, Settings: []dumpSetting{}}
	if d.Arguments == nil {
		d.Arguments = []string{}
	}
	for _, f := range flagsOf(r.command) {
		if r.values[f.name] == nil || f.name == "dump" {
			continue
		}
		values := []string{}
		for _, v := range r.Strings(f.name) {
			values = append(values, f.displayed(v))
		}
		d.Settings = append(d.Settings, dumpSetting{f.name, values, r.Source(f.name).Where})
	}
	stream.Emit(d)
	return exit{}, closed()
}
