package check

import (
	"fmt"
	"slices"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/mime"
)

// judgeSignature judges one signature; now is the time that it was verified by.
func judgeSignature(sig mime.SignatureVerdict, now time.Time) Result {
	var r Result
	switch {
	case sig.Sound():
		r = Passed("passes")
	case sig.Verdict == mime.VerdictPass:
		r = Failed("passes, and leaves the message open").Fixed("sign From once more than it is there, and without l=")
	case sig.Verdict == mime.VerdictTempError:
		r = Untested("%s", sig.Reason).Fixed("try again later")
	case sig.Verdict == mime.VerdictFail && sig.Expires != nil && sig.Expires.Before(now):
		r = Failed("%s", sig.Reason).Fixed("sign it anew, with more time between t= and x= than it is under way")
	case sig.Verdict == mime.VerdictFail:
		r = Failed("%s", sig.Reason).Fixed("find what changes the message behind the signer, or sign it there; and compare the key: %s", keyCommand(sig))
	default:
		r = Failed("%s", sig.Reason).Fixed("mend the signature, or the key: %s", keyCommand(sig))
	}
	for _, f := range sig.Findings {
		if v := verdictOf(f.Level); v == Warn && r.Verdict == Pass {
			r.Verdict, r.Summary, r.Ref = Warn, "passes, but "+f.Text, f.Ref
			r = r.Fixed("%s", signatureFix(f.ID, sig))
			continue
		}
		r = r.With(f.Text)
	}
	return r
}

// keyCommand looks at the key of a signature.
func keyCommand(sig mime.SignatureVerdict) string {
	if !route.ValidDomain(sig.Domain) || !route.ValidDomain(sig.Selector) { // foreign text is not for a shell
		return "ehlo check DOMAIN --only dkim-key --selector SELECTOR"
	}
	return fmt.Sprintf("ehlo check %s --only dkim-key --selector %s", sig.Domain, sig.Selector)
}

// signatureFix is what to do about a finding on a signature that passes.
func signatureFix(id string, sig mime.SignatureVerdict) string {
	switch id {
	case "dkim-unsigned-fields":
		return "name these fields in h=, so that whoever sends the message again cannot write others"
	case "dkim-length":
		return "sign without l="
	case "dkim-future":
		return "set the clock of the host that signs"
	}
	return keyFix(id, sig.Selector+"._domainkey."+sig.Domain)
}

// ed25519 is the algorithm that not every receiver verifies.
const ed25519 = "ed25519-sha256"

// besides makes a function that reports whether a signature vouches for the same organisation
// as sig, and is verified by every receiver.
func besides(sig mime.SignatureVerdict) func(mime.SignatureVerdict) bool {
	return func(other mime.SignatureVerdict) bool {
		return other.Sound() && other.Algorithm != ed25519 && mime.Align(other.Domain, sig.Domain) != mime.NotAligned
	}
}

// onlyEd25519 says of a signature that passes that it is not enough.
func onlyEd25519(r Result) Result {
	if r.Verdict != Pass {
		return r.With("Ed25519 alone: " + fewVerify)
	}
	return Warned("passes, by Ed25519 alone: %s", fewVerify).With(r.Evidence...).
		Meaning("to them the message is not signed").Fixed("sign with an RSA key too, below a selector of its own").By("RFC 8463 section 6")
}

// doubt is why receivers may count a signature that passes for none, though it is right; ""
// if there is no reason.
func doubt(sig mime.SignatureVerdict) string {
	switch {
	case slices.ContainsFunc(sig.Findings, func(f mime.Finding) bool { return f.ID == "dkim-testing" }):
		return "the signature's key is under test, t=y"
	case sig.Algorithm == ed25519:
		return fewVerify
	}
	return ""
}
