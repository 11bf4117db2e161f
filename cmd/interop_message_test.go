package cmd_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// Messages in many scripts, sizes, encodings and structures, composed by flags,
// taken in by servers that others wrote, and read there by parsers that others
// wrote: every part, name, field and byte is what the flags said.

// letter is a message as flags compose it, and as it is to be read.
type letter struct {
	name     string
	flags    []string
	want     reading
	encoding string // of its texts, if the flags say
}

// reading is what a parser makes of a message.
type reading struct {
	Subject  string
	Note     string      `json:"x-note"`
	From, To [][2]string // display name and address
	Parts    []leaf
	Errors   []string
	DKIM     []bool // whether each signature verifies
}

// leaf is a part that has no parts.
type leaf struct {
	Type, Name, Disposition, CID string
	SHA256                       string // of its content; of a text with LF line ends and in UTF-8
	Within                       []leaf `json:",omitempty"` // those of a message
}

// door is a way into a server.
type door struct {
	name   string
	peer   peer
	server string
	flags  []string
	seven  bool // by HELO: without 8BITMIME
}

func TestInteropMessages(t *testing.T) {
	t.Parallel()
	postfix := peer{mail: setting(t, "POSTFIX_MAIL"), ca: setting(t, "CA")}
	exim := peer{mail: setting(t, "EXIM_MAIL"), ca: postfix.ca}
	lmtp := peer{mail: setting(t, "LMTP_MAIL"), ca: postfix.ca}
	letters := letters(t)
	for _, d := range []door{
		{"Postfix", postfix, setting(t, "POSTFIX"), nil, false},
		{"Postfix without CHUNKING", postfix, setting(t, "POSTFIX"), []string{"--no-chunking"}, false},
		{"Postfix without 8BITMIME", postfix, setting(t, "POSTFIX"), []string{"--protocol", "SMTP", "--no-tls"}, true},
		{"Exim", exim, setting(t, "EXIM"), nil, false},
		{"Exim without CHUNKING", exim, setting(t, "EXIM"), []string{"--no-chunking"}, false},
		{"Dovecot LMTP", lmtp, "lmtp://" + setting(t, "LMTP"), nil, false},
		{"Dovecot LMTP without CHUNKING", lmtp, "lmtp://" + setting(t, "LMTP"), []string{"--no-chunking"}, false},
		{"Dovecot LMTP at its socket", lmtp, setting(t, "LMTP_SOCKET"), nil, false},
	} {
		t.Run(d.name, func(t *testing.T) {
			dir := t.TempDir()
			var arrived []letter
			for _, l := range letters {
				if d.seven && l.encoding == "8bit" {
					d.peer.send(t, 1, d.server, d.flags, l.flags)
					continue
				}
				raw := d.carry(t, l.flags...)
				if l.encoding != "" && bytes.Count(raw, []byte("\r\nContent-Transfer-Encoding: "+l.encoding+"\r\n")) < len(l.want.Parts) {
					t.Errorf("%s: not all of it goes as %s:\n%s", l.name, l.encoding, head(raw))
				}
				if d.seven {
					l.want = l.want.recoded()
					if bytes.ContainsFunc(raw, func(r rune) bool { return r >= 0x80 }) {
						t.Errorf("%s: 8-bit octets without 8BITMIME", l.name)
					}
				}
				for parser, read := range map[string]func([]byte) (reading, error){"enmime": byEnmime, "net/mail": byStandard} {
					got, err := read(raw)
					if d.seven {
						got = got.recoded()
					}
					if diff := gocmp.Diff(l.want, got); err != nil || diff != "" {
						t.Errorf("%s, read by %s: %v\n%s\n%s", l.name, parser, err, diff, head(raw))
					}
				}
				write(t, filepath.Join(dir, fmt.Sprintf("%03d", len(arrived))), raw)
				arrived = append(arrived, l)
			}
			for i, got := range byPython(t, dir) {
				if d.seven {
					got = got.recoded()
				}
				if diff := gocmp.Diff(arrived[i].want, got); diff != "" {
					t.Errorf("%s, read by Python:\n%s", arrived[i].name, diff)
				}
			}
		})
	}
}

// carry sends a message to alice and takes it from her mailbox.
func (d door) carry(t *testing.T, flags ...string) []byte {
	t.Helper()
	s := d.peer.send(t, 0, d.server, []string{"--show-data", "none"}, d.flags, flags)
	return d.peer.take(t, "alice", s.Message.ID)
}

// take waits for the message with some text in a mailbox, and takes it out of there:
// without what the server put on top, with CR LF.
func (p peer) take(t *testing.T, mailbox, text string) []byte {
	t.Helper()
	path, raw := p.find(t, mailbox, text)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	return withoutTrace(bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n")))
}

// find waits for the message with some text in a mailbox.
func (p peer) find(t *testing.T, mailbox, text string) (path string, raw []byte) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		files, err := filepath.Glob(filepath.Join(p.mail, mailbox, "new", "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range slices.Backward(files) { // the last one is mostly it
			if raw, err := os.ReadFile(path); err == nil && bytes.Contains(raw, []byte(text)) {
				return path, raw
			}
		}
		select {
		case <-time.After(5 * time.Millisecond): // the server delivers in its own time
		case <-deadline:
			t.Fatalf("no message with %q came to %s", text, mailbox)
		}
	}
}

// head is the beginning of a message, for whoever looks for what is wrong.
func head(raw []byte) []byte { return raw[:min(len(raw), 3000)] }

// recoded is a reading but for the bytes of messages within: where there is no
// 8BITMIME only what they say is the same (RFC 6152 section 3).
func (r reading) recoded() reading {
	r.Parts = slices.Clone(r.Parts)
	for i := range r.Parts {
		if r.Parts[i].Within != nil {
			r.Parts[i].SHA256 = ""
		}
	}
	return r
}

// byPython reads every file of a directory.
func byPython(t *testing.T, dir string) []reading {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal("nothing to read", err)
	}
	script, err := filepath.Abs("../testdata/interop/message.py")
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), setting(t, "PYTHON"), append([]string{script}, files...)...)
	var errs bytes.Buffer
	command.Stderr = &errs
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, errs.Bytes())
	}
	var list []reading
	for decoder := json.NewDecoder(bytes.NewReader(out)); decoder.More(); {
		var r reading
		if err := decoder.Decode(&r); err != nil {
			t.Fatal(err)
		}
		list = append(list, r.plain())
	}
	if len(list) != len(files) {
		t.Fatalf("of %d messages %d were read", len(files), len(list))
	}
	return list
}

// plain is a reading in which nothing and none are the same.
func (r reading) plain() reading {
	if len(r.Errors) == 0 {
		r.Errors = nil
	}
	if len(r.DKIM) == 0 {
		r.DKIM = nil
	}
	return r
}
