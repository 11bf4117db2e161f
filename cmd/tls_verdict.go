package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/policy"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// verdict is how the examination of s ended.
func (s *tlsServer) verdict() verdict {
	var faults []string
	warnings := 0
	for _, c := range s.Checks {
		switch {
		case c.Verdict == "fail" && !slices.Contains(faults, c.ID):
			faults = append(faults, c.ID)
		case c.Verdict == "warn":
			warnings++
		}
	}
	if s.err != nil && (len(faults) == 0 || !s.ended()) {
		return judge(s.err, s.Host)
	}
	if len(faults) > 0 {
		return s.failed(faults)
	}
	v := verdict{Status: StatusDone, Outcome: "passed", Sentence: s.TLS.Summary()}
	if s.DANE != nil && s.dane().State == policy.Match && !s.TLS.Verified() {
		v.Sentence = strings.Replace(v.Sentence, "not verified", "verified "+s.Host+" by DANE alone", 1)
	}
	if warnings > 0 {
		v.Sentence += " · " + transcript.Count(warnings, "warning")
	}
	return v
}

// ended reports whether it is TLS that ended the conversation, or the server after
// it: not the user, the time, or a server that breaks the protocol.
func (s *tlsServer) ended() bool {
	return !errors.Is(s.err, ErrInterrupted) && !errors.As(s.err, new(*maxTimeError)) && !errors.As(s.err, new(*dialog.ProtocolError))
}

// failed is the verdict on faults: what they are, what they mean to those who send
// mail there, and what mends them.
func (s *tlsServer) failed(faults []string) verdict {
	has := func(id string) bool { return slices.Contains(faults, id) }
	var names []string
	for _, id := range faults {
		names = append(names, faultName(id))
	}
	v := verdict{Status: StatusTLS, Phase: dialog.PhaseTLS.String(), Sentence: strings.Join(names, ", ") + ": " + s.Host}
	bogus := has("dane") && s.dane().State == policy.Bogus
	switch {
	case bogus && len(faults) == 1:
		v.Status = StatusNoAnswer
		v.Sentence = "the TLSA records of " + s.Host + " cannot be had"
		fallthrough
	case bogus:
		v.Means = "senders that honour DANE put off what they have for " + s.Host + ", as an attack looks the same (RFC 7672 section 2.1.3)"
	case has("dane"):
		v.Means = "senders that honour DANE do not deliver to " + s.Host
	case has("mta-sts"):
		v.Means = "senders that honour MTA-STS do not deliver to " + s.Host
	case has("injection"):
		v.Means = "whoever is between client and server can add commands that pass for the client's own"
	case has("starttls"), has("handshake"):
		v.Means = "mail to " + s.Host + " travels in the clear, or not at all"
	case len(faults) == 1 && has("expiry"):
		v.Means = "senders that ask for a proof deliver to " + s.Host + " until " + s.TLS.Chain[0].NotAfter.UTC().Format("2006-01-02 15:04Z")
	default:
		v.Means = "senders that ask for a proof do not deliver to " + s.Host
	}
	var handshake *dialog.TLSError
	if errors.As(s.err, &handshake) {
		v.Likely = handshake.Likely
	}
	for _, id := range append([]string{"dane"}, faults...) {
		if v.Next == "" && has(id) {
			v.Next = s.remedy(id)
		}
	}
	v.Outcome = endingOf(v.Status).word
	return v
}

// unfounded reports whether no further certificate would help the chain: it ends at
// one that signed itself, or at one that may not sign others.
func (s *tlsServer) unfounded() bool {
	last := s.TLS.Chain[len(s.TLS.Chain)-1]
	return bytes.Equal(last.RawIssuer, last.RawSubject) || len(s.TLS.Chain) > 1 && !last.IsCA
}

// faultName is a check that failed, in words.
func faultName(id string) string {
	switch id {
	case "name":
		return "wrong name"
	case "dates":
		return "out of its dates"
	case "chain":
		return "no chain to a CA"
	case "usage":
		return "not for servers"
	case "key":
		return "weak key"
	case "signature":
		return "weak signature"
	case "expiry":
		return "expires too soon"
	case "ocsp":
		return "revoked"
	case "handshake":
		return "no handshake"
	case "starttls":
		return "no STARTTLS"
	case "injection":
		return "takes injected commands"
	case "dane":
		return "DANE not satisfied"
	case "mta-sts":
		return "MTA-STS not satisfied"
	}
	return id
}

// remedy is what mends a fault, for those who run the server; "" if that depends.
func (s *tlsServer) remedy(id string) string {
	switch id {
	case "name":
		return "a certificate with " + s.TLS.Name + " among its names (subjectAltName)"
	case "dates", "expiry":
		for _, c := range s.TLS.Chain {
			if s.at.Before(c.NotBefore) {
				return "set the clock right of whoever issued " + dialog.CertificateTitle(c) + ", or wait"
			}
		}
		return "renew what has expired or soon will, and have the server load it"
	case "chain":
		if s.unfounded() {
			return "a certificate by a CA that senders know, or TLSA records for this one"
		}
		return "have the server send, behind its own, the certificate of each CA up to one that senders know"
	case "usage":
		return "a certificate that is for servers: extended key usage serverAuth"
	case "key":
		return "a new key, EC P-256 or RSA of 2048 bits, and a certificate for it"
	case "signature":
		return "a certificate that is signed over SHA-256"
	case "ocsp":
		return "a new key, and a certificate for it"
	case "starttls":
		switch {
		case s.offers(false, "STARTTLS"):
			return "look into the server's log: it says why STARTTLS is refused"
		case s.offers(false, "XXXXXXXA"):
			return "let the firewall in between pass STARTTLS: its inspection of SMTP takes it out"
		}
		return "give the server a certificate and its key, and have it offer STARTTLS"
	case "injection":
		return "update the server: it must throw away what it has read when TLS begins"
	case "dane":
		if v := s.dane(); len(v.Would) > 0 {
			return fmt.Sprintf("_%d._tcp.%s. IN TLSA %s   # publish this, then wait two TTLs before the old one goes", s.Port, s.DANE.Base, policy.Long(v.Would[0]))
		}
	case "mta-sts":
		return "ehlo mx " + s.domain + "   # each of its hosts has to be in an mx line of the policy"
	}
	return ""
}
