package explain

import (
	"encoding/csv"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"unicode"
)

func TestReply(t *testing.T) {
	tests := []struct {
		phase    string
		code     int
		enhanced string
		text     string
		means    string // its beginning
		reason   string
		source   string
	}{
		// An exact enhanced code says more than the basic one.
		{"rcpt", 550, "5.1.1", "", "refused for good: no such mailbox", "user-unknown", "RFC 3463 section 3.2"},
		{"rcpt", 450, "4.1.1", "", "refused for now: no such mailbox", "user-unknown", "RFC 3463 section 3.2"},
		{"dot", 550, "5.7.26", "", "refused for good: neither SPF nor DKIM vouched", "auth-failure", "RFC 7372 section 3.4"},
		{"rcpt", 556, "5.1.10", "", "refused for good: the recipient's domain says by a null MX", "not-accepting", "RFC 7505"},
		// One for a single class goes before the one for all, one for the phase before the general one.
		{"rcpt", 421, "4.3.2", "", "refused for now: the server takes no mail at the moment", "not-accepting", "RFC 3463 section 3.4"},
		{"connect", 521, "5.3.2", "", "refused for good: the server takes no mail", "not-accepting", "RFC 3463 section 3.4"},
		{"rcpt", 550, "5.7.1", "", "refused for good: a rule of the server refuses mail from here to this recipient", "other", "RFC 3463 section 3.8"},
		{"dot", 550, "5.7.1", "", "refused for good: a rule of the server refuses this message", "other", "RFC 3463 section 3.8"},
		// Whether it is for good is the basic code's to say, whatever class the enhanced one has.
		{"rcpt", 550, "4.7.1", "", "refused for good: a rule of the server refuses mail from here to this recipient", "other", "RFC 3463 section 3.8"},
		// A vague enhanced code yields to a telling basic one, and the other way round.
		{"auth", 535, "5.7.0", "", "refused for good: the server did not accept the user name or the password", "security", "RFC 4954 section 6"},
		{"rcpt", 550, "5.7.0", "", "refused for good: a rule about security", "other", "RFC 3463 section 3.8"},
		{"rcpt", 550, "5.0.0", "", "refused for good: no such mailbox, or", "other", "RFC 5321 section 4.2.3"},
		// An enhanced code that nobody registered is read by its subject.
		{"dot", 550, "5.7.509", "", "refused for good: a rule about security", "other", "RFC 3463 section 3.8"},
		// Without one the phase tells what the basic code is about.
		{"connect", 554, "", "", "refused for good: the server gives no service", "blocked", "RFC 5321 section 3.1"},
		{"dot", 554, "", "", "refused for good: the message was read and refused", "other", "RFC 5321 section 4.2.3"},
		{"tls", 454, "", "", "refused for now: TLS cannot be started now", "starttls-failed", "RFC 3207 section 4"},
		{"auth", 454, "", "", "refused for now: the login could not be checked now", "system-error", "RFC 4954 section 6"},
		{"first-hello", 500, "", "", "refused for good: the server does not know EHLO", "other", "RFC 5321 section 4.2.3"},
		{"no such phase", 550, "", "", "refused for good: the mailbox is not there, or", "other", "RFC 5321 section 4.2.3"},
		// Success is not explained by what its subject is as a failure.
		{"mail", 250, "2.1.0", "", "the sender is accepted", "", "RFC 5321 section 3.3"},
		{"rcpt", 250, "2.1.5", "", "the address is good", "", "RFC 3463 section 3.2"},
		{"dot", 250, "2.6.0", "greylisting is off", "the server has taken the message", "", "RFC 5321 section 6.1"},
		{"auth", 334, "", "", "the server sends a challenge", "", "RFC 4954 section 4"},
		// The basic code decides whether it is for good, even if the enhanced one disagrees.
		{"rcpt", 450, "5.1.1", "", "refused for now: no such mailbox", "user-unknown", "RFC 3463 section 3.2"},
		// Nothing known: two digits, one digit, none.
		{"rcpt", 507, "", "", "refused for good: the server does not understand", "syntax", "RFC 5321 section 4.2.1"},
		{"rcpt", 599, "", "", "refused for good: the reason is in the text alone", "other", "RFC 5321 section 4.2.1"},
		{"rcpt", 499, "", "", "refused for now: the reason is in the text alone", "other", "RFC 5321 section 4.2.1"},
		{"connect", 999, "", "", "no SMTP reply", "not-rfc-compliant", "RFC 5321 section 4.2"},
		{"connect", 0, "", "", "no SMTP reply", "not-rfc-compliant", "RFC 5321 section 4.2"},
		{"connect", -550, "", "", "no SMTP reply", "not-rfc-compliant", "RFC 5321 section 4.2"},
		// No enhanced code, spelt as the zero code is.
		{"rcpt", 552, "0.0.0", "", "refused for good: the mailbox is full, or", "other", "RFC 5321 section 4.5.3.1.10"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.phase, " ", tt.code, " ", tt.enhanced), func(t *testing.T) {
			e := Reply(tt.phase, tt.code, tt.enhanced, []string{tt.text})
			if !strings.HasPrefix(e.Means, tt.means) {
				t.Errorf("means %q, want %q", e.Means, tt.means)
			}
			if e.Reason != tt.reason || e.Source != tt.source {
				t.Errorf("reason %q, source %q; want %q, %q", e.Reason, e.Source, tt.reason, tt.source)
			}
			if want := tt.code/100 == 4; e.Retry != want {
				t.Errorf("retry %v", e.Retry)
			}
			if !strings.HasSuffix(e.Means, e.Brief) {
				t.Errorf("means %q, brief %q", e.Means, e.Brief)
			}
		})
	}
}

