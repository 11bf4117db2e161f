package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/sasl"
)

// hunter is the password of these tests, which must stand in no error.
const hunter = "hunter2-Geheim"

// runOf is a run of a command line, with settings as they resolve.
func runOf(t *testing.T, w *world, line string) *run {
	t.Helper()
	c, err := parse(strings.Fields(line))
	if err != nil {
		t.Fatal(err)
	}
	s, err := resolve(c, w.Env)
	if err != nil {
		t.Fatal(err)
	}
	return &run{Env: w.Env, Settings: s, command: c.command, args: c.args}
}

// secretFiles are files in a directory of their own, to be written $DIR in a line.
func secretFiles(t *testing.T) func(string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"line": hunter + "\n", "crlf": hunter + "\r\n", "bare": hunter, "spaced": " " + hunter + " \n", "marked": "\ufeff" + hunter + "\n",
		"empty": "", "newline": "\n", "lines": hunter + "\nmore\n", "two-ends": hunter + "\n\n", "nul": hunter + "\x00\n", "cr": "a\r" + hunter,
		"utf16": "\xff\xfeh\x00\n\x00", "long": strings.Repeat("x", mostSecret) + "\n", "most": strings.Repeat("x", mostSecret-1) + "\n",
		"netrc":       "machine mx.test login alice password " + hunter + "\nmachine a.test password any\nmachine b.test login bob\n",
		"netrc-open":  "machine mx.test login alice password \"" + hunter + "\n",
		"netrc-short": "machine mx.test login",
		"netrc-lines": "machine mx.test login alice password \"a\\nb\"\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return func(line string) string { return strings.ReplaceAll(line, "$DIR", dir) }
}

func TestCredentials(t *testing.T) {
	in := secretFiles(t)
	tests := []struct {
		line, stdin, env string
		user             string
		password, token  string
		unwanted         bool
	}{
		{line: "send", unwanted: true},
		{line: "send --auth-optional --no-auth-optional", unwanted: true},
		{line: "send --auth-user alice --auth-password-file $DIR/line", user: "alice", password: hunter},
		{line: "send --auth-user alice --auth-password-file $DIR/crlf", user: "alice", password: hunter},
		{line: "send --auth-user alice --auth-password-file $DIR/bare", user: "alice", password: hunter},
		{line: "send --auth-user alice --auth-password-file $DIR/spaced", user: "alice", password: " " + hunter + " "},
		{line: "send --auth-user alice --auth-password-file $DIR/marked", user: "alice", password: hunter},
		{line: "send --auth-user alice --auth-password-file $DIR/most", user: "alice", password: strings.Repeat("x", mostSecret-1)},
		{line: "send --auth-user alice --auth-password-file -", stdin: hunter + "\n", user: "alice", password: hunter},
		{line: "send --auth-user alice --auth-password=" + hunter, user: "alice", password: hunter},
		{line: "send --auth-user alice --auth-password-keyring", user: "alice", password: "ehlo alice@mx.test"},
		{line: "send --auth-user bob --auth-password-keyring=work", user: "bob", password: "work bob"},
		{line: "send --auth-user alice --auth-token-file $DIR/line", user: "alice", token: hunter},
		{line: "send --auth-token=" + hunter, token: hunter},
		{line: "send --auth-user alice --auth-token=t --auth-password-file $DIR/line", user: "alice", password: hunter, token: "t"},
		{line: "send --auth external"},
		{line: "send --auth ANONYMOUS --auth-user trace", user: "trace"},
		{line: "send --netrc=$DIR/netrc", user: "alice", password: hunter},
		{line: "send --netrc=$DIR/netrc --auth-user alice", user: "alice", password: hunter},
		{line: "send --netrc", env: "NETRC=$DIR/netrc", user: "alice", password: hunter},
		{line: "send", env: "EHLO_NETRC=$DIR/netrc", user: "alice", password: hunter},
		{line: "send --netrc=no", env: "EHLO_NETRC=$DIR/netrc", unwanted: true},
		{line: "send --no-auth", env: "EHLO_NETRC=$DIR/netrc", unwanted: true},
		{line: "send --auth-user alice --auth-password-file $DIR/line", env: "EHLO_AUTH=none", user: "alice", password: hunter},
		{line: "send --auth-user alice --auth-password-file $DIR/line", env: "EHLO_AUTH=EXTERNAL", user: "alice", password: hunter},
		{line: "send --auth-user alice --auth-password-file $DIR/line", env: "EHLO_NETRC=on", user: "alice", password: hunter},
		{line: "send --auth EXTERNAL", env: "EHLO_AUTH_PASSWORD_FILE=$DIR/missing"},
		{line: "send --auth-user alice", env: "EHLO_AUTH_PASSWORD_FILE=$DIR/line", user: "alice", password: hunter},
	}
	for _, tt := range tests {
		w := newWorld(in(tt.env))
		w.In = strings.NewReader(tt.stdin)
		w.Keyring = func(service, account string) (string, error) {
			if account == "bob@mx.test" {
				return "", errNoEntry
			}
			return service + " " + account, nil
		}
		c, wanted, err := runOf(t, w, in(tt.line)).credentials(t.Context(), "mx.test", 587)
		if err != nil || wanted == tt.unwanted {
			t.Errorf("%s %s: wanted %v, %v", tt.env, tt.line, wanted, err)
			continue
		}
		if c.User != tt.user || c.Password.Reveal() != tt.password || c.Token.Reveal() != tt.token {
			t.Errorf("%s %s: user %q, password %q, token %q", tt.env, tt.line, c.User, c.Password.Reveal(), c.Token.Reveal())
		}
		if wanted && (c.Host != "mx.test" || c.Port != 587) {
			t.Errorf("%s: for %s:%d", tt.line, c.Host, c.Port)
		}
	}
}

