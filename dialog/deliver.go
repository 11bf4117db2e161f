package dialog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Deliver hands over messages to the server called hop, and decides the outcome
// of every recipient that is left. Refusals are outcomes, not errors; an error
// says why the conversation broke, even then with what was decided before.
//
// Where PIPELINING is offered the envelope leaves in one group and the message
// in another, with QUIT behind it (RFC 2920); where CHUNKING is, the message
// travels by BDAT (RFC 3030), in the envelope's group if it is small. A server
// that declares LIMITS (RFC 9422) gets as many transactions as these ask for. If
// they are too many for one connection, Report.Full says that another is needed:
// the same stage, done again there, goes on where it was.
func Deliver(hop string, messages ...*Delivery) Stage {
	had := map[*Recipient]bool{} // who was asked for on an earlier connection
	return Stage{Do: func(ctx context.Context, s *Session) error {
		if err := s.halt(PhaseMail); err != nil {
			return err
		}
		all, rest := s.limits().share(messages, had)
		s.Report.Full = rest
		for i := range all {
			d := &all[i]
			d.hop, d.last = hop, i == len(all)-1
			if d.Pause > 0 && (i > 0 || len(had) > 0) {
				if err := s.pause(ctx, d.Pause); err != nil {
					return err
				}
			}
			if i > 0 {
				if err := s.forward(ctx); err != nil {
					return err
				}
			}
			if err := s.transact(ctx, d); err != nil {
				if OutOfStep(err) {
					doubt(all[:i+1])
				}
				return err
			}
		}
		if rest {
			for _, d := range all {
				for _, i := range d.batch {
					had[&d.To[i]] = true
				}
			}
		}
		return nil
	}}
}

// pause waits, unless ctx ends first.
func (s *Session) pause(ctx context.Context, d time.Duration) error {
	if s.Waiting != nil {
		s.Waiting(Waiting{For: "the next message", Limit: d})
	}
	s.conn.listen() // a goodbye is shown when it comes
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return &Error{PhaseMail, context.Cause(ctx)}
	}
}

// transaction is one MAIL with its recipients and its message.
type transaction struct {
	*Delivery
	hop    string
	batch  []int // of To
	last   bool  // QUIT follows
	inStep bool  // its DATA was answered with 354: until then no reply was one too many
}

// doubt takes back what was settled of messages before the last of all, where
// replies turned out to be out of step there: a 250 that was one too many can have
// stood for the refusal that came as the reply to the next MAIL. A 354 in its place
// vouches for all before it.
func doubt(all []transaction) {
	for i := len(all) - 1; i > 0 && !all[i].inStep; i-- {
		for _, n := range all[i-1].batch {
			if to := &all[i-1].To[n]; to.Outcome == Accepted {
				to.Outcome = Unknown
			}
		}
	}
}

// transact does one transaction.
func (s *Session) transact(ctx context.Context, d *transaction) error {
	if s.excludes(d); len(d.batch) == 0 {
		return nil
	}
	content, err := s.choose(d.Delivery)
	if err != nil {
		err = &Error{PhaseMail, err}
		s.lament(err)
		return err
	}
	source, err := s.open(ctx, content)
	if err != nil {
		return &Error{PhaseMail, err}
	}
	defer source.Close()
	steps, err := s.envelope(d, content)
	if err != nil {
		return &Error{PhaseMail, err}
	}
	s.announce(content, len(d.batch))
	s.oneForAll(d)
	body := &message{source: source, size: content.Size(), show: s.ShowData, writing: s.Writing}
	if s.chunks() {
		steps, err = s.chunk(steps, body, d)
	} else {
		steps, err = s.data(steps, body, d)
	}
	if err != nil {
		return &Error{PhaseMail, err}
	}
	if d.last {
		quit := quitStep()
		quit.Waits = !s.pipelines()
		steps = append(steps, quit)
	}
	turns, err := s.Exchange(ctx, steps...)
	farewell := Unsent
	if d.last {
		farewell = turns[len(turns)-1].State
		s.quit = farewell > Unsent
	}
	s.pending = Pending(turns)
	if data := Answer(turns, PhaseData); data != nil {
		d.inStep = data.Intermediate()
	}
	doubt := Doubts(turns, err)
	odd := d.settle(turns, d.batch, d.hop, doubt)
	var failed *Error
	if errors.As(err, &failed) && failed.Phase == PhaseQuit && doubt == DoubtNothing {
		err = nil // how the farewell went changes nothing
	}
	if err == nil {
		err = odd
	}
	return err
}

