package sandbox

import (
	"bytes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Lie is what a server lies about in SCRAM.
type Lie int

// The lies. NoLie is an honest server.
const (
	NoLie         Lie = iota
	LieIterations     // 50,000,000 iterations: a client that hashes them is busy for minutes
	LieSignature      // every proof is accepted, behind a signature that the password does not make
	LieNonce          // a nonce that does not begin with the client's
	LieOverflow       // more iterations than 64 bits hold
)

const (
	scramIterations  = 4096
	greedyIterations = 50_000_000
)

// scram serves one SCRAM mechanism (RFC 5802, RFC 7677).
type scram struct {
	name string // without -PLUS
	hash func() hash.Hash
	plus bool
}

func (s scram) serve(e *exchange) error {
	message, err := e.ask("")
	if err != nil {
		return err
	}
	c, err := s.parse(e, string(message))
	if err != nil {
		return err
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // it never fails
	nonce, iterations := c.nonce+rand.Text(), strconv.Itoa(scramIterations)
	switch e.spec.Lie {
	case LieIterations:
		iterations = strconv.Itoa(greedyIterations)
	case LieOverflow:
		iterations = "9" + strings.Repeat("0", 30)
	case LieNonce:
		nonce = rand.Text()
	}
	challenge := fmt.Sprintf("r=%s,s=%s,i=%s", nonce, base64.StdEncoding.EncodeToString(salt), iterations)
	message, err = e.ask(challenge)
	if err != nil {
		return err
	}
	return s.finish(e, c, string(message), nonce, salt, challenge)
}

// finish judges the client's second message and proves the server.
func (s scram) finish(e *exchange, c clientFirst, final, nonce string, salt []byte, challenge string) error {
	i := strings.LastIndex(final, ",p=")
	if i < 0 {
		return malformed("bad SCRAM message: no proof")
	}
	proof, err := base64.StdEncoding.Strict().DecodeString(final[i+3:])
	attributes := strings.Split(final[:i], ",")
	if err != nil || len(attributes) < 2 || !strings.HasPrefix(attributes[0], "c=") || !strings.HasPrefix(attributes[1], "r=") {
		return malformed("bad SCRAM message")
	}
	bound, err := base64.StdEncoding.Strict().DecodeString(attributes[0][2:])
	a, known := findAccount(c.user)
	switch {
	case err != nil:
		return s.fail(e, "invalid-encoding")
	case e.spec.Lie == LieSignature:
		return e.prove("v=" + base64.StdEncoding.EncodeToString(make([]byte, s.hash().Size())))
	case e.spec.Lie != NoLie: // a client that came this far is not asked to go further
		return denied()
	case !bytes.Equal(bound, append([]byte(c.header), c.binding...)):
		return s.fail(e, "channel-bindings-dont-match")
	case attributes[1] != "r="+nonce:
		return s.fail(e, "other-error")
	case !known:
		return s.fail(e, "unknown-user")
	}
	salted, err := pbkdf2.Key(s.hash, prepare(a.Password), salt, scramIterations, s.hash().Size())
	if err != nil {
		return err
	}
	expected, signature := s.proofs(salted, c.bare+","+challenge+","+final[:i])
	if !hmac.Equal(expected, proof) {
		return s.fail(e, "invalid-proof")
	}
	if err := e.as(c.authzid, a); err != nil {
		return err
	}
	return e.prove("v=" + base64.StdEncoding.EncodeToString(signature))
}

// fail names the error, hears the client's empty response and denies.
func (s scram) fail(e *exchange, why string) error {
	if err := e.prove("e=" + why); err != nil {
		return err
	}
	return denied()
}

// proofs are the client's proof and the server's signature (RFC 5802 section 3).
func (s scram) proofs(salted []byte, message string) (client, server []byte) {
	key := s.mac(salted, "Client Key")
	stored := s.hash()
	stored.Write(key)
	client = make([]byte, len(key))
	subtle.XORBytes(client, key, s.mac(stored.Sum(nil), message))
	return client, s.mac(s.mac(salted, "Server Key"), message)
}

func (s scram) mac(key []byte, text string) []byte {
	mac := hmac.New(s.hash, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// clientFirst is what a client says first.
type clientFirst struct {
	header        string // the GS2 header with its second comma
	bare          string // what follows it
	authzid, user string
	nonce         string
	binding       []byte // what the channel's binding is on this side
}

// parse takes the client's first message apart (RFC 5802 section 7) and settles
// what binds the channel (section 6).
func (s scram) parse(e *exchange, message string) (clientFirst, error) {
	parts := strings.SplitN(message, ",", 3)
	if len(parts) != 3 || !utf8.ValidString(message) {
		return clientFirst{}, malformed("bad SCRAM message: no GS2 header")
	}
	c := clientFirst{header: parts[0] + "," + parts[1] + ",", bare: parts[2]}
	var fine bool
	if parts[1] != "" {
		if c.authzid, fine = saslname(parts[1], "a="); !fine {
			return c, malformed("bad SCRAM message: authorization identity")
		}
	}
	attributes := strings.Split(c.bare, ",")
	if strings.HasPrefix(c.bare, "m=") { // RFC 5802 section 5.1
		return c, malformed("SCRAM extensions are not supported")
	}
	if c.user, fine = saslname(attributes[0], "n="); !fine || len(attributes) < 2 {
		return c, malformed("bad SCRAM message: user name")
	}
	e.user = c.user
	if c.nonce, fine = strings.CutPrefix(attributes[1], "r="); !fine || c.nonce == "" || !printable(c.nonce) {
		return c, malformed("bad SCRAM message: nonce")
	}
	kind, bound := strings.CutPrefix(parts[0], "p=")
	switch {
	case bound != s.plus || !bound && parts[0] != "n" && parts[0] != "y":
		return c, malformed("bad SCRAM message: channel binding flag")
	case parts[0] == "y" && slices.Contains(e.mechanisms(), s.name+"-PLUS"):
		// Somebody took -PLUS out of the list that the client saw.
		return c, failure{oneLine(535, "5.7.8", "server does support channel binding")}
	case bound:
		if c.binding = e.binding(kind); c.binding == nil {
			return c, failure{oneLine(535, "5.7.8", "unsupported channel binding type")}
		}
	}
	return c, nil
}

// saslname decodes a name behind its attribute: "=2C" is a comma, "=3D" an equals
// sign, and no other "=" may stand there.
func saslname(s, attribute string) (string, bool) {
	s, ok := strings.CutPrefix(s, attribute)
	rest := strings.NewReplacer("=2C", "", "=3D", "").Replace(s)
	return strings.NewReplacer("=2C", ",", "=3D", "=").Replace(s), ok && s != "" && !strings.Contains(rest, "=")
}

// printable is what a nonce is made of: visible ASCII without comma (RFC 5802 section 7).
func printable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ',' }) < 0
}
