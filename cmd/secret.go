package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/sasl"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// login is what a run has learnt of its credentials: every source is read once,
// however many servers there are.
type login struct {
	read            bool
	password, token transcript.Secret
	netrc           netrc
	typed           map[string]transcript.Secret // by what was asked: for one user at one server
	said            map[string]bool              // the warnings that stand on standard error
}

// source is a setting that says where a password or a token comes from.
type source struct {
	setting string
	gives   sasl.Need
	// read gives what is there; nil where that depends on the server.
	read func(*run, context.Context, string) ([]byte, error)
}

// sources are all of them. One password and one token is all that a login takes.
func sources() []source {
	return []source{
		{"auth-password-file", sasl.NeedPassword, (*run).secretFile},
		{"auth-password-command", sasl.NeedPassword, (*run).secretCommand},
		{"auth-password", sasl.NeedPassword, (*run).secretWord},
		{"auth-password-keyring", sasl.NeedPassword, nil},
		{"netrc", sasl.NeedPassword, nil},
		{"auth-token-file", sasl.NeedToken, (*run).secretFile},
		{"auth-token-command", sasl.NeedToken, (*run).secretCommand},
		{"auth-token", sasl.NeedToken, (*run).secretWord},
	}
}

// credentials are what to log in with at the server host:port, and whether a
// login is wanted at all. What no server's name is needed for is read by the first
// call, or before it by readSecrets. The password is asked for on the terminal if
// no setting says where it comes from and a mechanism needs one. An error is a
// *usageError, or says that the run was interrupted; it holds no secret.
func (r *run) credentials(ctx context.Context, host string, port uint16) (c sasl.Credentials, wanted bool, err error) {
	if !r.logsIn() {
		return c, false, nil
	}
	if err := r.readSecrets(ctx); err != nil {
		return c, false, err
	}
	c = sasl.Credentials{
		User: r.String("auth-user"), Authzid: r.String("auth-authzid"), Host: host, Port: port,
		Password: r.login.password, Token: r.login.token,
	}
	if r.holds("netrc") && !r.fromNetrc(&c) {
		return sasl.Credentials{}, false, nil
	}
	if err := r.needUser(c); err != nil {
		return c, false, err
	}
	if r.holds("auth-password-keyring") {
		if c.Password, err = r.fromKeyring(ctx, c.User, host); err != nil {
			return c, false, err
		}
	}
	return c, true, r.ask(ctx, &c)
}

// logsIn reports whether the settings want a login.
func (s *Settings) logsIn() bool {
	if s.holds("auth=none") {
		return false
	}
	for _, src := range sources() {
		if s.holds(src.setting) {
			return true
		}
	}
	return s.Set("auth") || s.Set("auth-user")
}

// holds reports whether a setting is set and not switched off.
func (s *Settings) holds(name string) bool { return s.holding(name) != nil }

// mechanisms are those that --auth names, as the table spells them; none means any.
func (s *Settings) mechanisms() []string {
	var names []string
	for part := range strings.SplitSeq(s.String("auth"), ",") {
		if m, ok := sasl.Find(part); ok {
			names = append(names, m.Name)
		}
	}
	return names
}

// mayUse reports whether a mechanism that may be chosen logs in with need.
func (s *Settings) mayUse(need sasl.Need) bool {
	names := s.mechanisms()
	for _, name := range names {
		if m, _ := sasl.Find(name); m.Needs == need {
			return true
		}
	}
	return len(names) == 0
}

// readSecrets reads every source that does not depend on the server, so that what
// is wrong with one shows before anything is connected.
func (r *run) readSecrets(ctx context.Context) error {
	if r.login.read || !r.logsIn() {
		return nil
	}
	if err := r.needUser(sasl.Credentials{User: r.String("auth-user")}); err != nil && !r.holds("netrc") {
		return err
	}
	for _, src := range sources() {
		if src.read == nil || !r.holds(src.setting) {
			continue
		}
		raw, err := src.read(r, ctx, src.setting)
		if err != nil {
			return r.sourceError(src.setting, err)
		}
		secret := transcript.NewSecret(string(trimLine(raw)))
		clear(raw)
		if src.gives == sasl.NeedToken {
			r.login.token = secret
		} else {
			r.login.password = secret
		}
	}
	if r.holds("netrc") {
		if err := r.readNetrc(ctx); err != nil {
			return r.sourceError("netrc", err)
		}
	}
	r.login.read = true
	return nil
}

// sourceError is what is wrong with the source that a setting names.
func (r *run) sourceError(setting string, err error) error {
	if errors.Is(err, ErrInterrupted) {
		return err
	}
	return &usageError{msg: r.values[setting].named() + ": " + plainFileError(err).Error(), next: r.next}
}

// needUser refuses a login that nobody is named for. A token may name its user
// itself, as may a certificate; ANONYMOUS has none.
func (r *run) needUser(c sasl.Credentials) error {
	named := r.mechanisms()
	switch {
	case c.User != "":
		return nil
	case !c.Password.Empty(), r.holds("auth-password-keyring"):
	case r.holdsToken():
		return nil
	case len(named) > 0 && (r.mayUse(sasl.NeedNothing) || r.mayUse(sasl.NeedCertificate)):
		return nil
	case len(named) == 0 && r.Set("tls-cert"):
		return nil
	}
	return &usageError{msg: "a login needs a user: --auth-user USER", next: r.next}
}

func (r *run) holdsToken() bool {
	for _, src := range sources() {
		if src.gives == sasl.NeedToken && r.holds(src.setting) {
			return true
		}
	}
	return false
}

// warn says on standard error what the user should know of his credentials, once.
func (r *run) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if r.login.said[text] {
		return
	}
	if r.login.said == nil {
		r.login.said = map[string]bool{}
	}
	r.login.said[text] = true
	_, _ = io.WriteString(r.Err, "ehlo: warning: "+transcript.Escape(text, transcript.ASCII(r.Getenv))+"\n")
}

// mostSecret is how many bytes a password or a token may have.
const mostSecret = 64 << 10

// trimLine cuts one line end, which every editor and echo leaves, and the byte
// order mark that some editors begin a file with.
func trimLine(raw []byte) []byte {
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	return bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte("\n")), []byte("\r"))
}

// flaw says why raw is no password or token, if it is none: no mechanism carries
// NUL, and a line end within means that another file was meant.
func flaw(what string, raw []byte) error {
	line := trimLine(raw)
	switch {
	case len(raw) > mostSecret:
		return fmt.Errorf("%s is over %d KiB", what, mostSecret>>10)
	case len(line) == 0:
		return fmt.Errorf("%s is empty", what)
	case bytes.HasPrefix(line, []byte("\xff\xfe")), bytes.HasPrefix(line, []byte("\xfe\xff")):
		return fmt.Errorf("%s is in UTF-16: it has to be in UTF-8", what)
	case bytes.IndexByte(line, 0) >= 0:
		return fmt.Errorf("%s holds a NUL", what)
	case bytes.ContainsAny(line, "\r\n"):
		return fmt.Errorf("%s has several lines: one is wanted, and nothing else", what)
	}
	return nil
}
