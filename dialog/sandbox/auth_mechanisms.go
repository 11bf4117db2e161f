package sandbox

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"slices"
)

// mechanism is the server's side of a SASL mechanism.
type mechanism struct {
	name    string
	initial bool // the client may begin
	single  bool // and has then said all, so that more may follow in one write
	serve   func(*exchange) error
}

// findMechanism finds a mechanism by its name; the zero one if there is none.
func findMechanism(name string) mechanism {
	all := []mechanism{
		{name: "PLAIN", initial: true, single: true, serve: servePlain},
		{name: "LOGIN", initial: true, serve: serveLogin},
		{name: "CRAM-MD5", serve: serveCRAM},
		{name: "DIGEST-MD5", serve: serveDigest},
		{name: "SCRAM-SHA-1", initial: true, serve: scram{name: "SCRAM-SHA-1", hash: sha1.New}.serve},
		{name: "SCRAM-SHA-256", initial: true, serve: scram{name: "SCRAM-SHA-256", hash: sha256.New}.serve},
		{name: "SCRAM-SHA-512", initial: true, serve: scram{name: "SCRAM-SHA-512", hash: sha512.New}.serve},
		{name: "SCRAM-SHA-1-PLUS", initial: true, serve: scram{name: "SCRAM-SHA-1", hash: sha1.New, plus: true}.serve},
		{name: "SCRAM-SHA-256-PLUS", initial: true, serve: scram{name: "SCRAM-SHA-256", hash: sha256.New, plus: true}.serve},
		{name: "SCRAM-SHA-512-PLUS", initial: true, serve: scram{name: "SCRAM-SHA-512", hash: sha512.New, plus: true}.serve},
		{name: "XOAUTH2", initial: true, serve: serveXOAUTH2},
		{name: "OAUTHBEARER", initial: true, serve: serveBearer},
		{name: "NTLM", initial: true, serve: serveNTLM},
		{name: "EXTERNAL", initial: true, single: true, serve: serveExternal},
		{name: "ANONYMOUS", initial: true, single: true, serve: serveAnonymous},
	}
	i := slices.IndexFunc(all, func(m mechanism) bool { return m.name == name })
	if i < 0 {
		return mechanism{}
	}
	return all[i]
}
