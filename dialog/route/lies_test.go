package route

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"
)

// truth is the right answer to an MX question.
func truth(query *dns.Msg) *dns.Msg {
	m := new(dns.Msg).SetReply(query)
	m.RecursionAvailable = true
	rr, _ := dns.NewRR(query.Question[0].Name + " 300 IN MX 10 true.test.")
	m.Answer = []dns.RR{rr}
	return m
}

func pack(t testing.TB, m *dns.Msg) []byte {
	t.Helper()
	wire, err := m.Pack()
	if err != nil {
		t.Error(err)
	}
	return wire
}

func askMX(t *testing.T, c *Client) (Answer[MX], error) {
	t.Helper()
	return c.MX(background(t), "example.net")
}

func wantTrue(t *testing.T, a Answer[MX], err error) {
	t.Helper()
	if err != nil || len(a.Records) != 1 || a.Records[0].Host != "true.test" {
		t.Errorf("%+v, %v", a, err)
	}
}

func wantKind(t *testing.T, err error, kind Kind) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Kind != kind {
		t.Fatalf("want %v, got %v", kind, err)
	}
	return e
}

// forgeries are packets that do not answer query.
func forgeries(t testing.TB, query *dns.Msg) map[string][]byte {
	forged := func(change func(*dns.Msg)) []byte {
		m := truth(query)
		m.Answer[0].(*dns.MX).Mx = "evil.test."
		change(m)
		return pack(t, m)
	}
	return map[string][]byte{
		"id":       forged(func(m *dns.Msg) { m.Id++ }),
		"name":     forged(func(m *dns.Msg) { m.Question[0].Name = "evil.test." }),
		"type":     forged(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeA }),
		"class":    forged(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }),
		"query":    forged(func(m *dns.Msg) { m.Response = false }),
		"opcode":   forged(func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify }),
		"none":     forged(func(m *dns.Msg) { m.Question = nil }),
		"two":      forged(func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }),
		"short":    {1, 2, 3},
		"empty":    {},
		"garbage":  []byte(strings.Repeat("\xff", 512)),
		"oversize": make([]byte, 60000),
	}
}

func TestForgedAnswersArePassedOver(t *testing.T) {
	for name := range forgeries(t, new(dns.Msg).SetQuestion("x.", dns.TypeMX)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first := serveRaw(t, func(wire []byte) [][]byte {
				var query dns.Msg
				_ = query.Unpack(wire)
				return [][]byte{forgeries(t, &query)[name], pack(t, truth(&query))}
			})
			a, err := askMX(t, client(first))
			wantTrue(t, a, err)

			only := serveRaw(t, func(wire []byte) [][]byte {
				var query dns.Msg
				_ = query.Unpack(wire)
				return [][]byte{forgeries(t, &query)[name]}
			})
			c := client(only)
			c.Timeout = silence
			_, err = askMX(t, c)
			e := wantKind(t, err, Timeout)
			if name != "empty" && !strings.Contains(e.Error(), "(1 packets that answer something else)") {
				t.Error(e)
			}
		})
	}
}

func TestAnswerFromAnotherPort(t *testing.T) {
	stranger, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	server := serve(t, func(w dns.ResponseWriter, query *dns.Msg) {
		m := truth(query)
		m.Answer[0].(*dns.MX).Mx = "evil.test."
		_, _ = stranger.WriteTo(pack(t, m), w.RemoteAddr())
		_ = w.WriteMsg(truth(query))
	})
	a, err := askMX(t, client(server))
	wantTrue(t, a, err)
}

// A packet that has the right id and question, and then makes no sense, is the
// server's own: the next one is asked at once.
func TestGarbageBehindTheQuestion(t *testing.T) {
	bad := serveRaw(t, func(wire []byte) [][]byte {
		var query dns.Msg
		_ = query.Unpack(wire)
		whole := pack(t, truth(&query))
		return [][]byte{whole[:len(whole)-3]}
	})
	_, err := askMX(t, client(bad))
	wantKind(t, err, Malformed)
	good := serve(t, func(w dns.ResponseWriter, q *dns.Msg) { _ = w.WriteMsg(truth(q)) })
	a, err := askMX(t, client(bad, good))
	wantTrue(t, a, err)
}

