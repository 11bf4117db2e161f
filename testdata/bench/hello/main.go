// Command hello is what any Go program costs: the start of its runtime.
package main

import "os"

func main() { _, _ = os.Stdout.WriteString("hello\n") }
