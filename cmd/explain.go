package cmd

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/explain"
	"github.com/ehlo-mail/ehlo/dialog/sasl"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// runExplain says what replies, codes and keywords mean: those of the command line,
// or those in what stands on standard input.
func runExplain(ctx context.Context, r *run) (exit, error) {
	start := time.Now()
	result := explainResult{Schema: "ehlo.explain/1", quiet: r.Bool("quiet")}
	if len(r.args) > 0 && !slices.Equal(r.args, []string{"-"}) {
		result.asked(r.args, r.String("phase"))
	} else {
		if len(r.args) == 0 && r.InTerminal {
			return exit{Status: StatusUsage}, &usageError{msg: "explain needs a reply, a code or a keyword, or a transcript on standard input", next: r.next}
		}
		text, err := within(ctx, func() ([]byte, error) { return readAll(r.In, "standard input") })
		if err != nil {
			return exit{}, r.unfit(err)
		}
		result.read(string(text), r.String("phase"))
	}
	if len(result.Answers) == 0 {
		return exit{Status: StatusUsage}, r.unexplained()
	}
	result.OK = true
	result.verdict = verdict{Status: StatusDone, Outcome: endingOf(StatusDone).word, Sentence: result.summary()}
	result.TookMS = transcript.Millis(time.Since(start))
	return exit{Status: StatusDone}, r.conclude(result)
}

// asked explains the words of a command line: each of them, if each is a code or a
// keyword, else all of them as one text.
func (x *explainResult) asked(words []string, phase string) {
	line := strings.Join(words, " ")
	words = strings.Fields(line)
	var all []explanation
	for _, word := range words {
		m, ok := wordMeaning(word, phase)
		if !ok || len(words) > 1 && m.Kind == ofReply && m.Title == "" && m.Code < 200 { // the 100 of "SIZE 100"
			break
		}
		if len(all) > 0 && all[0].Kind == ofReply && m.Kind != ofReply && m.Kind != ofStatus { // "250 OK" is a reply
			break
		}
		all = append(all, m)
	}
	switch paired := len(all) == 2 && all[0].Kind == ofReply && all[1].Kind == ofStatus; {
	case paired && len(words) == 2: // "550 5.1.1"
		x.Answers = []explanation{replyMeaning(explain.Found{Code: all[0].Code, Enhanced: all[1].Enhanced}, phase)}
	case len(words) > 0 && len(all) == len(words):
		x.Answers = all
	case len(all) > 0 && all[0].Kind == ofKeyword && strings.ToUpper(line) == line: // "SIZE 10485760"
		x.Answers = all[:1]
	default:
		x.read(line, phase)
	}
}

// read explains the replies in a text: the refusals, or the one that there is.
func (x *explainResult) read(text, phase string) {
	found := explain.Find(text)
	x.Replies = len(found)
	refused := slices.DeleteFunc(slices.Clone(found), func(f explain.Found) bool { return !f.Negative() })
	if len(refused) == 0 && len(found) == 1 {
		refused = found
	}
	several := strings.Contains(strings.TrimSpace(text), "\n")
	for _, f := range refused {
		m := replyMeaning(f, phase)
		if several {
			m.Line, m.Times = f.Line, f.Times
		}
		x.Answers = append(x.Answers, m)
	}
	text = strings.TrimSpace(text)
	if len(found) > 0 || text == "" || several {
		return
	}
	if m, ok := wordMeaning(text, phase); ok {
		x.Answers = []explanation{m}
	} else if e, ok := explain.Text([]string{text}); ok {
		m := explanation{Kind: ofText, Subject: wordsAlone}
		m.take(e)
		x.Answers = []explanation{m}
	}
}

// The kinds of what can be explained.
const (
	ofReply     = "reply"
	ofStatus    = "status"
	ofText      = "text"
	ofKeyword   = "keyword"
	ofParameter = "parameter"
	ofMechanism = "mechanism"
)

// wordsAlone is the subject of a text.
const wordsAlone = "a text without a code"

// wordMeaning explains a code, an enhanced code, an EHLO keyword, a parameter of MAIL
// or RCPT, or an AUTH mechanism.
func wordMeaning(word, phase string) (explanation, bool) {
	if code, err := strconv.ParseUint(word, 10, 16); err == nil && len(word) == 3 {
		return replyMeaning(explain.Found{Code: int(code)}, phase), true
	}
	if e, ok := explain.Status(word); ok {
		m := explanation{Kind: ofStatus, Subject: strings.ToUpper(word), Enhanced: strings.ToUpper(word), titled: strings.ToUpper(word)}
		_, m.Title, m.Defined = explain.Title(0, strings.ToUpper(word))
		m.take(e)
		return m, true
	}
	if e, ok := dialog.LookupExtension(word); ok {
		return extensionMeaning(e), true
	}
	if mechanism, ok := sasl.Find(word); ok {
		return mechanismMeaning(mechanism), true
	}
	return parameterMeaning(word)
}

