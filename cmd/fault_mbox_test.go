package cmd

import (
	"bufio"
	"io"
	"strings"
	"testing"
)

// readMbox gives the messages of an mbox, one after the other.
func readMbox(text string) (messages []string, err error) {
	box := &mailbox{r: bufio.NewReaderSize(strings.NewReader(text), 64<<10)}
	if err := box.begin(); err != nil {
		return nil, err
	}
	for box.more {
		box.more = false
		message, err := io.ReadAll(box)
		if err != nil {
			return messages, err
		}
		messages = append(messages, string(message))
	}
	return messages, nil
}

// FuzzMbox: two messages, written as an mbox, are read back as they were; anything else
// ends, and gives no more octets than it has.
func FuzzMbox(f *testing.F) {
	for _, seed := range []string{"Subject: x\n\nFrom here\n", ">From\n>>From x\n", "\n\n\n", "a\n\nFrom \n", strings.Repeat("x", 70_000) + "\n", "\nFrom x\n", "From \r\n"} {
		f.Add(seed, "b\n")
		f.Add("b\n", seed)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if messages, err := readMbox(a); err == nil && len(strings.Join(messages, "")) > len(a) {
			t.Fatalf("%q of %q", messages, a)
		}
		var want []string
		var box strings.Builder
		for _, message := range []string{a, b} {
			message = strings.TrimRight(message, "\n") + "\n"
			want = append(want, message)
			box.WriteString("From a@x.test Sun Nov 22 01:14:02 2026\n")
			for line := range strings.SplitAfterSeq(message, "\n") {
				if strings.HasPrefix(strings.TrimLeft(line, ">"), "From ") {
					line = ">" + line
				}
				box.WriteString(line)
			}
			box.WriteString("\n")
		}
		got, err := readMbox(box.String())
		if err != nil || len(got) != 2 {
			t.Fatalf("%q, %v of %q", got, err, box.String())
		}
		for i := range want {
			if strings.TrimRight(got[i], "\r\n") != strings.TrimRight(want[i], "\r\n") {
				t.Fatalf("%q is read back as %q", want[i], got[i])
			}
		}
	})
}
