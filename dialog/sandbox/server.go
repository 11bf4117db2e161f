package sandbox

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// server plays one service of one host: a listener and what its connections share.
type server struct {
	world    *World
	scenario *Scenario
	host     *Host
	spec     *Service
	name     string // mx1.good.test
	who      string // mx1.good.test:25, for the log
	addr     string // of the loopback listener
	people   []string
	clear    offers
	secure   offers
	tls      func() (*tls.Config, error)
}

// offers are the EHLO keywords of a server at one time of the session.
type offers struct {
	lines    []string // as EHLO lists them
	keywords map[string]string
	size     int64 // the limit that SIZE declares, or one that bounds memory
}

// maxMessage bounds what a server keeps of a message where no SIZE does.
const maxMessage = 64 << 20

func parseOffers(s string) offers {
	o := offers{keywords: map[string]string{}, size: maxMessage}
	for _, line := range strings.Split(s, ", ") {
		if line == "" {
			continue
		}
		keyword, value, _ := strings.Cut(line, " ")
		o.lines = append(o.lines, line)
		o.keywords[keyword] = value
		if n, err := strconv.ParseInt(value, 10, 64); keyword == "SIZE" && err == nil && n > 0 {
			o.size = min(n, maxMessage)
		}
	}
	return o
}

func (o offers) has(keyword string) bool {
	_, ok := o.keywords[keyword]
	return ok
}

// listen starts the server of a service.
func (w *World) listen(sc *Scenario, h *Host, v *Service, port uint16) (*server, error) {
	l, err := w.listener()
	if err != nil {
		return nil, err
	}
	s := &server{
		world: w, scenario: sc, host: h, spec: v,
		name:   sc.hostname(*h),
		who:    fmt.Sprintf("%s:%d", sc.hostname(*h), port),
		addr:   l.Addr().String(),
		people: strings.Fields(people),
		clear:  parseOffers(v.Offers),
		secure: parseOffers(v.Secure),
	}
	if v.Secure == "" {
		s.secure = parseOffers(strings.ReplaceAll(", "+v.Offers, ", STARTTLS", ""))
	}
	if v.Mailboxes != "" {
		s.people = strings.Fields(v.Mailboxes)
	}
	s.tls = sync.OnceValues(s.tlsConfig)
	w.accept(l, s.serve)
	return s, nil
}

// tlsConfig makes what all handshakes of the server share, session tickets too.
func (s *server) tlsConfig() (*tls.Config, error) {
	id, err := s.world.ca.identity(s.spec, s.name)
	if err != nil {
		return nil, err
	}
	h := s.spec.Handshake
	return &tls.Config{Certificates: []tls.Certificate{id.Certificate}, Time: s.world.opt.Now,
		MinVersion: h.Min, MaxVersion: h.Max, CipherSuites: h.Suites, ClientAuth: h.ClientAuth, ClientCAs: s.world.Roots()}, nil
}

// local reports whether the server takes mail for a domain: the scenario's own
// names, what is below them, and the host's address literals.
func (s *server) local(domain string) bool {
	domain = strings.ToLower(domain)
	for _, own := range append([]string{s.scenario.domain()}, s.scenario.Also...) {
		if domain == own || strings.HasSuffix(domain, "."+own) {
			return true
		}
	}
	if literal, ok := strings.CutPrefix(domain, "["); ok {
		literal = strings.TrimPrefix(strings.TrimSuffix(literal, "]"), "ipv6:")
		for _, a := range strings.Fields(s.host.Addrs) {
			if literal == a {
				return true
			}
		}
	}
	return false
}

// mailbox reports whether the server has a mailbox of that local part.
func (s *server) mailbox(local string) bool {
	for _, m := range s.people {
		if matches(m, local) {
			return true
		}
	}
	return false
}

// serve serves one connection and closes it in a way that loses no reply.
func (s *server) serve(c *net.TCPConn) {
	defer s.world.drain(c)
	x := &session{server: s, tcp: c, conn: c, client: c.RemoteAddr().(*net.TCPAddr).IP.String()}
	s.log("--", "connection")
	if s.spec.TLS {
		if err := x.handshake(); err != nil {
			return
		}
	} else {
		x.attach(c)
	}
	talk := x.talk
	if s.spec.Page != nil {
		talk = x.web
	}
	err := talk()
	if !errors.Is(err, errHangUp) {
		x.closeNotify()
	}
	s.log("--", strings.ReplaceAll(err.Error(), "\n", "; "))
}

// drainTime is how long a closed connection is still listened to: closing with
// unread bytes would reset it, and the client might lose the last reply.
const drainTime = 5 * time.Second

// drain says that nothing more will be written and reads until the client ends too.
func (w *World) drain(c *net.TCPConn) {
	if c.CloseWrite() != nil {
		return
	}
	_ = c.SetReadDeadline(time.Now().Add(drainTime))
	discard(c)
}

func (s *server) log(mark, line string) { s.world.log(s.who, mark, line) }

// id gives the next queue id, which is the same in every run.
func (w *World) id() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue++
	return fmt.Sprintf("sandbox-%d", w.queue)
}

// again counts how often a rule was met under key, and gives the number.
func (w *World) again(key string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard[key]++
	return w.heard[key]
}