// replyMeaning explains a reply; the phase is that of a reply that tells none.
func replyMeaning(f explain.Found, phase string) explanation {
	if f.Phase == "" {
		f.Phase = phase
	}
	m := explanation{Kind: ofReply, Phase: f.Phase, Code: f.Code, Enhanced: f.Enhanced, Text: f.Lines, Recipient: f.Recipient}
	m.Subject = f.Enhanced
	switch {
	case f.Code == 0 && f.Enhanced == "":
		m.Kind, m.Subject = ofText, wordsAlone
	case f.Code == 0:
		m.Kind = ofStatus
	default:
		m.Subject = strings.TrimSpace(strconv.Itoa(f.Code) + " " + f.Enhanced)
	}
	m.titled, m.Title, m.Defined = explain.Title(f.Code, f.Enhanced)
	m.take(f.Explain())
	if after, ok := explain.RetryAfter(strings.Join(f.Lines, " ")); ok && m.Retry {
		m.RetryAfter = int(after / time.Second)
	}
	if domain := f.Recipient[strings.LastIndexByte(f.Recipient, '@')+1:]; domain != "" && shellWord(f.Recipient) == f.Recipient && f.Recipient[0] != '-' {
		m.Next = strings.NewReplacer("ADDRESS", f.Recipient, "DOMAIN", domain).Replace(m.Next)
	}
	m.Next = strings.ReplaceAll(m.Next, "SENDER", "DOMAIN")
	return m
}

func extensionMeaning(e dialog.Extension) explanation {
	m := explanation{Kind: ofKeyword, Subject: e.Keyword, Means: e.About, Source: e.RFC}
	if e.Status != "current" {
		m.Status = e.Status
	}
	for _, p := range e.Mail {
		m.Allows = append(m.Allows, "MAIL "+p)
	}
	for _, p := range e.Rcpt {
		m.Allows = append(m.Allows, "RCPT "+p)
	}
	m.Next = "ehlo probe TARGET   # whether a server offers it"
	return m
}

func mechanismMeaning(s sasl.Mechanism) explanation {
	m := explanation{Kind: ofMechanism, Subject: s.Name, Means: s.About, Source: s.RFC, Next: "ehlo probe TARGET   # whether a server offers it"}
	switch s.Needs {
	case sasl.NeedPassword:
		m.Needs = "a password"
	case sasl.NeedToken:
		m.Needs = "a token"
	case sasl.NeedCertificate:
		m.Needs = "a client certificate"
	}
	if s.Bares {
		m.Likely = "without TLS, everybody on the path learns the secret"
	}
	return m
}

// parameterMeaning explains a parameter of MAIL or RCPT, "BODY=8BITMIME".
func parameterMeaning(word string) (explanation, bool) {
	name, _, _ := strings.Cut(strings.ToUpper(word), "=")
	for _, e := range dialog.Extensions {
		for _, with := range []struct {
			command string
			params  []string
		}{{"MAIL", e.Mail}, {"RCPT", e.Rcpt}} {
			if slices.Contains(with.params, name) {
				m := extensionMeaning(e)
				m.Kind, m.Subject, m.Allows = ofParameter, name, nil
				m.Command = with.command
				m.Means = fmt.Sprintf("%s brings it: %s", e.Keyword, e.About)
				m.Next = "ehlo probe TARGET   # whether a server offers " + e.Keyword
				return m, true
			}
		}
	}
	return explanation{}, false
}

// unexplained says that nothing of what was asked is known, and what is nearest.
func (r *run) unexplained() error {
	if len(r.args) == 0 || slices.Equal(r.args, []string{"-"}) {
		return &usageError{msg: "standard input holds no refusal, code or keyword that explain knows", next: r.next}
	}
	word := strings.ToUpper(strings.Join(r.args, " "))
	var known []string
	for _, e := range dialog.Extensions {
		known = append(known, e.Keyword)
		known = append(known, e.Mail...)
		known = append(known, e.Rcpt...)
	}
	for _, s := range sasl.Mechanisms() {
		known = append(known, s.Name)
	}
	e := &usageError{msg: "explain knows nothing of " + quote(strings.Join(r.args, " ")), next: r.next}
	if near := nearest(word, known); near != "" {
		e.likely = "ehlo explain " + near
	}
	return e
}