func TestCredentialErrors(t *testing.T) {
	in := secretFiles(t)
	tests := []struct{ line, env, want string }{
		{"send --auth", "", "a login needs a user: --auth-user USER"},
		{"send --auth PLAIN", "", "a login needs a user: --auth-user USER"},
		{"send --auth-password-file $DIR/line", "", "a login needs a user: --auth-user USER"},
		{"send --auth-token t --auth-password-keyring", "", "a login needs a user: --auth-user USER"},
		{"send --auth-user a --auth-password-file $DIR/missing", "", "--auth-password-file: $DIR/missing: no such file or directory"},
		{"send --auth-user a", "EHLO_AUTH_PASSWORD_FILE=$DIR/missing", "EHLO_AUTH_PASSWORD_FILE: $DIR/missing: no such file or directory"},
		{"send --auth-user a --auth-password-file $DIR", "", "--auth-password-file: $DIR is a directory"},
		{"send --auth-user a --auth-password-file $DIR/empty", "", "--auth-password-file: $DIR/empty is empty"},
		{"send --auth-user a --auth-password-file $DIR/newline", "", "--auth-password-file: $DIR/newline is empty"},
		{"send --auth-user a --auth-password-file $DIR/lines", "", "--auth-password-file: $DIR/lines has several lines: one is wanted, and nothing else"},
		{"send --auth-user a --auth-password-file $DIR/two-ends", "", "--auth-password-file: $DIR/two-ends has several lines: one is wanted, and nothing else"},
		{"send --auth-user a --auth-password-file $DIR/cr", "", "--auth-password-file: $DIR/cr has several lines: one is wanted, and nothing else"},
		{"send --auth-user a --auth-password-file $DIR/nul", "", "--auth-password-file: $DIR/nul holds a NUL"},
		{"send --auth-user a --auth-password-file $DIR/utf16", "", "--auth-password-file: $DIR/utf16 is in UTF-16: it has to be in UTF-8"},
		{"send --auth-user a --auth-password-file $DIR/long", "", "--auth-password-file: $DIR/long is over 64 KiB"},
		{"send --auth-user a --auth-password-file -", "", "--auth-password-file: standard input is empty"},
		{"send --auth-token-file $DIR/empty", "", "--auth-token-file: $DIR/empty is empty"},
		{"send --netrc=$DIR/missing", "", "--netrc: $DIR/missing: no such file or directory"},
		{"send --netrc", "", "--netrc: HOME is not set: say --netrc=FILE"},
		{"send --netrc", "HOME=$DIR", "--netrc: $DIR/.netrc: no such file or directory"},
		{"send --netrc=$DIR/netrc-open", "", "--netrc: $DIR/netrc-open: line 1: a quote is left open"},
		{"send --netrc=$DIR/netrc-short", "", "--netrc: $DIR/netrc-short: line 1: login without a value"},
		{"send --netrc=$DIR/netrc-lines", "", "--netrc: $DIR/netrc-lines: line 1: the password has several lines: one is wanted, and nothing else"},
		{"send --auth-user a", "", "no password for a, and no terminal to ask for it"},
		{"send --auth XOAUTH2 --auth-user a", "", "no token for a, and no terminal to ask for it"},
		{"send --auth-user a --auth-password-keyring", "", "--auth-password-keyring: there is no keyring here"},
	}
	for _, tt := range tests {
		w := newWorld(in(tt.env))
		_, _, err := runOf(t, w, in(tt.line)).credentials(t.Context(), "mx.test", 587)
		if want := in(tt.want); !errors.As(err, new(*usageError)) || err.Error() != want {
			t.Errorf("%s %s: %v, want %s", tt.env, tt.line, err, want)
		}
		if err != nil && strings.Contains(err.Error(), hunter) {
			t.Errorf("%s: the password stands in its error", tt.line)
		}
	}
}