func TestEDNSTurnedDown(t *testing.T) {
	t.Parallel()
	for _, code := range []int{dns.RcodeFormatError, dns.RcodeNotImplemented, dns.RcodeBadVers} {
		for _, bare := range []bool{false, true} {
			server := serveRaw(t, func(wire []byte) [][]byte {
				var query dns.Msg
				_ = query.Unpack(wire)
				if query.IsEdns0() == nil {
					return [][]byte{pack(t, truth(&query))}
				}
				m := new(dns.Msg).SetRcode(&query, code&0xf)
				if code > 0xf {
					m.SetEdns0(1232, false)
					m.Rcode = code
				} else if bare {
					m.Question = nil
				}
				return [][]byte{pack(t, m)}
			})
			a, err := askMX(t, client(server))
			wantTrue(t, a, err)
		}
	}
	always := serve(t, func(w dns.ResponseWriter, q *dns.Msg) {
		_ = w.WriteMsg(new(dns.Msg).SetRcode(q, dns.RcodeFormatError))
	})
	_, err := askMX(t, client(always))
	wantKind(t, err, OtherCode)
}

func TestQueryAsksForTheADBit(t *testing.T) {
	server := serve(t, func(w dns.ResponseWriter, q *dns.Msg) {
		opt := q.IsEdns0()
		m := truth(q)
		m.AuthenticatedData = q.AuthenticatedData && opt != nil && opt.Do() && opt.UDPSize() == ednsSize &&
			q.RecursionDesired && !q.CheckingDisabled
		_ = w.WriteMsg(m)
	})
	if a, err := askMX(t, client(server)); err != nil || !a.Authentic {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestTruncation(t *testing.T) {
	t.Parallel()
	truncated := func(q *dns.Msg) *dns.Msg {
		m := new(dns.Msg).SetReply(q)
		m.Truncated = true
		return m
	}
	over := serve(t, func(w dns.ResponseWriter, q *dns.Msg) {
		if isTCP(w) {
			_ = w.WriteMsg(truth(q))
			return
		}
		_ = w.WriteMsg(truncated(q))
	})
	a, err := askMX(t, client(over))
	wantTrue(t, a, err)

	loop := serve(t, func(w dns.ResponseWriter, q *dns.Msg) { _ = w.WriteMsg(truncated(q)) })
	_, err = askMX(t, client(loop))
	wantKind(t, err, Malformed)

	noTCP := serveRaw(t, func(wire []byte) [][]byte { // a listener that never accepts
		var query dns.Msg
		_ = query.Unpack(wire)
		return [][]byte{pack(t, truncated(&query))}
	})
	c := client(noTCP)
	c.Timeout = silence
	_, err = askMX(t, c)
	if e := wantKind(t, err, Timeout); !strings.Contains(e.Error(), "truncated, and over TCP too") {
		t.Error(e)
	}
	c = client(noTCP, over)
	c.Timeout = 10 * silence
	a, err = askMX(t, c)
	wantTrue(t, a, err)
}

func TestRotation(t *testing.T) {
	t.Parallel()
	good := serve(t, func(w dns.ResponseWriter, q *dns.Msg) { _ = w.WriteMsg(truth(q)) })
	for _, code := range []int{dns.RcodeServerFailure, dns.RcodeRefused, dns.RcodeNotAuth} {
		var asked atomic.Int32
		bad := serve(t, func(w dns.ResponseWriter, q *dns.Msg) {
			asked.Add(1)
			_ = w.WriteMsg(new(dns.Msg).SetRcode(q, code))
		})
		c := client(bad, good)
		a, err := askMX(t, c)
		wantTrue(t, a, err)
		if a.Server != good.String() {
			t.Errorf("answered by %s", a.Server)
		}
		if _, err := c.MX(background(t), "other.test"); err != nil || asked.Load() != 1 {
			t.Errorf("the bad server was asked %d times, %v", asked.Load(), err)
		}
		asked.Store(0)
		_, err = askMX(t, client(bad))
		if asked.Load() != 1 || err == nil {
			t.Errorf("alone, the bad server was asked %d times, %v", asked.Load(), err)
		}
	}

	var asked atomic.Int32
	silent := serveRaw(t, func([]byte) [][]byte { asked.Add(1); return nil })
	c := client(silent, good)
	c.Timeout = 10 * silence
	a, err := askMX(t, c)
	wantTrue(t, a, err)

	asked.Store(0)
	c = client(silent)
	c.Timeout = silence
	_, err = askMX(t, c)
	wantKind(t, err, Timeout)
	if asked.Load() != maxRounds {
		t.Errorf("a silent server was asked %d times", asked.Load())
	}
	asked.Store(0)
	c = client(silent, silent, silent, silent, silent, silent)
	c.Timeout = silence / 5
	_, err = askMX(t, c)
	wantKind(t, err, Timeout)
	if asked.Load() > maxTries {
		t.Errorf("%d tries", asked.Load())
	}
}

// Of several failures the one is told that says most, wherever it comes.
func TestWorstIsTold(t *testing.T) {
	t.Parallel()
	silent := serveRaw(t, func([]byte) [][]byte { return nil })
	broken := serve(t, func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)
		m.SetEdns0(1232, false)
		m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeDNSBogus, ExtraText: "expired"}}
		_ = w.WriteMsg(m)
	})
	for _, servers := range [][]Server{{silent, broken}, {broken, silent}} {
		c := client(servers...)
		c.Timeout = silence
		_, err := askMX(t, c)
		e := wantKind(t, err, ServFail)
		want := "MX of example.net from " + broken.String() + ": the server could not find out (SERVFAIL): DNSSEC Bogus: expired"
		if e.Error() != want || !e.Bogus {
			t.Errorf("got  %s, bogus %v\nwant %s", e, e.Bogus, want)
		}
	}
}

