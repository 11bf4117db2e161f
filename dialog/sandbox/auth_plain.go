package sandbox

import (
	"crypto/x509"
	"strings"
	"unicode/utf8"
)

// servePlain serves PLAIN (RFC 4616): [authzid] NUL user NUL password.
func servePlain(e *exchange) error {
	message, err := e.ask("")
	if err != nil {
		return err
	}
	parts := strings.Split(string(message), "\x00")
	if len(parts) != 3 || parts[1] == "" || parts[2] == "" || !utf8.Valid(message) {
		return malformed("bad PLAIN message")
	}
	if err := e.password(parts[1], parts[2]); err != nil {
		return err
	}
	return e.as(parts[0], Account{User: e.user})
}

// serveLogin serves LOGIN (draft-murchison-sasl-login). An initial response is
// the user name.
func serveLogin(e *exchange) error {
	user, err := e.ask("Username:")
	if err != nil {
		return err
	}
	password, err := e.ask("Password:")
	if err != nil {
		return err
	}
	return e.password(string(user), string(password))
}

// serveExternal serves EXTERNAL (RFC 4422 appendix A): the client's certificate,
// from the world's authority, names the user.
func serveExternal(e *exchange) error {
	authzid, err := e.ask("")
	if err != nil {
		return err
	}
	e.user = string(authzid)
	for _, name := range e.certified() {
		if a, ok := findAccount(name); ok && e.as(string(authzid), a) == nil {
			return nil
		}
	}
	return denied()
}

// certified are the names in the client's certificate; none if the world's
// authority did not issue it to a client.
func (e *exchange) certified() []string {
	if e.state == nil || len(e.state.PeerCertificates) == 0 {
		return nil
	}
	cert := e.state.PeerCertificates[0]
	others := x509.NewCertPool()
	for _, c := range e.state.PeerCertificates[1:] {
		others.AddCert(c)
	}
	_, err := cert.Verify(x509.VerifyOptions{
		Roots:         e.world.Roots(),
		Intermediates: others,
		CurrentTime:   e.world.opt.Now(),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return nil
	}
	names := append([]string{cert.Subject.CommonName}, cert.DNSNames...)
	for _, address := range cert.EmailAddresses {
		local, _, _ := strings.Cut(address, "@")
		names = append(names, local)
	}
	return names
}

// maxTrace is the length of what ANONYMOUS says, in characters (RFC 4505 section 3).
const maxTrace = 255

// serveAnonymous serves ANONYMOUS (RFC 4505).
func serveAnonymous(e *exchange) error {
	trace, err := e.ask("")
	if err != nil {
		return err
	}
	if !utf8.Valid(trace) || utf8.RuneCount(trace) > maxTrace {
		return malformed("bad ANONYMOUS message")
	}
	e.user = anonymous
	return nil
}
