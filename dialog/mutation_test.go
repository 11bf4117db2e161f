package dialog

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// session is a good conversation, before anything goes wrong.
type session struct {
	name     string
	keywords string
	body     string
	messages int
	tls      bool
	auth     bool
	lmtp     bool
	prdr     bool
}

func sessions() []session {
	big := "Subject: x\r\n\r\n" + strings.Repeat("..hidden, and a line that fills the buffer of a write\r\n", 700)
	return []session{
		{name: "lockstep", keywords: "HELP", body: short},
		{name: "lockstep, two messages", keywords: "HELP", body: short, messages: 2},
		{name: "lockstep BDAT", keywords: "CHUNKING", body: short},
		{name: "pipelined", keywords: "PIPELINING SIZE", body: short},
		{name: "pipelined, two messages", keywords: "PIPELINING", body: short, messages: 2},
		{name: "pipelined, of several writes", keywords: "PIPELINING", body: big},
		{name: "BDAT", keywords: "PIPELINING CHUNKING", body: short},
		{name: "BDAT, two messages", keywords: "PIPELINING CHUNKING", body: short, messages: 2},
		{name: "BDAT, of several writes", keywords: "PIPELINING CHUNKING", body: big},
		{name: "AUTH", keywords: "PIPELINING", body: short, auth: true},
		{name: "LMTP", keywords: "HELP", body: short, lmtp: true},
		{name: "LMTP, pipelined", keywords: "PIPELINING CHUNKING", body: short, lmtp: true},
		{name: "PRDR", keywords: "PRDR", body: short, prdr: true},
		{name: "PRDR, pipelined", keywords: "PIPELINING PRDR", body: short, prdr: true},
		{name: "STARTTLS", keywords: "PIPELINING", body: short, tls: true},
	}
}

// watcher is a sink that lays out what it is shown.
type watcher struct{ lines int }

func (w *watcher) Write(r transcript.Record) { w.lines += len(r.Event.Lines()) }
func (*watcher) Close() error                { return nil }

// spoil makes up what goes wrong in one session.
func spoil(r *rand.Rand) []spoiling {
	ways := spoilings()
	list := make([]spoiling, 1+r.IntN(6)/4+r.IntN(8)/7) // one, mostly
	for i := range list {
		s := spoiling{how: ways[r.IntN(len(ways))], reply: r.IntN(12), at: r.IntN(80)}
		switch s.how {
		case "replace":
			s.with = [...]string{"421 bye\r\n", "250 ok\r\n", "550 no\r\n", "450 later\r\n", "354 go\r\n", "353 each\r\n", "220 go\r\n", "334 \r\n", "235 in\r\n",
				"250-more\r\n", "250\r\n", "25 ok\r\n", "\r\n", "250 ok\n", "199 x\r\n", "600 x\r\n", "250-a\r\n550 b\r\n", "221 bye\r\n"}[r.IntN(18)]
		case "corrupt":
			s.with = string(rune("0123456789 -\r\n\x00\x1b~"[r.IntN(17)]))
		case "insert":
			s.with = [...]string{"\r\n", "\n", "\r", "\x00", "-", " ", "5", "2", "250 ok\r\n", "550 no\r\n", "354 go\r\n", "\x1b[2J", "\u202e", strings.Repeat("x", 9000), "421 bye\r\n"}[r.IntN(15)]
		}
		list[i] = s
	}
	if r.IntN(8) == 0 { // every reply, octet by octet
		for n := range 12 {
			list = append(list, spoiling{how: "split", reply: n})
		}
	}
	return list
}

