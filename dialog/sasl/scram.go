package sasl

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/subtle"
	"encoding/base64"
	"hash"
	"slices"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// scram is a SCRAM mechanism (RFC 5802): both sides prove that they know the
// password, or what is stored of it, and neither says it.
type scram struct {
	Credentials
	name     string
	hash     func() hash.Hash
	prepared transcript.Secret // the password
	gs2      string            // the GS2 header: whether it binds, and the authzid
	bound    []byte            // the channel binding, for a -PLUS form
	ours     string            // the client's nonce
	bare     string            // client-first-message-bare
	stage    stage
	want     string // the server-final-message that proves the server
}

// newScram gives the begin of the SCRAM mechanism of that name, -PLUS or not.
func newScram(name string, hash func() hash.Hash) func(Credentials) (Client, error) {
	return func(c Credentials) (Client, error) {
		if err := c.login(name); err != nil {
			return nil, err
		}
		user, err := saslprep(c.User)
		if err != nil {
			return nil, &LackError{name, "a user name that SASLprep allows: " + err.Error()}
		}
		password, err := saslprep(c.Password.Reveal())
		if err != nil { // which character it is would say something of the password
			return nil, &LackError{name, "a password that SASLprep (RFC 4013) allows: UTF-8, no control characters, one direction of writing"}
		}
		s := &scram{Credentials: c, name: name, hash: hash, prepared: transcript.NewSecret(password)}
		flag := "n"
		if strings.HasSuffix(name, "-PLUS") {
			kind, data, err := c.binding(name)
			if err != nil {
				return nil, err
			}
			flag, s.bound = "p="+kind, data
		} else if c.offersNoBinding() {
			flag = "y"
		}
		if c.Authzid != "" {
			s.gs2 = flag + ",a=" + saslname(c.Authzid) + ","
		} else {
			s.gs2 = flag + ",,"
		}
		if s.ours, err = c.nonce(); err != nil {
			return nil, err
		}
		s.bare = "n=" + saslname(user) + ",r=" + s.ours
		return s, nil
	}
}

// offersNoBinding reports whether we could bind and the server's list has
// nothing to do it with: "y", by which a server that did list a -PLUS form
// learns that somebody cut its list (RFC 5802 section 6).
func (c Credentials) offersNoBinding() bool {
	if len(c.Offered) == 0 || slices.ContainsFunc(c.Offered, func(name string) bool {
		return strings.HasSuffix(strings.ToUpper(name), "-PLUS")
	}) {
		return false
	}
	_, _, err := c.binding("")
	return err == nil
}

// saslname is a name with its commas and equals signs escaped.
func saslname(s string) string {
	return strings.NewReplacer("=", "=3D", ",", "=2C").Replace(s)
}

func (s *scram) Start() (Message, bool, error) {
	first := s.gs2 + s.bare
	return Message{Data: []byte(first), Shape: first}, true, nil
}

func (s *scram) Next(challenge []byte) (Message, error) {
	at := s.stage
	s.stage = broken
	text := string(challenge)
	if code, ok := strings.CutPrefix(text, "e="); ok && (at == challengeDue || at == proofDue) {
		code, _, _ = strings.Cut(code, ",")
		return Message{}, &Error{s.name, "the server refuses: " + s.refusal(code), true}
	}
	switch at {
	case challengeDue:
		first, err := s.parseFirst(text)
		if err != nil {
			return Message{}, err
		}
		m, err := s.prove(first, text)
		if err == nil {
			s.stage = proofDue
		}
		return m, err
	case proofDue:
		proof, _, _ := strings.Cut(text, ",") // behind it extensions, which may be ignored
		if !strings.HasPrefix(proof, "v=") {
			return Message{}, s.breach("the server's last message " + s.quote(text) + " has no signature")
		}
		if subtle.ConstantTimeCompare([]byte(proof), []byte(s.want)) != 1 {
			return Message{}, s.breach("the server did not prove that it knows the password: its signature is wrong")
		}
		s.stage = proven
		return Message{}, nil // RFC 4954 section 4: an empty line, as a success reply carries no data
	default:
		return Message{}, s.breach("the server asks for more than the mechanism has")
	}
}

// Done is an error unless the server has proved that it knows the password.
func (s *scram) Done() error {
	if s.stage != proven {
		return s.breach("the server did not prove that it knows the password")
	}
	return nil
}

// prove gives the client-final-message, and keeps what the server has to answer
// (RFC 5802 section 3).
func (s *scram) prove(first serverFirst, text string) (Message, error) {
	salted, err := pbkdf2.Key(s.hash, s.prepared.Reveal(), first.salt, first.iterations, s.hash().Size())
	if err != nil {
		return Message{}, s.breach("the password cannot be hashed as the server asks: " + err.Error())
	}
	binds := "c=" + base64.StdEncoding.EncodeToString(append([]byte(s.gs2), s.bound...))
	final := binds + ",r=" + first.nonce
	whole := s.bare + "," + text + "," + final

	clientKey := s.mac(salted, "Client Key")
	stored := s.hash()
	stored.Write(clientKey)
	proof := make([]byte, len(clientKey))
	subtle.XORBytes(proof, clientKey, s.mac(stored.Sum(nil), whole))
	s.want = "v=" + base64.StdEncoding.EncodeToString(s.mac(s.mac(salted, "Server Key"), whole))

	shown := base64.StdEncoding.EncodeToString(proof)
	data := final + ",p=" + shown
	return Message{
		Data:  []byte(data),
		Shape: s.mask(final) + ",p=" + transcript.Hidden,
		Secrets: []transcript.Secret{
			s.Password, s.prepared, transcript.NewSecret(shown), transcript.NewSecret(string(proof)), transcript.NewSecret(data),
		},
		Awaited: []transcript.Secret{transcript.NewSecret(s.want), transcript.NewSecret(s.want[len("v="):])},
	}, nil
}

func (s *scram) mac(key []byte, text string) []byte {
	h := hmac.New(s.hash, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func (s *scram) breach(reason string) error { return &Error{Mechanism: s.name, Reason: reason} }
