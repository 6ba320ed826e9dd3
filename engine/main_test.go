package engine_test

import (
	"os"
	"runtime/debug"
	"testing"
)

// TestMain lets garbage lie for longer. The simulated world is small and made thousands
// of times: collecting it took half of the time.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}
