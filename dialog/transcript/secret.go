package transcript

import (
	"fmt"
	"io"
)

// Hidden stands in place of every secret, always of this length.
const Hidden = "[hidden]"

// Secret holds a password or a token. Whatever prints, formats or marshals it
// gives Hidden; only Reveal gives the value, and only conn and sasl call it.
// The zero Secret is empty. Secrets are not compared with ==.
type Secret struct {
	// A pointer, because fmt calls no method of an unexported field of another
	// struct, nor any for %p: it then prints an address and not the value.
	value *string
}

// NewSecret wraps value.
func NewSecret(value string) Secret { return Secret{&value} }

// Reveal is the value itself.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Empty reports whether there is no value.
func (s Secret) Empty() bool { return s.Reveal() == "" }

// String is Hidden.
func (s Secret) String() string { return Hidden }

// Format prints Hidden for every verb, so that neither %#v nor %x opens it.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Hidden) }

// MarshalText gives Hidden; JSON and TOML use it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(Hidden), nil }
