package cmd_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Logins at servers that others wrote, by every mechanism that they have.

// setting is a variable of testdata/interop/run.sh, without which the test is skipped.
func setting(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv("EHLO_INTEROP_" + name)
	if value == "" {
		t.Skipf("EHLO_INTEROP_%s is not set: testdata/interop/run.sh starts the servers and sets it", name)
	}
	return value
}

// secretFile is a file that holds a password or a token.
func secretFile(t *testing.T, secret string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	write(t, path, []byte(secret+"\n"))
	return path
}

// login is a try to log in by probe, over verified TLS.
type login struct {
	target    string
	mechanism string // "" leaves it to ehlo
	flags     []string
	secret    string // is not to be seen
	status    int
	says      []string // what the transcript has to hold
}

func (l login) run(t *testing.T) {
	t.Helper()
	args := append([]string{"probe", "--helo", "client.test", "--tls-verify", "--tls-ca-path", setting(t, "CA")}, l.flags...)
	if l.mechanism == "" {
		args = append(args, l.target, "--auth")
	} else {
		args = append(args, "--auth", l.mechanism, l.target)
	}
	for _, format := range []string{"text", "jsonl"} {
		out, errs, status := ehlo(t, append(args, "--format", format)...)
		if status != l.status {
			t.Fatalf("%q: status %d, not %d: %s%s", args, status, l.status, errs, out)
		}
		for _, face := range faces(l.secret) {
			if strings.Contains(out+errs, face) {
				t.Errorf("%q shows the secret as %q:\n%s%s", args, face, errs, out)
			}
		}
		if format == "jsonl" {
			continue
		}
		for _, word := range l.says {
			if !strings.Contains(out, word) {
				t.Errorf("%q does not say %q:\n%s", args, word, out)
			}
		}
	}
}

// faces are what a secret looks like on the wire: as it is, and in base64 wherever it begins.
func faces(secret string) []string {
	if secret == "" {
		return nil
	}
	list := []string{secret}
	for shift := range 3 {
		whole := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x00", shift) + secret))
		// without what the bytes before and behind have a part in
		list = append(list, whole[(shift*8+5)/6:len(whole)-4])
	}
	return list
}

func TestInteropPostfixAuth(t *testing.T) {
	clear, secure := setting(t, "POSTFIX"), "smtps://"+setting(t, "POSTFIX_TLS")
	password := setting(t, "PASSWORD")
	right := []string{"--auth-user", setting(t, "USER"), "--auth-password-file", secretFile(t, password)}
	wrong := []string{"--auth-user", setting(t, "USER"), "--auth-password-file", secretFile(t, "not the password")}
	for _, mechanism := range []string{
		"PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512", "NTLM",
	} {
		t.Run(mechanism, func(t *testing.T) {
			says := []string{"AUTH " + mechanism, "235 2.7.0"}
			login{clear, mechanism, right, password, 0, says}.run(t)
			login{secure, mechanism, right, password, 0, says}.run(t)
			login{clear, mechanism, wrong, "not the password", 6, []string{"AUTH " + mechanism, "535 5.7.8"}}.run(t)
		})
	}
	t.Run("ANONYMOUS", func(t *testing.T) {
		login{clear, "ANONYMOUS", nil, "", 0, []string{"AUTH ANONYMOUS", "235 2.7.0"}}.run(t)
	})
	t.Run("the strongest", func(t *testing.T) {
		login{clear, "", right, password, 0, []string{"AUTH SCRAM-SHA-512", "235 2.7.0"}}.run(t)
	})
	t.Run("not offered", func(t *testing.T) { // Postfix tells Cyrus nothing of the TLS connection
		login{clear, "SCRAM-SHA-256-PLUS", right, password, 6, nil}.run(t)
	})
	t.Run("no such user", func(t *testing.T) {
		flags := []string{"--auth-user", "nobody", "--auth-password-file", secretFile(t, password)}
		login{clear, "SCRAM-SHA-256", flags, password, 6, []string{"535 5.7.8"}}.run(t)
	})
	t.Run("realm in the name", func(t *testing.T) {
		flags := []string{"--auth-user", setting(t, "USER") + "@example.test", "--auth-password-file", secretFile(t, password)}
		login{clear, "PLAIN", flags, password, 0, nil}.run(t)
		login{clear, "CRAM-MD5", flags, password, 0, nil}.run(t)
	})
}

