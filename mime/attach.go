package mime

import (
	"fmt"
	"io"
	stdmime "mime"
	"net/http"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// file is an attachment ready to be written: its header values and its content.
type file struct {
	*held
	kind        string // Content-Type
	disposition string // Content-Disposition
	id          string // Content-ID without brackets, "" for none
}

// prepare checks a and finds its name and type.
func (a Attachment) prepare(inline bool) (*file, error) {
	name := a.Name
	if name == "" && a.Source.path != "" {
		name = filepath.Base(a.Source.path)
	}
	if err := plain(name, false); err != nil {
		return nil, fmt.Errorf("name of attachment %s: %w", clip(name), err)
	}
	h, err := a.Source.hold(spoolMost)
	if err != nil {
		return nil, fmt.Errorf("attachment %s: %w", clip(name), err)
	}
	f := &file{held: h, disposition: "attachment"}
	if f.kind, err = a.kind(name, h); err == nil && inline {
		f.disposition, f.id = "inline", a.ContentID
		if f.id == "" {
			f.id = name
		}
		err = contentID(f.id)
	}
	if err != nil {
		h.close()
		return nil, fmt.Errorf("attachment %s: %w", clip(name), err)
	}
	if name != "" {
		f.disposition += param("filename", name)
	}
	return f, nil
}

// contentID checks an id that <img src="cid:..."> refers to (RFC 2392).
func contentID(id string) error {
	if id == "" || len(id) > 256 || !ascii(id) || strings.ContainsAny(id, " <>") || plain(id, false) != nil {
		return fmt.Errorf("Content-ID %s: printable ASCII without a space or angle brackets is wanted", clip(id))
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

// checkKind refuses what is no media type, and the types that must not be
// encoded (RFC 2046 sections 5.1 and 5.2.1), as every attachment here is.
func checkKind(kind string) (string, error) {
	media, params, err := stdmime.ParseMediaType(kind)
	if err != nil {
		return "", fmt.Errorf("type %s: %w", clip(kind), err)
	}
	if !strings.Contains(media, "/") {
		return "", fmt.Errorf("type %s: type/subtype is wanted", clip(kind))
	}
	if strings.HasPrefix(media, "multipart/") || strings.HasPrefix(media, "message/") {
		return "", fmt.Errorf("type %s: it must not be encoded (RFC 2046 section 5); application/octet-stream can be", clip(kind))
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
		return "application/octet-stream" // message/rfc822 must not be encoded
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
