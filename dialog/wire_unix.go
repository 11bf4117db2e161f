//go:build unix

package dialog

import "syscall"

const canPeek = true

func (k *peek) readNow(fd uintptr) bool {
	for {
		if k.n, k.err = syscall.Read(int(fd), k.p); k.err != syscall.EINTR {
			return true
		}
	}
}
