package maildir_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailmoor/maildir"
	"mailmoor/state"
)

func on20260102(o *maildir.Options) {
	o.Now = func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
}

func TestRemoveHoldsTheFile(t *testing.T) {
	f := newFixture(t, on20260102)
	f.put(mail, f.inbox, "cur", "k:2,Sb")
	r := record(f.scan(f.inbox).New[0])
	r.Mailbox, r.Remote.Date = "Lists/go", 1234
	got, err := f.Remove(t.Context(), f.inbox, r, "gone on the server")
	f.ok(err)
	want := state.Held{
		Path: "2026-01-02/Lists%2Fgo/k:2,Sb", Mailbox: "Lists/go", Key: "k", UID: 7, Flags: state.Seen,
		Content: r.Content, Date: 1234, Removed: f.now2026(), Reason: "gone on the server",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	wantHeld(f, got, mail)
	if diff := cmp.Diff([]string{want.Path}, f.names(f.hold)); diff != "" {
		t.Error(diff)
	}
	if got := f.scan(f.inbox); got.Count != 0 {
		t.Errorf("%d files stay", got.Count)
	}
}

func (f *fixture) now2026() int64 { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Unix() }

// wantHeld checks that the held file has this content.
func wantHeld(f *fixture, held state.Held, body string) string {
	f.t.Helper()
	path, err := f.HeldFile(held)
	f.ok(err)
	got, err := os.ReadFile(path)
	f.ok(err)
	if string(got) != body {
		f.t.Errorf("held %q, want %q", got, body)
	}
	return path
}

func TestRemoveSameKeyTwice(t *testing.T) {
	f := newFixture(t, on20260102)
	var paths []string
	for _, body := range []string{"first\n", "second\n"} {
		f.put(body, f.inbox, "cur", "k:2,S")
		held, err := f.Remove(t.Context(), f.inbox, record(f.scan(f.inbox).New[0]), "test")
		f.ok(err)
		paths = append(paths, wantHeld(f, held, body))
	}
	if paths[0] == paths[1] {
		t.Errorf("both files are held as %s", paths[0])
	}
}

// With the hold area on another file system the file goes beside the root, and
// where that is another file system too, it is copied.
func TestHoldAreaOnAnotherFileSystem(t *testing.T) {
	t.Run("beside the root", func(t *testing.T) {
		other := mountSmall(t, "size=1m")
		f := newFixture(t, func(o *maildir.Options) { o.HoldDir = filepath.Join(other, "hold") })
		held := removeOne(f)
		path := wantHeld(f, held, mail)
		if want := filepath.Join(filepath.Dir(f.root), ".mail.mailmoor-hold"); !strings.HasPrefix(path, want) {
			t.Errorf("held in %s, want below %s", path, want)
		}
		if _, err := os.Stat(f.hold); err == nil {
			t.Error("an unused hold area was created")
		}
	})
	t.Run("copied", func(t *testing.T) {
		other := mountSmall(t, "size=1m")
		f := newFixture(t, func(o *maildir.Options) { o.Root = other })
		held := removeOne(f)
		path := wantHeld(f, held, mail)
		if !strings.HasPrefix(path, f.hold) {
			t.Errorf("held in %s, want below %s", path, f.hold)
		}
		info, err := os.Stat(path)
		f.ok(err)
		if info.ModTime().Unix() != 1700000000 || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, mode %v", info.ModTime(), info.Mode())
		}
		if diff := cmp.Diff([]string{held.Path}, f.names(f.hold)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("copy fails", func(t *testing.T) {
		other, full := mountSmall(t, "size=1m"), mountSmall(t, "size=16k")
		f := newFixture(t, func(o *maildir.Options) { o.Root, o.HoldDir = other, filepath.Join(full, "hold") })
		m := f.deliver(f.inbox, strings.Repeat("x", 100_000), 0)
		_, err := f.Remove(t.Context(), f.inbox, record(m), "test")
		wantCause(t, err, state.CauseDisk)
		if got := f.scan(f.inbox, record(m)); got.Count != 1 || len(got.Changed) != 0 {
			t.Errorf("the message did not stay: %+v", got)
		}
		if names := f.names(f.hold); len(names) != 0 {
			t.Errorf("half a copy stays: %q", names)
		}
	})
}

func removeOne(f *fixture) state.Held {
	f.t.Helper()
	f.put(mail, f.inbox, "cur", "k:2,S")
	f.ok(os.Chtimes(f.path(f.inbox, "cur", "k:2,S"), time.Time{}, time.Unix(1700000000, 0)))
	held, err := f.Remove(f.t.Context(), f.inbox, record(f.scan(f.inbox).New[0]), "test")
	f.ok(err)
	if diff := cmp.Diff([]string{".mailmoor"}, f.names(f.path(f.inbox))); diff != "" {
		f.t.Error(diff)
	}
	return held
}

func TestKeep(t *testing.T) {
	f := newFixture(t, on20260102)
	in := incoming(mail, 0)
	held, err := f.Keep(t.Context(), state.Held{Mailbox: "INBOX", UID: 7, Flags: state.Seen, Reason: "expunged"}, in)
	f.ok(err)
	wantHeld(f, held, strings.ReplaceAll(mail, "\r\n", "\n"))
	if held.Content != contentOf(mail) || held.Date != 1700000000 || held.Removed != f.now2026() ||
		held.Path != "2026-01-02/INBOX/"+string(held.Key)+":2,S" {
		t.Errorf("%+v", held)
	}
	in = incoming(mail, 0)
	in.Size++
	if _, err := f.Keep(t.Context(), state.Held{Mailbox: "INBOX"}, in); err == nil {
		t.Error("half a message was kept")
	}
	if names := f.names(f.hold); len(names) != 1 {
		t.Errorf("the hold area has %q", names)
	}
}

func TestHoldAreaBelowRootIsRefused(t *testing.T) {
	f := newFixture(t)
	f.ok(f.Close())
	for _, hold := range []string{f.root, filepath.Join(f.root, "x", "hold")} {
		_, err := maildir.Open(maildir.Options{Root: f.root, AccountID: account, HoldDir: hold})
		wantCause(t, err, state.CauseConfig)
	}
}

func TestHeldFileStaysInTheHoldArea(t *testing.T) {
	f := newFixture(t)
	for _, path := range []string{"../../etc/passwd", "/etc/passwd", ""} {
		if got, err := f.HeldFile(state.Held{Path: path}); err == nil {
			t.Errorf("%q leads to %s", path, got)
		}
	}
}
