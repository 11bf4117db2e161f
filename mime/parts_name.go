package mime

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// nameMost bounds a file's name in octets, with room for a number: file systems
// take 255.
const nameMost = 200

// safeName makes the name that a message gives a part fit for a file in a folder
// of any system: the last element of a path, no character that cannot be seen or
// turns the others around, no name that Windows keeps for devices, no dot and
// no hyphen in front; "part" if nothing is left.
func safeName(name string) string {
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError, !unicode.IsPrint(r), strings.ContainsRune(`<>:"|?*`, r):
			return '_'
		}
		return r
	}, name)
	name = strings.TrimLeft(name, ". ")
	if stem, _, _ := strings.Cut(name, "."); device(strings.TrimRight(stem, " ")) || strings.HasPrefix(name, "-") { // which a command takes for a flag
		name = "_" + name
	}
	name = shorten(name)
	if name = strings.TrimRight(name, ". "); name == "" {
		return "part"
	}
	return name
}

// device reports whether Windows keeps the name for a device, whatever follows a
// dot.
func device(stem string) bool {
	stem = strings.ToUpper(stem)
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	for _, port := range []string{"COM", "LPT"} {
		if n, ok := strings.CutPrefix(stem, port); ok && utf8.RuneCountInString(n) == 1 && strings.ContainsAny(n, "0123456789¹²³") {
			return true
		}
	}
	return false
}

// shorten cuts a name that is too long, before its ending.
func shorten(name string) string {
	if len(name) <= nameMost {
		return name
	}
	end := ""
	if i := strings.LastIndexByte(name, '.'); i >= 0 && len(name)-i <= 20 {
		end = name[i:]
	}
	n := nameMost - len(end)
	for n > 0 && !utf8.RuneStart(name[n]) {
		n--
	}
	return name[:n] + end
}