// excludes refuses the recipients of d whose addresses are not ASCII where the server
// does not offer SMTPUTF8 (RFC 6531 section 3.1), if the others can do without it.
func (s *Session) excludes(d *transaction) {
	_, offered := s.Offers("SMTPUTF8")
	others := slices.ContainsFunc(d.To, func(to Recipient) bool { return isASCII(to.Address) })
	if offered || s.Undeclared || !others || !isASCII(d.From) {
		return
	}
	var left []int
	for _, i := range d.batch {
		to := &d.To[i]
		if isASCII(to.Address) {
			left = append(left, i)
			continue
		}
		to.Outcome, to.Phase, to.Hop = Refused, PhaseRcpt, d.hop
		to.Err = &Error{PhaseRcpt, &UnmetError{Keyword: "SMTPUTF8", Address: true, Reason: "the address is not ASCII, and the server does not offer SMTPUTF8 (RFC 6531)"}}
		s.Stream.Emit(Finding{Fail: true, Text: to.Address + " is not sent to: it is not ASCII, and the server does not offer SMTPUTF8 (RFC 6531)"})
	}
	d.batch = left
}

// choose takes the first content whose needs are met, or says what is missing.
func (s *Session) choose(d *Delivery) (Content, error) {
	if _, offered := s.Offers("PIPELINING"); s.Pipelining == Required && !offered {
		return nil, &UnmetError{Keyword: "PIPELINING", Reason: "--pipeline was asked for, and the server does not offer PIPELINING"}
	}
	if _, offered := s.Offers("CHUNKING"); s.Chunking == Required && !offered {
		return nil, &UnmetError{Keyword: "CHUNKING", Reason: "CHUNKING was asked for, and the server does not offer it"}
	}
	if _, offered := s.Offers("SMTPUTF8"); !d.isASCII() && !offered && !s.Undeclared {
		return nil, &UnmetError{Keyword: "SMTPUTF8", Address: true, Reason: "an address is not ASCII, and the server does not offer SMTPUTF8 (RFC 6531)"}
	}
	if err := s.allows(d); err != nil {
		return nil, err
	}
	if len(d.Content) == 0 {
		return nil, &BodyError{errors.New("there is none")}
	}
	var first, last error
	for _, content := range d.Content {
		if last = s.takes(content); last == nil {
			return content, nil
		}
		if first == nil {
			first = last
		}
	}
	// The last form asks least: where it is too long, no other need matters.
	var unmet *UnmetError
	if errors.As(last, &unmet) && unmet.Keyword == "SIZE" {
		return nil, last
	}
	return nil, first
}

func (s *Session) takes(content Content) error {
	for _, keyword := range content.Needs() {
		if _, offered := s.Offers(keyword); !offered {
			return &UnmetError{Keyword: keyword, Reason: fmt.Sprintf("the message needs %s, which the server does not offer", keyword)}
		}
		// RFC 3030 section 3: only BDAT carries BINARYMIME.
		switch _, offered := s.Offers("CHUNKING"); {
		case keyword != "BINARYMIME":
		case !offered:
			return &UnmetError{Keyword: "BINARYMIME", Reason: "the message needs BINARYMIME, which the server offers without CHUNKING"}
		case s.Chunking == Never:
			return &UnmetError{Keyword: "CHUNKING", Reason: "the message needs BINARYMIME, which is for BDAT alone, and that is switched off"}
		}
	}
	offer, _ := s.Offers("SIZE")
	if len(offer.Params) == 0 {
		return nil
	}
	// RFC 1870 section 4: zero is no limit that the server knows of.
	if limit, err := strconv.ParseInt(offer.Params[0], 10, 64); err == nil && limit > 0 && content.Size() > limit {
		return &UnmetError{Keyword: "SIZE", Reason: fmt.Sprintf("the message has %d bytes and the server takes %d (SIZE)", content.Size(), limit)}
	}
	return nil
}

