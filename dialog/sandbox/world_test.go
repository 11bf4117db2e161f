package sandbox

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start starts a world that ends with the test.
func start(t testing.TB, o Options) *World {
	t.Helper()
	w, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func dial(t testing.TB, w *World, addr string) net.Conn {
	t.Helper()
	c, err := w.Dial(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestScenariosAreSound(t *testing.T) {
	names, addrs := map[string]bool{}, map[netip.Addr]bool{}
	for _, s := range Scenarios() {
		if s.About == "" || s.Expect == "" {
			t.Errorf("%s: says too little", s.Name)
		}
		if names[s.Name] {
			t.Errorf("%s: twice", s.Name)
		}
		names[s.Name] = true
		if z := makeZone(s, newAuthority(time.Now)); z.rcode != s.Rcode {
			t.Errorf("%s: zone does not parse: %q", s.Name, s.Zone)
		}
		for _, h := range s.Hosts {
			for _, f := range strings.Fields(h.Addrs) {
				a, err := netip.ParseAddr(f)
				switch {
				case err != nil:
					t.Errorf("%s: %v", s.Name, err)
				case !documentation(a), a.String() != f:
					t.Errorf("%s: %s is no documentation address in its shortest form", s.Name, f)
				case addrs[a]:
					t.Errorf("%s: %s twice", s.Name, f)
				}
				addrs[a] = true
			}
			for _, v := range h.Services {
				for _, r := range v.Rules {
					for _, act := range r.acts {
						if act.kind == actSay && len(act.lines) == 0 {
							t.Errorf("%s: On(%s %s) says nothing", s.Name, r.event, r.match)
						}
					}
				}
			}
		}
	}
	for _, name := range []string{"good", "plain", "starttls", "chunking", "smtps", "helo-only", "greylist", "reject", "tempfail",
		"partial", "nullmx", "nomx", "implicit", "backup", "slow", "busy", "small", "vrfy", "catchall", "expired",
		"selfsigned", "wrongname", "drops"} {
		if !names[name] {
			t.Errorf("no %s", name)
		}
	}
	if got, want := len(Table()), len(Scenarios()); got != want {
		t.Errorf("Table has %d rows, Scenarios %d", got, want)
	}
	want := Row{Domain: "good.test", About: Scenarios()[0].About, Expect: Scenarios()[0].Expect,
		Hosts: []string{"mx1.good.test 192.0.2.10 2001:db8::10", "mx2.good.test 192.0.2.11 2001:db8::11",
			"mta-sts.good.test 198.51.100.10"}}
	if d := cmp.Diff(want, Table()[0]); d != "" {
		t.Error(d)
	}
}

func TestReceivedAndMaildir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mail")
	var got []Received
	at := time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC)
	w := start(t, Options{Maildir: dir, Now: func() time.Time { return at }, Received: func(r Received) { got = append(got, r) }})
	run(t, w, "192.0.2.10:25", `
		S: 220 *
		C: EHLO client.test
		S> 250 HELP
		TLS
		C: EHLO client.test
		S> 250 HELP
		C: MAIL FROM:<a@client.test> SIZE=16 RET=HDRS ENVID=q+3D
		C: RCPT TO:<alice@good.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;alice@good.test
		C: RCPT TO:<bob+news@good.test>
		S: 250 2.1.0 Ok
		S: 250 2.1.5 Ok
		S: 250 2.1.5 Ok
		C: DATA
		S: 354 *
		C: Subject: x
		C: 
		C: ..dot
		C: .
		S: 250 2.0.0 Ok: queued as sandbox-1
		C: MAIL FROM:<>
		C: RCPT TO:<Postmaster>
		C: BDAT 6
		C: a: b
		S: 250 2.1.0 Ok
		S: 250 2.1.5 Ok
		S: 250 2.0.0 6 octets received
		C: BDAT 0 LAST
		S: 250 2.0.0 Ok: queued as sandbox-2
		C: QUIT
		S: 221 2.0.0 mx1.good.test closing
		EOF`)
	one := Received{ID: "sandbox-1", At: at, Host: "mx1.good.test", Helo: "client.test", Client: "127.0.0.1", Protocol: "ESMTPS", TLS: 0x304,
		From: "a@client.test", Params: []string{"SIZE=16", "RET=HDRS", "ENVID=q+3D"},
		To: []Recipient{{"alice@good.test", []string{"NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;alice@good.test"}},
			{"bob+news@good.test", nil}},
		Data: []byte("Subject: x\r\n\r\n.dot\r\n")}
	two := Received{ID: "sandbox-2", At: at, Host: "mx1.good.test", Helo: "client.test", Client: "127.0.0.1", Protocol: "ESMTPS", TLS: 0x304,
		To: []Recipient{{Address: "Postmaster"}}, Data: []byte("a: b\r\n"), Chunked: true}
	if d := cmp.Diff([]Received{one, two}, got); d != "" {
		t.Error(d)
	}
	files, err := filepath.Glob(filepath.Join(dir, "new", "*"))
	if err != nil || len(files) != 3 {
		t.Fatal(files, err)
	}
	kept := map[string]bool{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		kept[string(b)] = true
	}
	for _, want := range []string{
		"Return-Path: <a@client.test>\r\nDelivered-To: alice@good.test\r\n" + string(one.Data),
		"Return-Path: <a@client.test>\r\nDelivered-To: bob+news@good.test\r\n" + string(one.Data),
		"Return-Path: <>\r\nDelivered-To: Postmaster\r\n" + string(two.Data),
	} {
		if !kept[want] {
			t.Errorf("not kept: %q", want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "tmp", "*")); len(left) > 0 {
		t.Errorf("left in tmp: %q", left)
	}
}

func TestMaildirThatFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), Options{Maildir: file}); err == nil {
		t.Error("a file was taken for a Maildir")
	}
	dir := filepath.Join(t.TempDir(), "mail")
	w := start(t, Options{Maildir: dir})
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	run(t, w, "192.0.2.30:25", `
		S: 220 *
		C: HELO client.test
		S: 250 *
		C: MAIL FROM:<>
		S: 250 Ok
		C: RCPT TO:<x@catchall.test>
		S: 250 Ok
		C: DATA
		S: 354 *
		C: .
		S: 451 the message could not be kept`)
}

func TestLog(t *testing.T) {
	var log bytes.Buffer
	w, err := Start(t.Context(), Options{Log: func(s string) { log.WriteString(s + "\n") }})
	if err != nil {
		t.Fatal(err)
	}
	run(t, w, "192.0.2.12:25", `
		S: 220 *
		C: noop
		S: 250 Ok
		C: QUIT
		S: 221 *
		EOF`)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want := `mx1.plain.test:25 -- connection
mx1.plain.test:25 S: 220 mx1.plain.test ESMTP ehlo sandbox
mx1.plain.test:25 C: noop
mx1.plain.test:25 S: 250 Ok
mx1.plain.test:25 C: QUIT
mx1.plain.test:25 S: 221 mx1.plain.test closing
mx1.plain.test:25 -- closed
`
	if d := cmp.Diff(want, log.String()); d != "" {
		t.Error(d)
	}
}

func TestEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w, err := Start(ctx, Options{SOCKSAddr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, w, "192.0.2.24:25")
	cancel()
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("a word from a world that has ended")
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if _, err := w.Dial(t.Context(), "tcp", "192.0.2.10:25"); err == nil {
		t.Error("dialled a world that has ended")
	}
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		w, err := Start(b.Context(), Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

func BenchmarkStartAndClose(b *testing.B) {
	for b.Loop() {
		w, err := Start(b.Context(), Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
