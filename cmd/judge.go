package cmd

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/explain"
	"github.com/ehlo-mail/ehlo/dialog/policy"
	"github.com/ehlo-mail/ehlo/dialog/reach"
	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/dialog/sasl"
)

// judgeReply is the verdict on a refusal by host in a phase.
func judgeReply(r *dialog.Reply, phase dialog.Phase, host string) verdict {
	v := verdict{Status: StatusRefused, Phase: phase.String()}
	how := "for good"
	if !r.Permanent() {
		v.Status, how = StatusDeferred, "for now"
	}
	v.Outcome = endingOf(v.Status).word
	v.Sentence = fmt.Sprintf("%s %s, with %s", how, moment(phase), r.Codes())
	v.explain(r, phase, host)
	return v
}

// command names the command that was refused, where the phase is named by another,
// and says what it means if a server does not know one that begins its protocol.
func (v *verdict) command(refusal *dialog.Refusal, phase dialog.Phase) {
	verb, instead := refusal.Command.Verb(), ""
	switch verb {
	case "XCLIENT", "XFORWARD":
	case "LHLO":
		instead = "ESMTP"
	case "HELO":
		instead = "LMTP"
	default:
		return
	}
	v.Sentence = strings.Replace(v.Sentence, moment(phase), "at "+verb, 1)
	if code := refusal.Reply.Code; instead != "" && (code == 500 || code == 502) {
		v.Means, v.Likely, v.Source = "the server does not know "+verb, "it speaks "+strings.TrimPrefix(instead, "E")+" on this port", ""
		v.Next = "again with --protocol " + instead
	}
}

// explain adds what the reply means.
func (v *verdict) explain(r *dialog.Reply, phase dialog.Phase, host string) {
	e := explained(r, phase)
	v.Means, v.Likely, v.Reason, v.Source = e.Brief, e.Likely, e.Reason, e.Source
	v.Next = strings.NewReplacer("TARGET", host).Replace(e.Next)
}

func explained(r *dialog.Reply, phase dialog.Phase) explain.Explanation {
	enhanced := ""
	if !r.Enhanced.IsZero() {
		enhanced = r.Enhanced.String()
	}
	return explain.Reply(phase.String(), r.Code, enhanced, r.Lines())
}

// fill puts a recipient and the sender where an explanation speaks of them. The null
// sender has no domain to look at.
func (v *verdict) fill(address, sender string) {
	domain := func(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }
	if sender == "" && strings.Contains(v.Next, "SENDER") {
		v.Next = ""
	}
	v.Next = strings.NewReplacer("ADDRESS", address, "DOMAIN", domain(address), "SENDER", domain(sender)).Replace(v.Next)
}

// unfilled takes back advice that speaks of what this run has not.
func (v *verdict) unfilled() {
	for word := range strings.FieldsSeq(v.Next) {
		if word == "ADDRESS" || word == "DOMAIN" || word == "SENDER" {
			v.Next = ""
			return
		}
	}
}

// moment says when a reply came, to a person.
func moment(p dialog.Phase) string {
	switch p {
	case dialog.PhaseConnect:
		return "by its greeting"
	case dialog.PhaseFirstHello, dialog.PhaseHello:
		return "at EHLO"
	case dialog.PhaseTLS:
		return "at STARTTLS"
	case dialog.PhaseAsk:
		return "at a question"
	case dialog.PhaseAuth:
		return "at AUTH"
	case dialog.PhaseMail:
		return "at MAIL"
	case dialog.PhaseRcpt:
		return "at RCPT"
	case dialog.PhaseData:
		return "at DATA"
	case dialog.PhaseDot:
		return "after the message"
	}
	return "at " + strings.ToUpper(p.String())
}

