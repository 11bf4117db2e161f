package transcript_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	. "github.com/ehlo-mail/ehlo/dialog/transcript"
)

func TestSecretHasOneFace(t *testing.T) {
	const value = "correct horse"
	s := NewSecret(value)
	if s.Reveal() != value || s.Empty() {
		t.Fatalf("Reveal is %q", s.Reveal())
	}
	if zero := (Secret{}); !zero.Empty() || zero.Reveal() != "" || !NewSecret("").Empty() {
		t.Error("the zero secret is not empty")
	}

	type open struct{ Password Secret }
	type closed struct {
		user     string
		password Secret
	}
	type deep struct {
		c closed
		p *Secret
		m map[string]Secret
	}
	shows := []any{
		s, &s, []Secret{s}, [1]Secret{s}, map[string]Secret{"a": s}, map[Secret]string{s: "a"},
		open{s}, &open{s}, closed{"u", s}, &closed{"u", s}, []closed{{"u", s}},
		deep{closed{"u", s}, &s, map[string]Secret{"a": s}}, any(s), struct{ any }{s},
		fmt.Errorf("auth %v: %w", s, errors.New("refused")),
	}
	var faces []string
	for _, v := range shows {
		for _, verb := range []string{"%v", "%+v", "%#v", "%q", "%x", "%X", "% x", "%s", "%d", "%p", "%T", "%40s", "%-3.2s", "%t", "%!", "%w"} {
			faces = append(faces, fmt.Sprintf(verb, v))
		}
		faces = append(faces, fmt.Sprint(v), fmt.Sprintln(v))
	}
	for _, v := range []any{s, &s, open{s}, map[string]Secret{"a": s}, map[Secret]int{s: 1}} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		faces = append(faces, string(b))
	}
	b, err := xml.Marshal(open{s})
	if err != nil {
		t.Fatal(err)
	}
	faces = append(faces, string(b))
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("login", "password", s, "all", open{s}, "closed", closed{"u", s})
	slog.New(slog.NewJSONHandler(&log, nil)).Info("login", "password", s, "all", open{s})
	faces = append(faces, log.String())

	for _, face := range faces {
		for _, leak := range []string{value, "horse", hex.EncodeToString([]byte(value)), strings.ToUpper(hex.EncodeToString([]byte(value))),
			base64.StdEncoding.EncodeToString([]byte(value)), fmt.Sprintf("% x", value)} {
			if strings.Contains(face, leak) {
				t.Errorf("%s is shown in %s", leak, face)
			}
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%q", "%x", "%s", "%d", "%40s"} {
		if got := fmt.Sprintf(verb, s); got != Hidden {
			t.Errorf("%s gives %s", verb, got)
		}
	}
	if got, _ := json.Marshal(open{s}); string(got) != `{"Password":"[hidden]"}` {
		t.Errorf("JSON is %s", got)
	}
}
