//go:build race

package cmd_test

// raced says that the tests run under the race detector, whose own memory counts as
// that of each process they start.
const raced = true
