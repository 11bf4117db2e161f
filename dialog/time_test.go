package dialog

import (
	"bufio"
	"context"
	ctls "crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// peer is a server in a test of time: its clock is the test's own.
type peer struct {
	net.Conn
	r *bufio.Reader
}

func newPeer(nc net.Conn) *peer { return &peer{nc, bufio.NewReader(nc)} }

func (p *peer) say(text string) {
	_, _ = io.WriteString(p.Conn, strings.ReplaceAll(text, "\n", "\r\n")+"\r\n")
}

// hear reads up to the line that begins with prefix.
func (p *peer) hear(prefix string) {
	for {
		line, err := p.r.ReadString('\n')
		if err != nil || strings.HasPrefix(line, prefix) {
			return
		}
	}
}

// rest is everything up to the end.
func (p *peer) rest() string {
	all, _ := io.ReadAll(p.r)
	return string(all)
}

func (p *peer) drip(text string, every time.Duration) {
	for i := range len(text) {
		time.Sleep(every)
		if _, err := p.Write([]byte(text[i : i+1])); err != nil {
			return
		}
	}
}

// to brings the dialogue to the point where the client has said prefix.
func (p *peer) to(prefix, ehlo string) {
	p.say("220 x")
	for _, step := range []struct{ heard, reply string }{
		{"EHLO", ehlo}, {"MAIL", "250 ok"}, {"RCPT TO:<a", "250 ok"}, {"RCPT TO:<b", "250 ok"}, {"DATA", "354 go"}, {".\r", "250 ok"}, {"QUIT", "221 bye"},
	} {
		p.hear(step.heard)
		if step.heard == prefix {
			return
		}
		p.say(step.reply)
	}
}

// connections are the kinds there are: one that is read while it is waited for, and
// one that a goroutine reads, as there is no looking into it.
var connections = map[string]func() (ours, theirs net.Conn){"socket": sockets, "pipe": net.Pipe}

// read is a connection of which some is read ahead.
type read struct {
	net.Conn
	r io.Reader
}

func (c read) Read(p []byte) (int, error) { return c.r.Read(p) }

// bubble runs the standard plan with the default time limits against server, and
// gives the verdict and how long it took.
func bubble(ctx context.Context, connect func() (ours, theirs net.Conn), o Options, body Content, server func(*peer)) (string, time.Duration, error) {
	client, far := connect()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer far.Close()
		server(newPeer(far))
	}()
	data := o.Timeouts.Data
	o.Timeouts = DefaultTimeouts()
	o.Timeouts.Data = data
	d := newDelivery("", body)
	s := NewSession(client, o)
	began := time.Now()
	err := standard(d).Run(ctx, s)
	took := time.Since(began)
	<-done
	return verdict(d, s, err), took, err
}

