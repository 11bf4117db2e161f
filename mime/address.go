package mime

import (
	"errors"
	"fmt"
	stdmime "mime"
	"strings"
)

// ParseMailbox reads one address, with or without a display name and angle
// brackets. The error says in a line which rule is broken, and where: offsets
// count octets from 0.
func ParseMailbox(s string) (Mailbox, error) { return parseOne(s, false) }

// ParseRecipient reads one address as ParseMailbox does; Postmaster may stand
// without a domain (RFC 5321 section 4.5.1).
func ParseRecipient(s string) (Mailbox, error) { return parseOne(s, true) }

// ParseReversePath reads the sender of an envelope: an address, or <> for the
// null sender (RFC 5321 section 4.5.5).
func ParseReversePath(s string) (Mailbox, error) {
	if strings.Trim(s, " ") == "<>" {
		return Mailbox{}, nil
	}
	return parseOne(s, false)
}

// ParseList reads addresses as ParseRecipient does, with commas between them, and
// groups of them (RFC 5322 section 3.4): "Team: a@example.com, b@example.com;". A
// comma within quotes or a comment parts nothing. A group without members gives
// nothing, but is not an error beside other addresses.
func ParseList(s string) ([]Mailbox, error) {
	p := &parser{in: s, postmaster: true}
	list, err := p.list()
	if err != nil {
		return nil, fmt.Errorf("address list %s: %w", clip(s), err)
	}
	return list, nil
}

func parseOne(s string, postmaster bool) (Mailbox, error) {
	p := &parser{in: s, postmaster: postmaster}
	m, err := p.one()
	if err != nil {
		return Mailbox{}, fmt.Errorf("address %s: %w", clip(s), err)
	}
	return m, nil
}

func (p *parser) one() (Mailbox, error) {
	if err := plain(p.in, false); err != nil {
		return Mailbox{}, err
	}
	m, err := p.mailbox()
	if err != nil {
		return Mailbox{}, err
	}
	switch {
	case p.end():
		return m, nil
	case p.peek() == ',':
		return Mailbox{}, fmt.Errorf("',' at offset %d: one address is wanted, and a name with a comma needs quotes", p.pos)
	}
	return Mailbox{}, p.stray()
}

func (p *parser) list() ([]Mailbox, error) {
	if err := plain(p.in, false); err != nil {
		return nil, err
	}
	var all []Mailbox
	for {
		group, open, err := p.group()
		if err != nil {
			return nil, err
		}
		if open >= 0 {
			members, err := p.members(open)
			if err != nil {
				return nil, err
			}
			for i := range members {
				members[i].Group = group
			}
			all = append(all, members...)
		} else {
			m, err := p.mailbox()
			if err != nil {
				return nil, err
			}
			all = append(all, m)
		}
		switch {
		case p.end() && len(all) == 0:
			return nil, errors.New("the group is empty: there is no address")
		case p.end():
			return all, nil
		case p.peek() != ',':
			return nil, p.stray()
		}
		p.pos++
	}
}

// group reads the name of a group and its colon, and gives the colon's offset;
// -1, and nothing read, if there is none.
func (p *parser) group() (string, int, error) {
	start := p.pos
	if err := p.skip(); err != nil {
		return "", 0, err
	}
	name, words, err := p.name()
	if err != nil || words == 0 || p.peek() != ':' {
		p.pos = start
		return "", -1, nil // what is wrong, mailbox says
	}
	p.pos++
	return name, p.pos - 1, nil
}

// members reads the addresses of a group, to its semicolon.
func (p *parser) members(open int) ([]Mailbox, error) {
	var all []Mailbox
	for {
		if err := p.skip(); err != nil {
			return nil, err
		}
		if len(all) > 0 || p.peek() != ';' {
			if p.end() {
				return nil, fmt.Errorf("the group that begins with ':' at offset %d does not end with ';'", open)
			}
			m, err := p.mailbox()
			if err != nil {
				return nil, err
			}
			all = append(all, m)
		}
		switch {
		case p.end():
			return nil, fmt.Errorf("the group that begins with ':' at offset %d does not end with ';'", open)
		case p.peek() == ';':
			p.pos++
			return all, p.skip()
		case p.peek() != ',':
			return nil, p.stray()
		}
		p.pos++
	}
}

// stray is the error for what stands where a list goes on or ends.
func (p *parser) stray() error {
	if p.peek() == '>' {
		return fmt.Errorf("'>' at offset %d: no '<' opens it", p.pos)
	}
	return fmt.Errorf("text behind the address at offset %d: %s", p.pos, clip(p.in[p.pos:]))
}

