package dialog

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
)

// greets serves one connection: every command gets a reply that names the
// connection, and the replies to EHLO have a line beyond the usual length.
func greets(nc net.Conn, name string) {
	defer nc.Close()
	r := bufio.NewReader(nc)
	_, _ = fmt.Fprintf(nc, "220 %s\r\n", name)
	for {
		line, err := r.ReadString('\n')
		verb, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case err != nil:
			return
		case verb == "QUIT":
			_, _ = fmt.Fprintf(nc, "221 %s bye\r\n", name)
			return
		case verb == "EHLO":
			_, _ = fmt.Fprintf(nc, "250-%s %s\r\n250 XNAME %s\r\n", name, strings.Repeat("x", 3*usualLine), name)
		default:
			_, _ = fmt.Fprintf(nc, "250 %s %s\r\n", name, line[:len(line)-2])
		}
	}
}

// TestMemory has conversation after conversation in the same memory, some without a
// farewell: what each one heard stays what it was.
func TestMemory(t *testing.T) {
	memory := new(Memory)
	noop, err := NewCommand("NOOP")
	if err != nil {
		t.Fatal(err)
	}
	var reports []Report
	for i := range 12 {
		name := fmt.Sprintf("mx%d.test", i)
		ours, theirs := net.Pipe()
		go greets(theirs, name)
		options := testOptions()
		options.Memory = memory
		s := NewSession(ours, options)
		ask := Stage{Do: func(ctx context.Context, s *Session) error {
			for range 3 {
				turns, err := s.Recur(ctx, Step{Phase: PhaseAsk, Command: noop}, Step{Phase: PhaseAsk, Command: noop})
				if err != nil {
					return err
				}
				for _, turn := range turns {
					if got, want := turn.Reply().Text(), name+" NOOP"; got != want || len(turn.Replies) != 1 {
						t.Errorf("%q of %d, want %q", got, len(turn.Replies), want)
					}
				}
			}
			return nil
		}}
		plan := Plan{Greet(), Hello(), ask}
		farewell := i%3 != 2
		if farewell {
			plan = append(plan, Quit())
		}
		if err := plan.Run(t.Context(), s); err != nil {
			t.Fatal(name, err)
		}
		if kept := memory.reader != nil; farewell && !kept {
			t.Errorf("%s leaves nothing to the next", name)
		}
		reports = append(reports, s.Report)
	}
	for i, report := range reports {
		name := fmt.Sprintf("mx%d.test", i)
		if offer := report.Offers[0].Extensions[0]; report.Banner.Text() != name || offer.Params[0] != name || len(report.Offers[0].Reply.Lines()[0]) < 3*usualLine {
			t.Errorf("%s: banner %q, offer %v", name, report.Banner.Text(), offer)
		}
	}
}
