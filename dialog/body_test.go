package dialog

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// lines is a message of n bytes, in lines of at most 78.
func lines(n int) string {
	body := strings.Repeat(strings.Repeat("0123456789abcdef", 4)+"\r\n", n/66)
	if rest := n % 66; rest == 1 {
		body = "x" + body
	} else if rest > 1 {
		body += strings.Repeat("x", rest-2) + "\r\n"
	}
	return body
}

func failing(body string) text {
	return text{body: body, size: 100 << 10, open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader(body), iotest.ErrReader(errors.New("the disk is gone")))), nil
	}}
}

func TestNeeds(t *testing.T) {
	offers := func(list string) string {
		return greet + "S: 250-mx.test\nS: 250-" + strings.ReplaceAll(list, ", ", "\nS: 250-") + "\nS: 250 HELP\n"
	}
	rest := func(params string) string {
		return strings.Replace(rcpts, "<s@c.test>", "<s@c.test>"+params, 1) + data + theText + "S: 250 ok\n" + bye
	}
	need := func(keywords ...string) Content { return text{body: short, needs: keywords} }
	play(t, []dialogue{
		{name: "SIZE too small", script: offers("SIZE 22") + bye, want: "error unmet SIZE mail"},
		{name: "SIZE enough", script: offers("SIZE 23") + rest(" SIZE=23"), want: bothAccepted},
		{name: "SIZE without a limit", script: offers("SIZE") + rest(" SIZE=23"), want: bothAccepted},
		{name: "SIZE 0", script: offers("SIZE 0") + rest(" SIZE=23"), want: bothAccepted},
		{name: "SIZE of no sense", script: offers("SIZE 99999999999999999999 x, SIZE -1") + rest(" SIZE=23"), want: bothAccepted},
		{name: "8BITMIME missing", body: need("8BITMIME"), script: plain + bye, want: "error unmet 8BITMIME mail"},
		{name: "8BITMIME", body: need("8BITMIME"), script: offers("8BITMIME") + rest(" BODY=8BITMIME"), want: bothAccepted},
		{name: "SMTPUTF8 missing", body: need("SMTPUTF8"), script: plain + bye, want: "error unmet SMTPUTF8 mail"},
		{name: "SMTPUTF8", body: need("8BITMIME", "SMTPUTF8"), script: offers("SMTPUTF8, 8BITMIME") + rest(" BODY=8BITMIME SMTPUTF8"), want: bothAccepted},
		{name: "an address that is not ASCII", to: "ä@x.test", script: plain + bye, want: "error unmet SMTPUTF8 mail"},
		{name: "BINARYMIME without CHUNKING", body: need("BINARYMIME"), script: offers("BINARYMIME") + bye, want: "error unmet BINARYMIME mail"},
		{name: "BINARYMIME with CHUNKING switched off", opt: func(o *Options) { o.Chunking = Never }, body: need("BINARYMIME"), script: greet + "S: 250-mx.test\nS: 250-CHUNKING\nS: 250 BINARYMIME\n" + bye, want: "error unmet CHUNKING mail"},
		{name: "BINARYMIME", body: need("BINARYMIME"), script: offers("BINARYMIME, CHUNKING") + strings.Replace(rcpts, "<s@c.test>", "<s@c.test> BODY=BINARYMIME", 1) +
			"C: BDAT 23 LAST\nC> 23\nS: 250 ok\n" + bye, want: bothAccepted},
	})
}

