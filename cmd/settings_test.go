package cmd

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

const layered = `port = 2525
max-time = "1m"
tls-policy = "must"
dns-server = ["192.0.2.1", "192.0.2.2:5353"]
mail-param = "BODY=8BITMIME"
sandbox = false
subject = "from the file"

[profile.work]
port = 587
subject = "from work"
`

func TestLayers(t *testing.T) {
	tests := []struct {
		setting, line, env, want string
	}{
		{"port", "send", "", "config.toml:1 2525"},
		{"port", "send --profile work", "", "profile work, config.toml:10 587"},
		{"port", "send", "EHLO_PROFILE=work", "profile work, config.toml:10 587"},
		{"port", "send --profile work", "EHLO_PORT=26", "EHLO_PORT 26"},
		{"port", "send --profile work --port 27", "EHLO_PORT=26", "--port 27"},
		{"port", "send", "EHLO_PORT=", "config.toml:1 2525"},
		{"max-time", "send --profile work", "", "config.toml:2 1m"},
		{"connect-timeout", "send", "", "default 15s"},
		{"tls-policy", "send --no-tls", "EHLO_TLS_POLICY=verify", "--no-tls never"},
		{"tls-policy", "send", "EHLO_TLS=1", "config.toml:3 must"}, // a shorthand has no variable
		{"dns-server", "mx", "", "config.toml:4 192.0.2.1 | config.toml:4 192.0.2.2:5353"},
		{"dns-server", "mx --dns-server 192.0.2.9", "", "--dns-server 192.0.2.9"}, // lists are not mixed
		{"mail-param", "send", "", "config.toml:5 BODY=8BITMIME"},
		{"sandbox", "send", "", "config.toml:6 false"},
		{"fixup", "send", "EHLO_FIXUP=on", "EHLO_FIXUP true"},
		{"fixup", "send --no-fixup", "EHLO_FIXUP=on", "--no-fixup false"},
		// What a higher layer contradicts makes way.
		{"subject", "send --data @x", "", "default -"},
		{"subject", "send", "EHLO_DATA=text", "default -"},
		{"ipv4", "send -6", "EHLO_IPV4=1", "default false"},
		{"dns-server", "mx --sandbox x.test", "", "default -"},
	}
	for _, tt := range tests {
		var env []string
		if tt.env != "" {
			env = []string{tt.env}
		}
		w, _ := configured(t, layered, env...)
		if got := dumped(t, w, tt.setting, strings.Fields(tt.line)...); got != tt.want {
			t.Errorf("%s ehlo %s: %s is %q, want %q", tt.env, tt.line, tt.setting, got, tt.want)
		}
	}
}

func TestEnvironmentErrors(t *testing.T) {
	tests := []struct{ line, env, want string }{
		{"send", "EHLO_PORT=0", "EHLO_PORT '0': it is a number from 1 to 65535"},
		{"send", "EHLO_PIPELINE=perhaps", "EHLO_PIPELINE 'perhaps': it is true or false"},
		{"send", "EHLO_BODY=@/etc/passwd", "EHLO_BODY '@/etc/passwd': a file is taken from the command line alone"},
		{"send", "EHLO_TO=@list", "EHLO_TO '@list': a file is taken from the command line alone"},
		{"send", "EHLO_SERVER=exec:sh", "EHLO_SERVER 'exec:sh': exec: targets are taken from the command line alone"},
		{"send", "EHLO_SERVER=unix:/s", "EHLO_SERVER 'unix:/s': unix: targets are taken from the command line alone"},
		{"send --data -", "EHLO_TO=@-", "EHLO_TO '@-': a file is taken from the command line alone"},
		{"send --dns-server 192.0.2.1", "EHLO_SANDBOX=1", "EHLO_SANDBOX and --dns-server contradict each other"},
		{"send", "EHLO_CONFIG=/nowhere/c.toml", "configuration: /nowhere/c.toml: no such file or directory"},
	}
	for _, tt := range tests {
		_, errs, status := newWorld(tt.env).run(strings.Fields(tt.line)...)
		want := "ehlo: " + tt.want + "\n  next    ehlo send --help\n"
		if status != 2 || errs != want {
			t.Errorf("%s: status %d, stderr %q, want %q", tt.env, status, errs, want)
		}
	}
}

