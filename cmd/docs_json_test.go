package cmd_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/explain"
)

// TestDocsJSON holds real documents and records to docs/json.md: every field is
// named there, has the type that it says and is there unless it is optional; and
// every field that is named there was seen.
func TestDocsJSON(t *testing.T) {
	t.Parallel()
	s := readSchema(t)
	dir := t.TempDir()
	message, big := filepath.Join(dir, "message.eml"), filepath.Join(dir, "big.txt")
	write(t, message, []byte("Subject: no date\n\nhello\n"))
	write(t, big, []byte(strings.Repeat("long\n", 300)))
	parcel, signed := filepath.Join(dir, "parcel.eml"), filepath.Join(dir, "signed.eml")
	write(t, parcel, []byte(parcelText))
	write(t, signed, []byte(signedText))
	password := filepath.Join(dir, "password")
	write(t, password, []byte("wonderland\n"))
	for _, line := range []string{
		"mx --probe good.test backup.test", "mx good.test starttls.test nullmx.test cnamemx.test privatemx.test loop.test servfail.test nosuch.test [192.0.2.1]",
		"probe --vrfy alice --help-topic= --command NOOP vrfy.test helo-only.test expired.test nomx.test servfail.test busy.test",
		"probe --all-mx backup.test smtps://mx1.smtps.test",
		"verify alice@vrfy.test carol@vrfy.test a@catchall.test b@nomx.test c@tempfail.test",
		"probe mx1.plain.test:25 --proxy-source 198.51.100.7", "tls good.test --suites --active", "tls --all-mx backup.test dane-mixed.test smtps://mx1.smtps.test busy.test nosuch.test",
		"tls oldsuites.test dane-unusable.test dane-bogus.test sts-404.test sts-testing.test sts-badrecord.test clientcert.test tlsrefused.test servfail.test",
		"check good.test expired.test nosuch.test servfail.test", "check --only spf-eval --ip 192.0.2.1 --mail-from alice@spf.test",
		"send --to alice@dane-mismatch.test,bob@sts-wrongmx.test --tls-policy auto", "probe sts-selfsigned.test sts-notls.test --tls-policy auto",
		"probe auth-login.test auth-garbage.test --auth LOGIN --auth-user alice --auth-password-file " + password,
		"send --to alice@starttls.test --show-data all",
		"send --to bob@partial.test,carol@partial.test,a@nomx.test,b@backup.test,c@[192.0.2.21] --data @" + message,
		"send --to dmarc@reject.test", "send --to alice@drops.test", "send --to alice@small.test --body @" + big,
		"send --to alice@wrongname.test --tls-verify", "send --to alice@greylist.test --retry-for 1m", "send --to a@localhost --quit-after rcpt",
		"send --to alice@good.test,bob@good.test --count 2",
		"bench good.test --messages 5 --sessions 2 --rate 5000 --fail-if p99<0s --fail-if max<1h --fail-if data.max>1h", "bench reject.test --messages 2 --to x@reject.test", "bench busy.test --messages 1", "message show " + parcel + " --extract " + dir, "message verify " + signed,
		"message verify --ip 192.0.2.10 " + signed, "message verify --ip 192.0.2.10 --mail-from x@bounce.good.test " + signed, "message verify --ip 198.51.100.248 --mail-from x@spf.test --helo mx1.good.test " + signed,
	} {
		args := append(strings.Fields(line), "--sandbox")
		out, errs, _ := ehlo(t, append(args, "--json")...)
		s.document(t, line, out, errs)
		out, errs, _ = ehlo(t, append(args, "--format", "jsonl", "--verbose")...)
		s.records(t, line, out, errs)
	}
	for _, line := range []string{
		"sandbox --list", "mx --dump", "send --dump", "mx --dns-server 127.0.0.1:1 a.test",
		"explain 450 4.2.0 <a@good.test>: Greylisted, try again in 5 minutes (in reply to RCPT TO command)",
		"explain TURN SCRAM-SHA-256 NOTIFY 5.1.1 DSN",
		"probe --connect-to :25:" + oddServer(t) + " mx1.odd.test:25",
	} {
		out, errs, _ := ehlo(t, append(strings.Fields(line), "--json")...)
		s.document(t, line, out, errs)
		out, errs, _ = ehlo(t, append(strings.Fields(line), "--format", "jsonl", "--verbose")...)
		s.records(t, line, out, errs)
	}
	log, errs, _ := ehlo(t, "explain", "--json", ">>> RCPT TO:<a@good.test>\n<<< 550 no\n<<< 550 no")
	s.document(t, "explain a log", log, errs)
	world := startSandbox(t, "--format", "jsonl", "--show-data", "headers", "--smtp-listen", "127.0.0.1:0")
	out, errs, status := ehlo(t, "send", "--to", "alice@good.test", "--dns-server", world.dns, "--via", "socks5://"+world.socks, "--format", "jsonl")
	if status != 0 {
		t.Errorf("send to the running sandbox: status %d, %s", status, errs)
	}
	s.records(t, "send through a proxy", out, errs)
	s.records(t, "sandbox", world.stop(), "")

	s.unseen(t, map[string]string{
		"route.hosts_file":   "needs a name that this machine's hosts file has",
		"route.aliases":      "needs a domain that is an alias",
		"route.doubted":      "needs a DNS server that is not on 127.0.0.1",
		"route host.doubted": "needs a DNS server that is not on 127.0.0.1",
		"dane.doubted":       "needs a DNS server that is not on 127.0.0.1",
		"tls_rpt.error":      "needs a TLS-RPT record that does not count",
		"query.truncated":    "needs an answer over 1232 bytes",
	})
}

