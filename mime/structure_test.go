package mime

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/jhillyerd/enmime/v2"
)

func kinds(p *enmime.Part) string {
	s := strings.TrimPrefix(p.ContentType, "multipart/")
	if p.FirstChild == nil {
		return s
	}
	var all []string
	for c := p.FirstChild; c != nil; c = c.NextSibling {
		all = append(all, kinds(c))
	}
	return s + "(" + strings.Join(all, " ") + ")"
}

func TestStructure(t *testing.T) {
	file, picture := Attachment{Source: Bytes([]byte("%PDF")), Name: "a.pdf"}, Attachment{Source: Bytes([]byte("GIF89a")), Name: "a.gif"}
	second := Attachment{Source: picture.Source, Name: "a.gif", ContentID: "b@client.test"}
	calendar := &Calendar{Source: Bytes([]byte("BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"))}
	for _, c := range []struct {
		d    Draft
		want string
	}{
		{Draft{}, "text/plain"},
		{Draft{HTML: "x"}, "text/html"},
		{Draft{Text: "x", HTML: "x"}, "alternative(text/plain text/html)"},
		{Draft{Text: "x", HTML: "x", Inlines: []Attachment{picture, second}}, "alternative(text/plain related(text/html image/gif image/gif))"},
		{Draft{HTML: "x", Inlines: []Attachment{picture}}, "related(text/html image/gif)"},
		{Draft{Text: "x", Inlines: []Attachment{picture}}, "mixed(text/plain image/gif)"},
		{Draft{Text: "x", Attachments: []Attachment{file, file}}, "mixed(text/plain application/pdf application/pdf)"},
		{Draft{Text: "x", HTML: "x", Inlines: []Attachment{picture}, Calendar: calendar, Attachments: []Attachment{file}},
			"mixed(alternative(text/plain related(text/html image/gif) text/calendar) application/pdf)"},
		{Draft{Text: "x", Calendar: &Calendar{calendar.Source, true}}, "mixed(alternative(text/plain text/calendar) application/ics)"},
		{Draft{Calendar: calendar}, "text/calendar"},
		{Draft{Text: "x", HTML: "x", Bodies: []Body{{"text/x-amp-html", "<html amp4email>"}}}, "alternative(text/plain text/x-amp-html text/html)"},
		{Draft{Bodies: []Body{{"text/markdown; variant=GFM", "# x"}}}, "text/markdown"},
	} {
		c.d.From, c.d.To = alice, []Mailbox{bob}
		m := compose(t, c.d)
		b := read(t, m)
		sound(t, m, b)
		root, err := enmime.NewParser().ReadParts(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if got := kinds(root); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

func TestCalendarMethod(t *testing.T) {
	for in, want := range map[string]string{
		"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n":                   "REQUEST",
		"begin:vcalendar\nmethod;x=y:can\n cel\nend:vcalendar":                     "CANCEL",
		"BEGIN:VCALENDAR\nBEGIN:VEVENT\nMETHOD:REPLY\nEND:VEVENT\nEND:VCALENDAR\n": "",
		"hello\n": "error: \"hello\" where BEGIN:VCALENDAR is wanted (RFC 5545 section 3.4)",
		"BEGIN:VCALENDAR\nMETHOD:A\nMETHOD:B\nEND:VCALENDAR\n": "error: two methods, \"A\" and \"B\" (RFC 6047 section 2.4)",
		"BEGIN:VCALENDAR\nMETHOD:A;b=\"c\nEND:VCALENDAR\n":     "error: method \"A;B=\\\"C\" is no word (RFC 5545 section 3.7.2)",
		"BEGIN:VCALENDAR\n": "error: BEGIN and END do not pair (RFC 5545 section 3.4)",
	} {
		got, err := calendarMethod(in)
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestOptionalFields(t *testing.T) {
	m := compose(t, Draft{From: alice, To: []Mailbox{bob}, ReplyTo: []Mailbox{bob, alice}, InReplyTo: "a@b", References: []string{"<c@d>", "a@b"},
		Unsubscribe: []string{"mailto:u@example.com?subject=u", "<https://example.com/u>"}, ReadReceipt: alice, DeliveryReceipt: bob})
	for name, want := range map[string]string{
		"Reply-To": "bob@example.net, Alice Example <alice@example.com>", "In-Reply-To": "<a@b>", "References": "<c@d> <a@b>",
		"List-Unsubscribe": "<mailto:u@example.com?subject=u>, <https://example.com/u>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
		"Disposition-Notification-To": "Alice Example <alice@example.com>", "Return-Receipt-To": "bob@example.net",
	} {
		if got := m.Header(name); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	m = compose(t, Draft{From: alice, InReplyTo: "a@b", Unsubscribe: []string{"mailto:u@example.com"}})
	if !slices.Equal(m.Header("References"), []string{"<a@b>"}) || m.Header("List-Unsubscribe-Post") != nil {
		t.Error(m.Headers())
	}
	for _, d := range []Draft{{InReplyTo: "x"}, {References: []string{"a@b c@d"}}, {Unsubscribe: []string{"ftp://x"}}, {Unsubscribe: []string{"https://x/\r\nA: b"}},
		{Unsubscribe: []string{"mailto:"}}, {Unsubscribe: []string{"https://x/a,b"}}, {Charset: "utf-9"}, {Charset: "iso-8859-1", Text: "…"}, {Charset: "us-ascii", Text: "é"},
		{Bodies: []Body{{"image/png", "x"}}}, {Bodies: []Body{{"text/plain\r\nX: y", "x"}}}, {Calendar: &Calendar{}}, {ReadReceipt: Mailbox{Local: "a b\r\n", Domain: "c"}},
		{To: []Mailbox{{Local: "a", Domain: "b", Group: "x\r\ny"}}}} {
		d.From = alice
		if _, err := Compose(d); err == nil || strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("%+v: %v", d, err)
		}
	}
}

func TestGroups(t *testing.T) {
	for in, want := range map[string]string{
		"A Team: a@b, X <c@d>;":    "A Team: a@b, X <c@d>;",
		`"x:y": a@b; , e@f`:        `"x:y": a@b;, e@f`,
		"e@f, G:a@b;, H:c@d;":      "e@f, G: a@b;, H: c@d;",
		"G:;, a@b":                 "a@b",
		"Größe: a@b;":              "=?utf-8?q?Gr=C3=B6=C3=9Fe?=: a@b;",
		"undisclosed-recipients:;": "error: address list \"undisclosed-recipients:;\": the group is empty: there is no address",
		"G: a@b":                   "error: address list \"G: a@b\": the group that begins with ':' at offset 1 does not end with ';'",
		"G: a@b c;":                "error: address list \"G: a@b c;\": text behind the address at offset 7: \"c;\"",
		"G: a@b; x":                "error: address list \"G: a@b; x\": text behind the address at offset 8: \"x\"",
		"G: a@b, ;":                "error: address list \"G: a@b, ;\": ';' at offset 8 where an address should begin",
		"G: H: a@b;;":              "error: address list \"G: H: a@b;;\": ':' at offset 4 in the local part",
	} {
		list, err := ParseList(in)
		got, herr := "", error(nil)
		if err != nil {
			got = "error: " + err.Error()
		} else if got, herr = addresses(list, charset{}); herr != nil {
			t.Error(herr)
		}
		if got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}
