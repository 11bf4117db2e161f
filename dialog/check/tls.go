package check

import (
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/scan"
)

// tlsChecks judge what servers negotiate.
func tlsChecks() []Check {
	row := func(id, about, ref string, looks Look, run func(context.Context, *Subject) []Result, gives ...Verdict) Check {
		return Check{ID: id, Group: Receiving, Topic: "transport", About: about, Ref: ref, Needs: []Need{NeedDomain}, Looks: looks, Gives: gives, Run: run}
	}
	return []Check{
		row("starttls", "servers offer STARTTLS, and the handshake comes about", "RFC 3207", LookName, onServers((*Server).greeted, "no server greeted", startTLS), Pass, Warn, Fail, Error, Skip),
		row("tls-version", "servers speak TLS 1.2 or 1.3, and nothing older", "RFC 8996", LookVersions, onServers(secured, "no server spoke TLS", tlsVersion), Pass, Info, Warn, Fail, Error, Skip),
		row("tls-cipher", "servers choose suites with forward secrecy and without known weaknesses", "RFC 9325 section 4", LookVersions, onServers(secured, "no server spoke TLS", tlsCipher), Pass, Warn, Fail, Error, Skip),
		row("requiretls", "servers offer REQUIRETLS, with a certificate that lets senders use it", "RFC 8689", LookName, onServers((*Server).greeted, "no server greeted", requireTLS), Pass, Info, Warn, Error, Skip),
	}
}

// secured reports whether a handshake came about.
func secured(v *Server) bool { return v.TLS() != nil && len(v.TLS().Chain) > 0 }

func startTLS(ctx context.Context, s *Subject, v *Server) []Result {
	switch limited := errors.As(v.apart, new(*LimitError)); {
	case limited && secured(v):
		return one(Passed("TLS by STARTTLS, for another name of this address"))
	case v.apart != nil:
		return one(v.unseen())
	}
	if secured(v) {
		first := v.Report.Visit.Report.Offers
		if v.deaf() {
			return one(deafUnderTLS(v, v.Report.Visit.Err))
		}
		if second := first[len(first)-1]; second.Secure {
			if _, again := second.Find("STARTTLS"); again {
				return one(Warned("STARTTLS is offered again under TLS").By("RFC 3207 section 4.2").
					Fixed("take it out of the reply to the second EHLO"))
			}
		}
		return one(Passed("TLS by STARTTLS").With(v.TLS().Summary()))
	}
	err := v.Report.Visit.Err
	var failed *dialog.TLSError
	var at *dialog.Error
	r := Failed("%v", reason(err)).Meaning("mail travels in the clear, or not at all")
	switch {
	case errors.As(err, &failed) && failed.Kind == dialog.TLSNotOffered:
		r = Failed("offers no STARTTLS").Meaning("mail travels in the clear").Fixed("give it a certificate; Postfix: smtpd_tls_security_level = may")
		if offers := v.offers(); offersIt(&offers, "XXXXXXXA") {
			r = Failed("XXXXXXXA stands where STARTTLS was").Meaning("a firewall in between makes it unreadable, so mail travels in the clear").
				Fixed("switch off SMTP inspection in the firewall (Cisco: no fixup protocol smtp)")
		}
		r = r.With(lines(v.offers().Reply)...)
	case errors.As(err, &failed) && failed.Kind == dialog.TLSRefused:
		r = Failed("%s", failed.Reason).Meaning("mail travels in the clear").Fixed("look in its log: a certificate or key that it cannot read, often")
	case errors.As(err, &failed):
		r = Failed("%v", failed).Meaning("senders that try TLS do not deliver; some go on in the clear").Fixed("ehlo tls %s", v.Host)
	case errors.As(err, &at) && at.Phase == dialog.PhaseTLS:
		r = r.Fixed("ehlo tls %s", v.Host)
	default:
		r = Untested("%v", reason(err))
	}
	switch {
	case r.Verdict != Fail:
	case v.DANE != nil && len(v.DANE.Usable()) > 0:
		r = r.Meaning("its TLSA records promise TLS: senders that honour them do not deliver here")
	case s.STS(ctx).Enforced():
		r = r.Meaning("MTA-STS is in mode enforce: senders that honour it do not deliver to %s; others do, in the clear", v.Host)
	}
	return one(r)
}

// deaf reports whether a handshake came about, and EHLO under it was not answered.
func (v *Server) deaf() bool {
	all := v.Report.Visit.Report.Offers
	return secured(v) && v.Report.Visit.Err != nil && (len(all) < 2 || all[len(all)-1].Reply == nil)
}

