package dialog

import (
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"
)

// both runs the same delivery in lockstep and pipelined.
func both(t *testing.T, to string, body Content, answers map[string]string, want string) (step, pipe string) {
	t.Helper()
	for _, use := range []Use{Never, IfOffered} {
		o := testOptions()
		o.Pipelining = use
		d := newDelivery(to, body)
		writes, s, err := converse(o, standard(d), answers)
		if got := verdict(d, s, err); got != unindent(want) {
			t.Errorf("pipelining %d: got\n%s\nwant\n%s", use, got, unindent(want))
		}
		if use == Never {
			step = strings.Join(writes, "")
		} else {
			pipe = strings.Join(writes, "")
		}
	}
	return step, pipe
}

func base(chunking bool) map[string]string {
	ehlo := "250-SIZE\r\n250 PIPELINING"
	if chunking {
		ehlo = "250-CHUNKING\r\n" + ehlo
	}
	ehlo = "250-x\r\n" + ehlo
	return map[string]string{"": "220 x", "EHLO": ehlo, "DATA": "354 go", "QUIT": "221 bye"}
}

// TestSameBytes: when every reply is positive the server hears the same either way.
func TestSameBytes(t *testing.T) {
	for _, n := range []int{1, 2, 50, 2000} {
		for _, size := range []int{0, 23, 100 << 10} {
			t.Run(fmt.Sprintf("%d recipients, %d bytes", n, size), func(t *testing.T) {
				var to, want []string
				for i := range n {
					to = append(to, fmt.Sprintf("r%d@x.test", i))
					want = append(want, fmt.Sprintf("r%d accepted dot 250", i))
				}
				body := text{body: strings.Repeat(".dotted\r\n", size/9)}
				step, pipe := both(t, strings.Join(to, " "), body, base(false), strings.Join(want, "\n"))
				if step != pipe {
					t.Errorf("lockstep %d octets, pipelined %d", len(step), len(pipe))
				}
				if !strings.HasSuffix(step, "\r\n.\r\nQUIT\r\n") || strings.Count(step, "..dotted\r\n") != size/9 {
					t.Errorf("the text is not stuffed or not ended: %.100q", step)
				}
			})
		}
	}
}

// TestOneRefusal states for each single refusal what each way of talking writes:
// lockstep leaves out what became pointless, pipelining has sent it already.
func TestOneRefusal(t *testing.T) {
	const a, b = "RCPT TO:<a@x.test>", "RCPT TO:<b@x.test>"
	for _, test := range []struct {
		name       string
		answers    map[string]string
		step, pipe string
		want       string
	}{
		{"MAIL", map[string]string{"MAIL": "550 no", "RCPT": "503 no", "DATA": "503 no"},
			"EHLO MAIL QUIT", "EHLO MAIL RCPT RCPT DATA QUIT", "a refused mail 550\nb refused mail 550"},
		{"MAIL, but DATA taken", map[string]string{"MAIL": "550 no", "RCPT": "503 no"},
			"EHLO MAIL QUIT", "EHLO MAIL RCPT RCPT DATA . QUIT", "a refused mail 550\nb refused mail 550"},
		{"first RCPT", map[string]string{a: "550 no"},
			"EHLO MAIL RCPT RCPT DATA text QUIT", "EHLO MAIL RCPT RCPT DATA text QUIT", "a refused rcpt 550\nb accepted dot 250"},
		{"second RCPT", map[string]string{b: "450 no"},
			"EHLO MAIL RCPT RCPT DATA text QUIT", "EHLO MAIL RCPT RCPT DATA text QUIT", "a accepted dot 250\nb deferred rcpt 450"},
		{"every RCPT", map[string]string{"RCPT": "550 no", "DATA": "554 nobody"},
			"EHLO MAIL RCPT RCPT QUIT", "EHLO MAIL RCPT RCPT DATA QUIT", "a refused rcpt 550\nb refused rcpt 550"},
		{"every RCPT, but DATA taken", map[string]string{"RCPT": "550 no"},
			"EHLO MAIL RCPT RCPT QUIT", "EHLO MAIL RCPT RCPT DATA . QUIT", "a refused rcpt 550\nb refused rcpt 550"},
		{"DATA", map[string]string{"DATA": "451 no"},
			"EHLO MAIL RCPT RCPT DATA QUIT", "EHLO MAIL RCPT RCPT DATA QUIT", "a deferred data 451\nb deferred data 451"},
		{"text", map[string]string{"text": "554 no"},
			"EHLO MAIL RCPT RCPT DATA text QUIT", "EHLO MAIL RCPT RCPT DATA text QUIT", "a refused dot 554\nb refused dot 554"},
		{"QUIT", map[string]string{"QUIT": "500 no"},
			"EHLO MAIL RCPT RCPT DATA text QUIT", "EHLO MAIL RCPT RCPT DATA text QUIT", bothAccepted},
	} {
		t.Run(test.name, func(t *testing.T) {
			answers := base(false)
			maps.Copy(answers, test.answers)
			step, pipe := both(t, "", nil, answers, test.want)
			for got, want := range map[*string]string{&step: test.step, &pipe: test.pipe} {
				if v := strings.ReplaceAll(verbs([]string{*got}), "|", " "); v != want {
					t.Errorf("wrote %q, want %q", v, want)
				}
			}
		})
	}
}

// TestOneWrite: a group leaves in one write, so that no delayed ACK holds it up.
func TestOneWrite(t *testing.T) {
	for _, test := range []struct {
		chunking bool
		size     int
		want     string
	}{
		{false, 0, "EHLO|MAIL RCPT RCPT DATA|text QUIT"},
		{true, 0, "EHLO|MAIL RCPT RCPT BDAT text QUIT"},
		{true, writeBuffer - 160, "EHLO|MAIL RCPT RCPT BDAT text QUIT"},
		{true, writeBuffer, "EHLO|MAIL RCPT RCPT|BDAT text|text QUIT"}, // too large for one write: it waits for RCPT
	} {
		t.Run(fmt.Sprintf("chunking %v, %d bytes", test.chunking, test.size), func(t *testing.T) {
			body := text{body: short}
			if test.size > 0 {
				body.body = strings.Repeat("x", test.size-2) + "\r\n"
			}
			d := newDelivery("", body)
			writes, s, err := converse(testOptions(), standard(d), base(test.chunking))
			if got := verdict(d, s, err); got != bothAccepted {
				t.Error(got)
			}
			got := regexp.MustCompile("XX+").ReplaceAllString(verbs(writes), "text")
			if got != test.want {
				t.Errorf("wrote %q, want %q", got, test.want)
			}
		})
	}
}
