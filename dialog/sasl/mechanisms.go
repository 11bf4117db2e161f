package sasl

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
)

// Mechanisms are all that there are, strongest first: a login that is bound to
// the connection, then what proves itself without a word of the secret, then
// tokens, which expire, then digests by broken hashes, and last what hands the
// password over. Where a certificate was shown it says who the client is
// already, so EXTERNAL stands behind nothing but the bound forms; ANONYMOUS is
// no login. Those whose needs the credentials do not meet are skipped.
func Mechanisms() []Mechanism {
	return []Mechanism{
		{Name: "SCRAM-SHA-512-PLUS", RFC: scram512, About: "salted challenge and response, bound to the TLS connection",
			Needs: NeedPassword, Binds: true, New: newScram("SCRAM-SHA-512-PLUS", sha512.New)},
		{Name: "SCRAM-SHA-256-PLUS", RFC: "RFC 7677", About: "salted challenge and response, bound to the TLS connection",
			Needs: NeedPassword, Binds: true, New: newScram("SCRAM-SHA-256-PLUS", sha256.New)},
		{Name: "SCRAM-SHA-1-PLUS", RFC: "RFC 5802", About: "salted challenge and response, bound to the TLS connection",
			Needs: NeedPassword, Binds: true, New: newScram("SCRAM-SHA-1-PLUS", sha1.New)},
		{Name: "EXTERNAL", RFC: "RFC 4422", About: "the client's certificate says who it is",
			Needs: NeedCertificate, New: newExternal},
		{Name: "SCRAM-SHA-512", RFC: scram512, About: "salted challenge and response; both sides prove that they know the password",
			Needs: NeedPassword, New: newScram("SCRAM-SHA-512", sha512.New)},
		{Name: "SCRAM-SHA-256", RFC: "RFC 7677", About: "salted challenge and response; both sides prove that they know the password",
			Needs: NeedPassword, New: newScram("SCRAM-SHA-256", sha256.New)},
		{Name: "SCRAM-SHA-1", RFC: "RFC 5802", About: "salted challenge and response; both sides prove that they know the password",
			Needs: NeedPassword, New: newScram("SCRAM-SHA-1", sha1.New)},
		{Name: "OAUTHBEARER", RFC: "RFC 7628", About: "an OAuth 2.0 token, to be used by whoever reads it",
			Needs: NeedToken, Bares: true, New: newOAuthBearer},
		{Name: "XOAUTH2", RFC: "none: Google's", About: "an OAuth 2.0 token, to be used by whoever reads it",
			Needs: NeedToken, Bares: true, New: newXOAuth2},
		{Name: "DIGEST-MD5", RFC: "RFC 2831", About: "a digest by MD5, historic by RFC 6331",
			Needs: NeedPassword, New: newDigestMD5},
		{Name: "CRAM-MD5", RFC: "RFC 2195", About: "a digest by MD5; the server does not prove itself",
			Needs: NeedPassword, New: newCramMD5},
		{Name: "NTLM", RFC: "MS-SMTPNTLM", About: "Windows' challenge and response, by MD4 and MD5",
			Needs: NeedPassword, New: newNTLM},
		{Name: "PLAIN", RFC: "RFC 4616", About: "the user name and the password as they are",
			Needs: NeedPassword, Bares: true, New: newPlain},
		{Name: "LOGIN", RFC: "draft-murchison-sasl-login", About: "the user name and the password as they are, each asked for",
			Needs: NeedPassword, Bares: true, New: newLogin},
		{Name: "ANONYMOUS", RFC: "RFC 4505", About: "no login, a trace at most",
			Needs: NeedNothing, New: newAnonymous},
	}
}

// scram512 is where the name SCRAM-SHA-512, which IANA registered, comes from.
const scram512 = "draft-melnikov-scram-sha-512"
