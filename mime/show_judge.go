package mime

import (
	"fmt"
	"io"
	stdmime "mime"
	"net/mail"
	"strings"

	"github.com/jhillyerd/enmime/v2/mediatype"
)

// judge looks at the header of the part being read and fills in what it says. It
// reports whether the part consists of parts.
func (w *walker) judge(h *headerReader) bool {
	p := w.part
	if p == w.root {
		w.judgeMessage(h)
	} else if p.Subject = h.value("Subject"); p.Subject != "" {
		p.Subject, _ = decodeWords(p.Subject)
	}
	for _, name := range []string{"Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "Content-ID", "MIME-Version"} {
		if n := len(h.values(name)); n > 1 {
			w.add(Fail, "doubled-"+strings.ToLower(name), "RFC 2045 section 3", h.place(name), int64(n-1), "%d %s fields, where one is allowed: readers differ on which counts", n, name)
		}
	}
	params := w.kind(h)
	w.disposition(h, params)
	if id := h.value("Content-ID"); id != "" {
		p.ContentID = trimID(id)
		if w.ids[p.ContentID] {
			w.add(Warn, "doubled-cid", "RFC 2045 section 7", h.place("Content-ID"), 1, "Content-ID %s: another part has the same", clip(p.ContentID))
		}
		w.ids[p.ContentID] = true
	}
	w.encoding(h)
	message := p.Type == "message/rfc822" || p.Type == "message/global"
	switch {
	case strings.HasPrefix(p.Type, "multipart/"):
		return w.boundaryOf(h, params) && identity(p.Encoding)
	case message:
		return identity(p.Encoding)
	}
	return false
}

// kind reads the Content-Type (RFC 2045 section 5).
func (w *walker) kind(h *headerReader) map[string]string {
	p := w.part
	p.Type = "text/plain" // RFC 2045 section 5.2
	if n := len(w.stack); n > 0 && w.stack[n-1].Type == "multipart/digest" {
		p.Type = "message/rfc822" // RFC 2046 section 5.1.5
	}
	value := h.value("Content-Type")
	if value == "" {
		return nil
	}
	place := h.place("Content-Type")
	if p == w.root && h.value("MIME-Version") == "" {
		w.add(Warn, "no-mime-version", "RFC 2045 section 4", place, 1, "a Content-Type and no MIME-Version: some readers then take all for plain text")
	}
	kind, params, err := stdmime.ParseMediaType(value)
	if err != nil {
		w.add(Fail, "bad-content-type", "RFC 2045 section 5.1", place, 1, "Content-Type %s: %s", clip(value), strings.TrimPrefix(err.Error(), "mime: "))
		if kind, params, _, err = mediatype.Parse(value); err != nil {
			return nil
		}
	}
	major, minor, ok := strings.Cut(kind, "/")
	if !ok || major == "" || minor == "" {
		w.add(Fail, "bad-content-type", "RFC 2045 section 5.1", place, 1, "Content-Type %s: type/subtype is wanted", clip(value))
		return params
	}
	p.Type, p.Charset = strings.ToLower(kind), params["charset"]
	return params
}

// disposition reads Content-Disposition (RFC 2183), and the name that it or the
// type gives.
func (w *walker) disposition(h *headerReader, params map[string]string) {
	p := w.part
	p.Name = params["name"]
	where := "Content-Type"
	if value := h.value("Content-Disposition"); value != "" {
		kind, params, err := stdmime.ParseMediaType(value)
		if err != nil {
			w.add(Warn, "bad-disposition", "RFC 2183 section 2", h.place("Content-Disposition"), 1,
				"Content-Disposition %s: %s", clip(value), strings.TrimPrefix(err.Error(), "mime: "))
			kind, params, _, _ = mediatype.Parse(value)
		}
		p.Disposition = strings.ToLower(kind)
		if name := params["filename"]; name != "" {
			p.Name, where = name, "Content-Disposition"
		}
	}
	if p.Name == "" {
		return
	}
	if name, err := decodeWords(p.Name); err == nil && name != p.Name {
		p.Name = name
		w.add(Info, "name-words", "RFC 2231 section 4", h.place(where), 1, "the name is in RFC 2047 words, which a parameter must not have: not all readers decode them")
	}
	if safe := safeName(p.Name); safe != p.Name {
		w.add(Warn, "unsafe-name", "RFC 2183 section 5", h.place(where), 1, "the name %s is not fit for a file: %s is", clip(p.Name), clip(safe))
	}
}

