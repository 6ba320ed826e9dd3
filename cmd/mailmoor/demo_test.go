package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDemo also is a test of everything below: the demo checks that both sides
// are equal after each step and fails if they are not.
func TestDemo(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var stdout, stderr bytes.Buffer
	if code := run([]string{"demo"}, strings.NewReader(""), &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, &stdout, &stderr)
	}
	if n := strings.Count(stdout.String(), "Checked:"); n != 4 {
		t.Errorf("%d checks, want 4:\n%s", n, &stdout)
	}
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil || len(left) > 0 {
		t.Errorf("the demo left %v, %v", left, err)
	}
}

func TestDemoKeepsWhatItIsAskedToKeep(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kept")
	var stdout, stderr bytes.Buffer
	if code := run([]string{"demo", "--keep", dir}, strings.NewReader(""), &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, &stdout, &stderr)
	}
	for _, name := range []string{"config.toml", "state", "Mail/INBOX/cur"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if code := run([]string{"demo", "--keep", dir}, strings.NewReader(""), &stdout, &stderr); code != int(exitUsage) {
		t.Errorf("a directory that exists: exit code %d", code)
	}
}

// TestEqualityIsNotClaimed makes the two sides differ in the ways that matter.
func TestEqualityIsNotClaimed(t *testing.T) {
	a := demoMessage{body: "Subject: a\r\n\r\nx\r\n", flags: 1}
	b := demoMessage{body: "Subject: b\r\n\r\nx\r\n"}
	if !sameMessages([]demoMessage{a, b, b}, []demoMessage{b, a, b}) {
		t.Error("the order makes a difference")
	}
	for name, other := range map[string][]demoMessage{
		"one is missing":  {a, b},
		"one is too many": {a, b, b, b},
		"another flag":    {{body: a.body}, b, b},
		"another byte":    {a, b, {body: b.body + "\r\n"}},
		"another twice":   {a, a, b},
	} {
		if sameMessages([]demoMessage{a, b, b}, other) {
			t.Errorf("%s and they count as equal", name)
		}
	}
}