// Cyrus holds the login to the TLS connection, by each way to bind the two. Where
// the client binds in another way than the server it is refused.
func TestInteropCyrusBinds(t *testing.T) {
	password := setting(t, "PASSWORD")
	right := []string{"--auth-user", setting(t, "USER"), "--auth-password-file", secretFile(t, password)}
	exporter, end, unique := setting(t, "CYRUS"), setting(t, "CYRUS_END"), setting(t, "CYRUS_UNIQUE")
	for target, binding := range map[string]string{exporter: "tls-exporter", end: "tls-server-end-point", unique: "tls-unique"} {
		t.Run(binding, func(t *testing.T) {
			flags := slices.Concat(right, []string{"--auth-binding", binding})
			for _, mechanism := range []string{"SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512-PLUS"} {
				login{target, mechanism, flags, password, 0, []string{"AUTH " + mechanism, "p=" + binding, "235 2.7.0"}}.run(t)
			}
		})
	}
	t.Run("the best", func(t *testing.T) {
		login{exporter, "", right, password, 0, []string{"AUTH SCRAM-SHA-512-PLUS", "p=tls-exporter", "235 2.7.0"}}.run(t)
	})
	t.Run("another", func(t *testing.T) {
		login{end, "SCRAM-SHA-256-PLUS", right, password, 6, []string{"535 5.7.8"}}.run(t)
	})
	t.Run("not bound", func(t *testing.T) {
		login{end, "SCRAM-SHA-256", right, password, 0, []string{"235 2.7.0"}}.run(t)
	})
}

// Postfix relays for nobody but those who log in.
func TestInteropPostfixRelays(t *testing.T) {
	args := []string{"send", "--helo", "client.test", "--from", "sender@client.test", "--to", "somebody@elsewhere.test",
		"--server", setting(t, "POSTFIX"), "--tls-verify", "--tls-ca-path", setting(t, "CA")}
	if out, errs, status := ehlo(t, args...); status != 1 {
		t.Errorf("without a login: status %d: %s%s", status, errs, out)
	}
	args = append(args, "--auth", "SCRAM-SHA-256", "--auth-user", setting(t, "USER"), "--auth-password-file", secretFile(t, setting(t, "PASSWORD")))
	if out, errs, status := ehlo(t, args...); status != 0 {
		t.Errorf("with a login: status %d: %s%s", status, errs, out)
	}
}

// In the clear nothing is given away unless the user says so.
func TestInteropPostfixInTheClear(t *testing.T) {
	password := setting(t, "PASSWORD")
	args := []string{"probe", "--helo", "client.test", "--no-tls", setting(t, "POSTFIX_CLEAR"), "--auth", "CRAM-MD5",
		"--auth-user", setting(t, "USER"), "--auth-password-file", secretFile(t, password)}
	if out, errs, status := ehlo(t, args...); status != 2 || strings.Contains(out, "AUTH CRAM-MD5") {
		t.Errorf("status %d: %s%s", status, errs, out)
	}
	out, errs, status := ehlo(t, append(args, "--auth-cleartext")...)
	if status != 0 || !strings.Contains(out, "235 2.7.0") || strings.Contains(out+errs, password) {
		t.Errorf("--auth-cleartext: status %d: %s%s", status, errs, out)
	}
}