// encoding reads Content-Transfer-Encoding (RFC 2045 section 6).
func (w *walker) encoding(h *headerReader) {
	p := w.part
	p.Encoding = "7bit"
	value := h.value("Content-Transfer-Encoding")
	if value == "" {
		return
	}
	word, _, _ := strings.Cut(value, "(")
	word, _, _ = strings.Cut(word, ";")
	p.Encoding = strings.ToLower(strings.TrimSpace(word))
	place := h.place("Content-Transfer-Encoding")
	switch p.Encoding {
	case "7bit", "8bit", "binary":
	case "base64", "quoted-printable":
		if strings.HasPrefix(p.Type, "multipart/") || p.Type == "message/rfc822" {
			w.add(Fail, "encoded-parts", "RFC 2045 section 6.4", place, 1, "%s must not be in %s: readers do not undo it", clip(p.Type), p.Encoding)
			if strings.HasPrefix(p.Type, "multipart/") {
				p.Encoding = "7bit"
			}
		}
	default:
		w.add(Fail, "unknown-encoding", "RFC 2045 section 6.4", place, 1, "unknown Content-Transfer-Encoding %s: readers take the part for application/octet-stream", clip(value))
	}
}

func identity(encoding string) bool { return encoding != "base64" && encoding != "quoted-printable" }

// boundaryOf takes the boundary of a part of parts (RFC 2046 section 5.1.1).
func (w *walker) boundaryOf(h *headerReader, params map[string]string) bool {
	p := w.part
	p.boundary = params["boundary"]
	place := h.place("Content-Type")
	switch b := p.boundary; {
	case b == "":
		w.add(Fail, "no-boundary", "RFC 2046 section 5.1.1", place, 1, "%s without a boundary: it cannot be taken apart", clip(p.Type))
	case len(b) > boundaryMost:
		p.boundary = ""
		w.add(Fail, "long-boundary", "RFC 2046 section 5.1.1", place, 1, "a boundary of %d octets, where 70 are allowed: it was not taken apart", len(b))
	case len(b) > 70:
		w.add(Warn, "long-boundary", "RFC 2046 section 5.1.1", place, 1, "a boundary of %d octets, where 70 are allowed", len(b))
	case strings.HasSuffix(b, " ") || strings.IndexFunc(b, notBoundary) >= 0:
		p.boundary = strings.TrimRight(b, " \t")
		w.add(Warn, "odd-boundary", "RFC 2046 section 5.1.1", place, 1, "the boundary %s has characters that are not allowed", clip(b))
	}
	for _, outer := range w.stack {
		if p.boundary != "" && p.boundary == outer.boundary {
			w.add(Fail, "same-boundary", "RFC 2046 section 5.1.2", place, 1, "the boundary %s is also that of a part around this one", clip(p.boundary))
			break
		}
	}
	return p.boundary != ""
}

// notBoundary reports whether r is none of RFC 2046's bchars.
func notBoundary(r rune) bool {
	return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("'()+_,-./:=? ", r))
}

