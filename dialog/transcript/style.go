package transcript

import (
	"fmt"
	"runtime"
	"strings"
)

// Color decides whether a stream is coloured. mode is the user's --color: auto
// (or ""), always or never. When it is auto, env answers in this order:
// NO_COLOR (no-color.org), FORCE_COLOR or CLICOLOR_FORCE unless "0", and
// TERM=dumb; if none of these speaks, a terminal is coloured.
func Color(mode string, env func(string) string, terminal bool) (bool, error) {
	forced := func(name string) bool { v := env(name); return v != "" && v != "0" }
	switch mode {
	case "always":
		return true, nil
	case "never":
		return false, nil
	case "auto", "":
	default:
		return false, fmt.Errorf("color %q: want auto, always or never", mode)
	}
	switch {
	case env("NO_COLOR") != "":
		return false, nil
	case forced("FORCE_COLOR"), forced("CLICOLOR_FORCE"):
		return true, nil
	case env("TERM") == "dumb":
		return false, nil
	}
	return terminal, nil
}

// ASCII reports whether the locale cannot show UTF-8. The first of LC_ALL,
// LC_CTYPE and LANG that is set decides, as POSIX has it; where none is, the
// locale is C. Windows has no such variables and is taken to show UTF-8.
func ASCII(env func(string) string) bool { return ascii(env, runtime.GOOS) }

func ascii(env func(string) string, system string) bool {
	if system == "windows" {
		return false
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(env(name)); v != "" {
			return !strings.Contains(v, "utf-8") && !strings.Contains(v, "utf8")
		}
	}
	return true
}