// TestNotOfRFC5321 names codes that lists on the web explain as if a server would send them.
func TestNotOfRFC5321(t *testing.T) {
	for _, code := range []int{101, 111, 420, 431, 441, 442, 446, 447, 449, 471, 510, 511, 512, 513, 515, 517, 541, 557, 571} {
		e := Reply("rcpt", code, "", nil)
		if want := fmt.Sprintf("%d is no part of RFC 5321", code); !strings.Contains(e.Means, want) || e.Source != "no RFC" {
			t.Errorf("%d: %q, source %q", code, e.Means, e.Source)
		}
	}
}

// TestTitle: the most exact code that its specification has a name for.
func TestTitle(t *testing.T) {
	tests := []struct {
		code                        int
		enhanced, of, title, source string
	}{
		{550, "5.7.26", "5.7.26", "multiple authentication checks failed", "RFC 7372 section 3.4"},
		{450, "4.7.1", "4.7.1", "delivery not authorized, message refused", "RFC 3463 section 3.8"},
		{550, "5.7.0", "550", "mailbox unavailable: action not taken", "RFC 5321 section 4.2.3"},
		{550, "5.7.509", "550", "mailbox unavailable: action not taken", "RFC 5321 section 4.2.3"},
		{0, "X.1.1", "X.1.1", "bad destination mailbox address", "RFC 3463 section 3.2"},
		{0, "5.7.0", "5.7.0", "other or undefined security status", "RFC 3463 section 3.8"},
		{101, "", "101", "a client program's own: cannot connect", "no RFC"},
		{599, "", "", "", ""},
		{0, "5.9.9", "", "", ""},
		{0, "", "", "", ""},
	}
	for _, tt := range tests {
		if of, title, source := Title(tt.code, tt.enhanced); of != tt.of || title != tt.title || source != tt.source {
			t.Errorf("%d %s: %q %q %q", tt.code, tt.enhanced, of, title, source)
		}
	}
}

// TestStatus explains what stands without a code.
func TestStatus(t *testing.T) {
	tests := []struct {
		enhanced, means, reason string
		retry                   bool
	}{
		{"5.1.1", "refused for good: no such mailbox", "user-unknown", false},
		{"4.4.7", "refused for now: the message became too old to be delivered", "expired", true},
		{"2.1.5", "the address is good", "", false},
		{"X.1.1", "no such mailbox", "user-unknown", false},
		{"x.2.2", "the mailbox is full", "mailbox-full", false},
		{"5.x.x", "refused for good: nothing but the class of the reply is said", "other", false},
		{"4.7.x", "refused for now: a rule about security, or one that the server does not disclose", "other", true},
		{"5.7.509", "refused for good: a rule about security, or one that the server does not disclose", "other", false},
	}
	for _, tt := range tests {
		e, ok := Status(tt.enhanced)
		if !ok || e.Means != tt.means || e.Reason != tt.reason || e.Retry != tt.retry || e.Layer != ByEnhanced {
			t.Errorf("%s: %+v", tt.enhanced, e)
		}
	}
	for _, bad := range []string{"", "5", "5.1", "5.1.", "5.1.1.1", "3.1.1", "5.9.9", "5.1.1000", "5.a.1", "X", ".1.1", "192.0.2", "5.0.9x"} {
		if e, ok := Status(bad); ok {
			t.Errorf("%q: %+v", bad, e)
		}
	}
}