// judgeMessage looks at the header of the whole (RFC 5322 section 3.6).
func (w *walker) judgeMessage(h *headerReader) {
	place := func(name string) Place { return h.place(name) }
	if len(h.all) == 0 {
		w.add(Fail, "no-header", "RFC 5322 section 2.1", place(""), 1, "no header field begins the message")
		return
	}
	for _, name := range []string{"Date", "From"} {
		if h.values(name) == nil {
			w.add(Fail, "no-"+strings.ToLower(name), "RFC 5322 section 3.6", place(""), 1, "no %s field, which every message must have", name)
		}
	}
	if h.values("Message-ID") == nil {
		w.add(Warn, "no-message-id", "RFC 5322 section 3.6.4", place(""), 1, "no Message-ID field, which every message should have")
	}
	seen := map[string]int64{}
	for _, f := range h.all {
		name := strings.ToLower(f.name)
		if seen[name]++; seen[name] > 1 && once(name) {
			w.add(Fail, "doubled-"+name, "RFC 5322 section 3.6", f.place, 1, "more than one %s field, where one is allowed: readers differ on which they show", f.name)
		} else if seen[name] > 1 && ofList(name) {
			w.add(Warn, "doubled-"+name, "RFC 2369", f.place, 1, "more than one %s field, where one is allowed: readers differ on which they follow", f.name)
		}
	}
	for _, name := range []string{"From", "Sender", "Reply-To", "To", "Cc"} {
		for _, v := range h.values(name) {
			list, err := addressParser().ParseList(v)
			if err != nil && !emptyGroup(v) {
				level := Warn
				if name == "From" { // receivers refuse what names no author (RFC 5322 section 3.6.2)
					level = Fail
				}
				w.add(level, "bad-"+strings.ToLower(name), "RFC 5322 section 3.4", place(name), 1, "%s %s: %s", name, clip(v), strings.TrimPrefix(err.Error(), "mail: "))
			}
			if name == "From" && len(list) > 1 && h.values("Sender") == nil {
				w.add(Fail, "no-sender", "RFC 5322 section 3.6.2", place(name), 1, "%d addresses in From and no Sender field, which says which of them sent it", len(list))
			}
		}
	}
	for _, v := range h.values("Date") {
		date, err := mail.ParseDate(v)
		if err != nil {
			w.add(Fail, "bad-date", "RFC 5322 section 3.3", place("Date"), 1, "Date %s is no date", clip(v))
			continue
		}
		if day, _, named := strings.Cut(stripComments(v), ","); named && !strings.EqualFold(strings.TrimSpace(day), date.Format("Mon")) {
			w.add(Warn, "wrong-weekday", "RFC 5322 section 3.3", place("Date"), 1, "Date %s: that day is a %s", clip(v), date.Weekday())
		}
	}
	for _, v := range h.values("Message-ID") {
		if _, err := checkedID(v); err != nil {
			w.add(Warn, "bad-message-id", "RFC 5322 section 3.6.4", place("Message-ID"), 1, "%v", err)
		}
	}
	if h.values("Bcc") != nil {
		w.add(Warn, "bcc", "RFC 5322 section 3.6.3", place("Bcc"), 1, "a Bcc field: every recipient can read it")
	}
	if len(h.values("Content-Type")) == 0 && len(h.values("MIME-Version")) == 0 {
		return
	}
	if v := h.value("MIME-Version"); v != "" && !strings.HasPrefix(strings.TrimSpace(stripComments(v)), "1.0") {
		w.add(Warn, "odd-mime-version", "RFC 2045 section 4", place("MIME-Version"), 1, "MIME-Version %s, where 1.0 is wanted", clip(v))
	}
}

// addressParser reads addresses. A name in a charset that is not known stays as it is:
// the address beside it can be read.
func addressParser() *mail.AddressParser {
	read := func(charset string, in io.Reader) (io.Reader, error) {
		if r, err := charsetReader(charset, in); err == nil {
			return r, nil
		}
		return in, nil
	}
	return &mail.AddressParser{WordDecoder: &stdmime.WordDecoder{CharsetReader: read}}
}

// ofList reports whether name, in lower case, is one of the fields of mailing lists.
func ofList(name string) bool {
	switch name {
	case "list-help", "list-unsubscribe", "list-subscribe", "list-post", "list-owner", "list-archive":
		return true
	}
	return false
}

// emptyGroup reports whether v is a group without members, which net/mail does
// not take alone.
func emptyGroup(v string) bool {
	v = strings.ReplaceAll(v, " ", "")
	return strings.HasSuffix(v, ":;") && strings.Count(v, ":") == 1
}

// checkedID checks a Message-ID.
func checkedID(v string) (string, error) {
	v = strings.TrimSpace(v)
	if len(v) < 2 || v[0] != '<' || v[len(v)-1] != '>' {
		return "", fmt.Errorf("Message-ID %s: not of the form <left@right>", clip(v))
	}
	return checkID(v)
}

// stripComments takes (comments) out.
func stripComments(s string) string {
	for {
		open := strings.IndexByte(s, '(')
		end := strings.IndexByte(s, ')')
		if open < 0 || end < open {
			return s
		}
		s = s[:open] + s[end+1:]
	}
}

// trimID takes the brackets off a Content-ID.
func trimID(s string) string {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "<") && strings.HasSuffix(s, ">") && len(s) >= 2 {
		return s[1 : len(s)-1]
	}
	return s
}
