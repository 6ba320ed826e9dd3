package real

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"mailmoor/test/lab"
)

var manyCount = flag.Int("mailboxes", 200, "number of mailboxes of the test with many")

// What a run may need, however many mailboxes there are.
const (
	// fixedCommandsMax is for login, capabilities, namespaces and one list.
	fixedCommandsMax = 12
	// openFilesMax counts our proxy's ends of the connections, too.
	openFilesMax  = 100
	manyMemoryMax = 64 << 20
)

// TestManyMailboxes: an account with hundreds of mailboxes is synced over a few
// connections, with a few open files. A run with nothing to do opens none of them: it
// asks once for all, or once for each where the server cannot tell all at once.
func TestManyMailboxes(t *testing.T) {
	count := *manyCount
	if testing.Short() {
		count /= 3
	}
	srv := newServer(t)
	for _, c := range []struct {
		name   string
		hide   []string
		count  int
		status bool // one STATUS for each
	}{
		{"LIST-STATUS", nil, count, false},
		{"no LIST-STATUS", []string{"LIST-STATUS"}, count / 5, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newAccount(t, srv, c.hide...)
			a.srv.CreateMailbox(a.user, "first") // which makes the home
			a.makeMailboxes(c.count)
			a.frugally(func() {
				if n := a.clean().Counts.Downloaded; n != c.count {
					t.Errorf("%d messages were downloaded, want %d", n, c.count)
				}
			})
			for range 2 {
				a.later(10 * time.Second)
				a.settle()
			}
			a.later(10 * time.Second)
			a.frugally(a.idle)
			status, commands := 0, a.proxy.Commands()
			for _, command := range commands {
				if command.Name == "STATUS" {
					status++
				}
			}
			mailboxes := len(a.remote())
			if c.status && status != mailboxes || !c.status && status != 0 {
				t.Errorf("%d mailboxes took %d STATUS commands", mailboxes, status)
			}
			if slices.ContainsFunc(commands, isOpening) || len(commands)-status > fixedCommandsMax {
				t.Errorf("a run with nothing to do sent %d commands: %.2000q", len(commands), lines(a))
			}

			// One change among all of them costs one look.
			a.deliver(manyName(c.count/2), "new")
			a.proxy.Reset()
			if n := a.clean().Counts.Downloaded; n != 1 {
				t.Errorf("%d messages were downloaded, want the new one", n)
			}
			opened := slices.DeleteFunc(a.proxy.Commands(), func(c lab.Command) bool { return !isOpening(c) })
			if len(opened) == 0 || len(opened) > 4 {
				t.Errorf("for one new message these were opened: %+v", opened)
			}
			if got := a.local()[manyName(c.count/2)]; len(got) != 2 {
				t.Errorf("the folder has %v, want two messages", got)
			}
		})
	}
}

// manyName names the mailbox of a number; ten of them lie in each other one.
func manyName(n int) string { return fmt.Sprintf("many %d/%03d", n%10, n) }

// makeMailboxes makes mailboxes with one message each on the server's disk.
func (a *account) makeMailboxes(count int) {
	a.Helper()
	home := a.srv.MailHome(a.user)
	owner := a.statOf(home)
	var paths []string
	for n := range count {
		dir := filepath.Join(home, fmt.Sprintf(".many %d.%03d", n%10, n))
		paths = append(paths, dir)
		a.must(os.Mkdir(dir, 0o700))
		for _, sub := range []string{"cur", "new", "tmp"} {
			a.must(os.Mkdir(filepath.Join(dir, sub), 0o700))
			paths = append(paths, filepath.Join(dir, sub))
		}
		file := filepath.Join(dir, "cur", fmt.Sprintf("%d.M1P1.lab:2,S", start+n))
		a.must(os.WriteFile(file, lf(body(fmt.Sprintf("m%d", n))), 0o600))
		paths = append(paths, file)
	}
	if os.Geteuid() == 0 {
		for _, path := range paths {
			a.must(os.Chown(path, int(owner.Uid), int(owner.Gid)))
		}
	}
}

// frugally runs work and fails when it used too many connections, open files, or too
// much memory.
func (a *account) frugally(work func()) {
	a.Helper()
	a.proxy.Reset()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	heap, files := m.HeapAlloc, openFiles()
	heapMost, filesMost := heap, files
	during(5*time.Millisecond, work, func() {
		runtime.ReadMemStats(&m)
		heapMost, filesMost = max(heapMost, m.HeapAlloc), max(filesMost, openFiles())
	})
	connections := make(map[int]bool)
	for _, c := range a.proxy.Commands() {
		connections[c.Conn] = true
	}
	a.Logf("%d connections, %d commands, %d more open files, %d MB more memory",
		len(connections), len(a.proxy.Commands()), filesMost-files, (heapMost-heap)>>20)
	if len(connections) > 3 || filesMost-files > openFilesMax || heapMost-heap > manyMemoryMax {
		a.Errorf("that is too much: 3 connections, %d files and %d MB are allowed", openFilesMax, manyMemoryMax>>20)
	}
}

// openFiles returns how many files this process has open, 0 where nobody can tell.
func openFiles() int {
	for _, dir := range []string{"/proc/self/fd", "/dev/fd"} {
		entries, err := os.ReadDir(dir)
		if err == nil || !errors.Is(err, os.ErrNotExist) {
			return len(entries)
		}
	}
	return 0
}