// parcelText has a part with all that can be told of one.
const parcelText = "Subject: parcel\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n" +
	"--b\nContent-Type: text/plain; charset=utf-8; name=a.txt\nContent-Disposition: attachment\nContent-ID: <a@client.test>\n\ngr\xfcn\n" +
	"--b\nContent-Type: message/rfc822\n\nSubject: within\n\nhello\n--b--\n"

// signedText has a signature that is not right, and a seal.
const signedText = "ARC-Seal: i=1; a=rsa-sha256; cv=none; d=good.test; s=rsa; t=1; b=AAAA\n" +
	"ARC-Authentication-Results: i=1; good.test; dkim=none\n" +
	"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=good.test; s=rsa; i=@good.test; t=1795310042; x=4102444800; l=1;\n" +
	" h=From:Date; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\n" +
	"From: alice@good.test\nDate: Sun, 22 Nov 2026 01:14:02 +0000\n\nhello\n"

// oddServer greets with what is not UTF-8 and offers what is no keyword.
func oddServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(nc, "220 gr\xfc\xdfe\r\n")
			for lines := bufio.NewScanner(nc); lines.Scan(); {
				reply := "250-odd\n250-?what?\n250 SIZE"
				if lines.Text() == "QUIT" {
					reply = "221 bye"
				}
				_, _ = io.WriteString(nc, reply+"\r\n")
			}
			_ = nc.Close()
		}
	}()
	return l.Addr().String()
}

func TestDocsReasons(t *testing.T) {
	text := read(t, "docs/json.md")
	_, text, _ = strings.Cut(text, "\n## Reasons\n")
	var got []string
	for _, m := range regexp.MustCompile("`([a-z-]+)`").FindAllStringSubmatch(text, -1) {
		got = append(got, m[1])
	}
	if want := explain.Reasons(); !slices.Equal(got, want) {
		t.Errorf("the reasons are\n%q, not\n%q", want, got)
	}
}

// schema is docs/json.md: its tables by their headings.
type schema map[string]*object

type object struct {
	fields map[string]*field
	also   []string // objects whose fields it has, too
}

type field struct {
	kind           string // a type, or the name of an object
	list, optional bool
	seen           bool
}

func readSchema(t *testing.T) schema {
	t.Helper()
	heading := regexp.MustCompile(`^### (.+)$`)
	fieldsOf := regexp.MustCompile(`\b[Ff]ields of `)
	link := regexp.MustCompile(`\[([^\]]+)\]\(#([^)]+)\)`)
	row := regexp.MustCompile("^\\| `([a-z0-9_]+)` \\| (list of )?([^|,]+?)(, optional)? \\|")
	s := schema{}
	var o *object
	for line := range strings.Lines(read(t, "docs/json.md")) {
		line = strings.TrimSuffix(line, "\n")
		switch m := row.FindStringSubmatch(line); {
		case strings.HasPrefix(line, "## "):
			o = nil
		case heading.MatchString(line):
			o = &object{fields: map[string]*field{}}
			s[heading.FindStringSubmatch(line)[1]] = o
		case o != nil && fieldsOf.MatchString(line):
			for _, to := range link.FindAllStringSubmatch(line, -1) {
				o.also = append(o.also, to[1])
			}
		case m != nil && (o == nil || o.fields[m[1]] != nil):
			t.Errorf("docs/json.md: %q stands nowhere, or twice", line)
		case m != nil:
			o.fields[m[1]] = &field{kind: m[3], list: m[2] != "", optional: m[4] != ""}
		case strings.HasPrefix(line, "| `"):
			t.Errorf("docs/json.md: %q is no row", line)
		}
	}
	for name, o := range s {
		for _, also := range o.also {
			if s[also] == nil {
				t.Errorf("docs/json.md: %s has the fields of %s, which is not there", name, also)
			}
		}
		for f, field := range o.fields {
			if plain := slices.Contains([]string{"string", "integer", "number", "boolean", "time"}, field.kind); !plain && s[field.kind] == nil {
				t.Errorf("docs/json.md: %s.%s is a %s, which is not there", name, f, field.kind)
			}
		}
	}
	return s
}

// all are the fields of o with those that it shares.
func (s schema) all(names ...string) map[string]*field {
	fields := map[string]*field{}
	for _, name := range names {
		if o := s[name]; o != nil {
			for f, field := range s.all(o.also...) {
				fields[f] = field
			}
			for f, field := range o.fields {
				fields[f] = field
			}
		}
	}
	return fields
}

