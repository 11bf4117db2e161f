//go:build unix

package dialog

import "syscall"

const canLook = true

func (d *descriptor) try(fd uintptr) bool {
	for {
		if d.n, d.err = syscall.Read(int(fd), d.p); d.err != syscall.EINTR {
			return true
		}
	}
}
