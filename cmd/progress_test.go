package cmd

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
)

// progressed is what stands on the terminal's line after play, and all that was
// drawn before.
func progressed(t *testing.T, width int, play func(p *progress)) (line string, all []string) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := newProgress(Env{Err: &out, ErrWidth: width, Getenv: func(string) string { return "en_US.UTF-8" }}, false)
		defer p.close()
		play(p)
		synctest.Wait()
		all = strings.Split(out.String(), "\r\x1b[K")
		line = all[len(all)-1]
	})
	return line, all[1:]
}

// pour has a body of total bytes go out from one place on, at a steady speed for a
// while, and never at the moment of a drawing.
func pour(p *progress, from, total, speed int64, d time.Duration) {
	write := p.write()
	const step = 10 * time.Millisecond
	time.Sleep(step / 3)
	for at := time.Duration(0); at < d; at += step {
		write(from+int64((at+step/2).Seconds()*float64(speed)), total)
		time.Sleep(step)
	}
}

func TestProgressOfBody(t *testing.T) {
	const mib = 1 << 20
	for _, test := range []struct {
		name  string
		width int
		play  func(p *progress)
		want  string
	}{
		{"on its way", 100, func(p *progress) { pour(p, 0, 1024*mib, 84*mib, 5*time.Second) },
			"… sending the message   419.6 MiB of 1.0 GiB   84.0 MiB/s   8 s left"},
		{"in 70 columns", 70, func(p *progress) { pour(p, 0, 1024*mib, 84*mib, 5*time.Second) },
			"… sending the message   419.6 MiB of 1.0 GiB   84.0 MiB/s   8 s left"},
		{"in 60 columns", 60, func(p *progress) { pour(p, 0, 1024*mib, 84*mib, 5*time.Second) },
			"… sending the message   419.6 MiB of 1.0 GiB   84.0 MiB/s"},
		{"in 40 columns", 40, func(p *progress) { pour(p, 0, 1024*mib, 84*mib, 5*time.Second) },
			"… sending the message"},
		{"for less than 2 s", 100, func(p *progress) { pour(p, 0, 1024*mib, 84*mib, 1900*time.Millisecond) }, ""},
		{"a short body", 100, func(p *progress) { pour(p, 0, mib, mib/10, 5*time.Second) }, ""},
		{"slowly", 100, func(p *progress) { pour(p, 0, 2*mib, 1000, 5*time.Second) },
			"… sending the message   4.9 KiB of 2.0 MiB   1000 bytes/s   34 min 53 s left"},
		{"the server stopped reading", 100, func(p *progress) {
			pour(p, 0, 1024*mib, 84*mib, 5*time.Second)
			time.Sleep(10 * time.Second)
		}, "… sending the message   419.6 MiB of 1.0 GiB   0 bytes/s"},
		{"the speed of late, not of all", 100, func(p *progress) {
			pour(p, 0, 100*mib, 10*mib, 5*time.Second)
			pour(p, 50*mib, 100*mib, mib, 10*time.Second)
		}, "… sending the message   60.0 MiB of 100.0 MiB   1.0 MiB/s   41 s left"},
		{"again, at the next host", 100, func(p *progress) {
			pour(p, 0, 100*mib, 10*mib, 9*time.Second)
			pour(p, 0, 100*mib, 20*mib, 3*time.Second)
		}, "… sending the message   59.9 MiB of 100.0 MiB   20.0 MiB/s   3 s left"},
		{"something is printed", 100, func(p *progress) {
			pour(p, 0, 1024*mib, 84*mib, 5*time.Second)
			p.clear()
		}, ""},
		{"its reply is waited for", 100, func(p *progress) {
			pour(p, 0, 1024*mib, 84*mib, 5*time.Second)
			p.wait()(dialog.Waiting{For: "reply to the message", Limit: 10 * time.Minute})
			time.Sleep(3500 * time.Millisecond)
		}, "… waiting for the reply to the message   3 s of 10 min 00 s   Ctrl-C ends politely"},
	} {
		t.Run(test.name, func(t *testing.T) {
			line, all := progressed(t, test.width, test.play)
			if line != test.want {
				t.Errorf("%q, want %q", line, test.want)
			}
			if most := 4 * 15; len(all) > most {
				t.Errorf("drawn %d times", len(all))
			}
		})
	}
}
