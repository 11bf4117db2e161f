package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestConfigErrors(t *testing.T) {
	tests := []struct{ text, line, want string }{ // FILE is the file's path
		{"prot = 25", "send", "FILE:1: unknown key 'prot'\n  likely  port"},
		{"port = 25\n\n[profile.work]\nsubjct = 'x'\n", "send", "FILE:4: unknown key 'subjct'\n  likely  subject"},
		{"\n\ntls = true", "send", "FILE:3: tls is not taken from a file\n  likely  tls-policy = \"must\""},
		{"dump = true", "send", "FILE:1: dump is not taken from a file"},
		{"attach = '@x'", "send", "FILE:1: attach is not taken from a file"},
		{"port = 25\nport = 26", "send", "FILE:2: key port is already defined"},
		{"port = ", "send", "FILE:1: "},
		{"# a\nport = 99999", "send", "FILE:2: port '99999': it is a number from 1 to 65535"},
		{"port = 2.5", "send", "FILE:1: port takes text, a whole number, true or false"},
		{"port = [25, 26]", "send", "FILE:1: port takes one value, not a list"},
		{"max-time = true", "send", "FILE:1: max-time 'true': a time is written 500ms, 30s, 5m, 1h30m or 2d"},
		{"server = 'exec:sh'", "send", "FILE:1: server 'exec:sh': exec: targets are taken from the command line alone"},
		{"body = '@/etc/passwd'", "send", "FILE:1: body '@/etc/passwd': a file is taken from the command line alone"},
		{"header = ['A: b', 'C']", "send", "FILE:1: header 'C': a header field is 'Name: value'"},
		{"to = [['a']]", "send", "FILE:1: to takes text, a whole number, true or false"},
		{"profile = 'work'", "send", "FILE:1: profiles are written [profile.NAME]"},
		{"[profile]\nwork = 1", "send", "FILE:2: profiles are written [profile.NAME]"},
		{"[work]\nport = 1", "send", "FILE:1: unknown key 'work'"},
		{"[profile.work]\nport = 1", "send --profile wrok", "FILE has no profile 'wrok'\n  likely  --profile work"},
		{"profile.work.port = 0", "send", "FILE:1: port '0': it is a number from 1 to 65535"},
		{"zzz = 1\naaa = 2", "send", "FILE:1: unknown key 'zzz'"}, // the first of the file, not of the alphabet
		{"ipv4 = true\nipv6 = true", "send", "ipv4 (config.toml:1) and ipv6 (config.toml:2) contradict each other"},
		{"data = '-'\nto = 'a@x.test'", "send --data @x --body -", "--data and --body contradict each other"},
	}
	for _, tt := range tests {
		w, path := configured(t, tt.text)
		out, errs, status := w.run(strings.Fields(tt.line)...)
		want := "ehlo: " + strings.ReplaceAll(tt.want, "FILE", path)
		if status != 2 || out != "" || !strings.HasPrefix(errs, want) {
			t.Errorf("%q: status %d, stderr\n%s\nwant\n%s", tt.text, status, errs, want)
		}
	}
}

func TestConfigForms(t *testing.T) {
	for text, want := range map[string]string{
		"\ufeffport = 26":                        "config.toml:1 26",
		"port = '26'":                            "config.toml:1 26",
		"port = 26\r\nsubject = 'x'\r\n":         "config.toml:1 26",
		"# only a comment":                       "default -",
		"":                                       "default -",
		"\"port\" = 0x1a":                        "config.toml:1 26",
		"profile.a.port = 27\nport = 26":         "config.toml:2 26",
		"[profile.a]\nport=27\n[profile.b]\n":    "default -",
		"profile = {a = {port = 27}}\nport = 26": "config.toml:2 26",
	} {
		w, _ := configured(t, text)
		if got := dumped(t, w, "port", "send"); got != want {
			t.Errorf("%q: port is %q, want %q", text, got, want)
		}
	}
}

func TestConfigPlaces(t *testing.T) {
	_, path := configured(t, "port = 26")
	dir := filepath.Dir(filepath.Dir(path))
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, ".config", "ehlo"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, ".config", "ehlo", "config.toml"), []byte("port = 27"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ line, env, want string }{
		{"send", "XDG_CONFIG_HOME=" + dir, "config.toml:1 26"},
		{"send", "HOME=" + home, "config.toml:1 27"},
		{"send", "EHLO_CONFIG=" + path, "config.toml:1 26"},
		{"send --config " + path, "HOME=" + home, "config.toml:1 26"},
		{"send", "XDG_CONFIG_HOME=relative", "default -"}, // ignored, as the specification has it
		{"send", "XDG_CONFIG_HOME=" + t.TempDir(), "default -"},
	}
	for _, tt := range tests {
		if got := dumped(t, newWorld(tt.env), "port", strings.Fields(tt.line)...); got != tt.want {
			t.Errorf("%s ehlo %s: port is %q, want %q", tt.env, tt.line, got, tt.want)
		}
	}
}

// Help and the version need no configuration, not even a sound one.
func TestConfigUntouched(t *testing.T) {
	w, _ := configured(t, "this is = not TOML [")
	for _, line := range []string{"--version", "version", "--help", "send --help", "help send", "completion bash", "man"} {
		if out, errs, status := w.run(strings.Fields(line)...); status != 0 || errs != "" || out == "" {
			t.Errorf("ehlo %s: status %d, stderr %q", line, status, errs)
		}
	}
}

// Whatever the file: no panic, and each mistake is a usageError of one line.
func FuzzConfig(f *testing.F) {
	for _, text := range []string{"port = 25", "[profile.a]\nto = ['b']", "a.b.c = {d = 1}", "[[profile]]\nx=1", "x = 1979-05-27", "port = \"\n\""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file, err := readConfig("config.toml", []byte(text))
		if err == nil {
			_, err = file.section(nil, file.tree)
		}
		if err == nil {
			_, err = file.profiles()
		}
		if err == nil {
			return
		}
		if !strings.HasPrefix(err.Error(), "config.toml") {
			t.Errorf("%q: the error does not name the file: %v", text, err)
		}
	})
}
