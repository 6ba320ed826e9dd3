package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailmoor/state"
)

// lockedDirectory tells the helper process which directory to lock.
const lockedDirectory = "MAILMOOR_TEST_LOCK"

// TestLockHelper is not a test: it is the other process of those below. It
// holds the lock until its standard input ends.
func TestLockHelper(t *testing.T) {
	path := os.Getenv(lockedDirectory)
	if path == "" {
		t.Skip("only for the other tests")
	}
	if _, err := directoryAt(t, path).Lock(t.Context(), testID, LockFail); err != nil {
		t.Fatal(err)
	}
	fmt.Println("locked")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// lockElsewhere starts a process that holds the lock, and returns its id and
// how to end it.
func lockElsewhere(t *testing.T, d *Directory) (pid int, end func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestLockHelper$")
	cmd.Env = append(os.Environ(), lockedDirectory+"="+d.path)
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	end = func() {
		_ = in.Close()
		_ = cmd.Wait()
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "locked\n" {
		end()
		t.Fatalf("the other process said %q, %v", line, err)
	}
	return cmd.Process.Pid, end
}

func TestLockNamesHolder(t *testing.T) {
	d := newDirectory(t)
	pid, end := lockElsewhere(t, d)
	defer end()
	_, err := d.Lock(t.Context(), testID, LockFail)
	e, ok := errors.AsType[*state.Error](err)
	host, hostErr := os.Hostname()
	must(t, hostErr)
	want := fmt.Sprintf("process %d on %s ", pid, host)
	if !ok || e.Cause != state.CauseLocked || e.Scope != state.ScopeAccount || !strings.Contains(e.Error(), want) {
		t.Errorf("a held lock: %v, want one that names %q", err, want)
	}

	// A guest needs no lock.
	end()
	lock, err := d.Lock(t.Context(), testID, LockFail)
	must(t, err)
	must(t, lock.Unlock())
	must(t, lock.Unlock())
	if h := readHolder(filepath.Join(d.path, testID, lockName)); h != (holder{}) {
		t.Errorf("an open lock names %v", h)
	}
}

func TestLockWaits(t *testing.T) {
	d := newDirectory(t)
	pid, end := lockElsewhere(t, d)
	defer end()
	ctx, cancel := context.WithTimeout(t.Context(), 3*lockPoll)
	defer cancel()
	_, err := d.Lock(ctx, testID, LockWait)
	if state.CauseOf(err) != state.CauseLocked || !errors.Is(err, context.DeadlineExceeded) ||
		!strings.Contains(err.Error(), fmt.Sprint(pid)) {
		t.Errorf("waiting in vain: %v", err)
	}
	got := make(chan error)
	go func() {
		lock, err := d.Lock(t.Context(), testID, LockWait)
		if err == nil {
			err = lock.Unlock()
		}
		got <- err
	}()
	time.AfterFunc(lockPoll, end) // the process ends without unlocking
	if err := <-got; err != nil {
		t.Errorf("waiting until the other process ended: %v", err)
	}
}

// TestAlone: the second one waits, and gives up with its context. The accounts'
// locks have nothing to do with it.
func TestAlone(t *testing.T) {
	d := newDirectory(t)
	first, err := d.Alone(t.Context())
	must(t, err)
	account, err := d.Lock(t.Context(), testID, LockFail)
	must(t, err)
	must(t, account.Unlock())
	ctx, cancel := context.WithTimeout(t.Context(), 3*alonePoll)
	defer cancel()
	if _, err := d.Alone(ctx); state.CauseOf(err) != state.CauseLocked {
		t.Errorf("waiting in vain: %v", err)
	}
	time.AfterFunc(3*alonePoll, func() { _ = first.Unlock() })
	second, err := d.Alone(t.Context())
	must(t, err)
	must(t, second.Unlock())
}

func TestLockWithinProcess(t *testing.T) {
	d := newDirectory(t)
	lock, err := d.Lock(t.Context(), testID, LockFail)
	must(t, err)
	if _, err := d.Lock(t.Context(), testID, LockFail); state.CauseOf(err) != state.CauseLocked {
		t.Errorf("the second lock: %v", err)
	}
	must(t, lock.Unlock())
	for _, id := range []string{"", "..", "../" + testID, strings.ToUpper(testID), testID + "0"} {
		if _, err := d.Lock(t.Context(), id, LockFail); err == nil {
			t.Errorf("id %q was locked", id)
		}
	}
	if strings.Contains(strings.Join(names(t, filepath.Dir(d.path)), " "), "lock") {
		t.Error("a lock lies outside the directory")
	}
}

func names(t *testing.T, path string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(path)
	must(t, err)
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}
