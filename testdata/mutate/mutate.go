// Package mutate runs the property of a fuzz target over seeded mutations of its seeds, as fast as the property allows.
//
//   - Corpus: a target's seeds, and what its mutations know of its language: tokens and limits
//   - Fuzz1, Fuzz2, Fuzz3: hold a property of one, two or three values to mutations, then to go test's own engine
//   - Value: the types that a property may ask for
//
// Only tests import it. Three environment variables steer it: EHLO_MANY is the number of
// rounds, EHLO_MANY_SEED the seed of the generator, EHLO_MANY_CORPUS a directory of more
// seeds as go test keeps them. The same three give the same rounds.
package mutate

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"testing"
	"time"
)

// few is how many rounds each run of the tests has.
const few = 2000

// Corpus is what the mutations of one fuzz target begin from.
type Corpus struct {
	f      *testing.F
	seeds  [][]value
	tokens []string
	limits []int
}

// For gives the corpus of the target f, with the seeds of testdata/fuzz and of
// EHLO_MANY_CORPUS.
func For(f *testing.F) *Corpus {
	c := &Corpus{f: f}
	for _, dir := range []string{"testdata/fuzz/" + f.Name(), os.Getenv("EHLO_MANY_CORPUS")} {
		seeds, err := stored(dir)
		if err != nil {
			f.Fatal(err)
		}
		c.seeds = append(c.seeds, seeds...)
	}
	return c
}

// Add adds a seed, here and to f.
func (c *Corpus) Add(args ...any) {
	c.f.Helper()
	c.f.Add(args...)
	seed := make([]value, len(args))
	for i, arg := range args {
		seed[i] = from(arg)
	}
	c.seeds = append(c.seeds, seed)
}

// Tokens adds words of the target's language, which mutations put into an input.
func (c *Corpus) Tokens(tokens ...string) { c.tokens = append(c.tokens, tokens...) }

// Limits adds lengths at which something changes: inputs and lines of one octet less,
// of just so many and of one more are made.
func (c *Corpus) Limits(octets ...int) { c.limits = append(c.limits, octets...) }

// Fuzz1 holds property to mutations of c, then hands it to f.Fuzz. It may not keep or
// change what it is given.
func Fuzz1[A Value](c *Corpus, property func(t testing.TB, a A)) {
	c.f.Helper()
	c.run([]string{kind[A]()}, func(in []value) { property(c.f, of[A](&in[0])) })
	c.f.Fuzz(func(t *testing.T, a A) { property(t, a) })
}

// Fuzz2 is Fuzz1 for a property of two values.
func Fuzz2[A, B Value](c *Corpus, property func(t testing.TB, a A, b B)) {
	c.f.Helper()
	c.run([]string{kind[A](), kind[B]()}, func(in []value) { property(c.f, of[A](&in[0]), of[B](&in[1])) })
	c.f.Fuzz(func(t *testing.T, a A, b B) { property(t, a, b) })
}

// Fuzz3 is Fuzz1 for a property of three values.
func Fuzz3[A, B, C Value](c *Corpus, property func(t testing.TB, a A, b B, c C)) {
	c.f.Helper()
	c.run([]string{kind[A](), kind[B](), kind[C]()}, func(in []value) { property(c.f, of[A](&in[0]), of[B](&in[1]), of[C](&in[2])) })
	c.f.Fuzz(func(t *testing.T, a A, b B, c C) { property(t, a, b, c) })
}

// run runs as many rounds as are asked for, with seeds of the given kinds: go test refuses
// others itself, but for those of EHLO_MANY_CORPUS, which may be old. The first round that
// fails, panics or takes too long ends them, and the test, with its input.
func (c *Corpus) run(kinds []string, round func(in []value)) {
	c.f.Helper()
	c.seeds = slices.DeleteFunc(c.seeds, func(seed []value) bool {
		return !slices.EqualFunc(seed, kinds, func(v value, kind string) bool { return v.kind == kind })
	})
	if engine := flag.Lookup("test.fuzz"); len(c.seeds) == 0 || engine != nil && engine.Value.String() != "" {
		return // go test's engine makes inputs of its own
	}
	rounds, seed, err := asked()
	if err != nil {
		c.f.Fatal(err)
	}
	m := newMutator(seed, c)
	w := newWatch(func() string { return m.entry() })
	defer w.stop()
	ended := false
	defer func() {
		if ended {
			return
		}
		if r := recover(); r != nil {
			c.f.Errorf("panic: %v\n%s", r, debug.Stack())
		}
		c.f.Error(c.keep(m.entry()))
		c.f.FailNow()
	}()
	began := time.Now()
	for range rounds {
		m.next()
		w.begin()
		round(m.in)
		if c.f.Failed() {
			return
		}
		if w.late() { // twice, as a busy machine may have had no time for us
			again := time.Now()
			if round(m.in); time.Since(again) > slow {
				c.f.Errorf("one input takes over %v", slow)
				return
			}
		}
	}
	ended = true
	took := time.Since(began)
	c.f.Logf("mutate: %d rounds in %.1f s, %.0f a second, of %d seeds by generator %d",
		rounds, took.Seconds(), float64(rounds)/max(took.Seconds(), 1e-6), len(c.seeds), seed)
}

// asked reads the rounds and the seed from the environment.
func asked() (rounds int, seed uint64, err error) {
	rounds, seed = few, 1
	if s := os.Getenv("EHLO_MANY"); s != "" {
		if rounds, err = strconv.Atoi(s); err != nil || rounds < 0 {
			return 0, 0, fmt.Errorf("EHLO_MANY=%s is no number of rounds", s)
		}
	}
	if s := os.Getenv("EHLO_MANY_SEED"); s != "" {
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			return 0, 0, fmt.Errorf("EHLO_MANY_SEED=%s is no seed", s)
		}
	}
	return rounds, seed, nil
}
