package sasl

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// What a server may make us hold and compute.
const (
	maxIterations = 1_000_000 // about a second; a count is judged before anything is hashed
	maxNonce      = 1024      // bytes, ours included
	maxSalt       = 1024      // bytes
	fewIterations = 4096      // RFC 5802 section 5.1 asks for as many
)

// serverFirst is the server-first-message (RFC 5802 section 7).
type serverFirst struct {
	nonce      string // ours, and what the server appended
	salt       []byte
	iterations int
}

// parseFirst reads r=, s= and i=, in this order. Extensions behind them are
// ignored, as the RFC says, but for the mandatory ones that m= announces.
func (s *scram) parseFirst(text string) (first serverFirst, err error) {
	fields := strings.Split(text, ",")
	for _, field := range fields {
		if strings.HasPrefix(field, "m=") {
			return first, s.breach("the server demands an extension that does not exist yet: " + s.quote(field))
		}
	}
	names := []string{"r=", "s=", "i="}
	if len(fields) < len(names) {
		return first, s.breach("the challenge " + s.quote(text) + " is not r=NONCE,s=SALT,i=ITERATIONS")
	}
	for k, name := range names {
		value, ok := strings.CutPrefix(fields[k], name)
		if !ok {
			return first, s.breach("the challenge " + s.quote(text) + " is not r=NONCE,s=SALT,i=ITERATIONS")
		}
		fields[k] = value
	}
	if first.nonce, err = s.nonceOf(fields[0]); err != nil {
		return first, err
	}
	if len(fields[1]) > base64.StdEncoding.EncodedLen(maxSalt) {
		return first, s.breach(fmt.Sprintf("the salt has %d characters: at most %d are taken", len(fields[1]), base64.StdEncoding.EncodedLen(maxSalt)))
	}
	if first.salt, err = base64.StdEncoding.DecodeString(fields[1]); err != nil || len(first.salt) == 0 {
		return first, s.breach("the salt " + s.quote(fields[1]) + " is not in base64")
	}
	first.iterations, err = s.iterationsOf(fields[2])
	return first, err
}

func (s *scram) nonceOf(value string) (string, error) {
	switch tail, ok := strings.CutPrefix(value, s.ours); {
	case !ok:
		return "", s.breach("the server's nonce does not begin with ours")
	case tail == "":
		return "", s.breach("the server added nothing to our nonce")
	case len(value) > maxNonce:
		return "", s.breach(fmt.Sprintf("the server's nonce has %d bytes: at most %d are taken", len(value), maxNonce))
	}
	for i := range len(value) {
		if c := value[i]; c <= ' ' || c >= 0x7f {
			return "", s.breach("the server's nonce has a character that is not printable")
		}
	}
	return value, nil
}

func (s *scram) iterationsOf(value string) (int, error) {
	for i := range len(value) {
		if c := value[i]; c < '0' || c > '9' {
			return 0, s.breach("the iteration count " + s.quote(value) + " is not a number")
		}
	}
	if value == "" || value[0] == '0' {
		return 0, s.breach("the iteration count " + s.quote(value) + " is not a positive number")
	}
	n, err := strconv.Atoi(value)
	switch {
	case len(value) > 20:
		return 0, s.breach(fmt.Sprintf("the server asks for a number of iterations that has %d digits: at most %d are computed", len(value), maxIterations))
	case err != nil || n > maxIterations:
		return 0, s.breach(fmt.Sprintf("the server asks for %s iterations: at most %d are computed", value, maxIterations))
	}
	return n, nil
}

// Tell hides the server's signature, says what an error means, and remarks on a
// count of iterations that is too low to slow anybody down.
func (s *scram) Tell(challenge []byte) string {
	text := string(challenge)
	if strings.HasPrefix(text, "v=") {
		return "v=" + transcript.Hidden
	}
	if code, ok := strings.CutPrefix(text, "e="); ok {
		code, _, _ = strings.Cut(code, ",")
		return "e=" + s.refusal(code)
	}
	_, rest, _ := strings.Cut(text, ",i=")
	count, _, _ := strings.Cut(rest, ",")
	if n, err := strconv.Atoi(count); err == nil && 0 < n && n < fewIterations {
		return s.mask(text) + fmt.Sprintf(" (RFC 5802 asks for at least %d iterations)", fewIterations)
	}
	return ""
}

// refusal says what a server-error-value means (RFC 5802 section 7).
func (s *scram) refusal(code string) string {
	about := ""
	switch code {
	case "invalid-encoding":
		about = "it cannot decode what we sent"
	case "extensions-not-supported":
		about = "it does not know an extension, though we used none"
	case "invalid-proof":
		about = "the proof does not fit, so the password is most likely wrong"
	case "channel-bindings-dont-match":
		about = "it sees another TLS connection than we do: a proxy, or an attacker, stands in between"
	case "server-does-support-channel-binding":
		about = "it lists a -PLUS form that did not reach us, or it wants one to be used"
	case "channel-binding-not-supported":
		about = "it cannot bind to the TLS connection"
	case "unsupported-channel-binding-type":
		about = "it binds to the TLS connection by another type"
	case "unknown-user":
		about = "it does not know the user"
	case "invalid-username-encoding":
		about = "it cannot read the user name"
	case "no-resources":
		about = "it lacks the means just now"
	case "other-error":
		return "other-error"
	default:
		return s.quote(code)
	}
	return code + ": " + about
}
