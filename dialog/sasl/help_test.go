package sasl

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

const (
	password = "pencil-and-paper-314159"
	token    = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="
)

// full are credentials that suffice for every mechanism but the -PLUS forms.
func full() Credentials {
	return Credentials{
		User: "alice", Password: transcript.NewSecret(password), Token: transcript.NewSecret(token),
		Certificate: true, Host: "mx1.example.test", Port: 587,
	}
}

// begin starts an exchange that has to be possible.
func begin(t testing.TB, name string, c Credentials) Client {
	t.Helper()
	m, ok := Find(name)
	if !ok {
		t.Fatalf("there is no %s", name)
	}
	client, err := m.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// answer is the client's message to a challenge that has to be answered.
func answer(t testing.TB, c Client, challenge string) Message {
	t.Helper()
	m, err := c.Next([]byte(challenge))
	if err != nil {
		t.Fatalf("to %q: %v", challenge, err)
	}
	return m
}

// start is the client's initial response.
func start(t testing.TB, c Client) Message {
	t.Helper()
	m, ok, err := c.Start()
	if err != nil || !ok {
		t.Fatalf("no initial response: %v", err)
	}
	return m
}

// wantBreach holds err to be the server's fault, in these words, and not to be
// answered.
func wantBreach(t testing.TB, err error, words string) {
	t.Helper()
	var breach *Error
	if !errors.As(err, &breach) || errors.Is(err, ErrSay) || !strings.Contains(err.Error(), words) {
		t.Errorf("the error is %v, not an Error with %q", err, words)
	}
}

// reveals reports whether text shows secret, as it is or in an encoding.
func reveals(text, secret string) bool {
	encoded := base64.StdEncoding.EncodeToString([]byte(secret))
	return strings.Contains(text, secret) || strings.Contains(text, strings.TrimRight(encoded, "=")) ||
		strings.Contains(strings.ToLower(text), hex.EncodeToString([]byte(secret)))
}

// wantHidden holds a message to its contract: what is not in its shape is
// covered by a secret, and the shape shows no secret.
func wantHidden(t testing.TB, m Message) {
	t.Helper()
	for _, s := range m.Secrets {
		if v := s.Reveal(); len(v) > 3 && reveals(m.Shape, v) {
			t.Errorf("the shape %q shows a secret", m.Shape)
		}
	}
	if len(m.Secrets) == 0 && bytes.Contains(m.Data, []byte(password)) {
		t.Errorf("%q is said to hold no secret", m.Data)
	}
}