// Every source is read before a server is known, and once.
func TestReadSecrets(t *testing.T) {
	w := newWorld()
	w.In = strings.NewReader(hunter)
	r := runOf(t, w, "send --auth-user alice --auth-password-file -")
	if err := r.readSecrets(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"mx1.test", "mx2.test"} {
		c, wanted, err := r.credentials(t.Context(), host, 25)
		if err != nil || !wanted || c.Password.Reveal() != hunter || c.Host != host {
			t.Errorf("%s: %+v, %v, %v", host, c, wanted, err)
		}
	}
	in := secretFiles(t)
	if err := runOf(t, newWorld(), in("send --auth-user a --auth-password-file $DIR/missing")).readSecrets(t.Context()); err == nil {
		t.Error("a file that is not there shows too late")
	}
	if err := runOf(t, newWorld(), in("send")).readSecrets(t.Context()); err != nil {
		t.Error(err)
	}
}

// A pipe that says nothing is given up with the run.
func TestSecretNeverComes(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close()
	w := newWorld()
	w.In = read
	r := runOf(t, w, "send --auth-user a --auth-password-file -")
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, &maxTimeError{time.Millisecond})
	defer cancel()
	if _, _, err = r.credentials(ctx, "mx.test", 25); !errors.As(err, new(*usageError)) || err.Error() != "--auth-password-file: time is up: --max-time is 1.0 ms" {
		t.Error(err)
	}
	interrupted, cancelCause := context.WithCancelCause(t.Context())
	cancelCause(ErrInterrupted)
	if _, _, err = r.credentials(interrupted, "mx.test", 25); !errors.Is(err, ErrInterrupted) {
		t.Error(err)
	}
}

func TestWarnings(t *testing.T) {
	in := secretFiles(t)
	if err := os.WriteFile(in("$DIR/open"), []byte("machine mx.test login alice password x"), 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ line, want string }{
		{"send --auth-user a --auth-password=" + hunter, "others on this machine can read the password in the list of processes: --auth-password-file FILE hides it"},
		{"send --auth-token=" + hunter, "others on this machine can read the token in the list of processes: --auth-token-file FILE hides it"},
		{"send --netrc=$DIR/netrc", ""},
		{"send --netrc=$DIR/open", "others can read $DIR/open: chmod 600 hides it from them"},
		{"send --netrc=$DIR/empty", "--netrc has no entry for mx.test: going on without a login"},
		{"send --netrc=$DIR/netrc --auth-token t --auth-user bob", "others on this machine"},
	}
	for _, tt := range tests {
		w := newWorld()
		r := runOf(t, w, in(tt.line))
		for range 2 { // and says it once
			if _, _, err := r.credentials(t.Context(), "mx.test", 587); err != nil {
				t.Errorf("%s: %v", tt.line, err)
			}
		}
		want := ""
		if tt.want != "" {
			want = "ehlo: warning: " + in(tt.want)
		}
		if got := w.err.String(); !strings.HasPrefix(got, want) || strings.Count(got, "\n") > 2 || tt.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", tt.line, got, want)
		}
		if strings.Contains(w.err.String(), hunter) {
			t.Errorf("%s: the password stands in a warning", tt.line)
		}
	}
}

