package sasl

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"hash"
	"strings"
	"testing"

	gosasl "github.com/emersion/go-sasl"
	xdg "github.com/xdg-go/scram"
)

// server is the other side of an exchange: it takes what the client says, and
// gives a challenge, or done.
type server func(response []byte) (challenge []byte, done bool, err error)

// talk runs a whole exchange. It gives what the server ends with, and what our
// side thinks of it: the error of Next or that of Done.
func talk(t *testing.T, c Client, s server) (theirs, ours error) {
	t.Helper()
	m, ok, err := c.Start()
	if err != nil {
		t.Fatal(err)
	}
	said := m.Data
	if !ok {
		said = nil
	} else if said == nil {
		said = []byte{} // an empty response is another thing than none
	}
	for range 10 {
		wantHidden(t, m)
		challenge, done, err := s(said)
		if err != nil {
			return err, ours
		}
		if done {
			return nil, errors.Join(ours, c.Done())
		}
		if m, err = c.Next(challenge); err != nil {
			if ours = err; !errors.Is(err, ErrSay) {
				return nil, ours
			}
		}
		if said = m.Data; said == nil {
			said = []byte{}
		}
	}
	t.Fatal("the exchange does not end")
	return nil, nil
}

// TestAgainstGoSASL logs in to servers that somebody else has written.
func TestAgainstGoSASL(t *testing.T) {
	errWrong := errors.New("wrong")
	is := func(ok bool) error {
		if ok {
			return nil
		}
		return errWrong
	}
	servers := map[string]gosasl.Server{}
	fresh := func() {
		servers["PLAIN"] = gosasl.NewPlainServer(func(authzid, user, pass string) error {
			return is(authzid == "boss" && user == "alice" && pass == password)
		})
		servers["EXTERNAL"] = gosasl.NewExternalServer(func(authzid string) error { return is(authzid == "boss") })
		servers["ANONYMOUS"] = gosasl.NewAnonymousServer(func(trace string) error { return is(trace == "alice") })
		servers["OAUTHBEARER"] = gosasl.NewOAuthBearerServer(func(o gosasl.OAuthBearerOptions) *gosasl.OAuthBearerError {
			if o.Username == "boss" && o.Token == token && o.Host == "mx1.example.test" && o.Port == 587 {
				return nil
			}
			return &gosasl.OAuthBearerError{Status: "invalid_token", Schemes: "bearer", Scope: "mail"}
		})
	}
	fresh()
	for name, s := range servers {
		c := full()
		c.Authzid = "boss"
		if theirs, ours := talk(t, begin(t, name, c), s.Next); theirs != nil || ours != nil {
			t.Errorf("%s: the server says %v, we say %v", name, theirs, ours)
		}
	}
	fresh()
	c := full()
	theirs, ours := talk(t, begin(t, "OAUTHBEARER", c), servers["OAUTHBEARER"].Next)
	var refused *Error
	if theirs == nil || !errors.As(ours, &refused) || !refused.Refused || !errors.Is(ours, ErrSay) ||
		!strings.Contains(ours.Error(), "status invalid_token, schemes bearer, scope mail") {
		t.Errorf("a refused token: the server says %v, we say %v", theirs, ours)
	}
}

// scramServer is xdg-go/scram's server, which knows alice.
func scramServer(t *testing.T, h xdg.HashGeneratorFcn, pass string, binding *xdg.ChannelBinding) server {
	t.Helper()
	client, err := h.NewClient("alice", pass, "")
	if err != nil {
		t.Fatal(err)
	}
	stored, err := client.GetStoredCredentialsWithError(xdg.KeyFactors{Salt: "a salt of some length", Iters: 4096})
	if err != nil {
		t.Fatal(err)
	}
	s, err := h.NewServer(func(user string) (xdg.StoredCredentials, error) {
		if user != "alice" {
			return stored, errors.New("nobody of that name")
		}
		return stored, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	conversation := s.NewConversation()
	if binding != nil {
		conversation = s.NewConversationWithChannelBinding(*binding)
	}
	return func(response []byte) ([]byte, bool, error) {
		if conversation.Valid() && len(response) == 0 {
			return nil, true, nil // the empty line to the last message
		}
		challenge, err := conversation.Step(string(response))
		if err != nil && challenge == "" {
			return nil, false, err
		}
		return []byte(challenge), false, nil
	}
}

func hashes() map[string]func() hash.Hash {
	return map[string]func() hash.Hash{"SCRAM-SHA-1": sha1.New, "SCRAM-SHA-256": sha256.New, "SCRAM-SHA-512": sha512.New}
}

// TestAgainstXDG logs in with SCRAM, right and wrong, prepared and not.
func TestAgainstXDG(t *testing.T) {
	for name, h := range hashes() {
		generator := xdg.HashGeneratorFcn(h)
		for _, pass := range []string{password, "p\u00e4ssw\u00f6rd,=", "\u00aa\u00adIX \u2168"} {
			c := with("alice", pass)
			c.Authzid = "the,boss=1"
			if theirs, ours := talk(t, begin(t, name, c), scramServer(t, generator, pass, nil)); theirs != nil || ours != nil {
				t.Errorf("%s with %q: the server says %v, we say %v", name, pass, theirs, ours)
			}
		}
		_, ours := talk(t, begin(t, name, full()), scramServer(t, generator, "another", nil))
		if !errors.Is(ours, ErrSay) || !strings.Contains(ours.Error(), "invalid-proof: the proof does not fit, so the password is most likely wrong") {
			t.Errorf("%s with a wrong password: %v", name, ours)
		}
		_, ours = talk(t, begin(t, name, with("mallory", "x")), scramServer(t, generator, "x", nil))
		if !errors.Is(ours, ErrSay) || !strings.Contains(ours.Error(), "unknown-user: it does not know the user") {
			t.Errorf("%s with an unknown user: %v", name, ours)
		}
	}
}
