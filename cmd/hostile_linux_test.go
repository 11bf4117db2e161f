package cmd_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/sandbox"
)

// What a run may cost, whatever its peer does.
const (
	hostileTime   = 3 * time.Second // --max-time
	hostileSlack  = 3 * time.Second // for a machine that is busy
	hostileMemory = 64 << 20        // bytes that are resident at most
	hostileAtOnce = 32              // runs
)

// TestHostile runs the program as a process against every domain of the sandbox, on a
// pipe and on a terminal, and judges each run by what the sandbox's servers heard:
//
//   - it ends within its time, and holds no more memory than it may;
//   - its exit status is that of testdata/hostile.txt, and of its own document;
//   - nothing that controls a terminal comes out but what is its own;
//   - it says "accepted" only of a message that a server took, and "refused" or
//     "deferred" only of one that none took;
//   - what a server took is what was sent, to the octet, and no server heard
//     anything but commands.
//
// With -update it writes the table. EHLO_HOSTILE=report does all of it three times,
// which have to end the same, and writes the counts into docs/reliability.md;
// EHLO_HOSTILE=long does so with every command on both, EHLO_HOSTILE=race once with the
// race detector in the program, whose memory is then not judged. -short takes every fourth
// domain.
func TestHostile(t *testing.T) {
	mode := os.Getenv("EHLO_HOSTILE")
	rounds := 1
	if mode == "report" || mode == "long" {
		rounds = 3
	}
	h := newHostile(t, "")
	var first map[string]string
	for round := range rounds {
		trials := h.trials(mode == "long", round)
		h.all(trials)
		ends := map[string]string{}
		for _, x := range trials {
			h.judge(x)
			ends[x.name()] = fmt.Sprint(x.status, " ", x.outcomes)
		}
		if first == nil {
			first = ends
		}
		for _, name := range slices.Sorted(maps.Keys(ends)) {
			if ends[name] != first[name] {
				h.fault(name, "round %d ends with %s, the first with %s", round+1, ends[name], first[name])
			}
		}
	}
	_ = h.world.Close() // nothing of it is needed any more
	h.afterwards()
	h.report(rounds > 1, len(first), rounds)
}

// hostile is the world of one test, with what its servers saw.
type hostile struct {
	*testing.T
	world    *sandbox.World
	launcher *launcher
	dir      string
	program  string
	flags    []string       // that lead into the world
	want     hostileTable   // by domain and command
	got      hostileTable   // of this run
	bad      map[string]int // faults by domain
	ran      []*trial
	worst    struct{ over, rss *trial }

	mu    sync.Mutex
	taken map[string][]byte // what servers took, by X-Run
	odd   []string          // what a server heard that is no command
}

// newHostile starts the world, with its servers at ports of their own from first on
// ("": none), and builds the program.
func newHostile(t *testing.T, first string) *hostile {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go to build the program with")
	}
	h := &hostile{T: t, dir: t.TempDir(), taken: map[string][]byte{}, bad: map[string]int{}, got: hostileTable{}}
	program := filepath.Join(h.dir, "ehlo")
	build := []string{"build", "-o", program, ".."}
	if os.Getenv("EHLO_HOSTILE") == "race" {
		build = slices.Insert(build, 1, "-race")
	}
	if out, err := exec.Command("go", build...).CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	var err error
	h.want, err = readHostileTable()
	if err != nil && !*update {
		t.Fatal(err)
	}
	h.world, err = sandbox.Start(context.WithoutCancel(t.Context()), sandbox.Options{
		SOCKSAddr: "127.0.0.1:0", Ports: first, Received: h.received, Log: h.heard,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.world.Close() })
	write(t, h.path("ca.pem"), h.world.CAPEM())
	write(t, h.path("password.txt"), []byte("wonderland\n"))
	h.flags = []string{"--dns-server", h.world.DNS(), "--via", "socks5://" + h.world.SOCKS(), "--tls-ca-path", h.path("ca.pem"), "--helo", "client.test"}
	h.program = program
	h.launcher = launch(t, program, h.dir)
	return h
}

func (h *hostile) path(name string) string { return filepath.Join(h.dir, name) }

var xRun = regexp.MustCompile(`(?m)^X-Run: (\S+)\r$`)

func (h *hostile) received(r sandbox.Received) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if id := xRun.FindSubmatch(r.Data); id != nil {
		h.taken[string(id[1])] = r.Data
	}
}

