package sasl

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
)

// ntlmChallenge is a CHALLENGE_MESSAGE (MS-NLMP section 2.2.1.2), as far as it
// says something of the server.
type ntlmChallenge struct {
	flags   uint32
	target  string
	pairs   []string // of the target information, "DNS computer mx1.example.test"
	version string   // of Windows; "" if it is not told
}

// readNTLMChallenge reads a challenge; everything in it lies within it.
func readNTLMChallenge(data []byte) (c ntlmChallenge, err error) {
	const header = 48
	switch {
	case len(data) < header:
		return c, fmt.Errorf("it has %d bytes, and not the %d of the header", len(data), header)
	case string(data[:8]) != "NTLMSSP\x00":
		return c, errors.New("it does not begin with NTLMSSP")
	case binary.LittleEndian.Uint32(data[8:]) != 2:
		return c, fmt.Errorf("it is message %d of NTLM, and not 2", binary.LittleEndian.Uint32(data[8:]))
	}
	c.flags = binary.LittleEndian.Uint32(data[20:])
	target, err := ntlmField(data, 12)
	if err != nil {
		return c, err
	}
	c.target = string(target)
	if c.flags&1 != 0 { // NTLMSSP_NEGOTIATE_UNICODE
		c.target = utf16LE(target)
	}
	info, err := ntlmField(data, 40)
	if err != nil {
		return c, err
	}
	if c.pairs, err = ntlmPairs(info); err != nil {
		return c, err
	}
	if c.flags&(1<<25) != 0 && len(data) >= header+8 { // NTLMSSP_NEGOTIATE_VERSION
		c.version = fmt.Sprintf("%d.%d.%d", data[48], data[49], binary.LittleEndian.Uint16(data[50:]))
	}
	return c, nil
}

// ntlmField is the payload that the length and the offset at at point to.
func ntlmField(data []byte, at int) ([]byte, error) {
	if len(data) < at+8 {
		return nil, errors.New("it is cut short")
	}
	length := int(binary.LittleEndian.Uint16(data[at:]))
	offset := uint64(binary.LittleEndian.Uint32(data[at+4:]))
	if length == 0 {
		return nil, nil
	}
	if offset+uint64(length) > uint64(len(data)) {
		return nil, errors.New("a field of it points beyond its end")
	}
	return data[offset:][:length], nil
}

// ntlmPairs reads the target information: AV_PAIRs up to MsvAvEOL (MS-NLMP
// section 2.2.2.1).
func ntlmPairs(info []byte) ([]string, error) {
	const most = 32
	names := [...]string{1: "NetBIOS computer", "NetBIOS domain", "DNS computer", "DNS domain", "DNS forest", 7: "time"}
	var pairs []string
	if len(info) == 0 {
		return nil, nil
	}
	for {
		if len(info) < 4 {
			return nil, errors.New("its target information is cut short")
		}
		id, length := int(binary.LittleEndian.Uint16(info)), int(binary.LittleEndian.Uint16(info[2:]))
		if id == 0 {
			return pairs, nil
		}
		if len(info) < 4+length || len(pairs) == most {
			return nil, errors.New("its target information is cut short, or too long")
		}
		value := info[4:][:length]
		info = info[4+length:]
		switch {
		case id >= len(names) || names[id] == "":
		case id == 7 && length == 8:
			// 100 ns since 1601 (MS-DTYP section 2.3.3).
			ticks := int64(binary.LittleEndian.Uint64(value)) - 116444736000000000
			pairs = append(pairs, "time "+time.Unix(ticks/1e7, 0).UTC().Format(time.RFC3339))
		case id != 7:
			pairs = append(pairs, names[id]+" "+utf16LE(value))
		}
	}
}

// String is the challenge on one line.
func (c ntlmChallenge) String() string {
	var parts []string
	if c.target != "" {
		kind := ""
		switch {
		case c.flags&(1<<16) != 0:
			kind = "domain "
		case c.flags&(1<<17) != 0:
			kind = "server "
		}
		parts = append(parts, "target "+kind+c.target)
	}
	parts = append(parts, c.pairs...)
	if c.version != "" {
		parts = append(parts, "version "+c.version)
	}
	flags := []string{"flags"}
	for _, f := range []struct {
		bit  int
		name string
	}{
		{0, "unicode"}, {4, "sign"}, {5, "seal"}, {7, "lm-key"}, {9, "ntlm"}, {15, "always-sign"},
		{19, "extended-session-security"}, {23, "target-info"}, {29, "128"}, {30, "key-exchange"}, {31, "56"},
	} {
		if c.flags&(1<<f.bit) != 0 {
			flags = append(flags, f.name)
		}
	}
	if len(flags) > 1 {
		parts = append(parts, strings.Join(flags, " "))
	}
	return "NTLM challenge: " + strings.Join(parts, ", ")
}

// utf16LE is text in UTF-16, the lower byte of each unit first; an odd byte at
// its end is left out.
func utf16LE(b []byte) string {
	units := make([]uint16, len(b)/2)
	for k := range units {
		units[k] = binary.LittleEndian.Uint16(b[2*k:])
	}
	return string(utf16.Decode(units))
}