// TestBodyErrors: a message that cannot be read to its end is never ended with a
// dot, nor is QUIT said.
func TestBodyErrors(t *testing.T) {
	to := plain + rcpts + data
	chunking := greet + "S: 250-mx.test\nS: 250-PIPELINING\nS: 250 CHUNKING\n"
	group := "C: MAIL FROM:<s@c.test>\nC: RCPT TO:<a@x.test>\nC: RCPT TO:<b@x.test>\n"
	play(t, []dialogue{
		{name: "cannot be opened", body: text{open: func() (io.ReadCloser, error) { return nil, errors.New("it changed") }}, script: plain + bye, want: "error body mail"},
		{name: "fails at once", body: failing(""), script: to, want: "error body dot"},
		{name: "fails in the first block", body: failing("Subject: x\r\n"), script: to, want: "error body dot"},
		{name: "fails in the third block", body: failing(lines(70 << 10)), script: to + "C> 65536\n", want: "error body dot", shows: "the disk is gone"},
		{name: "longer than its size", body: text{body: lines(70 << 10), size: 69 << 10}, script: to + "C> 32768\n", want: "error body dot"},
		{name: "shorter than its size", body: text{body: short, size: 24}, script: to, want: "error body dot"},
		{name: "longer by one, in a chunk", body: text{body: lines(40<<10 + 1), size: 40 << 10}, script: chunking + group + "S: 250 ok\nS: 250 ok\nS: 250 ok\nC| BDAT 40960 LAST\\r\\n\nC> 32751\n", want: "error body dot"},
		{name: "shorter by one, in a chunk", body: text{body: lines(40<<10 - 1), size: 40 << 10}, script: chunking + group + "S: 250 ok\nS: 250 ok\nS: 250 ok\nC| BDAT 40960 LAST\\r\\n\nC> 32751\n", want: "error body dot"},
		{name: "shorter, in a small chunk", body: text{body: short, size: 24}, script: chunking, want: "error body dot"},
	})
}

// TestEarly has the server answer while a body larger than any buffer is written.
func TestEarly(t *testing.T) {
	huge := text{body: lines(16 << 20)}
	to, pTo := plain+rcpts+data, pPlain+pRcpts+pOK
	chunking := greet + "S: 250-mx.test\nS: 250-PIPELINING\nS: 250 CHUNKING\n"
	group := "C: MAIL FROM:<s@c.test>\nC: RCPT TO:<a@x.test>\nC: RCPT TO:<b@x.test>\n"
	early := "a refused dot 552 5.3.4\nb refused dot 552 5.3.4"
	const answers = "answers before the message is complete"
	play(t, []dialogue{
		{name: "552", body: huge, script: to + "C> 100000\nS: 552 5.3.4 too big\nS! idle\n", want: early, shows: answers},
		{name: "552 right behind the 354", body: huge, script: to[:len(to)-len(data)] + "C: DATA\nS: 354 go\nS: 552 5.3.4 too big\nS! idle\n", want: early},
		{name: "552 pipelined", body: huge, script: pTo + "C> 100000\nS: 552 5.3.4 too big\nS! idle\n", want: early, shows: answers},
		{name: "552 to a chunk", body: huge, script: chunking + group + "S: 250 ok\nS: 250 ok\nS: 250 ok\nC> 100000\nS: 552 5.3.4 too big\nS! idle\n", want: early, shows: answers},
		{name: "552, and the server closes", body: huge, script: pTo + "C> 100000\nS: 552 5.3.4 too big\nS! half\nS! idle\n", want: early},
		{name: "451", body: huge, script: to + "C> 100000\nS: 451 disk full\nS! idle\n", want: "a deferred dot 451\nb deferred dot 451"},
		{name: "421", body: huge, script: to + "C> 100000\nS: 421 going down\nS! idle\n", want: "a deferred dot 421\nb deferred dot 421"},
		{name: "only those whom RCPT took", body: huge, script: pPlain + pRcpts + "S: 250 ok\nS: 250 ok\nS: 450 b\nS: 354 go\nC> 100000\nS: 552 5.3.4 too big\nS! idle\n", want: "a refused dot 552 5.3.4\nb deferred rcpt 450"},
		{name: "250", body: huge, script: to + "C> 100000\nS: 250 ok\nS! idle\n", want: "error protocol dot", shows: "a reply before its command"},
		{name: "354 again", body: huge, script: pTo + "C> 100000\nS: 354 go\nS! idle\n", want: "error protocol dot"},
		{name: "nonsense", body: huge, script: pTo + "C> 100000\nS: what\nS! idle\n", want: "error protocol dot"},
		{name: "lost", body: huge, script: pTo + "C> 100000\nS! reset\n", want: "error lost dot"},
		{name: "no longer heard", body: huge, script: to + "C> 100000\nS! half\nS! idle\n", want: "error lost dot"},
	})
}
