package cmd

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/ehlo-mail/ehlo/mime"
)

// addresses are the envelope and what the header has of it.
func (r *run) addresses() (*letter, error) {
	l := &letter{}
	var err error
	if from := r.String("from"); r.Set("from") {
		if l.from, err = mime.ParseReversePath(from); err != nil {
			return nil, fmt.Errorf("--from: %w", err)
		}
	} else {
		l.from = r.sender()
	}
	once := map[string]bool{}
	for _, f := range []struct {
		name string
		list *[]mime.Mailbox
	}{{"to", &l.to}, {"cc", &l.cc}, {"bcc", &l.bcc}} {
		if *f.list, err = r.mailboxes(f.name); err != nil {
			return nil, err
		}
		for _, m := range *f.list {
			if path := m.Path(); !once[path] {
				once[path] = true
				l.all = append(l.all, m)
			}
		}
	}
	if len(l.all) == 0 && !(r.command.name == "message" && r.Set("data")) { // which has no envelope
		return nil, fmt.Errorf("%s needs a recipient: --to MAILBOX", strings.TrimSuffix(r.command.name+" "+strings.Join(r.args, " "), " "))
	}
	return l, nil
}

// sender is the default sender: this user at this host.
func (r *run) sender() mime.Mailbox {
	if r.Bool("sandbox") {
		return mime.Mailbox{Local: "sender", Domain: "client.test"}
	}
	user := "postmaster"
	for _, name := range []string{"USER", "LOGNAME", "USERNAME"} {
		if u := r.Getenv(name); u != "" {
			user = u
			break
		}
	}
	host := r.fqdn()
	if host == "" {
		host = ownAddress()
	}
	m, err := mime.ParseMailbox(user + "@" + host)
	if err != nil {
		return mime.Mailbox{Local: "postmaster", Domain: host}
	}
	return m
}

// mailboxes reads a flag of addresses: lists, or @FILE with lists on its lines,
// between blank ones and # comments.
func (r *run) mailboxes(name string) ([]mime.Mailbox, error) {
	var all []mime.Mailbox
	for _, value := range r.Strings(name) {
		path, file := strings.CutPrefix(value, "@")
		if !file {
			list, err := mime.ParseList(value)
			if err != nil {
				return nil, fmt.Errorf("--%s: %w", name, err)
			}
			all = append(all, list...)
			continue
		}
		text, err := r.read(path)
		if err != nil {
			return nil, fmt.Errorf("--%s: %w", name, plainFileError(err))
		}
		text = bytes.TrimPrefix(text, []byte("\ufeff")) // which some editors put before UTF-8
		number := 0
		for line := range bytes.Lines(text) {
			number++
			line = bytes.TrimSpace(line)
			if len(line) == 0 || line[0] == '#' {
				continue
			}
			list, err := mime.ParseList(string(line))
			if err != nil {
				return nil, fmt.Errorf("--%s: %s:%d: %w", name, path, number, err)
			}
			all = append(all, list...)
		}
	}
	return all, nil
}