func TestAuthContradictions(t *testing.T) {
	tests := []struct{ line, env, want string }{
		{"send --auth-password-file a --auth-password-keyring", "", "--auth-password-file and --auth-password-keyring contradict each other"},
		{"send --netrc --auth-password-command a", "", "--auth-password-command and --netrc contradict each other"},
		{"send --auth-token-file a --auth-token b", "", "--auth-token-file and --auth-token contradict each other"},
		{"send --no-auth --auth-user a", "", "--no-auth and --auth-user contradict each other"},
		{"send --no-auth --netrc", "", "--no-auth and --netrc contradict each other"},
		{"send --auth NONE --auth-token-file t", "", "--auth and --auth-token-file contradict each other"},
		{"send --auth EXTERNAL --auth-password-file a", "", "--auth-password-file gives a password, but no mechanism of --auth takes one"},
		{"send --auth plain,login --auth-token-file a", "", "--auth-token-file gives a token, but no mechanism of --auth takes one"},
		{"send --auth-optional", "", "--auth-optional has nothing to log in with"},
		{"send --auth-password-file - --data -", "", "--auth-password-file and --data both read standard input"},
		{"send --auth-password-file - --auth-token-file -", "", "--auth-password-file and --auth-token-file both read standard input"},
		{"send --auth-password-file -", "EHLO_DATA=-", "--auth-password-file and --data both read standard input"},
		{"send --auth=PLAN", "", "--auth 'PLAN': 'PLAN' is none of any, none, "},
		{"send --auth=PLAIN,", "", "--auth 'PLAIN,': '' is none of any, none, "},
		{"send --auth=any,PLAIN", "", "--auth 'any,PLAIN': any stands alone"},
		{"send --auth-password-file fd:0", "", "--auth-password-file 'fd:0': standard input is written -"},
		{"send --auth-password-file fd:1", "", "--auth-password-file 'fd:1': it is for writing"},
		{"send --auth-password-file fd:x", "", "--auth-password-file 'fd:x': a file descriptor is written fd:3"},
		{"send --auth-password-file @x", "", "--auth-password-file '@x': a file is named here without an @"},
		{"send --auth-password=a\r" + hunter, "", "--auth-password '[hidden]': it holds a line end (CR or LF)"},
		{"send", "EHLO_AUTH_PASSWORD=" + hunter, "EHLO_AUTH_PASSWORD: secrets are not taken from the environment, which every program that you start can read"},
		{"probe x.test", "EHLO_AUTH_TOKEN=" + hunter, "EHLO_AUTH_TOKEN: secrets are not taken from the environment, which every program that you start can read"},
		{"send -auth-password=" + hunter, "", "send has no flag -auth-password\n  likely  --auth-password\n"},
	}
	for _, tt := range tests {
		out, errs, status := newWorld(tt.env).run(strings.Split(tt.line, " ")...)
		if status != 2 || out != "" || !strings.HasPrefix(errs, "ehlo: "+tt.want) || strings.Contains(errs, hunter) {
			t.Errorf("%s %q: status %d, %q, want %s", tt.env, tt.line, status, errs, tt.want)
		}
	}
}

// A secret in the configuration is refused wherever it stands, and not shown.
func TestSecretInConfig(t *testing.T) {
	for _, text := range []string{"auth-password = \"" + hunter + "\"\n", "[profile.x]\nauth-token = \"" + hunter + "\"\n"} {
		w, path := configured(t, text)
		_, errs, status := w.run("send")
		if status != 2 || !strings.Contains(errs, " is a secret, which no configuration file should hold\n  likely  auth-") || strings.Contains(errs, hunter) {
			t.Errorf("%s: status %d, %q", path, status, errs)
		}
	}
}

func TestAuthDump(t *testing.T) {
	config := "auth-user = \"alice\"\nauth-optional = true\n\n[profile.work]\nauth = \"plain,LOGIN\"\nauth-password-file = \"secret\"\n[profile.ring]\nauth-password-keyring = true\nnetrc = false\n"
	tests := []struct{ setting, line, env, want string }{
		{"auth-password", "send --auth-password " + hunter, "", "--auth-password [hidden]"},
		{"auth-token", "probe --auth-token=" + hunter + " x.test", "", "--auth-token [hidden]"},
		{"auth-user", "verify", "", "config.toml:1 alice"},
		{"auth-user", "verify", "EHLO_AUTH_USER=bob", "EHLO_AUTH_USER bob"},
		{"auth-user", "send --no-auth", "", "default -"},
		{"auth-optional", "send --no-auth", "", "default false"},
		{"auth", "send --profile work", "", "profile work, config.toml:5 plain,LOGIN"},
		{"auth", "send --profile work --no-auth", "", "--no-auth none"},
		{"auth-password-file", "send --profile work --no-auth", "", "default -"},
		{"auth-password-file", "send --profile work --netrc", "", "default -"},
		{"auth-password-file", "send --profile work --auth EXTERNAL", "", "default -"},
		{"auth-password-keyring", "send --profile ring", "", "profile ring, config.toml:8 true"},
		{"auth-password-command", "send", "EHLO_AUTH_PASSWORD_COMMAND=x", "default -"},
		{"auth-cleartext", "send", "EHLO_AUTH_CLEARTEXT=1", "default false"},
		{"auth-unverified", "send", "EHLO_AUTH_UNVERIFIED=1", "default false"},
		{"show-secrets", "send", "EHLO_SHOW_SECRETS=1", "default false"},
		{"auth", "send --auth", "", "--auth any"},
		{"auth", "send --auth LOGIN", "", "--auth LOGIN"},
		{"auth", "send --auth scram-sha-256,Plain", "", "--auth scram-sha-256,Plain"},
		{"netrc", "send --netrc=yes", "", "--netrc true"},
	}
	for _, tt := range tests {
		w, _ := configured(t, config, tt.env)
		if got := dumped(t, w, tt.setting, strings.Fields(tt.line)...); got != tt.want {
			t.Errorf("%s %s: %s is %q, want %q", tt.env, tt.line, tt.setting, got, tt.want)
		}
	}
	w := newWorld()
	if out, _, _ := w.run("send", "--auth-password", hunter, "--dump", "--json"); strings.Contains(out, hunter) || !strings.Contains(out, "[hidden]") {
		t.Error(out)
	}
}