// What belongs to the command line alone is not even looked at elsewhere.
func TestCommandLineAlone(t *testing.T) {
	for _, variable := range []string{"EHLO_DUMP=1", "EHLO_HELP=1", "EHLO_VERSION=1", "EHLO_ATTACH=@/etc/passwd"} {
		if got := dumped(t, newWorld(variable), "attach", "send"); got != "default -" {
			t.Errorf("%s: attach is %q", variable, got)
		}
	}
}

func settingsOf(t *testing.T, env Env, line string) *Settings {
	t.Helper()
	c, err := parse(strings.Fields(line))
	if err != nil {
		t.Fatal(err)
	}
	s, err := resolve(c, env)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTypedAccess(t *testing.T) {
	w := newWorld("EHLO_EXPN=staff")
	s := settingsOf(t, w.Env, "probe --vrfy a --help-topic MAIL --vrfy b --command NOOP --port 587 --timeout 20 --timeout dot=1m --timeout reply=9s --now 2026-01-02 x.test")
	if got, want := s.Ordered("help-topic", "vrfy", "expn", "command"), []Pair{
		{"vrfy", "a"}, {"help-topic", "MAIL"}, {"vrfy", "b"}, {"command", "NOOP"}, {"expn", "staff"},
	}; !reflect.DeepEqual(got, want) {
		t.Errorf("ordered: %v, want %v", got, want)
	}
	if got := s.Timeouts(); !reflect.DeepEqual(got, map[string]time.Duration{"": 20 * time.Second, "reply": 9 * time.Second, "dot": time.Minute}) {
		t.Errorf("timeouts: %v", got)
	}
	if now, ok := s.Time("now"); !ok || !now.Equal(time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("now: %v %v", now, ok)
	}
	if s.Int("port") != 587 || s.Duration("connect-timeout") != 15*time.Second || s.Bool("all-mx") || s.String("vrfy") != "b" {
		t.Errorf("port %d, connect-timeout %v, all-mx %v, vrfy %q", s.Int("port"), s.Duration("connect-timeout"), s.Bool("all-mx"), s.String("vrfy"))
	}
	if s.Set("max-time") || !s.Set("expn") || s.Source("expn").Layer != FromEnvironment {
		t.Error("set says otherwise than the layers")
	}
	// A setting of another command is its zero value.
	if s.Set("subject") || s.String("subject") != "" || s.Int("subject") != 0 || s.Source("subject").Layer != FromDefault {
		t.Error("subject is set on probe")
	}
}

func TestWeakened(t *testing.T) {
	tests := []struct{ env, line, standard, want string }{
		{"EHLO_TLS_POLICY=never", "send", "may", "TLS policy never, from EHLO_TLS_POLICY, is weaker than the default may"},
		{"EHLO_TLS_POLICY=must", "send", "verify", "TLS policy must, from EHLO_TLS_POLICY, is weaker than the default verify"},
		{"EHLO_TLS_POLICY=must", "send", "may", ""},
		{"EHLO_TLS_POLICY=never", "send --tls", "may", ""},
		{"EHLO_X=", "send --no-tls", "may", ""},
		{"EHLO_X=", "send", "verify", ""},
	}
	for _, tt := range tests {
		if got := settingsOf(t, newWorld(tt.env).Env, tt.line).Weakened(tt.standard); got != tt.want {
			t.Errorf("%s ehlo %s against %s: %q, want %q", tt.env, tt.line, tt.standard, got, tt.want)
		}
	}
}