// mutated has one session and judges its outcomes.
func mutated(t *testing.T, seed, number uint64) (kind string, outcomes map[Outcome]int) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, number))
	all := sessions()
	one := all[number%uint64(len(all))]
	srv := &mutant{kind: &one, spoiling: spoil(r), rand: r, truth: map[string]byte{}}
	connect := net.Pipe // which a goroutine has to read all the time
	if number/uint64(len(all))%2 == 0 {
		connect = sockets
	}
	client, far := connect()
	served := make(chan struct{})
	go func() {
		defer close(served)
		srv.serve(t, far)
	}()
	o := testOptions()
	o.Timeouts, o.Hello, o.LMTP = DefaultTimeouts(), "c.test", one.lmtp
	o.Stream = transcript.NewStream(&watcher{}, time.Now)
	if one.tls {
		o.TLS.Policy = PolicyMay
	}
	if one.auth {
		alice()(&o)
	}
	var mail []*Delivery
	for i := range max(1, one.messages) {
		n := strconv.Itoa(i)
		d := newDelivery("a"+n+"@x.test b"+n+"@x.test c"+n+"@x.test", text{body: one.body})
		d.PRDR = one.prdr
		mail = append(mail, d)
	}
	plan := Plan{Greet(), Hello(), StartTLS(), Auth(), Deliver("mx.test", mail...), Quit()}
	began := time.Now()
	err := plan.Run(context.Background(), NewSession(client, o))
	if took := time.Since(began); took > 30*time.Minute {
		t.Errorf("it took %v", took)
	}
	<-served
	if err != nil && strings.HasPrefix(errorKind(err), "not an *Error") {
		t.Error(errorKind(err))
	}
	outcomes = map[Outcome]int{}
	ref := newReferee(srv.heard.String(), srv.said.String(), &one)
	for _, d := range mail {
		for i := range d.To {
			outcomes[d.To[i].Outcome]++
			ref.judge(t, &d.To[i])
			srv.judge(t, &d.To[i])
		}
	}
	if t.Failed() {
		t.Logf("session %d of seed %d, %s: %+v\nheard %.400q\nsaid %q\nended with %v", number, seed, one.name, srv.spoiling, srv.heard.String(), srv.said.String(), err)
	}
	return one.name, outcomes
}

// judge holds an outcome against what the server really did: where replies are only
// cut, repeated or lost once, nobody is accepted whose message it did not take.
func (m *mutant) judge(t *testing.T, to *Recipient) {
	single := len(m.spoiling) == 1 && slices.Contains(spoilings()[:honest], m.spoiling[0].how)
	if how := m.spoiling[0].how; m.kind.lmtp && (how == "double" || how == "drop") {
		return // a reply to RCPT more or less is a recipient more or less, and all fits
	}
	if truth := m.truth[to.Address]; to.Outcome == Accepted && single && truth != '2' {
		t.Errorf("%s is accepted; the server's own reply to the whole message: %q", to.Address, truth)
	}
}

// TestMutated: whatever goes wrong with the replies of a good session, it ends, and
// nobody is called accepted but by a reply to a message that went out whole. With
// EHLO_MUTATIONS=N there are N sessions, with EHLO_MUTATION_SEED=S others of them,
// and EHLO_MUTATION_PAGE=FILE gets the counts.
func TestMutated(t *testing.T) {
	count, _ := strconv.Atoi(cmp.Or(os.Getenv("EHLO_MUTATIONS"), "3000"))
	seed, _ := strconv.ParseUint(cmp.Or(os.Getenv("EHLO_MUTATION_SEED"), "5321"), 10, 64)
	testCertificate() // not in a bubble, whose clock is another
	began := time.Now()
	sum := map[string]map[Outcome]int{}
	number := map[string]int{}
	for n := range count {
		synctest.Test(t, func(t *testing.T) {
			kind, outcomes := mutated(t, seed, uint64(n))
			number[kind]++
			if sum[kind] == nil {
				sum[kind] = map[Outcome]int{}
			}
			for outcome, n := range outcomes {
				sum[kind][outcome] += n
			}
		})
		if t.Failed() {
			t.Fatalf("session %d of seed %d", n, seed)
		}
	}
	t.Logf("%d sessions of seed %d in %.1f s", count, seed, time.Since(began).Seconds())
	if page := os.Getenv("EHLO_MUTATION_PAGE"); page != "" {
		table := mutationTable(count, seed, number, sum)
		if err := between(page, "<!-- mutation -->", "<!-- end -->", table); err != nil {
			t.Fatal(err)
		}
	}
}

// mutationTable is the part of docs/reliability.md about the sessions.
func mutationTable(count int, seed uint64, number map[string]int, sum map[string]map[Outcome]int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d sessions of seed %d, each to three recipients of one or two messages:\n\n", count, seed)
	b.WriteString("| session | run | accepted | deferred | refused | unknown | undecided | wrong |\n|---|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, s := range sessions() {
		of := sum[s.name]
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d | 0 |\n", s.name, number[s.name], of[Accepted], of[Deferred], of[Refused], of[Unknown], of[Undecided])
	}
	return b.String()
}

// between puts text into a page, between two lines that mark its place.
func between(path, begin, end, text string) error {
	page, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return err
	}
	before, rest, ok := bytes.Cut(page, []byte(begin+"\n"))
	_, after, ended := bytes.Cut(rest, []byte(end+"\n"))
	if !ok || !ended {
		return fmt.Errorf("%s: no %s with its %s: %w", path, begin, end, io.ErrUnexpectedEOF)
	}
	whole := string(before) + begin + "\n" + text + end + "\n" + string(after)
	return os.WriteFile(path, []byte(whole), 0o644)
}
