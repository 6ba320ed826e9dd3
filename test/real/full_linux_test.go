package real

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"mailmoor/engine"
	"mailmoor/state"
)

// smallDisk mounts a disk of that many kilobytes and returns its path, and a function
// that makes it larger or smaller.
func (a *account) smallDisk(kilobytes int) (path string, resize func(kilobytes int)) {
	a.Helper()
	path = filepath.Join(a.TempDir(), "disk")
	a.must(os.Mkdir(path, 0o700))
	mount := func(kilobytes int, flags uintptr) error {
		return unix.Mount("tmpfs", path, "tmpfs", flags, fmt.Sprintf("size=%dk,mode=0700", kilobytes))
	}
	if err := mount(kilobytes, 0); errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		a.Skip("only root may mount")
	} else if err != nil {
		a.Fatal(err)
	}
	a.Cleanup(func() { a.must(unix.Unmount(path, unix.MNT_DETACH)) })
	return path, func(kilobytes int) { a.must(mount(kilobytes, unix.MS_REMOUNT)) }
}

// deliverLarge adds messages of that many kilobytes, which nothing makes smaller.
func (a *account) deliverLarge(mailbox string, count, kilobytes int) {
	a.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	for n := range count {
		var b bytes.Buffer
		b.Write(body(fmt.Sprintf("large%03d", n)))
		for b.Len() < kilobytes<<10 {
			fmt.Fprintf(&b, "%016x%016x%016x%016x\r\n", random.Uint64(), random.Uint64(), random.Uint64(), random.Uint64())
		}
		a.srv.Append(a.user, mailbox, nil, time.Unix(start+int64(n), 0), b.Bytes())
	}
}

// TestSmallDisk: a first download onto a disk that is too small keeps what fits, in the
// first run, and the next runs fetch nothing that they cannot keep. Before, each run
// threw away all it had fetched and failed at the same message.
func TestSmallDisk(t *testing.T) {
	for _, test := range []struct {
		name      string
		stateToo  bool
		first     int // messages that are large, at the beginning
		least     int // messages that fit
		kilobytes int
	}{
		{"mail alone", false, 0, 12, 3000},
		{"mail and state", true, 0, 10, 3000},
		{"a large message first", false, 1, 12, 3000},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newAccount(t, newServer(t))
			disk, resize := a.smallDisk(test.kilobytes)
			a.root = filepath.Join(disk, "mail")
			if test.stateToo {
				a.states = filepath.Join(disk, "state")
			}
			a.deliverLarge("INBOX", test.first, 4000)
			a.deliverLarge("INBOX", 60, 100)
			all := 60 + test.first
			var told []state.Problem
			a.options = func(o *engine.Options) {
				o.Tell = func(p state.Problem) {
					if len(a.files("INBOX")) == 0 {
						told = append(told, p)
					}
				}
			}
			report := a.sync()
			kept := len(a.files("INBOX"))
			if kept < test.least || kept >= all {
				t.Errorf("the first run kept %d messages, want %d at least", kept, test.least)
			}
			p := a.onlyProblem(report, state.CauseDisk, "messages from the server are not downloaded", "MB are missing")
			if len(told) != 1 || told[0] != p {
				t.Errorf("before it began the user was told %+v, want %+v", told, p)
			}
			// Nothing else waits for the disk, and nothing is fetched in vain.
			a.flag("INBOX", "large003", "F")
			a.proxy.Reset()
			again := a.sync()
			if again.Counts.FlagsLocal != 1 || again.Counts.Downloaded != 0 {
				t.Errorf("the second run did %+v, want the flag and no download", again.Counts)
			}
			a.onlyProblem(again, state.CauseDisk, "no room", fmt.Sprintf("%d messages", all-kept))
			for _, c := range a.proxy.Commands() {
				if strings.Contains(c.Line, "BODY.PEEK[]") {
					t.Errorf("the second run sent %q", c.Line)
				}
			}
			resize(40000)
			if c := a.clean().Counts; c.Downloaded != all-kept {
				t.Errorf("with more room it downloaded %d, want %d", c.Downloaded, all-kept)
			}
			if got := len(a.same()["INBOX"]); got != all {
				t.Errorf("there are %d messages, want %d", got, all)
			}
			a.idle()
		})
	}
}

// TestDiskFillsUp: the disk is filled by somebody else in the middle of a download, of
// which nobody knew beforehand. What had come is kept.
func TestDiskFillsUp(t *testing.T) {
	a := newAccount(t, newServer(t))
	disk, resize := a.smallDisk(120_000)
	a.root = filepath.Join(disk, "mail")
	a.deliverLarge("INBOX", 60, 100)
	a.mkfolder("INBOX")
	filler := filepath.Join(disk, "filler")
	a.options = func(o *engine.Options) {
		o.Connect = func(ctx context.Context) (engine.Remote, error) {
			// Room was asked for before bodies are.
			r, err := a.connect(ctx)
			return &filling{Remote: r, fill: func() {
				a.must(os.WriteFile(filler, make([]byte, 117_000_000), 0o600))
			}}, err
		}
	}
	_, err := a.run()
	kept := len(a.files("INBOX"))
	if state.CauseOf(err) != state.CauseDisk || kept == 0 || kept == 60 {
		t.Fatalf("the run ended with %v and kept %d messages, want a full disk and some", err, kept)
	}
	a.options = nil
	if c := a.sync().Counts; c.Downloaded != 0 {
		t.Errorf("the next run downloaded %d", c.Downloaded)
	}
	a.must(os.Remove(filler))
	resize(120_000)
	if c := a.clean().Counts; c.Downloaded != 60-kept {
		t.Errorf("with more room it downloaded %d, want %d", c.Downloaded, 60-kept)
	}
	a.idle()
}

// filling calls fill before the first body comes.
type filling struct {
	engine.Remote
	fill func()
}

// Fetch implements engine.RemoteTransfer.
func (f *filling) Fetch(ctx context.Context, ref state.Ref, uids state.UIDSet, each func(state.Incoming) error) error {
	f.fill()
	return f.Remote.Fetch(ctx, ref, uids, each)
}

// TestLargeForTheDisk: a message that is larger than all the room there is, and of which
// nobody asked for the size, does not stand in the way of the one behind it.
func TestLargeForTheDisk(t *testing.T) {
	a := newAccount(t, newServer(t))
	disk, resize := a.smallDisk(20_000)
	a.root = filepath.Join(disk, "mail")
	a.deliverLarge("INBOX", 1, 25_000)
	a.deliver("INBOX", "small")
	p := a.onlyProblem(a.sync(), state.CauseDisk, "INBOX", "UID 1", "the disk has no room for its 25.6 MB", "tried again after")
	if got := len(a.files("INBOX")); got != 1 || p.Scope != state.ScopeMessage {
		t.Errorf("there are %d messages, and %+v; want the small one, and a problem of the other", got, p)
	}
	resize(60_000)
	a.later(2 * time.Hour)
	a.clean()
	a.expect("INBOX/large000:", "INBOX/small:")
}
