package load

import (
	"strconv"

	"github.com/ehlo-mail/ehlo/dialog"
)

// words are the commands of an offer, made once: a conversation is these steps
// again and again.
type words struct {
	mail, data, reset, quit dialog.Command
	mails, chunks           map[*Message]dialog.Command // MAIL with the size, and BDAT
	rcpts                   []dialog.Command
}

func newWords(o *Offer) (*words, error) {
	w := &words{mails: map[*Message]dialog.Command{}, chunks: map[*Message]dialog.Command{}}
	var failed error
	make := func(verb string, args ...any) dialog.Command {
		c, err := dialog.NewCommand(verb, args...)
		if failed == nil {
			failed = err
		}
		return c
	}
	w.data, w.reset, w.quit = make("DATA"), make("RSET"), make("QUIT")
	from := "FROM:<" + o.From + ">"
	w.mail = make("MAIL", from)
	for _, m := range o.Messages {
		size := strconv.Itoa(m.Size())
		args := []any{from, "SIZE=" + size}
		for _, need := range m.needs {
			switch need {
			case "8BITMIME", "BINARYMIME":
				args = append(args, "BODY="+need)
			default:
				args = append(args, need)
			}
		}
		w.mails[m], w.chunks[m] = make("MAIL", args...), make("BDAT", size, "LAST")
	}
	for _, to := range o.To {
		w.rcpts = append(w.rcpts, make("RCPT", "TO:<"+to+">"))
	}
	return w, failed
}

// The parts of a step's Unless: what an answer has made pointless.

func notAsked(done []dialog.Turn) bool {
	return !dialog.Answer(done, dialog.PhaseData).Intermediate() || dialog.NoRecipient(done)
}
