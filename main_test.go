package main

import (
	"bufio"
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestInterruptedTwice: behind the message's last byte even a second interrupt
// ends the run with its outcome: unknown.
func TestInterruptedTwice(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot send an interrupt to another one there")
	}
	ehlo := filepath.Join(t.TempDir(), "ehlo")
	if out, err := exec.Command("go", "build", "-o", ehlo, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	heard := make(chan string, 20)
	go silentBehindTheDot(l, heard)

	var out bytes.Buffer
	cmd := exec.Command(ehlo, "send", "--server", l.Addr().String(), "--helo", "client.test", "--from", "a@client.test", "--to", "b@a.test")
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	wait := func(line string) {
		for {
			select {
			case got := <-heard:
				if got == line {
					return
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("the server never heard %s", line)
			}
		}
	}
	wait(".")
	began := time.Now()
	for range 2 {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond) // so that the second is one of its own
	}
	_ = cmd.Wait()
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("it took %v to end", took)
	}
	if got := cmd.ProcessState.ExitCode(); got != 9 || !strings.Contains(out.String(), "? unknown") {
		t.Errorf("status %d, not 9:\n%s", got, out.String())
	}
}

// silentBehindTheDot is a server without extensions that never answers a message.
func silentBehindTheDot(l net.Listener, heard chan<- string) {
	nc, err := l.Accept()
	if err != nil {
		return
	}
	defer nc.Close()
	say := func(reply string) { _, _ = nc.Write([]byte(reply + "\r\n")) }
	say("220 mx.test")
	text := false
	for lines := bufio.NewScanner(nc); lines.Scan(); {
		line := lines.Text()
		heard <- line
		switch {
		case text:
		case line == "DATA":
			text = true
			say("354 go")
		default:
			say("250 ok")
		}
	}
}
