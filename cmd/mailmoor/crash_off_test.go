//go:build !crashtest

package main

import (
	"os"
	"os/exec"
	"testing"
)

// TestNoCrashVariable runs the demo, which has many effects, with the variable
// of the crash tests in its environment.
func TestNoCrashVariable(t *testing.T) {
	const child = "MAILMOOR_TEST_CHILD"
	if os.Getenv(child) != "" {
		os.Exit(run([]string{"demo"}, os.Stdin, os.Stdout, os.Stderr))
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestNoCrashVariable$")
	cmd.Env = append(os.Environ(), child+"=1", "MAILMOOR_CRASH_AT=1", "TMPDIR="+t.TempDir())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
