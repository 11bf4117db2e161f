package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/sandbox"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// sandboxResult is the document of sandbox.
type sandboxResult struct {
	Schema string `json:"schema"` // "ehlo.sandbox/1"
	OK     bool   `json:"ok"`
	verdict
	domains
	Messages int `json:"messages"` // that arrived
}

// Kind is that of a result.
func (sandboxResult) Kind() string { return transcript.ResultKind }

// Lines is nothing: the table was shown, and each message.
func (sandboxResult) Lines() []transcript.Line { return nil }

// domains is the table of the sandbox's domains.
type domains struct {
	DNS   string          `json:"dns,omitempty"`
	SOCKS string          `json:"socks,omitempty"`
	List  []sandboxDomain `json:"domains"`
	Ports []sandboxPort   `json:"ports,omitempty"` // by --smtp-listen
	lines []transcript.Line
}

// sandboxPort is where one server of the sandbox listens.
type sandboxPort struct {
	Domain string `json:"domain"`
	Host   string `json:"host"`
	Port   uint16 `json:"port"` // that it plays
	TLS    bool   `json:"tls"`  // from the first byte on
	Addr   string `json:"address"`
}

type sandboxDomain struct {
	Domain string   `json:"domain"`
	About  string   `json:"about"`
	Expect string   `json:"expect"` // of a correct client
	Hosts  []string `json:"hosts"`  // a name and its addresses
}

// Kind is that of a report.
func (domains) Kind() string { return transcript.ReportKind }

// Lines is the table, and how to reach it.
func (d domains) Lines() []transcript.Line {
	lines := []transcript.Line{{Mark: transcript.RowHead, Cells: []string{"DOMAIN", "WHAT IT DOES"}}}
	for _, row := range d.List {
		lines = append(lines, transcript.Line{Mark: transcript.Row, Cells: []string{row.Domain, row.About}})
	}
	if len(d.Ports) > 0 {
		lines = append(lines, transcript.Line{Mark: transcript.Blank}, transcript.Line{Mark: transcript.RowHead, Cells: []string{"SERVER", "LISTENS AT"}})
	}
	for _, p := range d.Ports {
		at := p.Addr
		if p.TLS {
			at += " (TLS)"
		}
		lines = append(lines, transcript.Line{Mark: transcript.Row, Cells: []string{fmt.Sprintf("%s:%d", p.Host, p.Port), at}})
	}
	return append(lines, d.lines...)
}

// arrived is a message that a server of the sandbox took.
type arrived struct {
	sandbox.Received
	data []string
}

// Kind is "arrived".
func (arrived) Kind() string { return "arrived" }

// Lines is one line, and the message as far as it is to be shown.
func (a arrived) Lines() []transcript.Line {
	text := fmt.Sprintf("%s took %d bytes from <%s> for %s · %s", a.Host, len(a.Data), a.From, strings.Join(a.recipients(), ", "), a.Protocol)
	lines := []transcript.Line{{Mark: transcript.Phase, Label: "message", Text: text}}
	for _, line := range a.data {
		lines = append(lines, transcript.Line{Mark: transcript.Data, Text: line})
	}
	return lines
}

// MarshalJSON gives the queue id, the envelope and the size.
func (a arrived) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		ID    string   `json:"id"`
		Host  string   `json:"host"`
		From  string   `json:"from"`
		To    []string `json:"to"`
		Proto string   `json:"protocol"` // RFC 3848
		Bytes int      `json:"bytes"`
		Data  []string `json:"data,omitempty"`
	}{a.ID, a.Host, a.From, a.recipients(), a.Protocol, len(a.Data), a.data})
}

func (a arrived) recipients() []string {
	var list []string
	for _, to := range a.To {
		list = append(list, to.Address)
	}
	return list
}

func runSandbox(ctx context.Context, r *run) (exit, error) {
	stream, finish, err := r.output(nil)
	if err != nil {
		return exit{Status: StatusUsage}, err
	}
	var d domains
	for _, row := range sandbox.Table() {
		if row.Hosts == nil {
			row.Hosts = []string{} // never null in JSON
		}
		d.List = append(d.List, sandboxDomain(row))
	}
	if r.Bool("list") {
		stream.Emit(d)
		stream.Emit(d.result(transcript.Count(len(d.List), "domain"), 0))
		return exit{}, finish()
	}
	messages := 0
	show := showData(r.String("show-data"))
	world, err := sandbox.Start(context.WithoutCancel(ctx), sandbox.Options{
		Now: r.clock(), DNSAddr: r.String("dns-listen"), SOCKSAddr: r.String("socks-listen"), Ports: r.String("smtp-listen"),
		Maildir: r.String("maildir"),
		Received: func(m sandbox.Received) {
			messages++
			stream.Emit(arrived{m, shownLines(m.Data, show)})
		},
	})
	if err != nil {
		return exit{Status: StatusUsage}, &usageError{msg: err.Error(), next: r.next}
	}
	d.DNS, d.SOCKS = world.DNS(), world.SOCKS()
	for _, p := range world.Ports() {
		d.Ports = append(d.Ports, sandboxPort(p))
	}
	next := fmt.Sprintf("ehlo send --dns-server %s --via socks5://%s --to alice@starttls.test", d.DNS, d.SOCKS)
	if file := r.String("ca-file"); file != "" {
		if err := os.WriteFile(file, world.CAPEM(), 0o644); err != nil {
			_ = world.Close()
			return exit{Status: StatusUsage}, &usageError{msg: "--ca-file: " + plainFileError(err).Error(), next: r.next}
		}
		next += " --tls-verify --tls-ca-path " + shellWord(file)
	}
	d.lines = []transcript.Line{
		{Mark: transcript.Blank},
		{Mark: transcript.Labelled, Label: "dns", Text: d.DNS},
		{Mark: transcript.Labelled, Label: "socks", Text: d.SOCKS},
		{Mark: transcript.Labelled, Label: "next", Text: next},
		{Mark: transcript.Blank},
	}
	stream.Emit(d)
	<-ctx.Done()
	err = world.Close()
	stream.Emit(d.result(transcript.Count(messages, "message"), messages))
	return exit{}, errors.Join(finish(), err)
}

func (d domains) result(summary string, messages int) sandboxResult {
	v := verdict{Status: StatusDone, Outcome: endingOf(StatusDone).word, Sentence: summary}
	return sandboxResult{Schema: "ehlo.sandbox/1", OK: true, verdict: v, domains: d, Messages: messages}
}

// shownLines are the lines of a message that --show-data asks for.
func shownLines(data []byte, show dialog.ShowData) []string {
	text := string(data)
	switch show {
	case dialog.ShowNone:
		return nil
	case dialog.ShowHeaders:
		text, _, _ = strings.Cut(text, "\r\n\r\n")
	}
	return strings.Split(strings.TrimSuffix(text, "\r\n"), "\r\n")
}
