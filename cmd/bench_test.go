package cmd_test

import (
	"bufio"
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"

	"github.com/ehlo-mail/ehlo/cmd"
)

// TestBenchProgress has the line on a terminal say how a load stands, and nothing else.
func TestBenchProgress(t *testing.T) {
	for _, width := range []int{60, 80} {
		t.Run(fmt.Sprintf("%d columns", width), func(t *testing.T) {
			t.Parallel()
			var out, errs sink
			env := docsEnv(&out, &errs)
			env.ErrWidth = width
			status := cmd.Main(t.Context(), env, strings.Fields("bench --sandbox --no-tls --rate 20 --duration 3500ms --sessions 2 --color never --to alice@good.test [192.0.2.10]:25"))
			lines := strings.Split(errs.String(), "\r\x1b[K")
			drawn := 0
			for _, line := range lines {
				switch {
				case regexp.MustCompile(`^… offering load   \d+ messages   \d+ a second`).MatchString(line) && len([]rune(line)) < width:
					drawn++
				case line != "":
					t.Errorf("%q", line)
				}
			}
			if status != 0 || drawn == 0 || lines[len(lines)-1] != "" {
				t.Errorf("status %d; drawn %d times, %q", status, drawn, lines)
			}
		})
	}
}

// takes is a server that takes so many messages and is gone then.
func takes(t *testing.T, messages int) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		defer l.Close()
		nc, err := l.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		fmt.Fprint(nc, "220 mx.test\r\n")
		text := false
		for in := bufio.NewScanner(nc); messages > 0 && in.Scan(); {
			switch line := in.Text(); {
			case text && line != ".":
			case line == "DATA":
				text = true
				fmt.Fprint(nc, "354 go\r\n")
			default:
				if text {
					text = false
					messages--
				}
				fmt.Fprint(nc, "250 ok\r\n")
			}
		}
	}()
	return l.Addr().String()
}

// TestBenchGone is not done where a server is gone before the time is up, whatever is
// said of errors.
func TestBenchGone(t *testing.T) {
	for line, left := range map[string]string{
		"--duration 1m":              `"left": 0\n`,
		"--messages 100":             `"left": 9\d\n`,
		"":                           `"left": 99\d\n`,
		"--duration 1m --rate 100":   `"left": 599\d\n`,
		"--duration 1m --rate 0.001": `"left": 0\n`,
	} {
		messages, want := 3, 8
		if strings.Contains(line, "0.001") { // the only one is taken
			messages, want = 1, 0
		}
		args := strings.Fields("bench --to a@b.test --sessions 1 --json --fail-if errors>99% " + takes(t, messages) + " " + line)
		out, errs, status := ehlo(t, args...)
		if status != want || !regexp.MustCompile(left).MatchString(out) || strings.Contains(out, `"seen": "every session gave up`) != (want == 8) {
			t.Errorf("ehlo %s: status %d, %s%s", strings.Join(args, " "), status, errs, out)
		}
	}
}
