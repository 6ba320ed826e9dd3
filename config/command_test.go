package config

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is longer than any command of these tests takes.
const patience = time.Minute

func TestSecretCommand(t *testing.T) {
	cases := []struct {
		name    string
		command []string
		want    string
		wantErr string
	}{
		{name: "one line", command: []string{"printf", `a b\n`}, want: "a b"},
		{name: "no line end", command: []string{"printf", "x"}, want: "x"},
		{name: "first of many", command: []string{"printf", `x\r\nuser: me\n`}, want: "x"},
		{name: "white space counts", command: []string{"printf", ` x \n`}, want: " x "},
		{name: "no shell for a list", command: []string{"echo", "$HOME;`id`"}, want: "$HOME;`id`"},
		{name: "shell", command: []string{"sh", "-c", "echo $((40 + 2)) | cat"}, want: "42"},
		{name: "stdin is empty", command: []string{"sh", "-c", "cat; echo end"}, want: "end"},
		{name: "stderr is no part", command: []string{"sh", "-c", "echo no >&2; echo yes"}, want: "yes"},
		{name: "agent stays", command: []string{"sh", "-c", "sleep 5 & echo yes"}, want: "yes"},
		{name: "nothing", command: []string{"true"}, wantErr: "it printed nothing"},
		{name: "empty line", command: []string{"printf", `\nx\n`}, wantErr: "it printed nothing"},
		{name: "NUL", command: []string{"printf", `a\000b`}, wantErr: "NUL byte"},
		{name: "too much", command: []string{"sh", "-c", "exec yes"}, wantErr: errLongPrint.Error()},
		{name: "missing", command: []string{"/nonexistent/program"}, wantErr: "no such file"},
		{
			name: "complaint", command: []string{"sh", "-c", `printf 'locked\033[2J\n' >&2; echo hunter2; exit 3`},
			wantErr: `exit status 3; it said: locked\x1b[2J`,
		},
		{name: "killed", command: []string{"sh", "-c", "kill -9 $$"}, wantErr: "signal: killed"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := runSecretCommand(t.Context(), c.command, patience)
			if c.wantErr == "" {
				if err != nil || got != c.want {
					t.Errorf("got %q, %v, want %q", got, err, c.want)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.wantErr) || got != "" {
				t.Errorf("got %q, %v, want an error with %q", got, err, c.wantErr)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows the secret: %v", err)
			}
		})
	}
}

// TestSecretCommandEndsWithItsGroup lets the time run out while a grandchild
// sleeps, and checks that the grandchild is gone.
func TestSecretCommandEndsWithItsGroup(t *testing.T) {
	note := filepath.Join(t.TempDir(), "pid")
	script := `sleep 300 & echo $! > "$0.tmp"; mv "$0.tmp" "$0"; echo secret; wait`
	_, err := runSecretCommand(t.Context(), []string{"sh", "-c", script, note}, 2*time.Second)
	if err == nil || !strings.Contains(err.Error(), "did not end within 2s") {
		t.Fatalf("got %v, want an error that names the limit", err)
	}
	text, err := os.ReadFile(note)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(patience)
	for isRunning(pid) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d survived", pid)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// isRunning reports whether the process exists and is more than a zombie that
// nobody waits for.
func isRunning(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func TestSecretCommandCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := runSecretCommand(ctx, []string{"echo", "x"}, patience); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// TestSecretCommandGroup checks that the command leads its own process group,
// so that a signal of the terminal to ours does not reach it. The command is
// this test itself.
func TestSecretCommandGroup(t *testing.T) {
	const variable = "MAILMOOR_TEST_GROUP"
	if os.Getenv(variable) != "" {
		fmt.Println(syscall.Getpid() == syscall.Getpgrp())
		os.Exit(0)
	}
	t.Setenv(variable, "1")
	got, err := runSecretCommand(t.Context(), []string{os.Args[0], "-test.run=^TestSecretCommandGroup$"}, patience)
	if err != nil || got != "true" {
		t.Errorf("it leads its group: %s, %v, want true", got, err)
	}
}

func TestComplaint(t *testing.T) {
	long := strings.Repeat("a", complaintBytesMax) + "the end"
	cases := []struct {
		name   string
		writes []string
		want   string
	}{
		{name: "nothing", want: ""},
		{name: "white space", writes: []string{" \n\t"}, want: ""},
		{name: "lines", writes: []string{"a\nb\n"}, want: `; it said: a\nb`},
		{name: "pieces", writes: []string{"a", "b"}, want: "; it said: ab"},
		{name: "escapes", writes: []string{"\x1b]0;x\a\u202e\u009b é"}, want: `; it said: \x1b]0;x\a\u202e\u009b é`},
		{name: "not UTF-8", writes: []string{"a\xffb"}, want: "; it said: a?b"},
		{name: "the end counts", writes: []string{long}, want: "; it said: ..." + long[len("the end"):]},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var stderr tail
			for _, w := range c.writes {
				if n, err := stderr.Write([]byte(w)); n != len(w) || err != nil {
					t.Fatalf("wrote %d bytes, %v", n, err)
				}
			}
			if got := stderr.complaint(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
