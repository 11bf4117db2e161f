package sandbox

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Account is somebody who may authenticate at any server of the world that knows
// AUTH.
type Account struct {
	User     string
	Password string
	Token    string // for OAuth; "": none
}

// Accounts are those of the world. ANONYMOUS needs none, and EXTERNAL a client
// certificate for the user's name, such as ClientPEM makes.
func Accounts() []Account {
	return []Account{
		{User: "alice", Password: "wonderland", Token: "token-of-alice"},
		{User: "bob", Password: "correct horse battery staple"},
		{User: "zoë", Password: "pässwörd"}, // beyond ASCII, so both need SASLprep
	}
}

const (
	anonymous = "anonymous" // who authenticated by ANONYMOUS: nobody, so he may not relay
	somebody  = "somebody"  // who authenticated at a server that did not ask for a name
)

// findAccount finds whom a user name means.
func findAccount(user string) (Account, bool) {
	user = prepare(user)
	for _, a := range Accounts() {
		if prepare(a.User) == user {
			return a, true
		}
	}
	return Account{}, false
}

// prepare is SASLprep (RFC 4013) but for its prohibitions: no account has what
// they forbid.
func prepare(s string) string {
	return norm.NFKC.String(strings.Map(func(r rune) rune {
		switch {
		case r > unicode.MaxASCII && unicode.Is(unicode.Zs, r): // RFC 3454 table C.1.2
			return ' '
		case r == 0xad, r == 0x34f, r == 0x1806, r >= 0x180b && r <= 0x180d, r >= 0x200b && r <= 0x200d, r == 0x2060,
			r >= 0xfe00 && r <= 0xfe0f, r == 0xfeff: // RFC 3454 table B.1
			return -1
		}
		return r
	}, s))
}

// password checks a user name and a password in the clear.
func (e *exchange) password(user, password string) error {
	e.user, e.secret = user, password
	a, ok := findAccount(user)
	if !ok || prepare(a.Password) != prepare(password) {
		return denied()
	}
	e.user = a.User
	return nil
}

// as has an account pass if the client wants to act as itself: acting for
// somebody else is allowed to nobody. authzid may be empty.
func (e *exchange) as(authzid string, a Account) error {
	if authzid != "" && prepare(authzid) != prepare(a.User) {
		return denied()
	}
	e.user = a.User
	return nil
}
