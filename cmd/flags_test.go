package cmd

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// The table is sound: one name means one thing, help fits, defaults are valid.
func TestFlagTable(t *testing.T) {
	names, shorts := map[string]bool{}, map[string]bool{}
	for i := range flagTable {
		f := &flagTable[i]
		names[f.name] = true
		if f.short != "" && (shorts[f.short] || f.kind != isBool) {
			t.Errorf("-%s is there twice, or takes a value", f.short)
		}
		shorts[f.short] = true
		if !slices.Contains(groups(), f.group) {
			t.Errorf("--%s: no group %q", f.name, f.group)
		}
		if len(commandsWith(f)) == 0 {
			t.Errorf("--%s: no command has it", f.name)
		}
		for _, name := range strings.Fields(f.only) {
			if c := findCommand(name); c == nil || !f.on(c) {
				t.Errorf("--%s is for %s, which is no command or lacks group %s", f.name, name, f.group)
			}
		}
		if f.def != "" && f.valid(f.def) != nil {
			t.Errorf("--%s: its default %q is refused: %v", f.name, f.def, f.valid(f.def))
		}
		if f.about == "" || strings.HasSuffix(f.about, ".") || (f.takesValue() && f.value == "") {
			t.Errorf("--%s: its help is not as the others'", f.name)
		}
		if !f.shorthand() {
			continue
		}
		if target, _ := findFlag(nil, f.writes); target == nil || target.valid(f.as) != nil {
			t.Errorf("--%s writes %s=%s, which is refused", f.name, f.writes, f.as)
		}
	}
	for _, c := range commands() { // a name may have two rows, for different commands
		own := map[string]bool{}
		for _, f := range flagsOf(c) {
			if own[f.name] {
				t.Errorf("%s has --%s twice", c.name, f.name)
			}
			own[f.name] = true
		}
	}
	for _, f := range flagTable {
		if f.takenBack() && names["no-"+f.name] {
			t.Errorf("--no-%s means two things", f.name)
		}
	}
	for _, c := range conflicts {
		for _, side := range []string{c.a, c.b} {
			name, _, _ := strings.Cut(side, "=")
			if !names[name] {
				t.Errorf("conflict of %s with %s: no flag %s", c.a, c.b, name)
			}
		}
	}
	for _, c := range commands() {
		for name, def := range c.defaults {
			if f, _ := findFlag(c, name); f == nil || f.valid(def) != nil {
				t.Errorf("%s: default %s=%s", c.name, name, def)
			}
		}
	}
}

func TestDurations(t *testing.T) {
	for v, want := range map[string]time.Duration{
		"30": 30 * time.Second, "0.5": 500 * time.Millisecond, "500ms": 500 * time.Millisecond, "1h30m": 90 * time.Minute, "7d": longest,
	} {
		if got, err := parseDuration(v); err != nil || got != want {
			t.Errorf("%q is %v, %v; want %v", v, got, err, want)
		}
	}
	for _, v := range []string{"", "d", "0", "0d", "-1", "-1d", "169h", "8d", "99999999999d", "1e3", "NaN", "1w", "5 m", "604801", "9999999999999999999h", "--"} {
		if got, err := parseDuration(v); err == nil {
			t.Errorf("%q is taken for %v", v, got)
		}
	}
}

func TestConnectTo(t *testing.T) {
	for v, want := range map[string]connectTo{
		"mx.test:25:127.0.0.1:2525": {"mx.test", 25, "127.0.0.1", 2525},
		"::127.0.0.1:2525":          {"", 0, "127.0.0.1", 2525},
		"mx.test:25::2525":          {"mx.test", 25, "", 2525},
		"mx.test::[::1]:":           {"mx.test", 0, "::1", 0},
		"[2001:db8::1]:25:[::1]:26": {"2001:db8::1", 25, "::1", 26},
	} {
		if got, err := parseConnectTo(v); err != nil || got != want {
			t.Errorf("%q is %+v, %v; want %+v", v, got, err, want)
		}
	}
	for _, v := range []string{"", "a:1:b", "a:1:b:2:c", "a:x:b:2", "a:0:b:2", "a:1:b:65536", "a:1::", "[::1:1:b:2", "[::1]x:1:b:2", "[a]:1:b:2", "a:-1:b:2"} {
		if got, err := parseConnectTo(v); err == nil {
			t.Errorf("%q is taken for %+v", v, got)
		}
	}
}

func TestAddresses(t *testing.T) {
	for v, want := range map[string]string{
		"192.0.2.1": "", "[2001:db8::1]:54": "", "tls://192.0.2.1#ns.test": "",
		"ns.test":            "it is an IP address, with a port or without, such as 192.0.2.53 or [2001:db8::53]:5353",
		"tls://ns.test":      "it is tls://ADDR[:PORT][#NAME] with an IP address, such as tls://192.0.2.53#dns.example or tls://[2001:db8::53]",
		"tls://192.0.2.1:0":  "its port is 0",
		"tls://192.0.2.1#":   "behind # stands the name that its certificate has to prove, or neither: it is empty",
		"udp://192.0.2.1":    "it is an IP address, with a port or without, or tls:// and one",
		"192.0.2.1#ns.test":  "a name to prove goes with TLS: tls://ADDR[:PORT]#NAME",
		"tls://2001:db8::53": "an IPv6 address stands in brackets there: tls://[2001:db8::53]",
	} {
		got := ""
		if err := checkDNSServer(v); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("server %q: %q; want %q", v, got, want)
		}
	}
}

func TestChecks(t *testing.T) {
	tests := []struct {
		name  string
		check func(string) error
		good  []string
		bad   []string
	}{
		{"param", checkParam, []string{"SIZE=1", "SMTPUTF8", "X-A=b,c;d", "K=ü"}, []string{"", "=", "K=", "K=a b", "K=a=b", "K =a", "-K=a", "K=a\x7f", "NOTIFY=NEVER> X"}},
		{"header", checkHeader, []string{"A: b", "A:", "X-!#: ü"}, []string{"", "A", ": b", "A b: c", "Ä: b", "A\t: b"}},
		{"file", checkFile, []string{"@x", "-", "@-"}, []string{"", "@", "x"}},
		{"media type", checkMediaType, []string{"text/plain", "text/plain; charset=utf-8", "a/b+c"}, []string{"", "text", "/", "a/", "/b", "a b/c", "a/b/c"}},
		{"listen", checkListen, []string{"127.0.0.1:0", "[::1]:53"}, []string{"", ":53", "127.0.0.1", "host:53"}},
		{"word", checkWord, []string{"a"}, []string{"", "a b", "\t"}},
	}
	for _, tt := range tests {
		for _, v := range tt.good {
			if err := tt.check(v); err != nil {
				t.Errorf("%s %q is refused: %v", tt.name, v, err)
			}
		}
		for _, v := range tt.bad {
			if tt.check(v) == nil {
				t.Errorf("%s %q is taken", tt.name, v)
			}
		}
	}
}