// command is what a client may say to a server, but for the lines of AUTH.
var command = regexp.MustCompile(`^(?:EHLO|HELO|LHLO|STARTTLS|MAIL FROM:|RCPT TO:|DATA|BDAT|RSET|NOOP|QUIT|HELP|VRFY|EXPN|AUTH|GET)\b|^\*$|^\[hidden\]$|^MAIL FROM:<|^RCPT TO:<`)

// heard looks at each line that a server heard or said.
func (h *hostile) heard(line string) {
	who, rest, _ := strings.Cut(line, " ")
	said, ok := strings.CutPrefix(rest, "C: ")
	empty := said == "" && strings.HasSuffix(who, ":587") // a response of AUTH
	if !ok || empty || command.MatchString(said) && len(said) <= 510 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.odd = append(h.odd, who+" heard "+fmt.Sprintf("%q", said))
}

// fault notes that a run of a domain fails, by the run's name.
func (h *hostile) fault(name, format string, args ...any) {
	h.Helper()
	domain, _, _ := strings.Cut(name, " ")
	h.bad[domain]++
	h.Errorf("%s: "+format, append([]any{name}, args...)...)
}

// all runs trials, many at once.
func (h *hostile) all(trials []*trial) {
	var wg sync.WaitGroup
	gate := make(chan struct{}, hostileAtOnce)
	for _, x := range trials {
		gate <- struct{}{}
		wg.Go(func() {
			x.result = h.launcher.run(x.spec)
			<-gate
		})
	}
	wg.Wait()
	h.ran = append(h.ran, trials...)
}

// judge looks at one run that has ended.
func (h *hostile) judge(x *trial) {
	name := x.name()
	if x.Failed != "" {
		h.fault(name, "not run: %s", x.Failed)
		return
	}
	x.status = x.Status
	if over := x.wall() - x.limit; over > hostileSlack {
		h.fault(name, "it took %v, %v are allowed", x.wall(), x.limit)
	}
	if h.worst.over == nil || x.wall()-x.limit > h.worst.over.wall()-h.worst.over.limit {
		h.worst.over = x
	}
	if x.Bytes > hostileMemory && !raced && os.Getenv("EHLO_HOSTILE") != "race" {
		h.fault(name, "it held %d KiB", x.Bytes>>10)
	}
	if h.worst.rss == nil || x.Bytes > h.worst.rss.Bytes {
		h.worst.rss = x
	}
	if bad := controls(x.Out+x.Err, x.TTY); bad != "" {
		h.fault(name, "raw control characters: %q", bad)
	}
	if strings.Contains(x.Err, "panic:") || x.status == 70 {
		h.fault(name, "a defect: %s", x.Err)
	}
	x.accepted = acceptedText.MatchString(x.Out)
	if !x.TTY {
		h.document(x)
	}
	domain, column := x.domain, x.column()
	if h.got[domain] == nil {
		h.got[domain] = map[string]int{}
	}
	if seen, ok := h.got[domain][column]; ok && seen != x.status {
		h.fault(name, "exit status %d here and %d elsewhere\n%s", x.status, seen, x.Out)
	}
	h.got[domain][column] = x.status
	if want := h.want.of(domain, column); !*update && x.status != want {
		h.fault(name, "exit status %d, want %d\n%s%s", x.status, want, x.Out, x.Err)
	}
}

// acceptedText is the closing line of a message that was taken.
var acceptedText = regexp.MustCompile(`(?m)^\S*✓\S* \S*accepted`)

// afterwards compares what the runs of send said with what the servers took.
func (h *hostile) afterwards() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, x := range h.ran {
		if x.command != "send" {
			continue
		}
		data, taken := h.taken[x.id]
		name := x.name()
		switch {
		case taken && !bytes.Equal(data, x.message):
			h.fault(name, "the server took other octets than those that were sent")
		case x.accepted && !taken:
			h.fault(name, "said to be accepted, and no server took it\n%s", x.Out)
		case taken && (slices.Contains(x.outcomes, "refused") || slices.Contains(x.outcomes, "deferred")):
			h.fault(name, "said to be %q, and a server took it\n%s", x.outcomes, x.Out)
		case x.status == 0 && !x.accepted, x.accepted && x.status != 0 && x.status != 8:
			h.fault(name, "status %d, and accepted is %v\n%s", x.status, x.accepted, x.Out)
		}
	}
	for _, line := range h.odd {
		h.Errorf("no command: %s", line)
	}
}
