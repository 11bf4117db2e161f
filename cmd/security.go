package cmd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/policy"
	"github.com/ehlo-mail/ehlo/dialog/reach"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// loginAt is who logs in at t, or nil. Everything that is wrong with the
// settings shows here, before any connection. The error is a *usageError, or says
// that the run was interrupted.
func (r *run) loginAt(ctx context.Context, t reach.Target) (*dialog.Login, error) {
	if r.logsIn() && !t.Direct && !r.Bool("sandbox") {
		if r.holds("netrc") && !r.Set("auth") && !r.Set("auth-user") {
			return nil, nil // its entries are for servers
		}
		// Whoever runs the domain, or forges its MX records, could choose a name that he can prove.
		next := "again with --server HOST:587"
		if f, _ := findFlag(r.command, "server"); f == nil {
			next = "again with HOST:587 in its place"
		}
		return nil, &usageError{msg: fmt.Sprintf("credentials go to a server that you name, not to the MX hosts of %s", quote(t.Name)), next: next}
	}
	credentials, wanted, err := r.credentials(ctx, t.Name, t.Port)
	switch {
	case err != nil:
		return nil, err
	case !wanted && strings.HasSuffix(r.String("protocol"), "A"):
		return nil, &usageError{msg: "--protocol " + r.String("protocol") + " logs in, and nothing says as whom", next: "again with --auth-user USER"}
	case !wanted:
		return nil, nil
	}
	if r.String("tls-policy") == "never" && !r.Bool("auth-cleartext") {
		return nil, &usageError{msg: "--no-tls would send credentials in the clear", next: "again with --auth-cleartext   # everyone on the path can read them"}
	}
	credentials.Certificate = r.String("tls-cert") != "" || r.sandboxCertificate()
	credentials.Binding = r.String("auth-binding")
	return &dialog.Login{
		Credentials: credentials, Mechanisms: r.mechanisms(),
		Optional: r.Bool("auth-optional"), Cleartext: r.Bool("auth-cleartext"), Unverified: r.Bool("auth-unverified"),
	}, nil
}

// sandboxCertificate reports whether the sandbox gives the user a certificate to
// log in with, who could have no other there.
func (r *run) sandboxCertificate() bool {
	return r.Bool("sandbox") && r.String("tls-cert") == "" && r.String("auth-user") != "" && slices.Contains(r.mechanisms(), "EXTERNAL")
}

// loginsAt are the logins at all targets, in their order.
func (r *run) loginsAt(ctx context.Context, targets []reach.Target) ([]*dialog.Login, error) {
	var logins []*dialog.Login
	for _, t := range targets {
		login, err := r.loginAt(ctx, t)
		if err != nil {
			return nil, err
		}
		logins = append(logins, login)
	}
	return logins, nil
}

// toward sets what is demanded of TLS in the conversations with t, and who logs in
// there.
func (w *outlook) toward(r *run, t reach.Target, login *dialog.Login) {
	w.Session.Login = login
	protocol := r.String("protocol")
	w.Session.LMTP = strings.HasPrefix(protocol, "LMTP") || protocol == "" && t.LMTP
	w.Session.HELO = strings.HasPrefix(protocol, "SMTP")
	w.Session.TLS.Policy = r.policy(t, login)
	if note := r.Weakened(standardWord(t)); note != "" {
		w.Session.Stream.Emit(dialog.Finding{Text: note})
	}
}

// policy is the TLS policy towards t: what was asked for, else verify where
// users submit messages, else may. Where somebody logs in may is not enough.
func (r *run) policy(t reach.Target, login *dialog.Login) dialog.Policy {
	policy := standardPolicy(t)
	if asked := r.String("tls-policy"); asked != "" {
		policy = policyOf(asked)
	}
	if word := strings.TrimSuffix(r.String("protocol"), "A"); word != "SSMTP" && strings.HasSuffix(word, "S") {
		policy = max(policy, dialog.PolicyMust)
	}
	if r.Bool("require-tls") { // RFC 8689 section 4.2.1: before anything is said of the message
		policy = max(policy, dialog.PolicyVerify)
	}
	if policy != dialog.PolicyMay || login == nil || login.Optional || login.Cleartext {
		return policy
	}
	if login.Unverified {
		return dialog.PolicyMust
	}
	return dialog.PolicyVerify
}

func standardPolicy(t reach.Target) dialog.Policy {
	if t.Submission() {
		return dialog.PolicyVerify
	}
	return dialog.PolicyMay
}

// standardWord is standardPolicy as --tls-policy spells it.
func standardWord(t reach.Target) string {
	if standardPolicy(t) == dialog.PolicyVerify {
		return "verify"
	}
	return "may"
}