func (s schema) document(t *testing.T, line, out, errs string) {
	t.Helper()
	value, err := decode(out)
	doc, _ := value.(map[string]any)
	if err != nil || doc == nil || errs != "" {
		t.Errorf("ehlo %s --json: %v %s\n%s", line, err, errs, out)
		return
	}
	name, _ := doc["schema"].(string)
	if err := s.object(doc, line, name); err != nil {
		t.Errorf("ehlo %s --json: %v", line, err)
	}
}

func (s schema) records(t *testing.T, line, out, errs string) {
	t.Helper()
	var record any
	for text := range strings.Lines(out) {
		var err error
		if record, err = decode(text); err == nil {
			err = s.value(record, line, "record")
		}
		if err != nil {
			t.Errorf("ehlo %s --format jsonl: %v\n%s", line, err, text)
		}
	}
	if last, _ := record.(map[string]any); errs != "" || last["event"] != "result" {
		t.Errorf("ehlo %s --format jsonl ends with %v; stderr %q", line, last["event"], errs)
	}
}

// object holds value to the objects of those names together.
func (s schema) object(value map[string]any, line string, names ...string) error {
	fields := s.all(names...)
	if len(fields) == 0 {
		return fmt.Errorf("there is no %q", names)
	}
	for name, v := range value {
		f := fields[name]
		if f == nil {
			return fmt.Errorf("%s has a field %s", names, name)
		}
		f.seen = true
		if err := s.field(f, v, line); err != nil {
			return fmt.Errorf("%s.%s: %w", names, name, err)
		}
		if strings.HasSuffix(name, "_ms") != (f.kind == "number") {
			return fmt.Errorf("%s.%s: a duration is a number that ends in _ms", names, name)
		}
	}
	for name, f := range fields {
		if _, ok := value[name]; !ok && !f.optional {
			return fmt.Errorf("%s lacks %s", names, name)
		}
	}
	return nil
}

func (s schema) field(f *field, v any, line string) error {
	if !f.list {
		return s.value(v, line, f.kind)
	}
	list, ok := v.([]any)
	if !ok {
		return fmt.Errorf("%v is no list", v)
	}
	for _, v := range list {
		if err := s.value(v, line, f.kind); err != nil {
			return err
		}
	}
	return nil
}

func (s schema) value(v any, line, kind string) error {
	ok := false
	switch kind {
	case "string":
		_, ok = v.(string)
	case "boolean":
		_, ok = v.(bool)
	case "number":
		_, ok = v.(json.Number)
	case "integer":
		n, _ := v.(json.Number)
		_, err := n.Int64()
		ok = err == nil
	case "time":
		text, _ := v.(string)
		_, err := time.Parse("2006-01-02T15:04:05.999Z", text)
		ok = err == nil
	case "record":
		record, _ := v.(map[string]any)
		event, _ := record["event"].(string)
		switch command, _, _ := strings.Cut(line, " "); {
		case event == "result":
			schema, _ := record["schema"].(string)
			return s.object(record, line, "record", schema)
		case event == "report":
			kind := map[string]string{"mx": "mx target", "probe": "server", "tls": "tls server", "bench": "bench report", "check": "check target", "sandbox": "sandbox table"}[command]
			if _, ok := record["verdict"]; ok && command == "check" {
				kind = "check verdict"
			}
			if _, ok := record["rows"]; ok {
				kind = "tls comparison"
			}
			if _, ok := record["stages"]; ok {
				kind = "matrix"
			}
			return s.object(record, line, "record", kind)
		}
		return s.object(record, line, "record", event)
	default:
		o, _ := v.(map[string]any)
		return s.object(o, line, kind)
	}
	if !ok {
		return fmt.Errorf("%v is no %s", v, kind)
	}
	return nil
}

// unseen reports the fields that no run showed, but for those with an excuse.
func (s schema) unseen(t *testing.T, excused map[string]string) {
	t.Helper()
	for name, o := range s {
		for f, field := range o.fields {
			_, excuse := excused[name+"."+f]
			if !field.seen && !excuse {
				t.Errorf("docs/json.md: no run had a %s in %s", f, name)
			}
		}
	}
}

// decode reads one JSON value, and wants every name in an object once.
func decode(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var value func() (any, error)
	value = func() (any, error) {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch token {
		case json.Delim('{'):
			object := map[string]any{}
			for d.More() {
				name, err := d.Token()
				if err != nil {
					return nil, err
				}
				if _, twice := object[name.(string)]; twice {
					return nil, fmt.Errorf("%s is there twice", name)
				}
				if object[name.(string)], err = value(); err != nil {
					return nil, err
				}
			}
			_, err = d.Token()
			return object, err
		case json.Delim('['):
			list := []any{}
			for d.More() {
				v, err := value()
				if err != nil {
					return nil, err
				}
				list = append(list, v)
			}
			_, err = d.Token()
			return list, err
		}
		return token, nil
	}
	return value()
}

// read gives a file of the project.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
