package cmd

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/reach"
	"github.com/ehlo-mail/ehlo/mime"
)

// sending is one run of send.
type sending struct {
	*run
	*outlook
	*letter
	began   time.Time
	parts   []*part
	stopped bool

	interrupted bool // in the pause before another try
}

// part is the delivery to one target: the server that --server names, or the
// hosts of one domain.
type part struct {
	target reach.Target
	login  *dialog.Login      // nil: nobody logs in
	mail   []*dialog.Delivery // one for each message
	visits []reach.Visit
	err    error // why some recipients are undecided
}

func runSend(ctx context.Context, r *run) (exit, error) {
	ctx, cancel := r.limited(ctx)
	defer cancel()
	letter, err := r.letterIn(ctx)
	switch {
	case errors.As(err, new(*maxTimeError)):
		return exit{Status: StatusNoAnswer}, err
	case err != nil:
		return exit{}, err
	}
	defer letter.close()
	stop, err := r.stop()
	if err != nil {
		return exit{Status: StatusUsage}, err
	}
	s := &sending{run: r, letter: letter, began: time.Now()}
	if s.parts, err = s.divide(); err != nil {
		return exit{Status: StatusUsage}, err
	}
	for _, p := range s.parts {
		if p.login, err = r.loginAt(ctx, p.target); err != nil {
			return exit{}, err
		}
	}
	if s.outlook, err = r.open(ctx); err != nil {
		return exit{Status: StatusUsage}, err
	}
	s.Session.Stop = stop
	s.Session.XClient, s.Session.XForward = r.Strings("xclient"), r.Strings("xforward")
	s.Session.ShowData = showData(r.String("show-data"))
	breaks := r.malformed()
	s.Session.Unstuffed, s.Session.Undeclared = breaks&mime.BreachDots != 0, breaks&mime.BreachUTF8 != 0
	s.Session.Pipelining = use(r.String("pipeline"))
	if !r.Bool("chunking") {
		s.Session.Chunking = dialog.Never
	}
	s.published(ctx, s.keys)
	for _, name := range s.skipped {
		s.stream.Emit(dialog.Finding{Text: name + " is no file, and is not sent"})
	}
	s.deliver(ctx)
	result := s.result()
	s.stream.Emit(result)
	err = s.outlook.close()
	if err != nil { // then nobody has read what became of it
		err = fmt.Errorf("%w; the message: %s, %s", err, result.Outcome, result.Sentence)
	}
	return exit{Status: result.Status, Phase: result.Phase}, err
}

// divide groups the recipients by the target that their mail goes to.
func (s *sending) divide() ([]*part, error) {
	fixed, err := s.fixed()
	if err != nil {
		return nil, err
	}
	var parts []*part
	byKey := map[string]*part{}
	for _, to := range s.all {
		key := strings.ToLower(to.Domain)
		if fixed != nil {
			key = fixed.Text
		}
		if key == "" {
			return nil, &usageError{msg: fmt.Sprintf("--to %s: without a domain it needs --server", to.Path()), next: s.next}
		}
		if _, err := netip.ParseAddr(to.Domain); err == nil {
			return nil, &usageError{msg: fmt.Sprintf("--to %s: an address in place of a domain stands in brackets", to.Path()), next: s.next}
		}
		p := byKey[key]
		if p == nil {
			target := fixed
			if target == nil {
				own, err := s.target(key, false)
				if err != nil {
					return nil, err
				}
				target = &own
			}
			p = &part{target: *target}
			for i := range s.messages {
				d := &dialog.Delivery{
					From: s.from.Path(), Content: s.contents(i),
					Mail: s.mailParams(), Rcpt: s.rcptParams(), PRDR: s.Bool("prdr"),
				}
				if i > 0 {
					d.Pause = s.Duration("interval")
				}
				p.mail = append(p.mail, d)
			}
			byKey[key] = p
			parts = append(parts, p)
		}
		for _, d := range p.mail {
			d.To = append(d.To, dialog.Recipient{Address: to.Path(), Params: s.ownParams(to)})
		}
	}
	return parts, nil
}

// deliver tries every part, and again as long as --retry-for allows.
func (s *sending) deliver(ctx context.Context) {
	retry := newRetry(s.began, s.Duration("retry-for"))
	for {
		for i, p := range s.parts {
			if p.open() {
				s.try(ctx, i, p)
			}
		}
		if s.stopped || !s.worthwhile() || !retry.wait(ctx, s) {
			return
		}
	}
}

// open reports whether another try may do p good: for a recipient who is put off,
// or for all who are left if what ended the last try may be gone.
func (p *part) open() bool {
	if errors.As(p.err, new(*dialog.BodyError)) {
		return false // no server can help that
	}
	for _, d := range p.mail {
		for _, to := range d.To {
			if to.Outcome == dialog.Deferred || to.Outcome == dialog.Undecided && (p.err == nil || retriable(p.err)) {
				return true
			}
		}
	}
	return false
}

func (s *sending) worthwhile() bool {
	for _, p := range s.parts {
		if p.open() {
			return true
		}
	}
	return false
}

// try takes p to its target once.
func (s *sending) try(ctx context.Context, i int, p *part) {
	if len(s.parts) > 1 {
		s.stream.Emit(reach.Head{Name: p.target.Text, What: "target", Index: i + 1, Of: len(s.parts)})
		s.Session.Stream = s.stream.For(p.target.Text)
	}
	s.toward(s.run, p.target, p.login)
	hops, err := s.Hops(ctx, p.target)
	p.err = err
	if err != nil {
		return
	}
	p.visits = s.Deliver(ctx, hops, p.mail...)
	last := p.visits[len(p.visits)-1]
	p.err = last.Err
	s.stopped = s.stopped || last.Report.Stopped
}

// retriable reports whether what ended a try may be gone at the next one.
func retriable(err error) bool {
	switch v := judge(err, ""); v.Status {
	case StatusNoAnswer, StatusDeferred:
		return !errors.As(err, new(*maxTimeError))
	case StatusProtocol:
		return errors.As(err, new(*dialog.LostError))
	}
	return false
}

// stop is where --quit-after and its kin end the conversation.
func (r *run) stop() (*dialog.Stop, error) {
	for _, way := range []struct {
		flag string
		how  dialog.StopHow
	}{{"quit-after", dialog.StopQuit}, {"drop-after", dialog.StopDrop}, {"drop-after-send", dialog.StopUnread}} {
		if name := r.String(way.flag); name != "" {
			phase, err := dialog.ParsePhase(name)
			return &dialog.Stop{After: phase, How: way.how}, err
		}
	}
	return nil, nil
}

func use(setting string) dialog.Use {
	switch setting {
	case "true":
		return dialog.Required
	case "false":
		return dialog.Never
	}
	return dialog.IfOffered
}

func showData(word string) dialog.ShowData {
	for i, w := range dataShown {
		if w == word {
			return dialog.ShowData(i)
		}
	}
	return dialog.ShowNone
}
