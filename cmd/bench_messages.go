package cmd

import (
	"fmt"

	"github.com/ehlo-mail/ehlo/dialog/load"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// messages makes the messages, or reads those of --corpus. All of them are in memory.
func (b *benching) messages() error {
	if dir := b.String("corpus"); dir != "" {
		return b.corpus(dir)
	}
	ranges, err := parseSizes(b.String("size"))
	if err != nil {
		return err
	}
	sizes, weights, sum := []int{}, []int{}, int64(0)
	shortest := load.MadeUp(b.offer.From, b.offer.To, 1).Size()
	for _, r := range ranges {
		if r.least < shortest {
			return fmt.Errorf("--size: the shortest message from <%s> to <%s> has %d bytes", b.offer.From, b.offer.To[0], shortest)
		}
		steps := 1
		if r.most > r.least {
			steps = 10
		}
		for i := range steps {
			size := r.least
			if steps > 1 {
				size += (r.most - r.least) * i / (steps - 1)
			}
			sizes, weights, sum = append(sizes, size), append(weights, r.weight*10/steps), sum+int64(size)
		}
	}
	if err := held("size", sum); err != nil {
		return err
	}
	for i, size := range sizes {
		m := load.MadeUp(b.offer.From, b.offer.To, size)
		m.Weight = weights[i]
		b.offer.Messages = append(b.offer.Messages, m)
	}
	return nil
}

// corpus reads the messages of a directory.
func (b *benching) corpus(dir string) error {
	l := &letter{}
	defer l.close()
	if err := b.folder(l, "corpus", dir); err != nil {
		return err
	}
	sum := int64(0)
	for _, m := range l.messages {
		sum += m.Size()
	}
	if err := held("corpus", sum); err != nil {
		return err
	}
	sum = 0
	for i, m := range l.messages {
		ready, err := load.NewMessage(m)
		if err != nil {
			return fmt.Errorf("--corpus: %s: %w", l.names[i], err)
		}
		sum += int64(ready.Held())
		if err := held("corpus", sum); err != nil {
			return err
		}
		b.offer.Messages = append(b.offer.Messages, ready)
	}
	return nil
}

// held is an error if the messages that flag asks for take more memory than there is
// for them.
func held(flag string, sum int64) error {
	if sum <= load.MostHeld {
		return nil
	}
	return fmt.Errorf("--%s: its messages take %s of memory, and at most %s are held", flag, transcript.Bytes(sum), transcript.Bytes(load.MostHeld))
}
