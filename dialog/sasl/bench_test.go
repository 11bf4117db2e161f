package sasl

import (
	"crypto/pbkdf2"
	"testing"
)

// BenchmarkMostIterations is the longest that a server can make SCRAM compute.
func BenchmarkMostIterations(b *testing.B) {
	for _, name := range []string{"SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		b.Run(name, func(b *testing.B) {
			m, _ := Find(name)
			c, err := m.New(full())
			if err != nil {
				b.Fatal(err)
			}
			s := c.(*scram)
			for b.Loop() {
				if _, err := pbkdf2.Key(s.hash, password, []byte("0123456789abcdef"), maxIterations, s.hash().Size()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
