package dialog

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

func TestCommand(t *testing.T) {
	secret := transcript.NewSecret("AGEAaHVudGVyMg==")
	for _, test := range []struct {
		verb       string
		args       []any
		line, text string // on the wire, and as it is shown
		name       string // Verb
		subject    string
	}{
		{"QUIT", nil, "QUIT", "QUIT", "QUIT", "QUIT"},
		{"ehlo", []any{"c.test"}, "ehlo c.test", "ehlo c.test", "EHLO", "EHLO"},
		{"MAIL", []any{"FROM:<>", "SIZE=3"}, "MAIL FROM:<> SIZE=3", "MAIL FROM:<> SIZE=3", "MAIL", "MAIL"},
		{"RCPT", []any{"TO:<b@x.test>", "NOTIFY=NEVER"}, "RCPT TO:<b@x.test> NOTIFY=NEVER", "RCPT TO:<b@x.test> NOTIFY=NEVER", "RCPT", "RCPT b@x.test"},
		{"RCPT", []any{"nobody"}, "RCPT nobody", "RCPT nobody", "RCPT", "RCPT"},
		{"AUTH", []any{"PLAIN", secret}, "AUTH PLAIN AGEAaHVudGVyMg==", "AUTH PLAIN [hidden]", "AUTH", "AUTH"},
		{"help mail from", nil, "help mail from", "help mail from", "HELP", "HELP"},
		{"VRFY", []any{"grüße"}, "VRFY grüße", "VRFY grüße", "VRFY", "VRFY"},
	} {
		c, err := NewCommand(test.verb, test.args...)
		if err != nil {
			t.Errorf("%q: %v", test.verb, err)
			continue
		}
		if c.line() != test.line || c.String() != test.text || c.Verb() != test.name || c.subject() != test.subject || c.IsZero() {
			t.Errorf("%q, %q, %q, %q; want %q, %q, %q, %q", c.line(), c, c.Verb(), c.subject(), test.line, test.text, test.name, test.subject)
		}
	}
	if c := (Command{}); c.Verb() != "" || c.String() != "" || !c.IsZero() {
		t.Errorf("no command is %q", c)
	}
}

func TestCommandRefuses(t *testing.T) {
	secret := transcript.NewSecret
	for _, test := range []struct {
		parts []any
		want  string
	}{
		{[]any{"RCPT\r\nDATA"}, "RCPT holds a CR"},
		{[]any{"RCPT", "TO:<a>\r\nDATA"}, "RCPT holds a CR"},
		{[]any{"RCPT", "TO:<a>\nDATA"}, "RCPT holds an LF"},
		{[]any{"RCPT", "TO:<a>", "X=\x00"}, "RCPT holds a NUL"},
		{[]any{"AUTH", "PLAIN", secret("hunter\r\n2")}, "AUTH holds a CR"},
		{[]any{"AUTH", secret("hunter\n2")}, "AUTH holds an LF"},
		{[]any{"AUTH", secret("hunter\x002")}, "AUTH holds a NUL"},
		{[]any{""}, "an empty line is no command"},
		{[]any{"  ", "x"}, "an empty line is no command"},
		{[]any{"NOOP", 5}, "not of int"},
		{[]any{"NOOP", strings.Repeat("x", maxCommand)}, "at most 8192"},
		{[]any{"AUTH", secret(strings.Repeat("hunter2", maxCommand))}, "at most 8192"},
	} {
		c, err := NewCommand(test.parts[0].(string), test.parts[1:]...)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q gives %v, want %q", test.parts, err, test.want)
			continue
		}
		if !c.IsZero() || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%q gives %q, %v", test.parts, c.line(), err)
		}
	}
}

// TestSecretCommand: no way of printing a command, or what holds one, opens its secret.
func TestSecretCommand(t *testing.T) {
	c, err := NewCommand("AUTH", "PLAIN", transcript.NewSecret("hunter2"))
	if err != nil {
		t.Fatal(err)
	}
	refusal := &Refusal{Command: c, Reply: &Reply{Code: 535, Raw: []byte("535 no\r\n")}}
	for _, value := range []any{c, &c, Step{Command: c}, []Command{c}, refusal, &Error{PhaseAuth, refusal}, Turn{Step: Step{Command: c}}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%p"} {
			if got := fmt.Sprintf(verb, value); strings.Contains(got, "hunter2") || strings.Contains(got, "68756e74657232") {
				t.Errorf("%s of %T: %s", verb, value, got)
			}
		}
		if got, _ := json.Marshal(value); strings.Contains(string(got), "hunter2") {
			t.Errorf("JSON of %T: %s", value, got)
		}
	}
}