// TestFaultAndLayer: every reason but one tells who has to act; every layer answers.
func TestFaultAndLayer(t *testing.T) {
	for _, reason := range Reasons() {
		if f := fault(reason); (f == "") != (reason == "other") || f != "" && !slices.Contains(Faults(), f) {
			t.Errorf("%s is the fault of %q", reason, f)
		}
	}
	for _, tt := range []struct {
		phase    string
		code     int
		enhanced string
		text     string
		layer    string
		fault    string
	}{
		{"rcpt", 550, "5.7.1", "user unknown", ByText, "sender"},
		{"rcpt", 550, "5.2.2", "", ByEnhanced, "receiver"},
		{"rcpt", 550, "5.7.999", "", ByEnhanced, ""},
		{"connect", 554, "", "", ByPhase, "sender"},
		{"", 556, "", "", ByCode, "receiver"},
		{"rcpt", 599, "", "", ByClass, ""},
		{"rcpt", 250, "", "", ByPhase, ""},
		{"connect", 99, "", "", ByClass, "receiver"},
	} {
		if e := Reply(tt.phase, tt.code, tt.enhanced, []string{tt.text}); e.Layer != tt.layer || e.Fault != tt.fault {
			t.Errorf("%s %d %s %s: layer %q, fault %q", tt.phase, tt.code, tt.enhanced, tt.text, e.Layer, e.Fault)
		}
	}
	if e, ok := Text([]string{"<bob@example.net>: user unknown"}); !ok || e.Reason != "user-unknown" || e.Means != e.Brief || e.Retry {
		t.Errorf("a text alone: %+v", e)
	}
	if _, ok := Text([]string{"have a nice day"}); ok {
		t.Error("a nice day is explained")
	}
}

// TestRetryAdvice: --retry-for tries again only what was refused for now.
func TestRetryAdvice(t *testing.T) {
	if e := Reply("rcpt", 452, "4.3.1", nil); !strings.Contains(e.Next, "--retry-for") {
		t.Errorf("4.3.1: next %q", e.Next)
	}
	if e := Reply("rcpt", 554, "5.3.1", nil); e.Next != "" || e.Retry {
		t.Errorf("5.3.1: next %q, retry %v", e.Next, e.Retry)
	}
}

// The codes of RFC 5321 and of the extensions, and those that only other lists have.
var wantCodes = strings.Fields(`
	101 111 200 211 214 220 221 235 250 251 252 253 334 353 354 355
	420 421 422 430 431 432 441 442 446 447 449 450 451 452 453 454 455 458 459 471
	500 501 502 503 504 510 511 512 513 515 517 521 523 524 525 530 533 534 535 538 541
	550 551 552 553 554 555 556 557 571
	2yz 3yz 4yz 5yz ?yz`)

// The enhanced codes of the IANA registry: subject, and its highest detail.
var wantEnhanced = map[int]int{0: 0, 1: 10, 2: 4, 3: 6, 4: 7, 5: 6, 6: 10, 7: 30}

func TestEveryCodeHasAMeaning(t *testing.T) {
	for _, code := range wantCodes {
		if _, ok := lookup(codesCSV, "", code); !ok {
			t.Errorf("%s has no row without a phase", code)
		}
	}
	for subject, last := range wantEnhanced {
		for detail := range last + 1 {
			code := fmt.Sprintf("X.%d.%d", subject, detail)
			if _, ok := lookup(enhancedCSV, "", code); !ok {
				t.Errorf("%s has no row without a phase", code)
			}
		}
	}
}