// deafUnderTLS judges a server that handshakes and then lets nobody say anything.
func deafUnderTLS(v *Server, err error) Result {
	var at *dialog.Error
	if !errors.As(err, &at) || at.Phase != dialog.PhaseTLS && at.Phase != dialog.PhaseHello {
		return Untested("TLS comes about; what follows is not known: %v", reason(err))
	}
	r := Failed("TLS comes about, and EHLO under it does not: %v", reason(err)).With(v.TLS().Summary()).
		Meaning("senders that use TLS do not deliver").Fixed("look in its log; then: ehlo probe %s", v.Host)
	var refusal *dialog.Refusal
	if errors.As(err, &refusal) {
		r = r.With(refusal.Reply.String())
	}
	return r
}

func offersIt(o *dialog.Offers, keyword string) bool {
	_, ok := o.Find(keyword)
	return ok
}

// lines are those of a reply, as evidence.
func lines(r *dialog.Reply) []string {
	if r == nil {
		return nil
	}
	return r.Lines()
}

// tried gives the attempts that were accepted, and why some say nothing.
func tried(attempts []scan.Attempt) (names []string, untested string) {
	for _, a := range attempts {
		switch {
		case a.Accepted:
			names = append(names, a.What)
		case a.Untested != "":
			untested = a.What + ": " + a.Untested
		}
	}
	return names, untested
}

func tlsVersion(_ context.Context, _ *Subject, v *Server) []Result {
	names, untested := tried(v.Report.Versions)
	if seen := tls.VersionName(v.TLS().Version); !slices.Contains(names, seen) {
		names = append(names, seen) // it was negotiated, if only once
	}
	modern := func(n string) bool { return n == "TLS 1.2" || n == "TLS 1.3" }
	text := strings.Join(names, ", ")
	old := slices.DeleteFunc(slices.Clone(names), modern)
	switch {
	case !slices.ContainsFunc(names, modern):
		return one(Failed("%s alone", text).Meaning("senders that keep to RFC 8996 cannot encrypt").
			Fixed("let it speak TLS 1.2 and 1.3"))
	case len(old) > 0:
		return one(Warned("%s: %s deprecated", text, are(old)).Meaning("old versions can be attacked; few senders need them").
			Fixed("switch them off; Postfix: smtpd_tls_protocols = >=TLSv1.2"))
	case untested != "":
		return one(Untested("%s; %s", text, untested))
	case !slices.Contains(names, "TLS 1.3"):
		return one(Noted("%s; no TLS 1.3", text))
	}
	return one(Passed("%s", text))
}

func are(names []string) string {
	if len(names) == 1 {
		return names[0] + " is"
	}
	return strings.Join(names, " and ") + " are"
}

func tlsCipher(_ context.Context, _ *Subject, v *Server) []Result {
	suites := []uint16{v.TLS().Suite}
	for _, a := range v.Report.Versions {
		if a.Accepted && !slices.Contains(suites, a.Suite) {
			suites = append(suites, a.Suite)
		}
	}
	var evidence, broken, weak []string
	for _, id := range suites {
		name := tls.CipherSuiteName(id)
		evidence = append(evidence, name)
		switch {
		case strings.Contains(name, "RC4") || strings.Contains(name, "3DES"):
			broken = append(broken, name)
		case strings.HasPrefix(name, "TLS_RSA_"):
			weak = append(weak, name)
		}
	}
	switch {
	case len(broken) > 0:
		return one(Failed("chooses %s, which is broken", strings.Join(broken, ", ")).With(evidence...).
			Meaning("whoever records enough of it can read it").Fixed("switch RC4 and 3DES off; Postfix: smtpd_tls_ciphers = high"))
	case len(weak) > 0:
		return one(Warned("chooses %s: no forward secrecy", strings.Join(weak, ", ")).With(evidence...).
			Meaning("whoever gets its key later can read what was recorded").Fixed("let it prefer suites with ECDHE"))
	}
	return one(Passed("%s", strings.Join(evidence, ", ")))
}

func requireTLS(_ context.Context, _ *Subject, v *Server) []Result {
	var clear, secure bool
	for _, o := range v.Report.Visit.Report.Offers {
		_, offered := o.Find("REQUIRETLS")
		clear, secure = clear || offered && !o.Secure, secure || offered && o.Secure
	}
	switch {
	case clear:
		return one(Warned("REQUIRETLS is offered before TLS").By("RFC 8689 section 2").Fixed("offer it under TLS alone"))
	case !secure:
		return one(Noted("REQUIRETLS is not offered").Meaning("senders that demand TLS on the whole way do not deliver here"))
	case v.apart != nil:
		return one(v.unseen())
	case !proven(v):
		return one(Warned("REQUIRETLS is offered, and the certificate proves nothing").
			Meaning("who uses it does not deliver here").By("RFC 8689 section 4.2.1").Fixed("ehlo tls %s", v.Host))
	}
	return one(Passed("REQUIRETLS"))
}
