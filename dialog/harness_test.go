package dialog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// dialogue is a conversation as data. Its script is the server's part, played
// over TCP on loopback:
//
//	S: text     sent with CR LF; lines that follow one another go out in one write
//	S| text     sent as it is, where \r \n \0 are one octet
//	C: text     expected, with CR LF
//	C| text     expected as it is
//	C> 5000     that many octets are read, whatever they are
//	S! close    the server closes; S! reset: with a RST; S! half: it only stops sending
//	S! tls      the server's side of a handshake
//	S! idle     nothing more is read, nor is it the end of the message or QUIT
//
// At the end of the script the server reads on until the client closes: whatever
// comes then must be what the script expects, that is, nothing.
type dialogue struct {
	name   string
	script string
	plan   Plan // nil: Greet Hello StartTLS Deliver Quit
	opt    func(*Options)
	tweak  func(*Delivery)
	to     string  // recipients; "" is "a@x.test b@x.test"
	body   Content // nil is a short text
	want   string  // see verdict
	shows  string  // a finding of the transcript holds this
}

// text is a message in memory.
type text struct {
	body  string
	size  int64 // 0: that of body
	needs []string
	open  func() (io.ReadCloser, error)
}

func (m text) Needs() []string { return m.needs }
func (m text) Size() int64 {
	if m.size != 0 {
		return m.size
	}
	return int64(len(m.body))
}
func (m text) Open() (io.ReadCloser, error) {
	if m.open != nil {
		return m.open()
	}
	return io.NopCloser(strings.NewReader(m.body)), nil
}

const short = "Subject: x\r\n\r\n.hidden\r\n"

func testOptions() Options {
	const long = 20 * time.Second // no test waits for it
	return Options{
		Hello: "c.test", Now: time.Now,
		Timeouts: Timeouts{Banner: long, Reply: long, Dot: long, Quit: 3 * time.Second},
		TLS:      TLS{Name: "mx.test", Store: "the test's store"},
	}
}

func newDelivery(to string, body Content) *Delivery {
	if to == "" {
		to = "a@x.test b@x.test"
	}
	if body == nil {
		body = text{body: short}
	}
	d := &Delivery{From: "s@c.test", Content: []Content{body}}
	for _, address := range strings.Fields(to) {
		d.To = append(d.To, Recipient{Address: address})
	}
	return d
}

func standard(d *Delivery) Plan {
	return Plan{Greet(), Hello(), StartTLS(), Deliver("mx.test", d), Quit()}
}

// run plays the dialogue and compares what came of it.
func (g dialogue) run(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	srv := &scripted{over: make(chan struct{})}
	played := make(chan error, 1)
	go func() {
		nc, err := listener.Accept()
		if err != nil {
			played <- err
			return
		}
		defer nc.Close()
		_ = nc.SetDeadline(time.Now().Add(30 * time.Second))
		played <- srv.play(nc, g.script)
	}()
	nc, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	log := &recorder{}
	o := testOptions()
	o.Stream = transcript.NewStream(log, time.Now)
	if g.opt != nil {
		g.opt(&o)
	}
	d := newDelivery(g.to, g.body)
	if g.tweak != nil {
		g.tweak(d)
	}
	plan := g.plan
	if plan == nil {
		plan = standard(d)
	}
	s := NewSession(nc, o)
	err = plan.Run(context.Background(), s)
	close(srv.over)
	if failed := <-played; failed != nil {
		t.Errorf("the server: %v", failed)
	}
	if got, want := verdict(d, s, err), unindent(g.want); got != want {
		t.Errorf("got\n%s\nwant\n%s\n(%v)", got, want, err)
	}
	log.check(t, srv, g.shows)
}

func unindent(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// verdict says what became of each recipient that was decided, one a line, "a
// refused rcpt 550", then "stopped", then the error: "error lost dot".
func verdict(d *Delivery, s *Session, err error) string {
	var lines []string
	for _, to := range d.To {
		if to.Outcome == Undecided {
			continue
		}
		line := fmt.Sprintf("%s %s %s", strings.TrimSuffix(to.Address, "@x.test"), to.Outcome, to.Phase)
		if to.Reply != nil {
			line += " " + to.Reply.Codes()
		}
		if to.Hop != "mx.test" {
			line += " without its hop"
		}
		lines = append(lines, line)
	}
	if s.Report.Stopped {
		lines = append(lines, "stopped")
	}
	if err != nil {
		lines = append(lines, "error "+errorKind(err))
	}
	return strings.Join(lines, "\n")
}

func errorKind(err error) string {
	var (
		e       *Error
		refusal *Refusal
		unmet   *UnmetError
		login   *AuthError
		kind    = fmt.Sprintf("%T", err)
	)
	switch {
	case !errors.As(err, &e):
		return "not an *Error: " + err.Error()
	case errors.As(err, &refusal):
		kind = fmt.Sprintf("refusal %d", refusal.Reply.Code)
	case errors.As(err, &unmet):
		kind = "unmet " + unmet.Keyword
	case errors.As(err, new(*ProtocolError)):
		kind = "protocol"
	case errors.As(err, new(*LostError)):
		kind = "lost"
	case errors.As(err, new(*TimeoutError)):
		kind = "timeout"
	case errors.As(err, new(*TLSError)):
		kind = "tls"
	case errors.As(err, &login):
		kind = "login " + [...]string{"refused", "not offered", "no mechanism", "clear", "unproven", "broken"}[login.Kind]
	case errors.As(err, new(*BodyError)):
		kind = "body"
	case errors.Is(err, context.Canceled):
		kind = "cancelled"
	}
	return kind + " " + e.Phase.String()
}

// recorder is a sink that keeps what it is shown.
type recorder struct {
	mu      sync.Mutex
	records []transcript.Event
}

func (r *recorder) Write(record transcript.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records = append(r.records, record.Event)
}

func (*recorder) Close() error { return nil }

// cutShown cuts shown off the wire, of which a line with a hidden part shows only
// the beginning.
func cutShown(wire, shown string) (before, rest string, ok bool) {
	visible, _, hides := strings.Cut(shown, transcript.Hidden)
	before, rest, ok = strings.Cut(wire, visible)
	if ok && hides {
		_, rest, ok = strings.Cut(rest, "\r\n")
	}
	return before, rest, ok
}

// check compares the transcript with the wire: what is shown as sent was heard,
// in order, and what is shown as received was said.
func (r *recorder) check(t *testing.T, srv *scripted, shows string) {
	t.Helper()
	heard, said := srv.heard.String(), srv.said.String()
	found := shows == ""
	for _, event := range r.records {
		switch e := event.(type) {
		case Sent:
			for _, item := range e.Items {
				if item.body {
					continue
				}
				_, rest, ok := cutShown(heard, item.Text+"\r\n")
				if !ok && !srv.deaf {
					t.Errorf("shown as sent and not heard: %q", item.Text)
				}
				heard = rest
			}
		case Received:
			_, rest, ok := cutShown(said, string(e.Reply.Raw))
			if !ok {
				t.Errorf("shown as received and not said: %q", e.Reply.Raw)
			}
			said = rest
			found = found || strings.Contains(strings.Join(e.Findings, "\n"), shows)
		case Finding:
			found = found || strings.Contains(e.Text, shows)
		}
	}
	if !found {
		t.Errorf("no finding holds %q", shows)
	}
}
