package check

import (
	"strconv"
)

func decimal(n int) string { return strconv.Itoa(n) }
