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
	if h, _ := readHolder(filepath.Join(d.path, testID, lockName)); h != (Holder{}) {
		t.Errorf("an open lock names %v", h)
	}
}

// TestHolder: who looks whether somebody works on an account is told who, is told
// nothing of a process that was killed, and is in nobody's way.
func TestHolder(t *testing.T) {
	d := newDirectory(t)
	nobody := func(when string) {
		t.Helper()
		if held, busy, err := d.Holder(testID); err != nil || busy {
			t.Errorf("%s: %v, %v, %v", when, held, busy, err)
		}
	}
	nobody("before the first run")
	pid, end := lockElsewhere(t, d)
	defer end()
	held, busy, err := d.Holder(testID)
	if err != nil || !busy || held.PID != pid || time.Since(time.Unix(held.Started, 0)) > time.Hour {
		t.Errorf("a held lock: %v, %v, %v; want process %d", held, busy, err, pid)
	}
	end() // without unlocking: its name stays
	if left, _ := readHolder(filepath.Join(d.path, testID, lockName)); left.PID != pid {
		t.Errorf("the process left the name %v", left)
	}
	nobody("after the process was killed")

	stop := make(chan struct{})
	looked := make(chan struct{})
	go func() {
		defer close(looked)
		for {
			select {
			case <-stop:
				return
			default:
				_, _, _ = d.Holder(testID)
			}
		}
	}()
	for range 200 {
		lock, err := d.Lock(t.Context(), testID, LockFail)
		if err != nil {
			t.Errorf("a look at the lock kept it from being taken: %v", err)
			break
		}
		must(t, lock.Unlock())
	}
	close(stop)
	<-looked
}

// TestRemind: that a lock is held is said once for each process that has it, whoever
// finds it held.
func TestRemind(t *testing.T) {
	d := newDirectory(t)
	for range 2 {
		pid, end := lockElsewhere(t, d)
		defer end()
		for i := range 3 {
			_, err := d.Lock(t.Context(), testID, LockFail)
			held, ok := errors.AsType[*HeldError](err)
			if !ok || held.Holder.PID != pid {
				t.Fatalf("a held lock: %v, want one of process %d", err, pid)
			}
			if got := held.Remind(); got != (i == 0) {
				t.Errorf("the %dth to find it held is told: %v", i+1, got)
			}
		}
		end()
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

// TestAbandonedLock: a process was killed while it held the lock.
func TestAbandonedLock(t *testing.T) {
	d := newDirectory(t)
	_, end := lockElsewhere(t, d)
	end() // it does not unlock
	for _, want := range []bool{true, false} {
		lock, err := d.Lock(t.Context(), testID, LockFail)
		must(t, err)
		if lock.Abandoned != want {
			t.Errorf("the lock counts as abandoned: %t, want %t", lock.Abandoned, want)
		}
		must(t, lock.Unlock())
	}
}
