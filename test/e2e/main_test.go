package e2e

import (
	"os"
	"testing"

	"mailmoor/test/lab"
)

func TestMain(m *testing.M) {
	lab.InMemory()
	os.Exit(m.Run())
}
