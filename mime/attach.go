package mime

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	stdmime "mime"
	"net/http"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// attach makes a part of a.
func (b *body) attach(a Attachment, inline bool, forced Encoding) (*entity, error) {
	name := a.Name
	if name == "" && a.Source.path != "" {
		name = filepath.Base(a.Source.path)
	}
	if err := plain(name, false); err != nil {
		return nil, fmt.Errorf("name of attachment %s: %w", clip(name), err)
	}
	l, err := b.file(a, name, inline, forced)
	if err != nil {
		return nil, fmt.Errorf("attachment %s: %w", clip(name), err)
	}
	return l, nil
}

func (b *body) file(a Attachment, name string, inline bool, forced Encoding) (*entity, error) {
	h, err := a.Source.hold(spoolMost)
	if err != nil {
		return nil, err
	}
	b.release = append(b.release, h.close)
	kind, err := a.kind(name, h)
	if err != nil {
		return nil, err
	}
	encoding := a.Encoding
	if encoding == AutoEncoding && (forced == Base64 || forced == Binary) {
		encoding = forced
	}
	l := &entity{}
	media, _, _ := strings.Cut(kind, ";")
	switch {
	case media == "message/rfc822":
		l.in, err = attached(h, a.Encoding)
		switch {
		case err == nil:
		case a.Type == "": // by its name only
			b.notes = append(b.notes, fmt.Sprintf("attachment %s goes as application/octet-stream, as it cannot go as a message: %v", clip(name), err))
			kind = "application/octet-stream"
			l.in, err = filed(h, kind, encoding)
		default:
			err = &AttachedError{err}
		}
	case strings.HasPrefix(media, "message/") && media != "message/global":
		l.in, err = filed(h, kind, cmp.Or(a.Encoding, SevenBit)) // RFC 2046 section 5.2, RFC 3464 section 2.1
	default:
		l.in, err = filed(h, kind, encoding)
	}
	if err != nil {
		return nil, err
	}
	l.fields = []Header{{"Content-Type", kind}}
	disposition := "attachment"
	if inline {
		disposition = "inline"
		id := cmp.Or(a.ContentID, name)
		if err := contentID(id); err != nil {
			return nil, err
		}
		if b.ids[id] {
			return nil, &ContentIDError{id, "another part has it, and a reader would show either"}
		}
		if b.ids == nil {
			b.ids = map[string]bool{}
		}
		b.ids[id] = true
		l.fields = append(l.fields, Header{"Content-ID", "<" + id + ">"})
	}
	if name != "" {
		disposition += param("filename", name)
	}
	l.fields = append(l.fields, Header{"Content-Disposition", disposition})
	return l, nil
}

// filed is a file's content: in base64, and as it is by BINARYMIME, unless an
// encoding is asked for.
func filed(h *held, kind string, forced Encoding) (func(carriage) (Encoding, stretch, error), error) {
	raw := stretch{h.size, h.open}
	content := raw
	var err error
	switch forced {
	case QuotedPrintable:
		content, err = quotedStretch(raw, strings.HasPrefix(kind, "text/"))
	case Base64:
		content = base64Stretch(raw)
	case SevenBit, EightBit:
		content, err = inLines(h, forced == EightBit)
	}
	return func(c carriage) (Encoding, stretch, error) {
		switch {
		case forced.carriage() > c:
			return 0, stretch{}, errCarriage
		case forced != AutoEncoding:
			return forced, content, nil
		case c >= carriesBinary:
			return Binary, raw, nil
		}
		return Base64, base64Stretch(raw), nil
	}, err
}

// inLines is a file in CR LF lines, of ASCII unless eight.
func inLines(h *held, eight bool) (stretch, error) {
	if h.size == 0 {
		return bytesStretch(nil), nil
	}
	p, s, err := scannedBy(h, func(r io.Reader) *scan {
		s := newScan(r, false)
		s.inBody = true
		return s
	})
	if err == nil && s.eightBody && !eight {
		err = errors.New("it is not ASCII, and cannot go as 7bit")
	}
	return p, err
}

// attached is a message within the message, which must not be encoded (RFC 2046
// section 5.2.1): it goes as it is or, where the server or its header field
// (RFC 6532 section 3.7) does not allow that, with its own parts encoded.
func attached(h *held, forced Encoding) (func(carriage) (Encoding, stretch, error), error) {
	if forced == Base64 || forced == QuotedPrintable {
		return nil, fmt.Errorf("message/rfc822 must not go as %s (RFC 2046 section 5.2.1); application/octet-stream can", forced)
	}
	raw, s, err := scannedBy(h, func(r io.Reader) *scan {
		s := newScan(r, false)
		s.inner = true
		return s
	})
	if err != nil {
		return nil, err
	}
	if !s.eightBody && !s.utf8Header {
		return func(carriage) (Encoding, stretch, error) { return SevenBit, raw, nil }, nil
	}
	seven, _, err := downgraded(raw)
	if err != nil && s.utf8Header {
		return nil, err
	}
	return func(c carriage) (Encoding, stretch, error) {
		switch {
		case c >= carries8bit && !s.utf8Header:
			return EightBit, raw, nil
		case err != nil:
			return 0, stretch{}, err
		}
		return SevenBit, seven, nil
	}, nil
}