// TestData holds every row of codes.csv and enhanced.csv to its form.
func TestData(t *testing.T) {
	for name, data := range map[string]string{"codes.csv": codesCSV, "enhanced.csv": enhancedCSV} {
		seen := map[string]bool{}
		for n, line := range rows(t, name, data) {
			at := fmt.Sprintf("%s line %d", name, n)
			r, ok := parseRow(line)
			if id := r.key + " " + r.phase; seen[id] {
				t.Errorf("%s: %q a second time", at, id)
			} else {
				seen[id] = true
			}
			if !ok {
				t.Errorf("%s does not parse", at)
				continue
			}
			if r.phase != "" && !isPhase(r.phase) {
				t.Errorf("%s: no phase is called %q", at, r.phase)
			}
			if !slices.Contains(Reasons(), r.reason) {
				t.Errorf("%s: no reason is called %q", at, r.reason)
			}
			if r.means == "" || r.source == "" {
				t.Errorf("%s: no meaning or no source", at)
			}
			if exact := r.phase == "" && (name == "codes.csv" || r.key[0] == 'X'); exact != (r.title != "") {
				t.Errorf("%s: title %q", at, r.title)
			}
			for _, text := range []string{r.title, r.means, r.likely, r.next} {
				checkStyle(t, at, text)
			}
		}
	}
}

// rows gives the lines of a file but for its heading, by their numbers. Each of
// them has to be what encoding/csv makes of it.
func rows(t *testing.T, name, data string) iter.Seq2[int, string] {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if lines := strings.Count(data, "\n"); len(all) != lines {
		t.Fatalf("%s: %d rows on %d lines", name, len(all), lines)
	}
	return func(yield func(int, string) bool) {
		n := 0
		for line := range strings.Lines(data) {
			f := make([]string, len(all[n]))
			if !fields(line, f) || !slices.Equal(f, all[n]) {
				t.Errorf("%s line %d is %q, not %q", name, n+1, f, all[n])
			}
			if n++; n > 1 && !yield(n, line) {
				return
			}
		}
	}
}

// FuzzFields: a line is taken apart as encoding/csv does it.
func FuzzFields(f *testing.F) {
	for _, line := range []string{"a,b,c", `"a,""b""",,c`, `a"b,c,d`, `"a"b,c,d`, `"a`, ",,", "", `"",,`, `"a",b,"c"`, "a,b"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if strings.ContainsAny(line, "\r\n") {
			return
		}
		r := csv.NewReader(strings.NewReader(line))
		r.FieldsPerRecord = 3
		want, err := r.Read()
		if err != nil {
			return // encoding/csv is stricter about quotes within a field
		}
		var got [3]string
		if !fields(line, got[:]) || !slices.Equal(got[:], want) {
			t.Errorf("%q: %q, not %q", line, got, want)
		}
	})
}

// checkStyle: lower case at the start, no full stop, plain ASCII.
func checkStyle(t *testing.T, at, text string) {
	t.Helper()
	first, _, _ := strings.Cut(text, " ")
	if text != "" && unicode.IsUpper(rune(text[0])) && first != strings.ToUpper(first) {
		t.Errorf("%s: %q begins with a capital", at, text)
	}
	if strings.HasSuffix(text, ".") || strings.TrimSpace(text) != text {
		t.Errorf("%s: the end of %q", at, text)
	}
	if !printable(text) {
		t.Errorf("%s: %q is not plain ASCII", at, text)
	}
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// FuzzReply: whatever the server says, there is a meaning, from our own data alone.
func FuzzReply(f *testing.F) {
	f.Add("rcpt", 550, "5.1.1", "5.1.1 User unknown")
	f.Add("rcpt", 450, "4.2.0", "Greylisted,\ntry again")
	f.Add("", 0, "X.1.1", "")
	f.Add("code", -1, "code", "words")
	f.Add("phase", 1000, "..", "\x1b[31m\xff")
	f.Fuzz(func(t *testing.T, phase string, code int, enhanced, text string) {
		e := Reply(phase, code, enhanced, strings.Split(text, "\n"))
		if e.Means == "" || e.Brief == "" || e.Means == "means" {
			t.Errorf("no meaning: %+v", e)
		}
		for _, s := range []string{e.Means, e.Brief, e.Likely, e.Next, e.Reason, e.Source} {
			if !printable(s) {
				t.Errorf("foreign text got through: %q", s)
			}
		}
		if e.Retry != (code/100 == 4) {
			t.Errorf("%d: retry %v", code, e.Retry)
		}
		if positive := code/100 == 2 || code/100 == 3; positive != (e.Reason == "") {
			t.Errorf("%d: reason %q", code, e.Reason)
		}
		if e.Reason != "" && !slices.Contains(Reasons(), e.Reason) {
			t.Errorf("no reason is called %q", e.Reason)
		}
	})
}

func BenchmarkReply(b *testing.B) {
	text := []string{"5.7.509 Access denied, sending domain does not pass"}
	for b.Loop() {
		Reply("dot", 550, "5.7.509", text)
	}
}
