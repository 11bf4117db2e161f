package dialog

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// Options are what a conversation is told before it begins.
type Options struct {
	Stream   *transcript.Stream // where it shows what happens; nil shows nothing
	Timeouts Timeouts
	Hurry    <-chan struct{}         // closed when even the farewell is not to be waited for; may be nil
	Waiting  func(Waiting)           // told whenever a wait begins; may be nil
	Writing  func(done, total int64) // told how many of a message's bytes are written, at every block; may be nil
	Hello    string                  // the name or address literal behind EHLO
	TLS      TLS
	Login    *Login  // who logs in, or nil
	Stop     *Stop   // where to stop before the end, or nil
	Memory   *Memory // of the conversation before, whose turns are not needed any more; nil

	HELO        bool     // HELO is said, and nothing is offered
	Local       bool     // the server is a process of this host, behind a socket or a pipe: nothing travels
	LMTP        bool     // LHLO, and a reply for each recipient (RFC 2033)
	XClient     []string // NAME=value, said for another client; see Xclient
	XForward    []string // likewise, see Xforward
	Pipelining  Use
	Chunking    Use
	ShowData    ShowData
	Unstuffed   bool             // dots that begin lines are sent as they are, by DATA, whatever they end
	Undeclared  bool             // addresses beyond ASCII are sent without SMTPUTF8
	ShowSecrets bool             // neither what is sent nor what is repeated is hidden
	Now         func() time.Time // the clock certificates are judged by
}

// Use says whether an extension is used.
type Use int

// The uses of an extension.
const (
	IfOffered Use = iota
	Never
	Required // an error if it is not offered
)

// ShowData says how much of a message the transcript repeats.
type ShowData int

// How much of a message is shown.
const (
	ShowNone ShowData = iota
	ShowHeaders
	ShowAll
)

// Policy is what is demanded of TLS.
type Policy int

// The policies, weakest first.
const (
	PolicyNever  Policy = iota // STARTTLS is not used
	PolicyMay                  // used where offered; a bad certificate is a warning
	PolicyMust                 // required; a bad certificate is a warning
	PolicyVerify               // required, and the certificate must prove the name
)

// TLS is how a connection is secured and judged.
type TLS struct {
	Policy Policy
	Name   string         // that the certificate must prove
	SNI    string         // sent to the server; "" is Name
	Roots  *x509.CertPool // nil is the system's store
	Store  string         // what to call Roots: "the system's store"

	Certificates []tls.Certificate      // shown to a server that asks for one
	MinVersion   uint16                 // 0 is TLS 1.0: what a server speaks is to be seen
	MaxVersion   uint16                 // 0 is the newest
	Suites       []uint16               // of TLS 1.0 to 1.2; nil is every one there is
	Groups       []tls.CurveID          // nil is the library's choice
	KeyLog       io.Writer              // gets the connection's secrets; nil
	Sessions     tls.ClientSessionCache // to resume sessions; nil
	// Prove, if set, judges the peer: DANE. Our own verdicts are then shown and
	// do not count.
	Prove func(tls.ConnectionState) []TLSVerdict
}

// Stop ends a conversation before its end: nothing of a phase later than After
// is written.
type Stop struct {
	After Phase
	How   StopHow
}

// StopHow is how a conversation stops.
type StopHow int

// The ways to stop.
const (
	StopQuit   StopHow = iota // say QUIT once the replies are read
	StopDrop                  // close once the replies are read
	StopUnread                // close without reading them
)

func (s *Stop) allows(p Phase) bool {
	return s == nil || p <= s.After || p == PhaseQuit && s.How == StopQuit
}

// halt is the end of a conversation that is to stop before phase p, or nil.
func (s *Session) halt(p Phase) error {
	if s.Stop.allows(p) {
		return nil
	}
	s.Report.Stopped = true
	return &Error{s.Stop.After, ErrStopped}
}

// unread reports whether the replies to what was written are left unread.
func (s *Stop) unread(turns []Turn, stopped bool) bool {
	return s != nil && s.How == StopUnread && (stopped || turns[len(turns)-1].Step.Phase == s.After)
}

// Report is what a conversation showed. It fills as the conversation goes, and
// does not grow with the number of messages.
type Report struct {
	Banner  *Reply
	Offers  []Offers    // one for every EHLO or HELO
	TLS     *TLSReport  // nil without a handshake
	Auth    *AuthReport // nil without a login
	Reached Phase       // the latest phase that was answered
	Stopped bool        // as Options.Stop asked
	Full    bool        // the server takes no more messages on this connection (RFC 9422)
}

// Session is one connection to a server, and what is known of it.
type Session struct {
	*Options
	Report Report
	conn   *conn
	quit   bool // QUIT was written

	pending bool // a transaction is open that nothing ends but RSET

	lamented bool // what ended the conversation is shown

	// Memory that one exchange leaves to the next.
	turns   []Turn // of Recur
	ours    []int
	wanted  []int
	bound   <-chan struct{} // the context that cuts writes off, by its Done
	release func()          // ends that; nil if there is none
}

