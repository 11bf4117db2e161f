//go:build linux

// Command delay joins two network namespaces by a line on which every packet takes
// as long. TCP on both ends is the kernel's own, its handshake and slow start
// too, which a proxy that delays would hide. It needs root, and says "ready".
//
//	-near NAME    the namespace of 10.99.0.1
//	-far NAME     that of 10.99.0.2
//	-delay TIME   each way
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	near := flag.String("near", "", "a network namespace")
	far := flag.String("far", "", "another one")
	delay := flag.Duration("delay", 50*time.Millisecond, "each way")
	flag.Parse()
	a := device(*near, "10.99.0.1", "10.99.0.2")
	b := device(*far, "10.99.0.2", "10.99.0.1")
	fmt.Println("ready")
	go carry(a, b, *delay)
	carry(b, a, *delay)
}

// device makes a TUN device in a namespace, with an address there and a way to
// the other end.
func device(namespace, address, peer string) int {
	made := make(chan int)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread stays in the namespace
		handle, err := os.Open("/var/run/netns/" + namespace)
		check(err)
		check(unix.Setns(int(handle.Fd()), unix.CLONE_NEWNET))
		check(handle.Close())
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR, 0)
		check(err)
		request, err := unix.NewIfreq("line0")
		check(err)
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		check(unix.IoctlIfreq(fd, unix.TUNSETIFF, request))
		made <- fd
	}()
	fd := <-made
	for _, args := range [][]string{
		{"link", "set", "lo", "up"},
		{"addr", "add", address, "peer", peer, "dev", "line0"},
		{"link", "set", "line0", "txqueuelen", "10000", "up"},
	} {
		if said, err := exec.Command("ip", append([]string{"-n", namespace}, args...)...).CombinedOutput(); err != nil {
			log.Fatalf("ip %v: %v: %s", args, err, said)
		}
	}
	return fd
}

type packet struct {
	due   time.Time
	bytes []byte
}

// carry takes packets from one device to the other, each after delay.
func carry(from, to int, delay time.Duration) {
	line := make(chan packet, 1<<16)
	go func() {
		runtime.LockOSThread() // the kernel's own sleep is on time, and the scheduler's is not
		for p := range line {
			if left := time.Until(p.due); left > 0 {
				pause := unix.NsecToTimespec(left.Nanoseconds())
				_ = unix.Nanosleep(&pause, nil)
			}
			_, _ = unix.Write(to, p.bytes)
		}
	}()
	block := make([]byte, 1<<16)
	for {
		n, err := unix.Read(from, block)
		if err == unix.EINTR {
			continue
		}
		check(err)
		line <- packet{time.Now().Add(delay), append([]byte(nil), block[:n]...)}
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
