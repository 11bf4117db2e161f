package mutate

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// FuzzFault fails in the way that FAULT names, so that TestFault can look on.
func FuzzFault(f *testing.F) {
	fault := os.Getenv("FAULT")
	c := For(f)
	c.Add([]byte("abc"), true)
	c.Tokens("needle")
	Fuzz2(c, func(t testing.TB, in []byte, _ bool) {
		if !bytes.Contains(in, []byte("needle")) {
			return
		}
		switch fault {
		case "error":
			t.Error("found")
		case "fatal":
			t.Fatal("found")
		case "panic":
			panic("found")
		}
	})
}

// TestFault: whichever way a property fails, its input is shown, and is a seed that fails
// the same way.
func TestFault(t *testing.T) {
	for _, fault := range []string{"error", "fatal", "panic", ""} {
		run := func(dir string, env ...string) (string, error) {
			child := exec.Command(os.Args[0], "-test.run", "^FuzzFault$", "-test.v")
			child.Dir, child.Env = dir, append(append(os.Environ(), "FAULT="+fault), env...)
			out, err := child.CombinedOutput()
			return string(out), err
		}
		dir := t.TempDir()
		out, err := run(dir, "EHLO_MANY=", "EHLO_MANY_SEED=")
		if fault == "" {
			if err != nil || !strings.Contains(out, fmt.Sprintf("mutate: %d rounds in ", few)) {
				t.Errorf("%v\n%s", err, out)
			}
			continue
		}
		entry := regexp.MustCompile(`(?m)go test fuzz v1\s+\[\]byte\(".*needle.*"\)\s+bool\((true|false)\)$`)
		if err == nil || !strings.Contains(out, "found") || !entry.MatchString(out) {
			t.Errorf("%s: %v\n%s", fault, err, out)
		}
		if files, _ := stored(dir + "/testdata/fuzz/FuzzFault"); len(files) > 0 {
			t.Errorf("%s: a usual run keeps %v", fault, files)
		}
		if out, err = run(dir, "EHLO_MANY=100000"); err == nil || !strings.Contains(out, "is a seed now") {
			t.Errorf("%s: %v\n%s", fault, err, out)
		}
		if seeds, err := stored(dir + "/testdata/fuzz/FuzzFault"); err != nil || len(seeds) != 1 || !bytes.Contains(seeds[0][0].octets, []byte("needle")) {
			t.Errorf("%s: kept %v, %v", fault, seeds, err)
		}
		if out, err = run(dir, "EHLO_MANY=0"); err == nil || !strings.Contains(out, "found") {
			t.Errorf("%s, as a seed: %v\n%s", fault, err, out)
		}
	}
}

// TestValue: what is written for go test's engine is read back.
func TestValue(t *testing.T) {
	for _, arg := range []any{[]byte("a\x00\"\xff`\n"), "é\u202e\\", true, false, byte('\''), byte(0xe9), byte(0), uint32(1<<32 - 1), int64(-1 << 63)} {
		want := from(arg)
		if got, err := read(want.String()); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v", want, got, err)
		}
	}
	if got := of[int64](new(from(int64(-5)))); got != -5 {
		t.Error(got)
	}
	for _, line := range []string{"", "byte(256)", "byte('ab')", `string("a)`, "[]byte(a)", "bool(2)", "int(1)", "uint32(-1)"} {
		if got, err := read(line); err == nil {
			t.Errorf("%s is %v", line, got)
		}
	}
}

// TestMutator: the same seed makes the same inputs, which are diverse, reach each limit
// and its neighbours, and stay bounded.
func TestMutator(t *testing.T) {
	c := &Corpus{seeds: [][]value{{from("250-a\r\n250 b\r\n"), from(true)}, {from(""), from(false)}}, tokens: []string{"421 ", "-5.7.1 "}, limits: []int{0, 100}}
	a, b, other := newMutator(7, c), newMutator(7, c), newMutator(8, c)
	inputs, lengths, equal := map[string]bool{}, map[int]int{}, 0
	for range 20000 {
		a.next()
		b.next()
		other.next()
		if a.entry() != b.entry() {
			t.Fatalf("%s and %s of one seed", a.entry(), b.entry())
		}
		if a.entry() == other.entry() {
			equal++
		}
		inputs[a.entry()] = true
		lengths[len(a.in[0].octets)]++
		if len(a.in[0].octets) > 1<<16 {
			t.Fatalf("%d octets", len(a.in[0].octets))
		}
	}
	if len(inputs) < 7000 || equal > 2000 {
		t.Errorf("%d inputs of 20000, %d of another seed", len(inputs), equal)
	}
	for _, n := range []int{0, 1, 99, 100, 101} {
		if lengths[n] < 50 {
			t.Errorf("%d octets only %d times", n, lengths[n])
		}
	}
	for _, s := range c.seeds {
		if got := string(s[0].octets); got != "" && got != "250-a\r\n250 b\r\n" {
			t.Errorf("a seed became %q", got)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	m := newMutator(1, &Corpus{seeds: [][]value{{from("250-a\r\n250 b\r\n")}, {from(strings.Repeat("250-b\r\n", 1000))}}, tokens: []string{"421 "}, limits: []int{1024}})
	b.ReportAllocs()
	for b.Loop() {
		m.next()
	}
}
