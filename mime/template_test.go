package mime

import (
	"strings"
	"testing"
)

func TestTemplate(t *testing.T) {
	v := Values{From: alice, To: []Mailbox{bob, {Local: "c", Domain: "d"}}, Subject: "grün", Date: when, MessageID: "<1@x.test>", Version: "1.2", Body: []byte("hi %DATE% %BODY%\n")}
	with := func(f func(*Values)) Values {
		v := v
		f(&v)
		return v
	}
	for _, c := range []struct {
		text, want string
		v          Values
	}{
		{"Date: %DATE%\nTo: %TO_ADDRESS%\nFrom: %FROM_ADDRESS%\nSubject: %SUBJECT%\nMessage-Id: <%MESSAGEID%>\nX-Mailer: swaks v%SWAKS_VERSION%\n%NEW_HEADERS%\n%BODY%",
			"Date: Sun, 22 Nov 2026 01:14:02 +0000\nTo: bob@example.net, c@d\nFrom: alice@example.com\nSubject: =?utf-8?q?gr=C3=BCn?=\nMessage-Id: <1@x.test>\nX-Mailer: swaks v1.2\n\nhi %DATE% %BODY%\n", v},
		{"A: b\n%NEW_HEADERS%\nx", "A: b\nX: =?utf-8?q?=C3=BC?=\r\n\nx", with(func(v *Values) { v.AddHeaders = []Header{{"X", "ü"}} })},
		{"A: b\n\nx", "A: b\nX: y\r\n\nx", with(func(v *Values) { v.AddHeaders = []Header{{"X", "y"}} })},
		{"A: b", "A: b\nX: y\r\n", with(func(v *Values) { v.AddHeaders = []Header{{"X", "y"}} })},
		{"A: b\r\n c\r\nB: d\r\na: e\r\n\r\nA: x", "A: new\r\nB: d\r\n\r\nA: x", with(func(v *Values) { v.Headers = []Header{{"A", "new"}} })},
		{"B: d\n\nA: x", "B: d\nA: new\r\n\nA: x", with(func(v *Values) { v.Headers = []Header{{"A", "new"}} })},
		{`A: 100% %UNKNOWN% %%DATE %date% \n%NEWLINE%x`, `A: 100% %UNKNOWN% %%DATE %date% \n` + "\r\nx", v},
		{"%FROM_ADDRESS%", "<>", with(func(v *Values) { v.From = Mailbox{} })},
		{"", "", v},
	} {
		got, err := Template([]byte(c.text), c.v)
		if err != nil || string(got) != c.want {
			t.Errorf("%q: %v\n%q, want\n%q", c.text, err, got, c.want)
		}
	}
	got, err := Template([]byte("%MESSAGEID% %MESSAGEID%"), Values{From: alice, Date: when})
	if one, two, _ := strings.Cut(string(got), " "); err != nil || one != two || !strings.HasSuffix(one, "@example.com") {
		t.Errorf("%q %v", got, err)
	}
	for _, v := range []Values{{MessageID: "x"}, {Subject: "a\r\nb"}, {AddHeaders: []Header{{"A", "b\nc"}}}, {Headers: []Header{{"A:", "b"}}}} {
		if _, err := Template([]byte("x"), v); err == nil {
			t.Errorf("%+v passes", v)
		}
	}
}