// ContentIDError says why an id, a file's name perhaps, cannot be a part's Content-ID.
type ContentIDError struct{ ID, Why string }

func (e *ContentIDError) Error() string { return fmt.Sprintf("Content-ID %s: %s", clip(e.ID), e.Why) }

// AttachedError is a message that cannot be attached as one: RFC 2046 section 5.2.1
// has it go as it is, and that no server would take.
type AttachedError struct{ Err error }

func (e *AttachedError) Error() string { return e.Err.Error() }

// Unwrap gives the fault.
func (e *AttachedError) Unwrap() error { return e.Err }

// contentID checks an id that <img src="cid:..."> refers to (RFC 2392).
func contentID(id string) error {
	if id == "" || len(id) > 256 || !ascii(id) || strings.ContainsAny(id, " <>") || plain(id, false) != nil {
		return &ContentIDError{id, "printable ASCII without a space or angle brackets is wanted"}
	}
	return nil
}

// kind is the Content-Type: the one given, else by the name, else by the content.
func (a Attachment) kind(name string, h *held) (string, error) {
	kind := a.Type
	if kind == "" {
		kind = byName(name)
	}
	if kind != "" && !strings.HasPrefix(kind, "text/") || a.Type != "" {
		return checkKind(kind)
	}
	head, err := h.head()
	if err != nil {
		return "", err
	}
	if kind == "" {
		kind = http.DetectContentType(head)
	}
	kind, _, _ = strings.Cut(kind, ";")
	if strings.HasPrefix(kind, "text/") && utf8.Valid(head) {
		kind += "; charset=utf-8"
	}
	return kind, nil
}

// checkKind refuses what is no media type, and multiparts.
func checkKind(kind string) (string, error) {
	media, params, err := stdmime.ParseMediaType(kind)
	if err != nil {
		return "", fmt.Errorf("type %s: %w", clip(kind), err)
	}
	if !strings.Contains(media, "/") {
		return "", fmt.Errorf("type %s: type/subtype is wanted", clip(kind))
	}
	if strings.HasPrefix(media, "multipart/") {
		return "", fmt.Errorf("type %s: an attachment has no parts; message/rfc822 may have some", clip(kind))
	}
	if kind = stdmime.FormatMediaType(media, params); kind == "" || len(kind) > lineMost/2 {
		return "", fmt.Errorf("type %s: no header can hold it", clip(media))
	}
	return kind, nil
}

// head is the first of the content, without a character cut at its end.
func (h *held) head() ([]byte, error) {
	r, err := h.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	head := make([]byte, 512)
	n, err := io.ReadFull(r, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	head = head[:n]
	for i := 1; i < utf8.UTFMax && i <= n && int64(n) < h.size; i++ {
		if utf8.RuneStart(head[n-i]) {
			if !utf8.FullRune(head[n-i:]) {
				head = head[:n-i]
			}
			break
		}
	}
	return head, nil
}

// byName is the type of a file by the end of its name, "" if that says nothing.
// What is common is told here, so that it is the same on every machine.
func byName(name string) string {
	ext := strings.ToLower(filepath.Ext(name))
	switch ext {
	case "":
		return ""
	case ".txt", ".log", ".text":
		return "text/plain"
	case ".md":
		return "text/markdown"
	case ".csv":
		return "text/csv"
	case ".htm", ".html":
		return "text/html"
	case ".ics":
		return "text/calendar"
	case ".vcf":
		return "text/vcard"
	case ".eml":
		return "message/rfc822"
	case ".pdf":
		return "application/pdf"
	case ".json":
		return "application/json"
	case ".xml":
		return "application/xml"
	case ".zip":
		return "application/zip"
	case ".gz", ".tgz":
		return "application/gzip"
	case ".png":
		return "image/png"
	case ".jpg", ".jpeg":
		return "image/jpeg"
	case ".gif":
		return "image/gif"
	case ".svg":
		return "image/svg+xml"
	case ".webp":
		return "image/webp"
	}
	kind, err := checkKind(stdmime.TypeByExtension(ext))
	if err != nil {
		return ""
	}
	return kind
}
