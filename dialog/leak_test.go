package dialog

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain sees to it that no goroutine survives the conversations.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
