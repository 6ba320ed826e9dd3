package maildir_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// The hook says what we mean to do; the system calls say what we did. No message
// may get its name before its content is durable, and Commit may not return before
// the name is.
func TestDeliverySystemCalls(t *testing.T) {
	const fd = `\((\d+)\) += 0`
	tests := map[string]*regexp.Regexp{
		// Two files, synced by themselves, in either order.
		"TestDeliveryOrder/^2$": regexp.MustCompile(`(?s)fsync` + fd + `.*fsync` + fd + `.*` +
			`renameat2\(.* "\d+[^"]*", RENAME_NOREPLACE\) = 0\n.*renameat2\(.* "\d+[^"]*", RENAME_NOREPLACE\) = 0\n[^\n]*fsync` + fd),
		// A large batch: one sync of the file system, all renames, the directory.
		"TestDeliveryOrder/^17$": regexp.MustCompile(`(?s)syncfs` + fd + `\n([^\n]*renameat2\([^\n]* RENAME_NOREPLACE\) = 0\n){17}[^\n]*fsync` + fd),
	}
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	for run, want := range tests {
		t.Run(run, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "trace")
			cmd := exec.Command(strace, "-f", "-e", "trace=fsync,syncfs,renameat2", "-e", "signal=none", "-o", out, os.Args[0], "-test.run", run)
			if text, err := cmd.CombinedOutput(); err != nil {
				t.Skipf("strace does not work here: %v\n%s", err, text)
			}
			trace, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			if !want.Match(trace) {
				t.Errorf("not the order that survives a power failure:\n%s", trace)
			}
		})
	}
}