// policyOf is the floor that a word of --tls-policy sets. What a domain publishes
// can demand more.
func policyOf(name string) dialog.Policy {
	switch name {
	case "never":
		return dialog.PolicyNever
	case "must":
		return dialog.PolicyMust
	case "verify":
		return dialog.PolicyVerify
	}
	return dialog.PolicyMay
}

// discovery is what is looked up of the TLS that a domain demands, nil for
// nothing.
func (r *run) discovery(t dialog.TLS, now func() time.Time) *reach.Discovery {
	for want, word := range map[policy.Discovery]string{policy.Auto: "auto", policy.NeedsDANE: "dane", policy.NeedsSTS: "mta-sts"} {
		if r.String("tls-policy") == word {
			return &reach.Discovery{Want: want, Fetch: r.fetcher(t, now)}
		}
	}
	return nil
}

// fetcher is how MTA-STS policies are fetched.
func (r *run) fetcher(t dialog.TLS, now func() time.Time) policy.Fetcher {
	return policy.Fetcher{Roots: t.Roots, Store: t.Store, Now: now, Agent: "ehlo", Limit: r.Timeouts()["https"]}
}

// handshake reads the settings of the handshake into t. The error is a
// *usageError.
func (r *run) handshake(t *dialog.TLS) error {
	fail := func(flag string, err error) error {
		return &usageError{msg: "--" + flag + ": " + plainFileError(err).Error(), next: r.next}
	}
	var err error
	if path := r.String("tls-ca-path"); path != "" {
		if t.Roots, err = loadRoots(path); err != nil {
			return fail("tls-ca-path", err)
		}
		t.Store = path
	}
	// The table has checked these three.
	if words := r.String("tls-protocol"); words != "" {
		t.MinVersion, t.MaxVersion, _ = dialog.ParseVersions(words)
	}
	if words := r.String("tls-cipher"); words != "" {
		t.Suites, _ = dialog.ParseSuites(words)
	}
	if words := r.String("tls-groups"); words != "" {
		t.Groups, _ = dialog.ParseGroups(words)
	}
	if flag, err := r.clientCertificate(t); err != nil {
		return fail(flag, err)
	}
	return nil
}

// clientCertificate reads --tls-cert and --tls-key. The word is the flag that an
// error concerns.
func (r *run) clientCertificate(t *dialog.TLS) (string, error) {
	path, key := r.String("tls-cert"), r.String("tls-key")
	switch {
	case path == "" && key != "":
		return "tls-key", errors.New("a key is no use without --tls-cert")
	case path == "" && r.String("tls-key-password-file") != "":
		return "tls-key-password-file", errors.New("a password is no use without --tls-cert")
	case path == "":
		return "", nil
	}
	chain, err := readFile(path)
	if err != nil {
		return "tls-cert", err
	}
	secret := chain
	if key != "" {
		if secret, err = readFile(key); err != nil {
			return "tls-key", err
		}
	} else {
		key = path
	}
	var password transcript.Secret
	if file := r.String("tls-key-password-file"); file != "" {
		text, err := readFile(file)
		if err != nil {
			return "tls-key-password-file", err
		}
		password = transcript.NewSecret(strings.TrimRight(string(text), "\r\n"))
	}
	pair, err := dialog.LoadPair(chain, secret, password)
	if err != nil {
		return blamed(chain, path, key, err)
	}
	t.Certificates = []tls.Certificate{pair}
	return "", nil
}

// blamed is the flag that err of LoadPair concerns, and err with its file.
func blamed(chain []byte, path, key string, err error) (string, error) {
	switch readable := x509.NewCertPool().AppendCertsFromPEM(chain); {
	case errors.Is(err, dialog.ErrNoPassphrase):
		err = fmt.Errorf("%s: the key is encrypted: --tls-key-password-file FILE opens it", key)
	case errors.Is(err, dialog.ErrWrongPassphrase):
		return "tls-key-password-file", fmt.Errorf("%s: %w", key, err)
	case !readable:
		return "tls-cert", fmt.Errorf("%s: %w", path, err)
	default:
		err = fmt.Errorf("%s: %w", key, err)
	}
	if key == path {
		return "tls-cert", err
	}
	return "tls-key", err
}

func checkTLSVersions(v string) error {
	_, _, err := dialog.ParseVersions(v)
	return err
}

func checkTLSSuites(v string) error {
	_, err := dialog.ParseSuites(v)
	return err
}

func checkTLSGroups(v string) error {
	_, err := dialog.ParseGroups(v)
	return err
}

// keyLog opens the file of --tls-keylog, which only its owner may read; nil
// without one.
func (r *run) keyLog(t *dialog.TLS) (io.Closer, error) {
	path := r.String("tls-keylog")
	if path == "" {
		return nil, nil
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, &usageError{msg: "--tls-keylog: " + plainFileError(err).Error(), next: r.next}
	}
	t.KeyLog = f
	return f, nil
}
