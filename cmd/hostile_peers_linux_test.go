package cmd_test

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/sandbox"
)

// mailer is a mail client that is run over the same servers.
type mailer struct {
	name, version string
	// args are its command line for a message in a file, from id@client.test to a
	// recipient, to a port of 127.0.0.1.
	args func(port, id, to, file string) []string
}

// mailers are ehlo and others, with what they show of a conversation, and with the
// same limit of time as near as they have one: swaks and msmtp have one for each
// reply, curl and ehlo for the whole run.
func mailers(program string) []mailer {
	sec := fmt.Sprint(int(hostileTime / time.Second))
	return []mailer{
		{"ehlo", "", func(port, id, to, file string) []string {
			return []string{program, "send", "--max-time", sec + "s", "--helo", "client.test", "--server", "127.0.0.1:" + port,
				"--from", id + "@client.test", "--to", to, "--data", "@" + file}
		}},
		{"swaks", "swaks --version", func(port, id, to, file string) []string {
			return []string{"swaks", "--timeout", sec + "s", "--helo", "client.test", "--server", "127.0.0.1", "--port", port, "--tls-optional",
				"--from", id + "@client.test", "--to", to, "--data", "@" + file}
		}},
		{"curl -v", "curl --version", func(port, id, to, file string) []string {
			return []string{"curl", "--silent", "--show-error", "--verbose", "--max-time", sec, "--ssl", "--insecure",
				"--url", "smtp://127.0.0.1:" + port + "/client.test", "--mail-from", id + "@client.test", "--mail-rcpt", to, "--upload-file", file}
		}},
		{"msmtp -d", "msmtp --version", func(port, id, to, file string) []string {
			return []string{"sh", "-c", `exec msmtp --debug --timeout="$1" --domain=client.test --host=127.0.0.1 --port="$2" --from="$3" "$4" <"$5"`,
				"sh", sec, port, id + "@client.test", to, file}
		}},
	}
}

// TestHostilePeers runs ehlo and the mail clients that this machine has over all
// servers of the sandbox, and counts what becomes of it. It judges nothing but
// ehlo. EHLO_HOSTILE=peers runs it and writes docs/reliability.md.
func TestHostilePeers(t *testing.T) {
	if os.Getenv("EHLO_HOSTILE") != "peers" {
		t.Skip("EHLO_HOSTILE=peers runs it")
	}
	h := newHostile(t, "127.0.0.1:0")
	var servers []sandbox.Port
	for _, p := range h.world.Ports() {
		if p.Port == 25 && !p.TLS && (len(servers) == 0 || servers[len(servers)-1].Domain != p.Domain) {
			servers = append(servers, p)
		}
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%d servers, one of each domain that has one on port 25, each with one message; limit %v.\n\n"+
		"| program | ended in time | said delivered, and it was not | said failed, and it was delivered | raw control characters | most memory |\n|---|---|---|---|---|---|\n",
		len(servers), hostileTime)
	for i, p := range mailers(h.program) {
		if _, err := exec.LookPath(p.args("", "", "", "")[0]); err != nil || p.name == "msmtp -d" && !installed("msmtp") {
			t.Logf("no %s here", p.name)
			continue
		}
		text.WriteString(h.rate(i, p, servers))
	}
	_ = h.world.Close() // nothing of it is needed any more
	t.Log("\n" + text.String())
	if err := writeBetween("../docs/reliability.md", "<!-- peers -->", "<!-- end -->", text.String()); err != nil {
		t.Fatal(err)
	}
}

func installed(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// rate runs one client over all servers, and gives its row.
func (h *hostile) rate(n int, p mailer, servers []sandbox.Port) string {
	trials := make([]*trial, len(servers))
	run := func(round, atOnce int, wanted func(*trial) bool) {
		var wg sync.WaitGroup
		gate := make(chan struct{}, atOnce)
		for i, server := range servers {
			if trials[i] != nil && !wanted(trials[i]) {
				continue
			}
			id := fmt.Sprintf("p%d-%d-%d", n, round, i)
			file := h.path(id + ".eml")
			write(h.T, file, parcel(id, false))
			x := &trial{domain: server.Domain, id: id}
			_, port, _ := strings.Cut(server.Addr, ":")
			x.Args, x.Other = p.args(port, id, "bob@"+server.Domain, file), true
			trials[i] = x
			gate <- struct{}{}
			wg.Go(func() {
				x.result = h.launcher.run(x.spec)
				<-gate
			})
		}
		wg.Wait()
	}
	late := func(x *trial) bool { return x.wall() > hostileTime+hostileSlack }
	run(0, hostileAtOnce/2, nil)
	run(1, 4, late) // once more, as the machine may have been busy
	h.mu.Lock()
	defer h.mu.Unlock()
	slow, lies, lost, raw, most := 0, 0, 0, 0, int64(0)
	for _, x := range trials {
		_, taken := h.taken[x.id]
		note := func(count *int, bad bool, what string) {
			if bad {
				*count++
				h.Logf("%s at %s: %s (status %d, %v)", p.name, x.domain, what, x.Status, x.wall())
			}
		}
		if x.Failed != "" && x.wall() < killTime {
			h.Errorf("%s at %s: %s", p.name, x.domain, x.Failed)
		}
		note(&slow, late(x), "late")
		note(&lies, x.Status == 0 && !taken, "said delivered, and it was not")
		unknown := p.name == "ehlo" && x.Status == 9
		note(&lost, x.Status != 0 && taken && !unknown, "said failed, and it was delivered")
		note(&raw, controls(strings.ReplaceAll(x.Out+x.Err, "\r\n", "\n"), false) != "", "raw control characters")
		most = max(most, x.Bytes)
	}
	name := p.name
	if p.version != "" {
		words := strings.Fields(p.version)
		out, _ := exec.Command(words[0], words[1:]...).Output()
		for _, word := range strings.Fields(string(out)) {
			if strings.ContainsAny(word, "0123456789") {
				name += " " + cmp.Or(strings.Trim(word, ",()"), "")
				break
			}
		}
	}
	return fmt.Sprintf("| %s | %d of %d | %d | %d | %d | %.1f MiB |\n", name, len(servers)-slow, len(servers), lies, lost, raw, float64(most)/(1<<20))
}
