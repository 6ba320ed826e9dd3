package e2e

import (
	"os"
	"testing"

	"mailmoor/test/lab"
)

func TestMain(m *testing.M) {
	lab.InMemory()
	status := m.Run()
	if dir, err := built(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(status)
}