// The word behind --auth is its value only if it can be nothing else.
func TestAuthTakes(t *testing.T) {
	for line, want := range map[string]string{
		"probe --auth x.test":               "any [x.test]",
		"probe --auth PLAIN x.test":         "PLAIN [x.test]",
		"probe --auth cram-md5,LOGIN x":     "cram-md5,LOGIN [x]",
		"probe --auth cram-sha1.test":       "any [cram-sha1.test]",
		"probe --auth PLAIN,x.test":         "any [PLAIN,x.test]",
		"probe x --auth":                    "any [x]",
		"--auth LOGIN probe x":              "LOGIN [x]",
		"--auth probe x":                    "any [x]",
		"probe --auth --auth=EXTERNAL x":    "EXTERNAL [x]",
		"probe --auth=LOGIN --no-auth x":    "none [x]",
		"probe --netrc x":                   " [x]",
		"probe --auth-password-keyring e x": " [e x]",
	} {
		c, err := parse(strings.Fields(line))
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		auth := ""
		for _, g := range c.flags {
			if g.flag.setting() == "auth" {
				auth = g.value
			}
		}
		if got := fmt.Sprintf("%s %v", auth, c.args); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}

func TestMechanisms(t *testing.T) {
	r := runOf(t, newWorld(), "send --auth login,scram-sha-256-plus --auth-user a")
	if got := r.mechanisms(); strings.Join(got, " ") != "LOGIN SCRAM-SHA-256-PLUS" {
		t.Error(got)
	}
	if !r.mayUse(sasl.NeedPassword) || r.mayUse(sasl.NeedToken) {
		t.Error("a password is what these take")
	}
	for _, line := range []string{"send --auth", "send", "send --no-auth"} {
		if got := runOf(t, newWorld(), line).mechanisms(); got != nil {
			t.Errorf("%s: %q", line, got)
		}
	}
}

func TestKeyringErrors(t *testing.T) {
	w := newWorld()
	answers := map[string]error{"none": errNoEntry, "down": errors.New("no reply"), "empty": nil}
	w.Keyring = func(service, _ string) (string, error) { return "", answers[service] }
	for service, want := range map[string]string{
		"none":  "the keyring has no password of alice@mx.test or alice for the service none",
		"down":  "--auth-password-keyring: no keyring answers: no reply",
		"empty": "--auth-password-keyring: the password is empty",
	} {
		_, _, err := runOf(t, w, "send --auth-user alice --auth-password-keyring="+service).credentials(t.Context(), "mx.test", 25)
		if !errors.As(err, new(*usageError)) || err.Error() != want {
			t.Errorf("%s: %v", service, err)
		}
	}
	stuck := make(chan struct{})
	defer close(stuck)
	w.Keyring = func(string, string) (string, error) { <-stuck; return "", nil }
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, &maxTimeError{time.Millisecond})
	defer cancel()
	_, _, err := runOf(t, w, "send --auth-user alice --auth-password-keyring").credentials(ctx, "mx.test", 25)
	if err == nil || err.Error() != "--auth-password-keyring: time is up: --max-time is 1.0 ms" {
		t.Error(err)
	}
}

func TestBounded(t *testing.T) {
	b := &bounded{most: 3}
	for _, s := range []string{"ab", "cd", "ef"} {
		if n, err := b.Write([]byte(s)); n != 2 || err != nil {
			t.Error(n, err)
		}
	}
	if !bytes.Equal(b.held, []byte("abc")) {
		t.Errorf("%q", b.held)
	}
	b = &bounded{most: 3, err: errTooMuch}
	if n, err := b.Write([]byte("abcd")); n != 3 || !errors.Is(err, errTooMuch) {
		t.Error(n, err)
	}
}