func TestInteropDovecotAuth(t *testing.T) {
	t.Parallel()
	clear, secure := setting(t, "DOVECOT"), "smtps://"+setting(t, "DOVECOT_TLS")
	user, password := setting(t, "USER"), setting(t, "PASSWORD")
	right := []string{"--auth-user", user, "--auth-password-file", secretFile(t, password)}
	wrong := []string{"--auth-user", user, "--auth-password-file", secretFile(t, "not the password")}
	for _, mechanism := range []string{"PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"} {
		t.Run(mechanism, func(t *testing.T) {
			login{clear, mechanism, right, password, 0, []string{"AUTH " + mechanism, "235 2.7.0"}}.run(t)
			login{secure, mechanism, right, password, 0, nil}.run(t)
			login{clear, mechanism, wrong, "not the password", 6, []string{"535 5.7.8"}}.run(t)
		})
	}
	now := time.Now()
	good, expired := jwt(t, user, now.Add(time.Hour)), jwt(t, user, now.Add(-time.Hour))
	signature := strings.LastIndex(good, ".") + 1
	forged := good[:signature] + strings.Repeat("A", len(good)-signature)
	// What the refusal says in JSON is shown out of its base64.
	for mechanism, reason := range map[string]string{"XOAUTH2": "status 401", "OAUTHBEARER": "invalid_token"} {
		t.Run(mechanism, func(t *testing.T) {
			for _, test := range []struct {
				name, token string
				status      int
				says        []string
			}{
				{"good", good, 0, []string{"AUTH " + mechanism, "235 2.7.0"}},
				{"expired", expired, 6, []string{reason, "535 5.7.8"}},
				{"forged", forged, 6, []string{reason, "535 5.7.8"}},
				{"no token at all", "mellon", 6, []string{reason, "535 5.7.8"}},
			} {
				t.Run(test.name, func(t *testing.T) {
					flags := []string{"--auth-user", user, "--auth-token-file", secretFile(t, test.token)}
					login{clear, mechanism, flags, test.token, test.status, test.says}.run(t)
					login{secure, mechanism, flags, test.token, test.status, test.says}.run(t)
				})
			}
		})
	}
}

// jwt is a token for a user, signed with the key that Dovecot has (RFC 7519, RFC 7515).
func jwt(t *testing.T, user string, expires time.Time) string {
	t.Helper()
	part := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	text := part(map[string]string{"alg": "HS256", "typ": "JWT"}) + "." +
		part(map[string]any{"sub": user, "exp": expires.Unix(), "iat": expires.Add(-2 * time.Hour).Unix(), "scope": "mail"})
	mac := hmac.New(sha256.New, []byte(setting(t, "TOKEN_KEY")))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// A message submitted to Dovecot comes to a mailbox behind Postfix.
func TestInteropDovecotSubmits(t *testing.T) {
	user := setting(t, "USER")
	p := peer{mail: setting(t, "POSTFIX_MAIL"), ca: setting(t, "CA")}
	for _, login := range [][]string{
		{"--auth", "SCRAM-SHA-256", "--auth-password-file", secretFile(t, setting(t, "PASSWORD"))},
		{"--auth", "OAUTHBEARER", "--auth-token-file", secretFile(t, jwt(t, user, time.Now().Add(time.Hour)))},
	} {
		for _, server := range []string{setting(t, "DOVECOT"), "smtps://" + setting(t, "DOVECOT_TLS")} {
			s := p.send(t, 0, server, login, []string{"--auth-user", user, "--to", "alice@example.test", "--subject", "submitted"})
			body, _ := s.body()
			p.arrived(t, "alice", s.Message.ID, []byte(body))
		}
	}
}

func TestInteropEximAuth(t *testing.T) {
	clear, secure := setting(t, "EXIM"), "smtps://"+setting(t, "EXIM_TLS")
	certificates, user, password := setting(t, "CERTIFICATES"), setting(t, "USER"), setting(t, "PASSWORD")
	with := func(name string, more ...string) []string {
		path := filepath.Join(certificates, name)
		return append([]string{"--tls-cert", path + ".pem", "--tls-key", path + ".key.pem"}, more...)
	}
	ok := []string{"AUTH EXTERNAL", "235 "}
	for _, test := range []struct {
		name   string
		flags  []string
		status int
		says   []string
	}{
		{"the certificate", with("client"), 0, ok},
		{"the certificate for its user", with("client", "--auth-authzid", user), 0, ok},
		{"the certificate for another user", with("client", "--auth-authzid", "bob"), 6, []string{"AUTH EXTERNAL", "535 "}},
		{"a certificate of an unknown CA", with("stranger"), 6, nil},
		{"no certificate", nil, 6, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			login{clear, "EXTERNAL", test.flags, "", test.status, test.says}.run(t)
			login{secure, "EXTERNAL", test.flags, "", test.status, test.says}.run(t)
		})
	}
	t.Run("PLAIN", func(t *testing.T) {
		flags := []string{"--auth-user", user, "--auth-password-file", secretFile(t, password)}
		login{clear, "PLAIN", flags, password, 0, []string{"AUTH PLAIN", "235 "}}.run(t)
		flags = slices.Concat(flags, with("client"))
		login{clear, "PLAIN,EXTERNAL", flags, password, 0, []string{"235 "}}.run(t)
	})
}
