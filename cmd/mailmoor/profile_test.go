package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestProfiles: a run that fails for want of a configuration writes them as well.
func TestProfiles(t *testing.T) {
	cpu, memory := filepath.Join(t.TempDir(), "cpu"), filepath.Join(t.TempDir(), "memory")
	_, stderr, code := runQuietly(t, "sync", "--cpuprofile", cpu, "--memprofile", memory)
	if code != int(exitUsage) || !strings.Contains(stderr, "there is no such file") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	for path, unit := range map[string]string{cpu: "nanoseconds", memory: "alloc_space"} {
		compressed, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		from, err := gzip.NewReader(bytes.NewReader(compressed))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if profile, err := io.ReadAll(from); err != nil || !bytes.Contains(profile, []byte(unit)) {
			t.Errorf("%s is no profile in %s: %v, %q", path, unit, err, profile)
		}
	}
}

func TestProfileThatCannotBeWritten(t *testing.T) {
	for _, flag := range []string{"--cpuprofile", "--memprofile"} {
		_, stderr, code := runQuietly(t, "sync", flag, filepath.Join(t.TempDir(), "none", "file"))
		if code != int(exitFailed) || !strings.Contains(stderr, "none/file: no such file") {
			t.Errorf("%s: exit code %d, %s", flag, code, stderr)
		}
	}
}

func TestHelpLeavesProfilesOut(t *testing.T) {
	stdout, _, _ := runQuietly(t, "sync", "--help")
	if !strings.Contains(stdout, "--timeout") || strings.Contains(stdout, "profile") {
		t.Errorf("the help reads\n%s", stdout)
	}
}
