package check

import (
	"fmt"
	"strconv"
	"strings"
)

func decimal(n int) string { return strconv.Itoa(n) }

// count is a number of things: "1 host", "2 addresses".
func count(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "s"):
		return fmt.Sprintf("%d %ses", n, what)
	}
	return fmt.Sprintf("%d %ss", n, what)
}
