package maildir_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestExpire: only whole days before the limit go, and nothing that is not ours.
func TestExpire(t *testing.T) {
	f := newFixture(t)
	write := func(parts ...string) string {
		path := filepath.Join(append([]string{f.hold}, parts...)...)
		f.ok(os.MkdirAll(filepath.Dir(path), 0o700))
		f.ok(os.WriteFile(path, []byte("x"), 0o600))
		return path
	}
	old, older := write("2026-01-01", "INBOX", "a:2,"), write("2025-12-31", "Work", "b:2,S")
	kept := []string{write("2026-01-02", "INBOX", "c:2,"), write("2026-01-03", "INBOX", "d:2,"), write("notes", "mine")}
	n, err := f.Expire(t.Context(), time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC))
	f.ok(err)
	if n != 2 {
		t.Errorf("%d files expired, want 2", n)
	}
	for _, path := range []string{old, older} {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s is still there", path)
		}
	}
	for _, path := range kept {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}
