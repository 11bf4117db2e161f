//go:build unix

package cmd

import (
	"fmt"
	"math"
	"strconv"
	"syscall"
)

// descriptors is an error if this process may not open as many files as its sessions
// need: what fails for that would look like a fault of the server.
func (b *benching) descriptors() error {
	const others = 24 // standard streams, the poller, a resolver, a certificate, a key log
	each := 1
	switch {
	case b.Bool("sandbox"): // the server's end, too
		each = 2
	case b.target.Command != "": // both ends of three pipes while it begins
		each = 7
	}
	need := b.offer.Sessions*each + others
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return nil // then each that fails says so itself
	}
	if may := uint64(limit.Cur); may < uint64(need) {
		return &usageError{
			msg:  fmt.Sprintf("%s need up to %d open files, and this process may have %d", counted(int64(b.offer.Sessions), "session"), need, min(may, math.MaxInt64)),
			next: "ulimit -n " + strconv.Itoa(need),
		}
	}
	return nil
}
