package quirk_test

import (
	"os"
	"testing"

	"mailmoor/test/lab"
)

func TestMain(m *testing.M) {
	lab.InMemory()
	os.Exit(m.Run())
}
