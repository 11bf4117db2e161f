// Package stack gives a goroutine the stack that it is going to need at once.
//
// A stack begins at 2 or 8 KiB and doubles whenever it is full. Each time the runtime
// walks the frames on it, and the pages come into memory that say of each function where
// its pointers are. A run that sends one message needs a tenth less of it where a stack
// grows in one step, before there is anything to walk.
package stack

// The main goroutine runs the initialisers of all packages. This one is among the
// first, as it imports nothing and its path sorts before the rest.
var _ = large(false)

// Reserve makes the stack of the calling goroutine 8 KiB at least.
func Reserve() { small(false) }

// small and large ask for a frame that is larger than 4 and than 32 KiB, and leave its
// pages alone: those that nobody touches cost nothing.

//go:noinline
func small(touch bool) byte {
	if !touch {
		return 0
	}
	var room [4 << 10]byte
	return first(room[:])
}

//go:noinline
func large(touch bool) byte {
	if !touch {
		return 0
	}
	var room [32 << 10]byte
	return first(room[:])
}

//go:noinline
func first(room []byte) byte { return room[0] }