// mailbox reads name-addr or addr-spec (RFC 5322 section 3.4) and the space and
// comments around it. A comment behind a bare address is its name, as of old.
func (p *parser) mailbox() (Mailbox, error) {
	p.comment = ""
	if err := p.skip(); err != nil {
		return Mailbox{}, err
	}
	start := p.pos
	name, words, err := p.name()
	if err != nil {
		return Mailbox{}, err
	}
	var m Mailbox
	if p.peek() == '<' {
		open := p.pos
		p.pos++
		if m, err = p.address(); err != nil {
			return m, err
		}
		if p.peek() != '>' {
			return m, p.unclosed('<', open)
		}
		p.pos++
		m.Name = name
		return m, p.skip()
	}
	if words > 1 {
		return m, fmt.Errorf("no '<' after the name at offset %d", start)
	}
	p.pos = start
	if m, err = p.address(); err != nil {
		return m, err
	}
	p.comment = ""
	err = p.skip()
	m.Name = p.comment
	return m, err
}

// name reads a display name as far as it goes, and says of how many words it
// is. RFC 2047 words are decoded, unless that would bring controls in.
func (p *parser) name() (string, int, error) {
	var words []string
	quoted := false
	for p.pos < len(p.in) {
		switch r := p.peek(); {
		case r == '"':
			s, err := p.quoted()
			if err != nil {
				return "", 0, err
			}
			words, quoted = append(words, s), true
		case atext(r) || r == '.':
			words = append(words, p.run(func(r rune) bool { return atext(r) || r == '.' }))
		default:
			return joinName(words, quoted), len(words), nil
		}
		if err := p.skip(); err != nil {
			return "", 0, err
		}
	}
	return joinName(words, quoted), len(words), nil
}

func joinName(words []string, quoted bool) string {
	name := strings.Join(words, " ")
	if quoted || !strings.Contains(name, "=?") {
		return name
	}
	decoded, err := new(stdmime.WordDecoder).DecodeHeader(name)
	if err != nil || plain(decoded, false) != nil {
		return name
	}
	return decoded
}

// address reads addr-spec: a Mailbox of RFC 5321 section 4.1.2.
func (p *parser) address() (Mailbox, error) {
	start := p.pos
	local, err := p.local()
	if err != nil {
		return Mailbox{}, err
	}
	wire := p.in[start:p.pos]
	if p.peek() != '@' {
		if p.postmaster && strings.EqualFold(wire, "postmaster") {
			return Mailbox{Local: local}, nil
		}
		if p.pos < len(p.in) && p.peek() != '>' && p.peek() != ',' {
			return Mailbox{}, p.unexpected("in the local part")
		}
		return Mailbox{}, fmt.Errorf("no '@' at offset %d", p.pos)
	}
	p.pos++
	domain, err := p.domain()
	if err != nil {
		return Mailbox{}, err
	}
	m := Mailbox{Local: local, Domain: domain}
	return m, m.lengths()
}

func (p *parser) local() (string, error) {
	start := p.pos
	if p.peek() == '"' {
		s, err := p.quoted()
		if err == nil && s == "" {
			err = fmt.Errorf("empty local part at offset %d", start)
		}
		return s, err
	}
	s := p.run(func(r rune) bool { return atext(r) || r == '.' })
	switch {
	case s == "" && (p.peek() == '@' || p.peek() == '>' || p.pos == len(p.in)):
		return "", fmt.Errorf("empty local part at offset %d", start)
	case s == "":
		return "", p.unexpected("where an address should begin")
	}
	return s, dots(s, start, "local part")
}

// lengths checks the limits of RFC 5321 section 4.5.3.1, in octets as sent.
func (m Mailbox) lengths() error {
	path := m.Path()
	local := strings.LastIndexByte(path, '@')
	switch {
	case local > 64:
		return fmt.Errorf("the local part has %d octets, over 64 (RFC 5321 section 4.5.3.1.1)", local)
	case len(m.Domain) > 255:
		return fmt.Errorf("the domain has %d octets, over 255 (RFC 5321 section 4.5.3.1.2)", len(m.Domain))
	case len(path)+2 > 256:
		return fmt.Errorf("the path has %d octets with its brackets, over 256 (RFC 5321 section 4.5.3.1.3)", len(path)+2)
	}
	return nil
}

// dots checks that no dot of s begins it, ends it or follows another.
func dots(s string, offset int, what string) error {
	if i := strings.Index(s, ".."); i >= 0 {
		return fmt.Errorf("two dots in a row in the %s at offset %d", what, offset+i)
	}
	if s[0] == '.' {
		return fmt.Errorf("the %s begins with a dot at offset %d", what, offset)
	}
	if s[len(s)-1] == '.' {
		return fmt.Errorf("the %s ends with a dot at offset %d", what, offset+len(s)-1)
	}
	return nil
}