func TestEnhancedCode(t *testing.T) {
	for _, test := range []struct{ text, code, rest string }{
		{"5.1.1 no such user", "5.1.1", "no such user"},
		{"2.0.0", "2.0.0", ""},
		{"2.0.0 ", "2.0.0", ""},
		{"4.7.999 x", "4.7.999", "x"},
		{"5.999.999", "5.999.999", ""},
		{"5.7.26  two spaces", "5.7.26", " two spaces"},
		{"", "", ""},
		{"no such user", "", "no such user"},
		{"3.0.0 x", "", "3.0.0 x"},
		{"1.0.0 x", "", "1.0.0 x"},
		{"5.1 x", "", "5.1 x"},
		{"5.1.1.1 x", "", "5.1.1.1 x"},
		{"5.1.1: x", "", "5.1.1: x"},
		{"5.1.1000 x", "", "5.1.1000 x"},
		{"5.01.1 x", "", "5.01.1 x"},
		{"05.1.1 x", "", "05.1.1 x"},
		{"5..1 x", "", "5..1 x"},
		{"5.1. x", "", "5.1. x"},
		{"5.1.١ x", "", "5.1.١ x"},
		{" 5.1.1 x", "", " 5.1.1 x"},
		{"#5.1.1 x", "", "#5.1.1 x"},
		{"192.0.2 x", "", "192.0.2 x"},
	} {
		code, rest, ok := cutEnhanced(test.text)
		if ok != (test.code != "") || ok && code.String() != test.code || code.IsZero() == ok || rest != test.rest {
			t.Errorf("%q: %s, %q, %v", test.text, code, rest, ok)
		}
	}
}

func TestReplyText(t *testing.T) {
	for _, test := range []struct{ raw, codes, text, whole string }{
		{"250 ok\r\n", "250", "ok", "250 ok"},
		{"250\r\n", "250", "", "250"},
		{"250 \r\n", "250", "", "250"},
		{"550 5.1.1 no\r\n", "550 5.1.1", "no", "550 5.1.1 no"},
		{"550-5.7.26 not\r\n550-5.7.26 authenticated\r\n550 5.7.26 x\r\n", "550 5.7.26", "not authenticated x", "550 5.7.26 not authenticated x"},
		{"550-5.7.26 not\r\n550 5.7.1 same\r\n", "550 5.7.26", "not 5.7.1 same", "550 5.7.26 not 5.7.1 same"},
		{"250 5.1.1 odd\r\n", "250", "5.1.1 odd", "250 5.1.1 odd"},
		{"354 5.1.1 odd\r\n", "354", "5.1.1 odd", "354 5.1.1 odd"},
		{"250-a\n250-\n250 b\n", "250", "a  b", "250 a  b"},
	} {
		r, err := newReplyReader(strings.NewReader(test.raw)).next()
		if err != nil {
			t.Errorf("%q: %v", test.raw, err)
			continue
		}
		if r.Codes() != test.codes || r.Text() != test.text || r.String() != test.whole {
			t.Errorf("%q: %q, %q, %q", test.raw, r.Codes(), r.Text(), r.String())
		}
	}
}

func TestReplyJSON(t *testing.T) {
	r := &Reply{Code: 550, Enhanced: EnhancedCode{5, 1, 1}, Raw: []byte("550-5.1.1 a\r\n550 5.1.1 \xff\r\n"), Took: 1234567}
	got, err := json.Marshal(r)
	const want = `{"code":550,"enhanced":"5.1.1","lines":["5.1.1 a","5.1.1 \ufffd"],"raw_base64":"NTUwLTUuMS4xIGENCjU1MCA1LjEuMSD/DQo=","took_ms":1.23}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestWords(t *testing.T) {
	for p := PhaseConnect; p <= PhaseQuit; p++ {
		if got, err := ParsePhase(p.String()); got != p || err != nil {
			t.Errorf("%v is read as %v, %v", p, got, err)
		}
	}
	if _, err := ParsePhase("banner"); err == nil || Phase(-1).String() != "phase -1" || Phase(11).String() != "phase 11" {
		t.Error("a phase that is none has a name")
	}
	for o, final := range map[Outcome]bool{Undecided: false, Accepted: true, Deferred: false, Refused: true, Unknown: true} {
		if o.Final() != final {
			t.Errorf("%v is final: %v", o, o.Final())
		}
	}
	if Outcome(9).String() != "outcome 9" {
		t.Error("an outcome that is none has a name")
	}
}
