package cmd

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every shell's script offers every command and every flag.
func TestCompletionScripts(t *testing.T) {
	for _, s := range shells() {
		script, errs, status := newWorld().run("completion", s.name)
		if status != 0 || errs != "" {
			t.Fatalf("%s: status %d, stderr %q", s.name, status, errs)
		}
		for _, c := range commands() {
			if !c.hidden && !strings.Contains(script, c.name) {
				t.Errorf("%s: no command %s", s.name, c.name)
			}
		}
		for i := range flagTable {
			name := flagTable[i].shown()
			if s.name == "fish" {
				name = "-l " + strings.TrimPrefix(name, "--") + " "
			}
			if !strings.Contains(script, name) {
				t.Errorf("%s: no flag %s", s.name, name)
			}
		}
	}
}

// The scripts are well-formed for those shells that are here.
func TestCompletionSyntax(t *testing.T) {
	for _, s := range shells() {
		shell, err := exec.LookPath(s.name)
		if err != nil || s.name == "powershell" {
			continue
		}
		path := filepath.Join(t.TempDir(), "script")
		if err := os.WriteFile(path, []byte(s.script()), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(shell, "-n", path).CombinedOutput(); err != nil {
			t.Errorf("%s -n: %v\n%s", s.name, err, out)
		}
	}
}

// What bash offers for a line, asked as bash itself asks.
func TestBashCompletion(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash here")
	}
	dir := t.TempDir()
	for _, name := range []string{"message one.eml", "ca.pem"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "mails"), 0o700); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ line, want string }{
		{"ehlo se", "send"},
		{"ehlo --color never pro", "probe"},
		{"ehlo --to send ver", "verify version"}, // send is the value of --to
		{"ehlo send --subj", "--subject"},
		{"ehlo mx --subj", ""},
		{"ehlo send --no-", "--no-auth --no-chunking --no-pipeline --no-tls"},
		{"ehlo send --format ", "json jsonl none text"},
		{"ehlo send --format=j", "json jsonl"},
		{"ehlo send --color=a", "always auto"},
		{"ehlo send --to ", ""},
		{"ehlo send --data @", "@ca.pem @mails/ @message\\ one.eml"},
		{"ehlo send --data=@ca", "@ca.pem"},
		{"ehlo send --tls-ca-path c", "ca.pem"},
		{"ehlo sandbox --maildir ", "mails"},
		{"ehlo completion z", "zsh"},
		{"ehlo help s", "sandbox send"},
		{"ehlo nonsense ", ""},
	}
	for _, tt := range tests {
		// The line is an argument, so that bash reads it as text.
		cmd := exec.Command(bash, "-c", bashScript()+`
compopt() { :; }
COMP_LINE=$1 COMP_POINT=${#1}
_ehlo
printf '%s\n' "${COMPREPLY[@]}"`, "bash", tt.line)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		offered := strings.Split(strings.TrimSpace(string(out)), "\n")
		slices.Sort(offered) // as readline does
		got := strings.Join(offered, " ")
		if err != nil || got != tt.want {
			t.Errorf("%q offers %q (%v), want %q", tt.line, got, err, tt.want)
		}
	}
}