// judge is the verdict on an error that ended a run or a visit of host.
func judge(err error, host string) verdict {
	var (
		at       *dialog.Error
		refusal  *dialog.Refusal
		unmet    *dialog.UnmetError
		noRoute  *route.NoRoute
		connect  *reach.ConnectError
		proxy    *reach.ProxyError
		special  *reach.SpecialError
		lost     *dialog.LostError
		tlsError *dialog.TLSError
		login    *dialog.AuthError
		policed  *reach.PolicyError
		limit    *maxTimeError
		timeout  *dialog.TimeoutError
	)
	v := verdict{Status: StatusNoAnswer}
	phase := dialog.PhaseConnect
	if errors.As(err, &at) {
		phase = at.Phase
		v.Phase = phase.String()
	}
	say := func(s Status, sentence string) { v.Status, v.Sentence = s, sentence }
	switch {
	case errors.As(err, &refusal) && (refusal.Reply.Permanent() || refusal.Reply.Temporary()):
		v := judgeReply(refusal.Reply, phase, host)
		v.command(refusal, phase)
		return v
	case errors.As(err, &refusal):
		say(StatusProtocol, fmt.Sprintf("%s answered %s %s", host, refusal.Reply.Codes(), moment(phase)))
	case errors.Is(err, ErrInterrupted):
		say(StatusInterrupted, "before it was done")
	case errors.As(err, &limit):
		say(StatusNoAnswer, limit.Error())
		v.Next = "again with --max-time 30m   # waits longer"
	case errors.As(err, &noRoute):
		v.Phase = "route"
		say(StatusNoAnswer, noRoute.Error())
		switch {
		case noRoute.Definite():
			v.Status = StatusRefused
		case errors.As(err, new(*route.NoServers)):
			v.Next = "ehlo mx " + noRoute.Domain + " --dns-server ADDR   # of a resolver that answers you"
		default:
			v.Next = "ehlo mx " + noRoute.Domain + " -v   # which server said what"
		}
		switch noRoute.Why {
		case route.NoDomain:
			v.Likely = "the name is misspelt, or no longer registered"
		case route.NoMailHost:
			v.Likely = "the name is misspelt, or mail goes to another name of its owner"
		case route.TakesNoMail:
			v.Next = "use another address: whoever runs this domain wants no mail there"
		}
	case errors.As(err, &connect):
		say(StatusNoAnswer, connect.Error())
		v.Likely = unreached(connect)
		if errors.As(err, &proxy) && proxy.Code == 407 {
			v.Means = "the proxy wants a login"
			v.Next = "again with --via http://USER@" + proxy.Addr + " --via-password-file FILE"
			if proxy.Login {
				v.Means, v.Next = "the proxy refuses this user or password", ""
			}
		}
	case errors.As(err, &special):
		say(StatusRefused, special.Error())
		v.Next = "again without --public-only   # connects nevertheless"
	case errors.As(err, &tlsError):
		say(StatusTLS, tlsError.Error())
		v.tls(tlsError)
		if errors.As(err, &policed) {
			v.Seen = policed.By + " demands TLS of " + policed.Host
			if tlsError.Kind == dialog.TLSUnproven {
				v.Seen = policed.By + " demands proof of " + policed.Host
			}
		}
	case errors.As(err, &policed):
		say(StatusTLS, policed.Error())
		v.policed(policed)
	case errors.As(err, &login):
		say(StatusAuth, login.Error())
		v.auth(login, host)
	case errors.As(err, &unmet):
		say(StatusRefused, unmet.Error())
		v.Next = unmetNext(unmet)
		if strings.HasPrefix(unmet.Keyword, "X") && unmet.Param == "" {
			v.Likely = "the server offers it to hosts that it trusts alone"
		}
	case errors.As(err, new(*dialog.BodyError)):
		say(StatusUsage, err.Error())
	case errors.As(err, &lost) && phase == dialog.PhaseConnect:
		say(StatusNoAnswer, err.Error())
	case errors.As(err, &lost):
		say(StatusProtocol, err.Error())
		v.Means = "the connection was lost, and no message was sent"
	case errors.As(err, new(*dialog.ProtocolError)):
		say(StatusProtocol, strings.TrimPrefix(err.Error(), "protocol error: "))
		v.Means = "the server broke the protocol, so what it sent was not taken as an answer"
	case errors.As(err, &timeout):
		say(StatusNoAnswer, err.Error())
		class := timeClass(phase)
		if timeout.Writing {
			class = "data="
		}
		v.Next = "again with --timeout " + class + "5m   # waits longer"
	default:
		say(StatusNoAnswer, err.Error())
	}
	v.Outcome = endingOf(v.Status).word
	return v
}

// unmetNext is what to do where a server lacks what a message needs.
func unmetNext(unmet *dialog.UnmetError) string {
	switch unmet.Keyword {
	case "XCLIENT", "XFORWARD":
		return "again without --" + strings.ToLower(unmet.Keyword)
	case "SIZE":
		return "send less, or a link to it"
	case "8BITMIME":
		return "write the message in quoted-printable or base64, as --body and --attach do"
	case "BINARYMIME":
		return "again with --transfer-encoding auto   # what every server takes"
	case "CHUNKING":
		return "again without --no-chunking"
	case "SMTPUTF8":
		if !unmet.Address {
			return "write the header in ASCII, as RFC 2047 has it"
		}
		return "use an address in ASCII, if there is one"
	case "PIPELINING":
		return "again without --pipeline"
	}
	switch {
	case unmet.Param != "":
		return unmetParam(unmet)
	case unmet.Keyword == "DELIVERBY":
		return "again with --deliver-by 'SECONDS;N'   # tells the sender and goes on trying; or a later deadline"
	case unmet.Keyword == "FUTURERELEASE":
		return "again with a shorter --hold-for"
	}
	return ""
}

