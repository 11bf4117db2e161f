package check

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/ehlo-mail/ehlo/mime"
)

// ofLines reports whether a finding is about lines and octets.
func ofLines(f mime.Finding) bool {
	switch f.ID {
	case "bare-cr", "bare-lf", "nul", "long-line", "long-header", "lf", "line-over-78", "no-last-line-end":
		return true
	}
	return false
}

func msgLines(_ context.Context, s *Subject) []Result {
	return s.findings(ofLines, "every line is as it has to be")
}

// msgHeaders judges the header of the message, not those of its parts.
func msgHeaders(_ context.Context, s *Subject) []Result {
	return s.findings(func(f mime.Finding) bool { return f.Place != nil && f.Place.Part == "" && !ofLines(f) }, "the header is as it has to be")
}

// findings are those of the message's structure that are wanted, a result each. What is only
// worth knowing is evidence.
func (s *Subject) findings(wanted func(mime.Finding) bool, good string) []Result {
	found, err := s.structure()
	if err != nil {
		return one(Untested("%v", err))
	}
	var all []Result
	pass := Passed("%s", good)
	for _, f := range found.Findings {
		if !wanted(f) {
			continue
		}
		text := f.Text
		if f.Place != nil && f.Place.Line > 0 && !strings.HasPrefix(f.ID, "no-") {
			text += fmt.Sprintf(" (line %d)", f.Place.Line)
		}
		v := verdictOf(f.Level)
		if v == Info {
			pass = pass.With(text)
			continue
		}
		all = append(all, made(v, "%s", []any{text}).By(f.Ref).As(f.ID).Fixed("%s", formFix(f)))
	}
	if len(all) == 0 {
		all = one(pass)
	}
	return all
}

// What large receivers take, in octets as they are sent.
const (
	sizeFine = 20_000_000 // Outlook.com and iCloud Mail
	sizeMost = 25_000_000 // Gmail and Yahoo
)

func msgSize(_ context.Context, s *Subject) []Result {
	size := s.Message.Size()
	switch {
	case size > sizeMost:
		return one(Failed("%d octets: the largest receivers take about %d", size, sizeMost).
			Meaning("most receivers refuse it").Fixed("send a link in place of the attachment"))
	case size > sizeFine:
		return one(Warned("%d octets: some large receivers take %d", size, sizeFine).Fixed("send a link in place of the attachment"))
	}
	return one(Passed("%d octets", size))
}

// msgUnsub judges List-Unsubscribe and List-Unsubscribe-Post (RFC 2369, RFC 8058).
func msgUnsub(ctx context.Context, s *Subject) []Result {
	parts, err := s.structure()
	if err != nil {
		return one(Untested("%v", err))
	}
	signed, err := s.verified(ctx)
	if err != nil {
		return one(Untested("%v", err))
	}
	lists, allPosts := fields(parts, "List-Unsubscribe"), fields(parts, "List-Unsubscribe-Post")
	there, posts := len(lists) > 0, len(allPosts) > 0
	var list, post string
	if there {
		list = lists[0]
	}
	if posts {
		post = allPosts[0]
	}
	click := strings.EqualFold(strings.ReplaceAll(post, " ", ""), "List-Unsubscribe=One-Click")
	web := slices.ContainsFunc(uris(list), func(u string) bool { return secureURL(u) })
	fix := "List-Unsubscribe: <https://HOST/PATH>, and List-Unsubscribe-Post: List-Unsubscribe=One-Click"
	var r Result
	switch {
	case !there && !posts:
		r = Noted("no List-Unsubscribe: only bulk mail needs it").Fixed("in bulk mail: %s", fix)
	case !there:
		r = Failed("List-Unsubscribe-Post without List-Unsubscribe").Fixed("%s", fix)
	case len(lists) > 1:
		r = Failed("%d List-Unsubscribe fields, where one is allowed", len(lists)).With(lists[1:]...).
			Meaning("readers differ on which they follow").Fixed("join them into one field, with commas between the addresses: %s", fix).By("RFC 2369")
	case posts && !click:
		r = Failed("List-Unsubscribe-Post is not List-Unsubscribe=One-Click").Fixed("%s", fix)
	case posts && !web:
		r = Failed("one click needs an https address in List-Unsubscribe").Fixed("%s", fix)
	case !posts:
		r = Warned("List-Unsubscribe without List-Unsubscribe-Post: it takes more than one click").Fixed("%s", fix)
	case !covered(signed) && slices.ContainsFunc(signed.Signatures, func(s mime.SignatureVerdict) bool { return s.Verdict == mime.VerdictTempError }):
		r = Untested("whether a DKIM signature covers both fields is not known: it could not be verified").By("RFC 8058 section 4")
	case !covered(signed):
		r = Failed("no DKIM signature that passes covers both fields").Meaning("receivers do not offer the click").
			Fixed("sign List-Unsubscribe and List-Unsubscribe-Post").By("RFC 8058 section 4")
	default:
		r = Passed("one click unsubscribes")
	}
	for _, text := range []string{list, post} {
		if text != "" {
			r = r.With(text)
		}
	}
	return one(r)
}

// fields gives the values of the fields of that name.
func fields(m *mime.Structure, name string) []string {
	var all []string
	for _, f := range m.Header {
		if strings.EqualFold(f.Name, name) {
			all = append(all, strings.TrimSpace(f.Value))
		}
	}
	return all
}

// uris are those in angle brackets (RFC 2369 section 2).
func uris(value string) []string {
	var all []string
	for part := range strings.SplitSeq(value, "<") {
		if u, _, ok := strings.Cut(part, ">"); ok {
			if _, err := url.Parse(u); err == nil {
				all = append(all, u)
			}
		}
	}
	return all
}

// covered reports whether a signature that passes covers both fields.
func covered(v *mime.Verification) bool {
	return slices.ContainsFunc(v.Signatures, func(s mime.SignatureVerdict) bool {
		names := map[string]bool{}
		for _, h := range s.Headers {
			names[strings.ToLower(h)] = true
		}
		return s.Sound() && names["list-unsubscribe"] && names["list-unsubscribe-post"]
	})
}