func TestTime(t *testing.T) {
	const hi, pHi = "250 x", "250-x\n250 PIPELINING"
	unknown := "a unknown dot\nb unknown dot\nerror timeout dot"
	tls := func(o *Options) { o.TLS.Policy = PolicyMay }
	certificate := testCertificate() // not in a bubble, whose clock is another
	// A socket would hold what the server does not read.
	unbuffered := map[string]bool{"the clock starts when the command has left": true, "a small body that is not read": true}
	for _, test := range []struct {
		name   string
		server func(*peer)
		opt    func(*Options)
		body   Content
		want   string
		took   time.Duration
	}{
		{"no banner", func(p *peer) { p.rest() }, nil, nil, "error timeout connect", 60 * time.Second},
		{"a late banner", func(p *peer) { time.Sleep(59 * time.Second); p.say("554 no"); p.hear("QUIT"); p.say("221 bye") }, nil, nil, "error refusal 554 connect", 59 * time.Second},
		{"no reply", func(p *peer) { p.to("EHLO", hi); p.rest() }, nil, nil, "error timeout first-hello", 30 * time.Second},
		{"no reply to RCPT", func(p *peer) { p.to("RCPT TO:<b", hi); p.rest() }, nil, nil, "error timeout rcpt", 30 * time.Second},
		{"no reply to DATA", func(p *peer) { p.to("DATA", hi); p.rest() }, nil, nil, "error timeout data", 30 * time.Second},
		{"no reply to the dot", func(p *peer) { p.to(".\r", hi); p.rest() }, nil, nil, unknown, 10 * time.Minute},
		{"a late reply to the dot", func(p *peer) {
			p.to(".\r", hi)
			time.Sleep(599 * time.Second)
			p.say("250 ok")
			p.hear("QUIT")
			p.say("221 bye")
		}, nil, nil, bothAccepted, 599 * time.Second},
		{"a late 220 and a late handshake", func(p *peer) {
			p.to("EHLO", "")
			p.say("250-x\n250 STARTTLS")
			p.hear("STARTTLS")
			time.Sleep(20 * time.Second)
			p.say("220 go")
			p.r.Peek(1)
			time.Sleep(20 * time.Second)
			secured := ctls.Server(read{p.Conn, p.r}, &ctls.Config{Certificates: []ctls.Certificate{certificate}})
			if secured.Handshake() == nil {
				_, _ = io.Copy(secured, strings.NewReader("421 enough\r\n"))
			}
			p.rest()
		}, tls, nil, "error refusal 421 hello", 40 * time.Second},
		{"no reply to QUIT", func(p *peer) { p.to("QUIT", hi); p.rest() }, nil, nil, bothAccepted, 5 * time.Second},
		{"no reply to QUIT, pipelined", func(p *peer) { p.to("QUIT", pHi); p.rest() }, nil, nil, bothAccepted, 5 * time.Second},
		{"no handshake", func(p *peer) {
			p.to("EHLO", hi)
			p.say("250-x\n250 STARTTLS")
			p.hear("STARTTLS")
			p.say("220 go")
			p.rest()
		}, tls, nil, "error timeout tls", 30 * time.Second},
		{"half a reply behind the banner", func(p *peer) { _, _ = io.WriteString(p, "220 a\r\n220 b"); p.rest() }, nil, nil, "error protocol connect", lastWords},

		{"a drip resets nothing", func(p *peer) { p.to("EHLO", hi); p.drip("250-x\r\n250 PIPELINING\r\n", 2*time.Second) }, nil, nil, "error timeout first-hello", 30 * time.Second},
		{"a drip of a banner", func(p *peer) { p.drip("220 x\r\n", 10*time.Second) }, nil, nil, "error timeout connect", 60 * time.Second},
		{"lines without end", func(p *peer) { p.to("EHLO", hi); p.drip(strings.Repeat("250-x\r\n", 1000), time.Second/7) }, nil, nil, "error timeout first-hello", 30 * time.Second},

		{"each reply of a group has its own time", func(p *peer) {
			p.say("220 x")
			p.hear("EHLO")
			p.say(pHi)
			p.hear("DATA")
			for _, reply := range []string{"250 ok", "250 ok", "450 b", "354 go"} {
				time.Sleep(25 * time.Second)
				p.say(reply)
			}
			p.hear("QUIT")
			p.say("250 ok\n221 bye")
		}, nil, nil, "a accepted dot 250\nb deferred rcpt 450", 100 * time.Second},
		{"and not more", func(p *peer) {
			p.say("220 x")
			p.hear("EHLO")
			p.say(pHi)
			p.hear("DATA")
			time.Sleep(25 * time.Second)
			p.say("250 ok")
			p.rest()
		}, nil, nil, "error timeout rcpt", 55 * time.Second},
		{"the clock starts when the command has left", func(p *peer) {
			p.say("220 x")
			time.Sleep(29 * time.Second) // nothing is read meanwhile
			p.hear("EHLO")
			time.Sleep(29 * time.Second)
			p.say("550 no")
			p.hear("HELO")
			p.say("550 no")
			p.hear("QUIT")
			p.say("221 bye")
		}, nil, nil, "error refusal 550 first-hello", 58 * time.Second},
		{"a command that is not read", func(p *peer) { p.say("220 x"); time.Sleep(time.Minute) }, nil, nil, "error timeout first-hello", 30 * time.Second},
		{"a body that is read slowly", func(p *peer) {
			p.to("DATA", hi)
			p.say("354 go")
			for range 4 {
				time.Sleep(170 * time.Second)
				_, _ = io.CopyN(io.Discard, p.r, 32<<10)
			}
			p.hear(".\r")
			time.Sleep(599 * time.Second)
			p.say("250 ok")
			p.hear("QUIT")
			p.say("221 bye")
		}, nil, text{body: lines(128 << 10)}, bothAccepted, 4*170*time.Second + 599*time.Second},
		{"a body that is not read", func(p *peer) { p.to("DATA", hi); p.say("354 go"); time.Sleep(time.Hour) }, nil, text{body: lines(128 << 10)}, "error timeout dot", blockTime},
		{"a body that is not read for as long as asked", func(p *peer) { p.to("DATA", hi); p.say("354 go"); time.Sleep(time.Hour) }, func(o *Options) { o.Timeouts.Data = 2 * time.Second }, text{body: lines(128 << 10)}, "error timeout dot", 2 * time.Second},
		{"a small body that is not read", func(p *peer) { p.to("DATA", hi); p.say("354 go"); time.Sleep(time.Hour) }, nil, nil, "error timeout dot", blockTime},
		{"nothing is read of the body, and refused", func(p *peer) {
			p.to("DATA", hi)
			p.say("354 go")
			time.Sleep(time.Minute)
			p.say("552 no")
			time.Sleep(time.Hour)
		},
			nil, text{body: lines(128 << 10)}, "a refused dot 552\nb refused dot 552", time.Minute},
		{"nothing is read of the body, and 250", func(p *peer) {
			p.to("DATA", hi)
			p.say("354 go")
			time.Sleep(time.Minute)
			p.say("250 no")
			time.Sleep(time.Hour)
		},
			nil, text{body: lines(128 << 10)}, "error protocol dot", time.Minute},
	} {
		for name, connect := range connections {
			if name == "socket" && unbuffered[test.name] {
				continue
			}
			t.Run(test.name+", "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					o := testOptions()
					if test.opt != nil {
						test.opt(&o)
					}
					got, took, err := bubble(t.Context(), connect, o, test.body, test.server)
					if got != test.want || took != test.took {
						t.Errorf("got\n%s\nafter %v, want\n%s\nafter %v (%v)", got, took, test.want, test.took, err)
					}
				})
			})
		}
	}
}

