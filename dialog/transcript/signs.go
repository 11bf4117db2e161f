package transcript

// signs are the characters that a transcript is drawn with.
type signs struct {
	head, phase             string
	sent, received          [2]string // in the clear, under TLS
	ok, warn, fail, unknown string
	deferred, note          string
	group                   [4]string // by Group
	data                    string
	separator, more         string
}

var utf8Signs = signs{
	head: "■", phase: "●",
	sent: [2]string{"→", "⇒"}, received: [2]string{"←", "⇐"},
	ok: "✓", warn: "!", fail: "✗", unknown: "?", deferred: "~", note: "·",
	group: [4]string{"", "┌", "│", "└"}, data: "┊",
	separator: "·", more: "…",
}

var asciiSigns = signs{
	head: "#", phase: "*",
	sent: [2]string{"->", "=>"}, received: [2]string{"<-", "<="},
	ok: "ok", warn: "!", fail: "x", unknown: "?", deferred: "~", note: ".",
	group: [4]string{"", "/", "|", `\`}, data: ":",
	separator: "-", more: "...",
}

// sign writes the mark of l.
func (t *text) sign(l *Line) {
	s, secure := &t.signs, 0
	if l.Secure {
		secure = 1
	}
	switch l.Mark {
	case Head:
		t.put(s.head, plain)
	case Phase:
		t.put(s.phase, strong)
	case Sent, Data:
		t.put(s.sent[secure], dim)
	case Received:
		look := plain
		if class(l.Label) == soft {
			look = soft
		}
		t.put(s.received[secure], look)
	case Continued:
		t.put(s.received[secure], plain)
	case Good, Pass, ClosingOK:
		t.put(s.ok, good)
	case Finding, Warn, ClosingPartly:
		t.put(s.warn, soft)
	case Failure, Fail, ClosingFailed:
		t.put(s.fail, bad)
	case Deferred, ClosingDeferred:
		t.put(s.deferred, soft)
	case Untested:
		t.put(s.unknown, plain)
	case ClosingUnknown:
		t.put(s.unknown, soft)
	case Note, Info:
		t.put(s.note, dim)
	}
}

// class is the role of a reply code by its first digit (RFC 5321 section
// 4.2.1).
func class(label string) role {
	if label == "" {
		return plain
	}
	switch label[0] {
	case '2':
		return good
	case '3':
		return cont
	case '4':
		return soft
	case '5':
		return bad
	}
	return plain
}