func TestReferralIsNoDenial(t *testing.T) {
	server := serve(t, func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		ns, _ := dns.NewRR("net. 60 IN NS a.gtld.test.")
		m.Ns = []dns.RR{ns}
		_ = w.WriteMsg(m)
	})
	_, err := askMX(t, client(server))
	wantKind(t, err, Refused)
}

// chain is n aliases a0 -> a1 -> ... -> an, which has an MX.
func chain(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%d.test. 60 IN CNAME a%d.test.\n", i, i+1)
	}
	fmt.Fprintf(&b, "a%d.test. 60 IN MX 10 true.test.\n", n)
	return b.String()
}

// Aliases are followed within an answer and, where an answer holds one at a time,
// by asking again; the limits are the same.
func TestAliases(t *testing.T) {
	t.Parallel()
	const loop = `
		l1.test. 60 IN CNAME l2.test.
		l2.test. 60 IN CNAME l3.test.
		l3.test. 60 IN CNAME l2.test.
		self.test. 60 IN CNAME self.test.
	`
	for _, stepwise := range []bool{false, true} {
		ask := func(text, name string) (Answer[MX], error) {
			z := newZone(t, text)
			server := serve(t, func(w dns.ResponseWriter, q *dns.Msg) {
				m := new(dns.Msg).SetReply(q)
				m.RecursionAvailable = true
				z.answer(m, q.Question[0])
				if stepwise && len(m.Answer) > 1 {
					m.Answer, m.Ns = m.Answer[:1], nil
				}
				_ = w.WriteMsg(m)
			})
			return client(server).MX(background(t), name)
		}
		a, err := ask(chain(maxAliases), "a0.test")
		wantTrue(t, a, err)
		if len(a.Aliases) != maxAliases || a.Aliases[0] != "a0.test" || a.Name != "a8.test" {
			t.Errorf("stepwise %v: %+v", stepwise, a)
		}
		_, err = ask(chain(maxAliases+1), "a0.test")
		wantKind(t, err, TooMany)
		_, err = ask(loop, "l1.test")
		wantKind(t, err, Loop)
		_, err = ask(loop, "self.test")
		wantKind(t, err, Loop)
	}
}

// What stands in the answer without being led to is nobody's answer.
func TestStrayRecordsDoNotCount(t *testing.T) {
	server := serve(t, func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		m.RecursionAvailable = true
		for _, text := range []string{"evil.test. 60 IN MX 0 evil.test.", "example.net. 60 CH MX 0 evil.test."} {
			rr, _ := dns.NewRR(text)
			m.Answer, m.Extra = append(m.Answer, rr), append(m.Extra, rr)
		}
		_ = w.WriteMsg(m)
	})
	_, err := askMX(t, client(server))
	wantKind(t, err, NoData)
}
