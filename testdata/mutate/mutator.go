package mutate

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
)

// mutator makes one input after the other in buffers of its own, which it uses again.
type mutator struct {
	*rand.Rand
	in     []value // the present input
	left   int     // rounds until it begins from a seed again
	seeds  [][]value
	shares []int // of each seed, with all before it
	tokens []string
	limits []int
}

func newMutator(seed uint64, c *Corpus) *mutator {
	m := &mutator{Rand: rand.New(rand.NewPCG(seed, 0)), in: slices.Clone(c.seeds[0]), seeds: c.seeds, tokens: c.tokens, limits: c.limits}
	sum := 0
	for _, seed := range c.seeds {
		size := 256
		for _, v := range seed {
			size += len(v.octets)
		}
		sum += 1<<30/size + 1 // each gets about the same time, so a long one few rounds
		m.shares = append(m.shares, sum)
	}
	for i := range m.in {
		m.in[i].octets = nil
	}
	return m
}

// seed gives one of the seeds.
func (m *mutator) seed() []value {
	return m.seeds[sort.SearchInts(m.shares, 1+m.IntN(m.shares[len(m.shares)-1]))]
}

// next makes the next input: the present one, or now and then a seed, changed in one
// place or a few.
func (m *mutator) next() {
	if m.left--; m.left < 0 {
		m.left = m.IntN(4) // few: most of what is far from a seed fails at its first octets
		if m.IntN(32) == 0 {
			m.left = m.IntN(64)
		}
		for i, v := range m.seed() {
			m.in[i].number, m.in[i].octets = v.number, append(m.in[i].octets[:0], v.octets...)
		}
	}
	for range 1 + m.IntN(1<<m.IntN(3)) {
		i := m.IntN(len(m.in))
		switch v := &m.in[i]; v.kind {
		case "[]byte", "string":
			v.octets = m.change(v.octets, i)
		default:
			m.count(v)
		}
	}
}

// entry is the present input as a file of testdata/fuzz.
func (m *mutator) entry() string {
	b := strings.Builder{}
	b.WriteString(version + "\n")
	for _, v := range m.in {
		b.WriteString(v.String() + "\n")
	}
	return b.String()
}

// count changes a number.
func (m *mutator) count(v *value) {
	switch m.IntN(5) {
	case 0:
		v.number = m.Uint64()
	case 1:
		v.number = m.Uint64() >> m.IntN(64)
	case 2:
		v.number ^= 1 << m.IntN(64)
	case 3:
		v.number++
	case 4:
		v.number--
	}
}

// signs are octets that mean something in most of what is read here.
const signs = "\r\n\t \x00.-<>@;,=:\"\\/%+()[]{}09azAZ\x1b\x7f\x80\xc2\xe2\xff"

// change changes b, which is value i of the input, in one way.
func (m *mutator) change(b []byte, i int) []byte {
	if len(b) == 0 {
		return m.grow(b, i)
	}
	at, n := m.span(len(b))
	switch m.IntN(13) {
	case 0:
		b[at] ^= 1 << m.IntN(8)
	case 1, 12:
		b[at] = m.octet(b)
	case 2:
		b[at] = signs[m.IntN(len(signs))]
	case 3:
		b[at] += byte(m.IntN(9) - 4)
	case 4:
		return slices.Delete(b, at, at+n)
	case 5:
		return b[:at] // cut short
	case 6: // two neighbours change places
		k := at + m.IntN(n)
		slices.Reverse(b[at:k])
		slices.Reverse(b[k : at+n])
		slices.Reverse(b[at : at+n])
	case 7: // one span over another
		copy(b[m.IntN(len(b)):], b[at:at+n])
	case 8: // doubled
		b = slices.Grow(b, n)
		return slices.Insert(b, at+n, b[at:at+n]...)
	case 9:
		return m.stretch(b, at)
	default:
		return m.grow(b, i)
	}
	return b
}

// octet gives an octet: one of b's most often, as a parser of text refuses all others alike.
func (m *mutator) octet(b []byte) byte {
	if len(b) == 0 || m.IntN(4) == 0 {
		return byte(m.Uint32())
	}
	return b[m.IntN(len(b))]
}

// span gives a span of n octets, most often a short one.
func (m *mutator) span(n int) (at, length int) {
	at = m.IntN(n)
	return at, min(1+m.IntN(1<<m.IntN(9)), n-at)
}

// grow puts something into b: a few octets, a token, or a part of a seed.
func (m *mutator) grow(b []byte, i int) []byte {
	at := m.IntN(len(b) + 1)
	switch m.IntN(6) {
	case 0:
		return slices.Insert(b, at, m.octet(b))
	case 1: // a run
		c := signs[m.IntN(len(signs))]
		for range 1 + m.IntN(1<<m.IntN(7)) {
			b = slices.Insert(b, at, c)
		}
		return b
	case 2: // the end of another seed
		other := m.seed()[i].octets
		return append(b[:at], other[m.IntN(len(other)+1):]...)
	case 3: // a part of another seed
		if other := m.seed()[i].octets; len(other) > 0 {
			from, n := m.span(len(other))
			return slices.Insert(b, at, other[from:from+n]...)
		}
		return b
	}
	if len(m.tokens) == 0 {
		return slices.Insert(b, at, signs[m.IntN(len(signs))])
	}
	token := m.tokens[m.IntN(len(m.tokens))]
	if m.IntN(3) == 0 {
		copy(b[at:], token)
		return b
	}
	b = slices.Grow(b, len(token))
	b = b[:len(b)+len(token)]
	copy(b[at+len(token):], b[at:])
	copy(b[at:], token)
	return b
}

// stretch brings b, or the line in it around at, to a limit or beside one. A long limit
// is taken rarely, as all that follows is then slow.
func (m *mutator) stretch(b []byte, at int) []byte {
	if len(m.limits) == 0 {
		return m.grow(b, 0)
	}
	want := m.limits[m.IntN(len(m.limits))] + m.IntN(3) - 1
	if m.IntN(256+max(want, 0)) > 256 {
		return b
	}
	begin, end := 0, len(b)
	if m.IntN(2) == 0 {
		begin = 1 + bytes.LastIndexByte(b[:at], '\n')
		if n := bytes.IndexByte(b[at:], '\n'); n >= 0 {
			end = at + n + 1
		}
	}
	switch have := end - begin; {
	case have < want:
		b = slices.Grow(b, want-have)
		tail := len(b) - at
		b = b[:len(b)+want-have]
		copy(b[len(b)-tail:], b[at:at+tail])
		for i := at; i < len(b)-tail; i++ {
			b[i] = b[len(b)-tail]
		}
	case want >= 0 && have > want:
		over := have - want
		from := min(at, end-over)
		b = slices.Delete(b, from, from+over)
	}
	return b
}