// TestCancel interrupts a conversation at each phase. It ends at once where QUIT
// would not be understood, and within a second where it is said.
func TestCancel(t *testing.T) {
	for _, ehlo := range []string{"250 x", "250-x\n250 PIPELINING"} {
		for _, test := range []struct {
			at   string // the last thing heard
			want string
			quit bool // QUIT is heard behind it
		}{
			{"", "error cancelled connect", true},
			{"EHLO", "error cancelled first-hello", true},
			{"MAIL", "error cancelled mail", true},
			{"RCPT TO:<a", "error cancelled rcpt", true},
			{"RCPT TO:<b", "error cancelled rcpt", true},
			{"DATA", "error cancelled data", false},
			{".\r", "a unknown dot\nb unknown dot\nerror cancelled dot", true},
			{"QUIT", bothAccepted, false},
		} {
			piped := strings.Contains(ehlo, "PIPELINING")
			if piped && test.at != "" && test.at != "EHLO" && test.at != "DATA" && test.at != "QUIT" {
				continue // the group is out already
			}
			t.Run(test.at+map[bool]string{true: " pipelined"}[piped], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithCancel(t.Context())
					var heard string
					server := func(p *peer) {
						if test.at != "" {
							p.to(test.at, ehlo)
						}
						time.Sleep(time.Second)
						cancel()
						heard = p.rest()
					}
					got, took, err := bubble(ctx, sockets, testOptions(), nil, server)
					if got != test.want {
						t.Errorf("got\n%s\nwant\n%s\n(%v)", got, test.want, err)
					}
					if took < time.Second || took > 2*time.Second || !test.quit && took != time.Second {
						t.Errorf("took %v", took)
					}
					if quit := strings.HasSuffix(heard, "QUIT\r\n"); quit != test.quit {
						t.Errorf("heard %q", heard)
					}
				})
			})
		}
	}
}

// TestCancelFarewell interrupts the QUIT behind a failure: it is not waited for.
func TestCancelFarewell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		o := testOptions()
		o.TLS.Policy = PolicyMust
		got, took, err := bubble(ctx, sockets, o, nil, func(p *peer) {
			p.to("EHLO", "")
			p.say("250 x") // STARTTLS is not offered
			p.hear("QUIT")
			time.Sleep(time.Second)
			cancel()
			p.rest()
		})
		if got != "error tls tls" || took != time.Second {
			t.Errorf("%s (%v) after %v", got, err, took)
		}
	})
}

// TestCancelBody interrupts a write that the server does not read.
func TestCancelBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		got, took, err := bubble(ctx, sockets, testOptions(), text{body: lines(128 << 10)}, func(p *peer) {
			p.to("DATA", "250 x")
			p.say("354 go")
			time.Sleep(time.Hour)
		})
		if err == nil || took != time.Minute || !strings.HasSuffix(got, "dot") {
			t.Errorf("%s (%v) after %v", got, err, took)
		}
	})
}

// TestCancelHandshake interrupts one that the server does not answer.
func TestCancelHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		o := testOptions()
		o.TLS.Policy = PolicyMay
		got, took, err := bubble(ctx, sockets, o, nil, func(p *peer) {
			p.to("EHLO", "")
			p.say("250-x\n250 STARTTLS")
			p.hear("STARTTLS")
			p.say("220 go")
			time.Sleep(time.Second)
			cancel()
			p.rest()
		})
		if got != "error cancelled tls" || took != time.Second {
			t.Errorf("%s (%v) after %v", got, err, took)
		}
	})
}