// envelope builds MAIL and a RCPT for every recipient of the transaction.
func (s *Session) envelope(d *transaction, content Content) (steps []Step, err error) {
	params := []any{"FROM:<" + d.From + ">"}
	add := func(param string) { // unless the user gave one of his own
		key, _, _ := strings.Cut(param, "=")
		if !slices.ContainsFunc(d.Mail, func(own Param) bool { return own.keyword() == key }) {
			params = append(params, param)
		}
	}
	if _, offered := s.Offers("SIZE"); offered {
		add("SIZE=" + strconv.FormatInt(content.Size(), 10))
	}
	for _, need := range content.Needs() {
		switch need {
		case "8BITMIME", "BINARYMIME":
			add("BODY=" + need)
		}
	}
	switch {
	case s.Undeclared:
		if !d.isASCII() {
			s.Stream.Emit(Finding{Text: "an address is not ASCII, and is sent without SMTPUTF8"})
		}
	case needsUTF8(d.Delivery, content):
		add("SMTPUTF8")
	}
	s.contradicts(d.Delivery, content)
	if s.asksEach(d) {
		add("PRDR")
	}
	mail, err := NewCommand("MAIL", append(params, texts(d.Mail)...)...)
	if err != nil {
		return nil, err
	}
	if s.pending {
		steps = append(steps, resetStep())
	}
	steps = append(steps, Step{Phase: PhaseMail, Command: mail, Waits: len(steps) == 0 || !s.pipelines()})
	for _, i := range d.batch {
		to := &d.To[i]
		rcpt, err := NewCommand("RCPT", append([]any{"TO:<" + to.Address + ">"}, texts(d.Rcpt, to.Params)...)...)
		if err != nil {
			return nil, err
		}
		steps = append(steps, Step{Phase: PhaseRcpt, Command: rcpt, Waits: !s.pipelines(), Unless: MailRefused})
	}
	return steps, nil
}

// resetStep ends a transaction that is open (RFC 5321 section 4.1.1.5).
func resetStep() Step {
	reset, _ := NewCommand("RSET")
	return Step{Phase: PhaseAsk, Command: reset, Waits: true}
}

func needsUTF8(d *Delivery, content Content) bool {
	return !d.isASCII() || slices.Contains(content.Needs(), "SMTPUTF8")
}

// isASCII reports whether the addresses that are left are.
func (d *Delivery) isASCII() bool {
	return isASCII(d.From) && !slices.ContainsFunc(d.To, func(to Recipient) bool {
		return !to.Outcome.Final() && !isASCII(to.Address)
	})
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return false
		}
	}
	return true
}

// data adds DATA and the message behind its 354. A 354 although no recipient
// was accepted is ended with nothing (RFC 2920 section 3.1).
func (s *Session) data(steps []Step, body *message, d *transaction) ([]Step, error) {
	data, err := NewCommand("DATA")
	if err != nil {
		return nil, err
	}
	return append(steps,
		Step{Phase: PhaseData, Command: data, Waits: !s.pipelines(), Unless: NoRecipient},
		Step{Phase: PhaseDot, Body: &dotted{body, s.Unstuffed}, Waits: true, More: s.more(d), prdr: s.asksEach(d), Unless: func(done []Turn) bool {
			return !Answer(done, PhaseData).Intermediate() || NoRecipient(done)
		}},
		Step{Phase: PhaseDot, Body: &dotted{message: &message{source: strings.NewReader("")}}, Unless: func(done []Turn) bool {
			return !Answer(done, PhaseData).Intermediate() || !NoRecipient(done)
		}},
	), nil
}

// chunk adds the message as one BDAT chunk, with the envelope if all of it fits
// into one write, else behind the replies to RCPT.
func (s *Session) chunk(steps []Step, body *message, d *transaction) ([]Step, error) {
	bdat, err := NewCommand("BDAT", strconv.FormatInt(body.size, 10), "LAST")
	if err != nil {
		return nil, err
	}
	size := body.size
	for _, step := range steps {
		size += int64(len(step.Command.line()) + 2)
	}
	waits := !s.pipelines() || size+64 > writeBuffer // 64: BDAT and QUIT
	return append(steps, Step{Phase: PhaseDot, Command: bdat, Body: body, Waits: waits, More: s.more(d), prdr: s.asksEach(d), Unless: NoRecipient}), nil
}

// chunks reports whether the message travels by BDAT. A stop behind DATA needs
// one to stop behind.
func (s *Session) chunks() bool {
	_, offered := s.Offers("CHUNKING")
	return offered && s.Chunking != Never && !s.Unstuffed && (s.Stop == nil || s.Stop.After != PhaseData)
}
