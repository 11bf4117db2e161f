package cmd_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	stdmime "mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"

	"github.com/jhillyerd/enmime/v2"
	"golang.org/x/text/encoding/ianaindex"
)

// Two parsers for what arrived: enmime, and Go's own packages with a walk of the tree.

func sum(content []byte) string { return fmt.Sprintf("%x", sha256.Sum256(content)) }

// sumPart is the sum of a part's content, of a text that is no file with LF line ends.
func sumPart(media, disposition string, content []byte) string {
	if strings.HasPrefix(media, "text/") && disposition != "attachment" {
		content = bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n"))
	}
	return sum(content)
}

func byEnmime(raw []byte) (reading, error) {
	envelope, err := enmime.ReadEnvelope(bytes.NewReader(raw))
	if err != nil {
		return reading{}, err
	}
	r := reading{Subject: envelope.GetHeader("Subject"), Note: envelope.GetHeader("X-Note")}
	for name, to := range map[string]*[][2]string{"From": &r.From, "To": &r.To} {
		list, err := envelope.AddressList(name)
		if err != nil {
			return r, err
		}
		*to = addresses(list)
	}
	for _, fault := range envelope.Errors {
		if fault.Name != enmime.ErrorPlainTextFromHTML { // HTML alone is allowed
			r.Errors = append(r.Errors, fault.Error())
		}
	}
	for _, part := range envelope.Root.DepthMatchAll(func(p *enmime.Part) bool { return p.FirstChild == nil }) {
		within, err := messageWithin(part.ContentType, part.Content)
		if err != nil {
			return r, err
		}
		r.Parts = append(r.Parts, leaf{part.ContentType, part.FileName, part.Disposition, part.ContentID,
			sumPart(part.ContentType, part.Disposition, part.Content), within})
	}
	return r, nil
}

func addresses(list []*mail.Address) [][2]string {
	var found [][2]string
	for _, a := range list {
		found = append(found, [2]string{a.Name, a.Address})
	}
	return found
}

// words decodes what RFC 2047 has encoded.
func words() *stdmime.WordDecoder {
	return &stdmime.WordDecoder{CharsetReader: decoded}
}

// decoded reads a text in a charset as UTF-8.
func decoded(charset string, r io.Reader) (io.Reader, error) {
	encoding, err := ianaindex.MIME.Encoding(charset)
	if err != nil || encoding == nil {
		return nil, fmt.Errorf("charset %q: %v", charset, err)
	}
	return encoding.NewDecoder().Reader(r), nil
}

func byStandard(raw []byte) (reading, error) {
	message, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return reading{}, err
	}
	var r reading
	for name, to := range map[string]*string{"Subject": &r.Subject, "X-Note": &r.Note} {
		if *to, err = words().DecodeHeader(message.Header.Get(name)); err != nil {
			return r, err
		}
	}
	for name, to := range map[string]*[][2]string{"From": &r.From, "To": &r.To} {
		list, err := (&mail.AddressParser{WordDecoder: words()}).ParseList(message.Header.Get(name))
		if err != nil {
			return r, err
		}
		*to = addresses(list)
	}
	r.Parts, err = leaves(textproto.MIMEHeader(message.Header), message.Body)
	return r, err
}

// leaves are those below a header.
func leaves(header textproto.MIMEHeader, body io.Reader) ([]leaf, error) {
	media, params, err := stdmime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(media, "multipart/") {
		var list []leaf
		for parts := multipart.NewReader(body, params["boundary"]); ; {
			part, err := parts.NextRawPart()
			if errors.Is(err, io.EOF) {
				return list, nil
			}
			if err != nil {
				return list, err
			}
			below, err := leaves(part.Header, part)
			if err != nil {
				return list, err
			}
			list = append(list, below...)
		}
	}
	l := leaf{Type: media, CID: strings.Trim(header.Get("Content-Id"), "<>")}
	if value := header.Get("Content-Disposition"); value != "" {
		var params map[string]string
		if l.Disposition, params, err = stdmime.ParseMediaType(value); err != nil {
			return nil, err
		}
		if l.Name, err = words().DecodeHeader(params["filename"]); err != nil {
			return nil, err
		}
	}
	switch strings.ToLower(header.Get("Content-Transfer-Encoding")) {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	if charset := params["charset"]; charset != "" && l.Disposition != "attachment" {
		if body, err = decoded(charset, body); err != nil {
			return nil, err
		}
	}
	content, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	l.SHA256 = sumPart(media, l.Disposition, content)
	l.Within, err = messageWithin(media, content)
	return []leaf{l}, err
}

// messageWithin are the leaves of a part that is a message.
func messageWithin(media string, content []byte) ([]leaf, error) {
	if media != "message/rfc822" {
		return nil, nil
	}
	message, err := mail.ReadMessage(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	return leaves(textproto.MIMEHeader(message.Header), message.Body)
}
