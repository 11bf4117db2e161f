package sandbox

import (
	"encoding/binary"
	"math/bits"
)

// md4 is the digest of RFC 1320, which NTLM still hashes passwords with.
func md4(message []byte) [16]byte {
	// Section 3.1 and 3.2: a one bit, zeros up to 56 modulo 64, the length in bits.
	padded := append(append([]byte{}, message...), 0x80)
	for len(padded)%64 != 56 {
		padded = append(padded, 0)
	}
	padded = binary.LittleEndian.AppendUint64(padded, uint64(len(message))*8)

	state := [4]uint32{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}
	for ; len(padded) > 0; padded = padded[64:] {
		state = md4Block(state, padded[:64])
	}
	var sum [16]byte
	for i, word := range state {
		binary.LittleEndian.PutUint32(sum[4*i:], word)
	}
	return sum
}

// md4Block takes one block into the state (RFC 1320 section 3.4).
func md4Block(state [4]uint32, block []byte) [4]uint32 {
	rounds := [3]struct {
		mix   func(x, y, z uint32) uint32
		add   uint32
		order [16]int
		turn  [4]int
	}{
		{func(x, y, z uint32) uint32 { return x&y | ^x&z }, 0,
			[16]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, [4]int{3, 7, 11, 19}},
		{func(x, y, z uint32) uint32 { return x&y | x&z | y&z }, 0x5a827999,
			[16]int{0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15}, [4]int{3, 5, 9, 13}},
		{func(x, y, z uint32) uint32 { return x ^ y ^ z }, 0x6ed9eba1,
			[16]int{0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15}, [4]int{3, 9, 11, 15}},
	}
	a, b, c, d := state[0], state[1], state[2], state[3]
	for _, r := range rounds {
		for i, k := range r.order {
			word := binary.LittleEndian.Uint32(block[4*k:])
			a, b, c, d = d, bits.RotateLeft32(a+r.mix(b, c, d)+word+r.add, r.turn[i%4]), b, c
		}
	}
	return [4]uint32{state[0] + a, state[1] + b, state[2] + c, state[3] + d}
}
