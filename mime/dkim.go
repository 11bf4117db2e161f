package mime

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
)

// SignOptions say how Sign signs. The zero value is what most senders want.
type SignOptions struct {
	Header, Body Canonicalization // "" is Relaxed
	// Headers is h= as it stands: a name signs one more field of that name, from
	// the last one up, or its absence (RFC 6376 section 5.4.2). From must be among
	// them. nil is what SignedHeaders makes of the message.
	Headers []string
	Now     time.Time // t=; the zero time is now
}

// Sign gives m with a DKIM-Signature field for each key on top (RFC 6376), in their
// order. Of several forms the one is signed that asks least of a server, as no relay
// has to encode it anew, which would break the signature (section 5.3). Open gives
// m's octets behind the signatures, and Size is exact at once. The message is read to
// its end once more, by the first Open; the bh= and b= that Header shows stay empty.
// Closing it closes m.
func Sign(m *Message, keys []*Key, o SignOptions) (*Message, error) {
	if len(keys) == 0 {
		return m, nil
	}
	o.Header, o.Body = cmp.Or(o.Header, Relaxed), cmp.Or(o.Body, Relaxed)
	if _, _, err := ParseCanonicalization(string(o.Header + "/" + o.Body)); err != nil {
		return nil, fmt.Errorf("DKIM: %w", err)
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	forms := m.Forms()
	s := &signing{m: forms[len(forms)-1], keys: keys, o: o}
	if err := s.prepare(); err != nil {
		return nil, fmt.Errorf("DKIM: %w", err)
	}
	signed := *s.m
	signed.open, signed.forms, signed.fields = s.open, nil, nil
	for _, k := range keys {
		_, value, _ := strings.Cut(s.field(k, nil, nil), ":")
		signed.fields = append(signed.fields, Header{signatureField, strings.Join(strings.FieldsFunc(value, isFWS), " ")})
		signed.size += int64(len(s.field(k, make([]byte, sha256.Size), make([]byte, k.signatureSize()))))
	}
	signed.fields = append(signed.fields, s.m.fields...)
	return &signed, nil
}

const signatureField = "DKIM-Signature"

// signing is a message being signed.
type signing struct {
	m    *Message
	keys []*Key
	o    SignOptions

	fields []rawField // of m
	names  []string   // h=

	mu   sync.Mutex
	made []byte // the signatures, once the body was read
}

// prepare reads the header, which says what h= will be.
func (s *signing) prepare() error {
	r, err := s.m.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	if s.fields, err = rawHeader(newLineReader(r)); err != nil {
		return err
	}
	if newPicker(s.fields).pick("from") == "" {
		return errors.New("the message has no From field, which must be signed (RFC 6376 section 5.4)")
	}
	s.names = s.o.Headers
	if s.names == nil {
		s.names = SignedHeaders(s.fieldNames())
	}
	return checkSigned(s.names)
}

func (s *signing) fieldNames() []string {
	var all []string
	for _, f := range s.fields {
		all = append(all, f.name)
	}
	return all
}

// checkSigned checks what h= is to hold.
func checkSigned(names []string) error {
	from := false
	for _, name := range names {
		if !fieldName(name) || strings.Contains(name, ";") || len(name) > 100 {
			return fmt.Errorf("%s cannot name a header field to sign", clip(name))
		}
		from = from || strings.EqualFold(name, "From")
	}
	switch {
	case !from:
		return errors.New("the signed header fields lack From, which must be among them (RFC 6376 section 5.4)")
	case len(names) > signedMost:
		return fmt.Errorf("%d header fields to sign: %d are the most", len(names), signedMost)
	}
	return nil
}

// signedMost bounds h=.
const signedMost = 500

// SignedHeaders is the h= for a message with fields of these names. What RFC 6376
// section 5.4.1 recommends and what MIME and RFC 8058 add is signed as often as it
// is there. Then it is named once more, so that none can be added unseen, if it
// says who writes to whom about what, or if it is there and belongs there once.
func SignedHeaders(fields []string) []string {
	count := map[string]int{}
	for _, name := range fields {
		count[strings.ToLower(name)]++
	}
	var all []string
	for _, group := range []struct {
		names string
		extra func(n int) int
	}{
		{"From Reply-To Subject To Cc", func(int) int { return 1 }},
		// A relay adds some of these to a message that lacks them.
		{"Sender Date Message-ID MIME-Version Content-Type Content-Transfer-Encoding In-Reply-To References " +
			"List-Unsubscribe List-Unsubscribe-Post", func(n int) int { return min(n, 1) }},
		// A mailing list adds these.
		{"List-ID List-Help List-Subscribe List-Post List-Owner List-Archive " +
			"Resent-Date Resent-From Resent-To Resent-Cc", func(int) int { return 0 }},
	} {
		for name := range strings.SplitSeq(group.names, " ") {
			n := count[strings.ToLower(name)]
			for range min(n+group.extra(n), 20) {
				all = append(all, name)
			}
		}
	}
	return all
}

// open gives the signatures and the message.
func (s *signing) open() (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made == nil {
		made, err := s.sign()
		if err != nil {
			return nil, fmt.Errorf("DKIM: %w", err)
		}
		s.made = made
	}
	r, err := s.m.Open()
	if err != nil {
		return nil, err
	}
	return reading{io.MultiReader(bytes.NewReader(s.made), r), r}, nil
}

// sign reads the message and makes the signatures.
func (s *signing) sign() ([]byte, error) {
	r, err := s.m.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	l := newLineReader(r)
	if _, err := rawHeader(l); err != nil {
		return nil, err
	}
	body := newBodyHash(s.o.Body, sha256.New(), -1)
	body.exact = true
	for {
		p, err := l.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		body.add(p)
	}
	sum := body.sum()
	var all []byte
	for _, k := range s.keys {
		hash := headerHash(sha256.New(), s.o.Header, s.fields, s.names, s.field(k, sum, nil))
		signature, err := k.sign(hash)
		if err != nil {
			return nil, err
		}
		all = append(all, s.field(k, sum, signature)...)
	}
	return all, nil
}

// field writes the DKIM-Signature field, folded, with b= at its end.
func (s *signing) field(k *Key, body, signature []byte) string {
	f := &folder{}
	f.put(signatureField + ": v=1;")
	for _, t := range []tag{
		{"a", k.Algorithm()}, {"c", string(s.o.Header) + "/" + string(s.o.Body)}, {"d", k.domain}, {"s", k.selector},
		{"t", strconv.FormatInt(s.o.Now.Unix(), 10)},
	} {
		f.word(t.name + "=" + t.value + ";")
	}
	for i, name := range s.names {
		switch {
		case i == 0 && len(s.names) == 1:
			f.word("h=" + name + ";")
		case i == 0:
			f.word("h=" + name + ":")
		case i == len(s.names)-1:
			f.more(name + ";")
		default:
			f.more(name + ":")
		}
	}
	f.word("bh=" + base64.StdEncoding.EncodeToString(body) + ";")
	f.word("b=")
	for b := base64.StdEncoding.EncodeToString(signature); b != ""; {
		n := min(len(b), max(lineGood-f.at, 1))
		if f.at >= lineGood {
			f.fold()
			continue
		}
		f.put(b[:n])
		b = b[n:]
	}
	return f.text.String() + "\r\n"
}

// folder writes a field in lines of at most 78 octets.
type folder struct {
	text strings.Builder
	at   int
}

func (f *folder) put(s string) {
	f.text.WriteString(s)
	f.at += len(s)
}

func (f *folder) fold() {
	f.text.WriteString("\r\n ")
	f.at = 1
}

// word puts s behind a space or a fold.
func (f *folder) word(s string) {
	if f.at+1+len(s) > lineGood {
		f.fold()
	} else {
		f.put(" ")
	}
	f.put(s)
}

// more puts s right behind what was put, or behind a fold.
func (f *folder) more(s string) {
	if f.at+len(s) > lineGood {
		f.fold()
	}
	f.put(s)
}
