package cmd

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/sasl"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// netrc is what a .netrc file says: its entries, in order.
type netrc []netrcEntry

// netrcEntry is the login for one machine, or for any.
type netrcEntry struct {
	machine  string // "" of the default entry, which is for any
	login    string // "" says that the password is for whoever logs in
	password transcript.Secret
}

// mostNetrc is how many bytes of a .netrc file are read.
const mostNetrc = 1 << 20

// find gives the entry for a host and a user, "" for any user: that of the
// machine, else the default one.
func (n netrc) find(host, user string) (netrcEntry, bool) {
	host = strings.TrimSuffix(strings.Trim(host, "[]"), ".")
	for _, machine := range []string{host, ""} {
		for _, e := range n {
			if strings.EqualFold(e.machine, machine) && (user == "" || e.login == "" || e.login == user) {
				return e, true
			}
		}
	}
	return netrcEntry{}, false
}

// parseNetrc reads text as ftp and curl do: words between spaces and line ends,
// "quoted" with backslash escapes or not, a comment from a # where a keyword is
// due to the line's end. Words that are no keyword are skipped; macros are not
// run. An error names the line and nothing that stands there.
func parseNetrc(text []byte) (netrc, error) {
	var found netrc
	var at *netrcEntry // nil: what comes belongs to nobody
	w := netrcWords{text: bytes.TrimPrefix(text, []byte("\ufeff")), line: 1}
	for {
		word, err := w.next(true)
		if err != nil || word == "" {
			return found, err
		}
		key := strings.ToLower(word)
		switch key {
		case "default":
			found = append(found, netrcEntry{})
			at = &found[len(found)-1]
			continue
		case "machine", "login", "password", "passwd", "account", "macdef":
		default:
			continue
		}
		line := w.line
		value, err := w.next(false)
		switch {
		case err != nil:
			return nil, err
		case value == "" && !w.quoted:
			return nil, fmt.Errorf("line %d: %s without a value", line, key)
		case key == "macdef":
			w.skipMacro()
			at = nil
		case key == "machine" && value == "":
			at = nil // a name that no machine has
		case key == "machine":
			found = append(found, netrcEntry{machine: strings.TrimSuffix(value, ".")})
			at = &found[len(found)-1]
		case at == nil || key == "account":
		case key == "login":
			at.login = value
		default:
			if value != "" {
				err = flaw(fmt.Sprintf("line %d: the password", w.line), []byte(value))
			}
			if err != nil {
				return nil, err
			}
			at.password = transcript.NewSecret(value)
		}
	}
}

// netrcWords takes a .netrc file apart.
type netrcWords struct {
	text   []byte
	line   int  // on which the last word stands
	quoted bool // as was the last word
}

// next is the next word, "" and not quoted at the end. Comments are looked for
// where a keyword is due: a password may begin with #.
func (w *netrcWords) next(keyword bool) (string, error) {
	w.quoted = false
	for len(w.text) > 0 {
		switch c := w.text[0]; {
		case c == '\n':
			w.line++
			w.text = w.text[1:]
		case blank(c):
			w.text = w.text[1:]
		case c == '#' && keyword:
			if end := bytes.IndexByte(w.text, '\n'); end >= 0 {
				w.text = w.text[end:]
			} else {
				w.text = nil
			}
		case c == '"':
			return w.quote()
		default:
			end := bytes.IndexFunc(w.text, func(r rune) bool { return r == '\n' || r < 0x80 && blank(byte(r)) })
			if end < 0 {
				end = len(w.text)
			}
			word := string(w.text[:end])
			w.text = w.text[end:]
			return word, nil
		}
	}
	return "", nil
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' }

// quote reads a word in quotes, which ends on its line.
func (w *netrcWords) quote() (string, error) {
	w.quoted = true
	var word []byte
	for i := 1; i < len(w.text) && w.text[i] != '\n'; i++ {
		c := w.text[i]
		switch {
		case c == '"':
			w.text = w.text[i+1:]
			return string(word), nil
		case c == '\\' && i+1 < len(w.text) && w.text[i+1] != '\n':
			i++
			c = w.text[i]
			if at := strings.IndexByte("nrt", c); at >= 0 {
				c = "\n\r\t"[at]
			}
		}
		word = append(word, c)
	}
	return "", fmt.Errorf("line %d: a quote is left open", w.line)
}

// skipMacro drops a macro, which ends with an empty line, or with the file.
func (w *netrcWords) skipMacro() {
	for first := true; len(w.text) > 0; first = false {
		line, rest, _ := bytes.Cut(w.text, []byte("\n"))
		w.text = rest
		w.line++
		if !first && len(bytes.TrimSuffix(line, []byte("\r"))) == 0 {
			return
		}
	}
}

// netrcPath is the file that --netrc means.
func (r *run) netrcPath() (string, error) {
	if value := r.String("netrc"); value != "true" {
		return value, nil
	}
	if path := r.Getenv("NETRC"); path != "" {
		return path, nil
	}
	home := r.Getenv("HOME")
	if home == "" && runtime.GOOS == "windows" {
		home = r.Getenv("USERPROFILE")
	}
	if home == "" {
		return "", fmt.Errorf("HOME is not set: say --netrc=FILE")
	}
	path := filepath.Join(home, ".netrc")
	if _, err := os.Stat(path); err != nil && runtime.GOOS == "windows" {
		path = filepath.Join(home, "_netrc")
	}
	return path, nil
}

// readNetrc reads the file that --netrc means, and warns if others can read it.
func (r *run) readNetrc(ctx context.Context) error {
	path, err := r.netrcPath()
	if err != nil {
		return err
	}
	var mode os.FileMode
	text, err := within(ctx, func() ([]byte, error) {
		f, err := openFile(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil {
			mode = info.Mode()
		}
		return io.ReadAll(io.LimitReader(f, mostNetrc+1))
	})
	if err != nil {
		return err
	}
	defer clear(text)
	if mode.IsRegular() && mode&0o044 != 0 && runtime.GOOS != "windows" {
		r.warn("others can read %s: chmod 600 hides it from them", path)
	}
	if len(text) > mostNetrc {
		return fmt.Errorf("%s is over %d MiB", path, mostNetrc>>20)
	}
	if r.login.netrc, err = parseNetrc(text); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// fromNetrc completes c by the entry for its server. It reports false if there is
// none, and nothing else wants a login.
func (r *run) fromNetrc(c *sasl.Credentials) bool {
	e, ok := r.login.netrc.find(c.Host, c.User)
	if ok {
		c.Password = e.password
		if c.User == "" {
			c.User = e.login
		}
		return true
	}
	who := "for " + c.Host
	if c.User != "" {
		who = "of " + c.User + " " + who
	}
	more := r.Set("auth") || c.User != "" || !c.Token.Empty()
	if more {
		r.warn("--netrc has no entry %s", who)
	} else {
		r.warn("--netrc has no entry %s: going on without a login", who)
	}
	return more
}