// NewSession begins a conversation on nc. A nc that is a *tls.Conn after its
// handshake is secure from the first byte.
func NewSession(nc net.Conn, o Options) *Session {
	_, secure := nc.(*tls.Conn)
	if o.Memory == nil {
		o.Memory = new(Memory)
	}
	s := &Session{Options: &o}
	s.speak(nc, secure)
	return s
}

// speak has the conversation on nc from now on. Its server may know the secrets
// of the login from an earlier connection, so they are hidden from the first reply
// on: but for short ones, which are ordinary words there.
func (s *Session) speak(nc net.Conn, secure bool) {
	s.Memory.keep(s)
	s.conn = newConn(nc, secure, s.Stream)
	s.Memory.lend(s)
	if s.Login == nil || s.ShowSecrets {
		return
	}
	for _, secret := range []transcript.Secret{s.Login.Credentials.Password, s.Login.Credentials.Token} {
		if len(secret.Reveal()) >= minForeseen {
			s.conn.reader.mask.Add(secret)
		}
	}
}

// Secure reports whether the connection is under TLS.
func (s *Session) Secure() bool { return s.conn.secure }

// Offers is what the last EHLO said of that keyword.
func (s *Session) Offers(keyword string) (Offer, bool) {
	if len(s.Report.Offers) == 0 {
		return Offer{}, false
	}
	return s.Report.Offers[len(s.Report.Offers)-1].Find(keyword)
}

// Close ends the connection at once.
func (s *Session) Close() error {
	s.unbind()
	err := s.conn.nc.Close()
	s.Memory.keep(s)
	return err
}

// pipelines reports whether commands leave in groups.
func (s *Session) pipelines() bool {
	_, offered := s.Offers("PIPELINING")
	return s.Pipelining != Never && offered
}

// Offers is what a server announced in reply to one EHLO, or to a HELO, which
// announces nothing.
type Offers struct {
	Secure     bool     `json:"secure"`
	Verb       string   `json:"verb"`
	Reply      *Reply   `json:"reply"`
	Extensions []Offer  `json:"extensions"`
	Oddities   []string `json:"oddities,omitempty"`
}

// Offer is one keyword line of an EHLO reply.
type Offer struct {
	Keyword string   `json:"keyword"` // in capitals
	Params  []string `json:"params,omitempty"`
}

// Find is the offer of that keyword.
func (o *Offers) Find(keyword string) (Offer, bool) {
	for _, offer := range o.Extensions {
		if strings.EqualFold(offer.Keyword, keyword) {
			return offer, true
		}
	}
	return Offer{}, false
}

// ParseOffers reads the reply to EHLO (RFC 5321 section 4.1.1.1): behind the
// first line each line is a keyword and its parameters. "AUTH=PLAIN", as some
// old servers list it beside the standard form, is taken as AUTH. What does not
// look like a keyword is left out and noted.
func ParseOffers(reply *Reply) Offers {
	offers := Offers{Reply: reply}
	lines := reply.Lines()
	for i, line := range lines[min(1, len(lines)):] {
		if i == maxKeywords {
			offers.Oddities = append(offers.Oddities, "over 1000 keywords: the rest is not looked at")
			break
		}
		words := strings.FieldsFunc(line, isBlank)
		if len(words) == 0 {
			continue
		}
		keyword := capitals(words[0])
		if rest, ok := strings.CutPrefix(keyword, "AUTH="); ok {
			keyword, words = "AUTH", append([]string{"AUTH", rest}, words[1:]...)
			if rest == "" {
				words = append(words[:1], words[2:]...)
			}
		}
		if !isKeyword(keyword) {
			offers.Oddities = append(offers.Oddities, "not a keyword: "+words[0])
			continue
		}
		offers.add(Offer{Keyword: keyword, Params: words[1:]})
	}
	return offers
}

// add merges parameters of a keyword that is listed twice.
func (o *Offers) add(offer Offer) {
	for i := range o.Extensions {
		known := &o.Extensions[i]
		if known.Keyword != offer.Keyword {
			continue
		}
		for _, param := range offer.Params {
			if len(known.Params) == maxKeywords {
				break // comparing all with all would be our work, at the server's will
			}
			if !containsFold(known.Params, param) {
				known.Params = append(known.Params, param)
			}
		}
		return
	}
	o.Extensions = append(o.Extensions, offer)
}

func containsFold(list []string, word string) bool {
	for _, w := range list {
		if strings.EqualFold(w, word) {
			return true
		}
	}
	return false
}

// isBlank is what parts the words of an EHLO line. Unicode knows more spaces,
// which a server does not mean.
func isBlank(r rune) bool { return r == ' ' || r == '\t' || r == '\r' }

// capitals is word with its ASCII letters in capitals: strings.ToUpper would
// make SIZE of "ſize".
func capitals(word string) string {
	letters := []byte(word)
	for i, c := range letters {
		if 'a' <= c && c <= 'z' {
			letters[i] = c - 'a' + 'A'
		}
	}
	return string(letters)
}

// isKeyword follows ehlo-keyword of RFC 5321 section 4.1.1.1: letters, digits
// and hyphens, not beginning with a hyphen; the underscore of some vendors too.
func isKeyword(word string) bool {
	for i, c := range []byte(word) {
		switch {
		case c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case (c == '-' || c == '_') && i > 0:
		default:
			return false
		}
	}
	return word != ""
}
