package check

import (
	"context"
	"slices"

	"github.com/ehlo-mail/ehlo/dialog/check/dmarc"
	"github.com/ehlo-mail/ehlo/dialog/check/spf"
	"github.com/ehlo-mail/ehlo/mime"
)

// spfMet is of the message, if it is known where it comes from.
func spfMet(ctx context.Context, s *Subject) ruling {
	found, err := s.verified(ctx)
	if err != nil {
		return is(notKnown)
	}
	if lacks := s.lacksForSPF(found); lacks != "" {
		return needs(lacks)
	}
	r := is(notMet)
	switch s.spf(ctx, found).Outcome {
	case spf.Pass:
		r = is(met)
	case spf.TempError:
		r = is(notKnown)
	}
	if _, assumed := s.envelope(found); assumed {
		r.note = "by the address in From, without --mail-from"
	}
	return r
}

// dkimMet wants a signature that every receiver counts.
func dkimMet(ctx context.Context, s *Subject) ruling {
	found, err := s.verified(ctx)
	if err != nil {
		return is(notKnown)
	}
	r := is(notMet)
	for _, sig := range found.Signatures {
		switch why := doubt(sig); {
		case sig.Sound() && why == "":
			return is(met)
		case sig.Sound():
			r = doubted(why)
		case sig.Verdict == mime.VerdictTempError && r.state == notMet:
			r = is(notKnown)
		}
	}
	return r
}

// dmarcMet asks for the record of the author's domain.
func dmarcMet(ctx context.Context, s *Subject) ruling {
	found, err := s.verified(ctx)
	if err != nil {
		return is(notKnown)
	}
	switch d := s.authentic(ctx, found).Discovery; {
	case d.Err != nil:
		return is(notKnown)
	case !d.Applies():
		return is(notMet)
	}
	return is(met)
}

// alignMet looks for a pass that is aligned, whether a DMARC record applies or not.
func alignMet(ctx context.Context, s *Subject) ruling {
	found, err := s.verified(ctx)
	if err != nil {
		return is(notKnown)
	}
	v := s.authentic(ctx, found)
	lacks := s.lacksForSPF(found)
	switch b := s.backing(v, found); {
	case b.aligned && b.doubt == "":
		return is(met)
	case v.Discovery.Err != nil, v.Result == dmarc.TempError, slices.ContainsFunc(v.Identifiers, unanswered):
		return is(notKnown)
	case lacks != "" && v.Discovery.Domain != "" && !v.Discovery.Literal():
		return needs(lacks)
	case b.aligned:
		return doubted(b.doubt)
	}
	return is(notMet)
}

// unanswered reports whether a result may be a pass that the DNS hid.
func unanswered(id dmarc.Identifier) bool { return id.Result == string(dmarc.TempError) }

// enforcedMet is met but where DMARC asks receivers not to deliver the message.
func enforcedMet(ctx context.Context, s *Subject) ruling {
	found, err := s.verified(ctx)
	if err != nil {
		return is(notKnown)
	}
	v := s.authentic(ctx, found)
	lacks := s.lacksForSPF(found)
	b := s.backing(v, found)
	switch enforced := v.Discovery.Applies() && v.Discovery.Requested != dmarc.None; {
	case v.Result == dmarc.TempError:
		return is(notKnown)
	case !enforced, v.Result == dmarc.Pass && b.doubt == "":
		return is(met)
	case lacks != "":
		return needs(lacks)
	case v.Result == dmarc.Pass:
		return doubted(b.doubt)
	}
	return is(notMet)
}

// clickMet is asked of marketing mail alone, which nothing tells from other mail; what
// is wrong with a field that is there msg-unsub says.
func clickMet(ctx context.Context, s *Subject) ruling {
	switch msgUnsub(ctx, s)[0].Verdict {
	case Pass:
		return is(met)
	case Error:
		return is(notKnown)
	}
	return is(notBulk)
}

// offerMet reports what can be seen of the header: a link in the body may do as well.
func offerMet(_ context.Context, s *Subject) ruling {
	parts, err := s.structure()
	if err != nil {
		return is(notKnown)
	}
	if list := fields(parts, "List-Unsubscribe"); len(list) > 0 && len(uris(list[0])) > 0 {
		return is(met)
	}
	return is(unseen)
}