// tls adds what a failure of TLS means.
func (v *verdict) tls(err *dialog.TLSError) {
	v.Likely = err.Likely
	switch err.Kind {
	case dialog.TLSUnproven:
		v.Means = "the line is encrypted, but whoever holds it has not proved to be " + err.Unproven
		v.Next = "again with --tls   # encrypts without proof: for a test"
	case dialog.TLSNotOffered, dialog.TLSRefused:
		v.Means = "TLS was demanded, and nothing is sent without it"
		v.Next = "again with --tls-optional   # goes on in the clear: for a test"
	case dialog.TLSBadCertificate:
		v.Means = "the server shows a certificate that proves nothing, so nobody knows who it is"
	case dialog.TLSClientCertificate:
		v.Means = "the server speaks to those alone who show a certificate that it trusts"
		v.Next = "again with --tls-cert FILE --tls-key FILE   # one that is trusted there"
	default:
		v.Means = "both sides found no way to encrypt; going on in the clear would hide an attack"
		if err.Alert == 80 { // internal_error (RFC 8446 section 6.2)
			v.Means = "TLS failed within the server, as its own alert says; going on in the clear would hide an attack"
		}
		v.Next = "again with --no-tls   # in the clear: for a test"
		if err.Implicit {
			v.Means = "both sides found no way to encrypt from the first byte on"
			v.Next = "again without TLS from the first byte: host:port, and no --tls-on-connect"
		}
	}
}

// policed adds what it means that a published policy keeps us from a host.
func (v *verdict) policed(err *reach.PolicyError) {
	if err.By == reach.Vouched {
		v.Means = "who forges the MX records names a host of their own, so REQUIRETLS asks for DNSSEC or MTA-STS (RFC 8689 section 4.2.1)"
		v.Next = "again without --require-tls"
		return
	}
	switch err.Action {
	case policy.PutOff:
		v.Status = StatusNoAnswer
		v.Means = "an attack looks the same, so nothing goes to this host until they can be had (RFC 7672 section 2.1.3)"
		v.Likely = "DNSSEC is broken there, or a name server fails at questions for TLSA"
		v.Next = "again with --tls-verify   # passes DANE over: for a test"
	case policy.Skip:
		v.Means = "mail for the domain goes to no host that its policy does not list"
		v.Next = "again with --tls-verify   # passes the policy over: for a test"
	case policy.Refuse:
		v.Means = "what was asked for is not published, or cannot be had, and nothing is sent without it"
		v.Next = "again with --tls-policy auto   # demands what is published, and no more"
	}
}

// auth adds what a failed login means.
func (v *verdict) auth(err *dialog.AuthError, host string) {
	switch err.Kind {
	case dialog.AuthRefused:
		e := explained(err.Reply, dialog.PhaseAuth)
		v.Sentence = fmt.Sprintf("%s was refused with %s", err.Mechanism, err.Reply.Codes())
		v.Means, v.Likely, v.Reason, v.Source = e.Brief, e.Likely, e.Reason, e.Source
		switch m, _ := sasl.Find(err.Mechanism); m.Needs {
		case sasl.NeedToken:
			v.Means = strings.Replace(v.Means, "the user name or the password", "the token, or the user that it is for", 1)
		case sasl.NeedCertificate:
			v.Means = strings.Replace(v.Means, "the user name or the password", "the certificate, or the user to act as", 1)
		}
		v.Next = strings.ReplaceAll(e.Next, "TARGET", host)
		if strings.HasSuffix(err.Mechanism, "-PLUS") {
			v.Likely = "the password is wrong; or both sides see different TLS connections, as with another kind of binding (--auth-binding), or with somebody in between"
			v.Next = "again with --auth-binding tls-server-end-point   # if the server binds that way"
		}
	case dialog.AuthNotOffered:
		v.Means = "this server lets nobody log in here"
		if !strings.HasSuffix(host, ":587") && !strings.HasSuffix(host, ":465") {
			v.Likely = "users submit mail on port 587 or 465, and other servers deliver it on port 25"
		}
	case dialog.AuthNoMechanism:
		if len(err.Offered) > 0 {
			v.Seen = "the server offers " + strings.Join(err.Offered, " ")
		}
	case dialog.AuthClear:
		v.Means = "everyone between here and the server could read what a login sends"
		v.Next = "again with --auth-cleartext   # sends it in the clear: for a test"
	case dialog.AuthUnproven:
		v.Means = "whoever holds the other end has not proved who it is, and would learn what a login sends"
		v.Next = "again with --auth-unverified   # sends it nevertheless: for a test"
	case dialog.AuthBroken:
		v.Means = "the exchange did not keep to the mechanism, so nothing that was said counts as a login"
	}
}

// unreached is why a connection was likely not made.
func unreached(err *reach.ConnectError) string {
	var timeout interface{ Timeout() bool }
	var proxy *reach.ProxyError
	switch {
	case errors.As(err, &proxy) && proxy.Said == "" && errors.As(err, &timeout) && timeout.Timeout():
		if proxy.Reached {
			return "what listens there speaks another protocol, or the proxy waits for the target itself"
		}
		return "the proxy's address or port is another, or a firewall stands in between"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens on that port, or a firewall refuses it"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "this host has no way to that network: no IPv6, perhaps, or a private address"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "a firewall in between: many networks let nothing out to port 25"
	}
	return ""
}

// timeClass is the class of --timeout that bounds the wait in a phase, with its
// "=", or "" for that of replies.
func timeClass(p dialog.Phase) string {
	switch p {
	case dialog.PhaseConnect:
		return "banner="
	case dialog.PhaseDot:
		return "dot="
	}
	return ""
}
