package maildir_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"mailmoor/maildir"
	"mailmoor/state"
	"mailmoor/test/chance"
)

func TestDeliver(t *testing.T) {
	f := newFixture(t)
	fresh := f.deliver(f.inbox, mail, 0)
	seen := f.deliver(f.inbox, mail, state.Seen|state.Flagged)
	want := []string{"cur/" + string(seen.Key) + ":2,FS", "new/" + string(fresh.Key)}
	if diff := cmp.Diff(append([]string{".mailmoor"}, want...), f.names(f.path(f.inbox))); diff != "" {
		t.Fatal(diff)
	}
	stored, err := os.ReadFile(f.path(f.inbox, want[1]))
	f.ok(err)
	if string(stored) != strings.ReplaceAll(mail, "\r\n", "\n") {
		t.Errorf("stored as %q", stored)
	}
	info, err := os.Stat(f.path(f.inbox, want[1]))
	f.ok(err)
	if info.ModTime().Unix() != 1700000000 || fresh.Date != 1700000000 {
		t.Errorf("mtime %v, date %d", info.ModTime(), fresh.Date)
	}
	delta := f.scan(f.inbox)
	if diff := cmp.Diff(sortByKey([]state.LocalMessage{fresh, seen}), delta.New); diff != "" {
		t.Errorf("a scan sees another message than Add described: %s", diff)
	}
}

// The order is what makes a message survive a power failure: content before name,
// name before return.
func TestDeliveryOrder(t *testing.T) {
	for _, n := range []int{1, 2, 17} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			f := newFixture(t)
			d, err := f.Deliver(t.Context(), f.inbox)
			f.ok(err)
			var want []string
			for range n {
				_, err := d.Add(f.NewKey(), incoming(mail, 0))
				f.ok(err)
				want = append(want, "maildir: tmp file written")
			}
			if n := f.scan(f.inbox).Count; n != 0 {
				t.Errorf("%d messages are visible before Commit", n)
			}
			f.ok(d.Commit())
			want = append(want, "maildir: files synced")
			for range n {
				want = append(want, "maildir: file renamed")
			}
			want = append(want, "maildir: folder synced")
			if diff := cmp.Diff(want, f.points); diff != "" {
				t.Error(diff)
			}
			if got := f.scan(f.inbox).Count; got != n {
				t.Errorf("%d messages after Commit, want %d", got, n)
			}
		})
	}
}

func TestAddRefuses(t *testing.T) {
	tests := map[string]struct {
		in    state.Incoming
		cause state.Cause
	}{
		"short body":       {state.Incoming{Size: 100, Body: strings.NewReader(mail)}, state.CauseNetwork},
		"long body":        {state.Incoming{Size: 10, Body: strings.NewReader(mail)}, state.CauseNetwork},
		"empty body":       {state.Incoming{Size: 0, Body: strings.NewReader("")}, state.CauseRefused},
		"body that breaks": {state.Incoming{Size: 10, Body: brokenReader{}}, state.CauseNetwork},
		"enormous body":    {state.Incoming{Size: 1 << 40, Body: strings.NewReader(mail)}, state.CauseTooLarge},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			d, err := f.Deliver(t.Context(), f.inbox)
			f.ok(err)
			good, err := d.Add(f.NewKey(), incoming(mail, 0))
			f.ok(err)
			_, err = d.Add(f.NewKey(), test.in)
			wantCause(t, err, test.cause)
			if state.ScopeOf(err) != state.ScopeMessage {
				t.Errorf("scope %v", state.ScopeOf(err))
			}
			f.ok(d.Commit())
			if diff := cmp.Diff([]string{".mailmoor", "new/" + string(good.Key)}, f.names(f.path(f.inbox))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestAbortAndDiscard(t *testing.T) {
	f := newFixture(t)
	d, err := f.Deliver(t.Context(), f.inbox)
	f.ok(err)
	key := f.NewKey()
	_, err = d.Add(key, incoming(mail, 0))
	f.ok(err)
	d.Abort()
	f.put("left by a crash", f.inbox, "tmp", string(key))
	f.put("of another program", f.inbox, "tmp", "other")
	f.ok(f.Discard(t.Context(), f.inbox, key))
	f.ok(f.Discard(t.Context(), f.inbox, key))
	if diff := cmp.Diff([]string{".mailmoor", "tmp/other"}, f.names(f.path(f.inbox))); diff != "" {
		t.Error(diff)
	}
}

func TestDeliveryNeverReplaces(t *testing.T) {
	f := newFixture(t)
	d, err := f.Deliver(t.Context(), f.inbox)
	f.ok(err)
	key := f.NewKey()
	_, err = d.Add(key, incoming(mail, 0))
	f.ok(err)
	taken := f.put("precious", f.inbox, "new", string(key))
	if err := d.Commit(); err == nil {
		t.Fatal("the name was taken")
	}
	if got, err := os.ReadFile(taken); err != nil || string(got) != "precious" {
		t.Errorf("%q, %v", got, err)
	}
	if diff := cmp.Diff([]string{".mailmoor", "new/" + string(key)}, f.names(f.path(f.inbox))); diff != "" {
		t.Error(diff)
	}
}

func TestPermissionsDoNotDependOnUmask(t *testing.T) {
	for _, mask := range []int{0, 0o777} {
		func() {
			old := unix.Umask(mask)
			defer unix.Umask(old)
			f := newFixture(t)
			f.deliver(f.folder("a", "b"), mail, 0)
			m := f.deliver(f.inbox, mail, 0)
			_, err := f.Remove(t.Context(), f.inbox, record(m), "test")
			f.ok(err)
			f.ok(filepath.Walk(filepath.Dir(f.root), func(path string, info os.FileInfo, err error) error {
				want := os.FileMode(0o600)
				if err == nil && info.IsDir() {
					want = 0o700
				}
				if err == nil && info.Mode().Perm() != want && path != filepath.Dir(f.root) {
					t.Errorf("umask %o: %s has mode %o", mask, path, info.Mode().Perm())
				}
				return err
			}))
		}()
	}
}

// Whatever the server sends comes back as its canonical form, with the content
// that was announced for it.
func TestRoundTrip(t *testing.T) {
	f := newFixture(t)
	chance.Check(t, func(r *rapid.T) {
		piece := rapid.SampledFrom([]string{"\r", "\n", "\r\n", "\n\r", "a", ": ", "Status: RO", "\x00", "\xff", strings.Repeat("x", 70_000)})
		body := strings.Join(rapid.SliceOfN(piece, 1, 30).Draw(r, "body"), "")
		m := f.deliver(f.inbox, body, 0)
		if diff := cmp.Diff(contentOf(body), m.Content); diff != "" {
			r.Fatal(diff)
		}
		up, err := f.Open(t.Context(), f.inbox, m)
		if err != nil {
			r.Fatal(err)
		}
		in, err := up.Open()
		if err != nil {
			r.Fatal(err)
		}
		defer in.Close()
		got, err := io.ReadAll(in)
		if err != nil || string(got) != canonical(body) || int64(len(got)) != up.Size {
			r.Fatalf("%d of %d bytes, error %v, equal %v", len(got), up.Size, err, string(got) == canonical(body))
		}
		strict := !strings.Contains(strings.ReplaceAll(body, "\r\n", ""), "\n") && !strings.Contains(strings.ReplaceAll(body, "\r\n", ""), "\r")
		stored, err := os.ReadFile(f.path(f.inbox, "new", string(m.Key)))
		if err != nil || strict && string(stored) != strings.ReplaceAll(body, "\r\n", "\n") || !strict && string(stored) != body {
			r.Fatalf("stored %.60q for %.60q, %v", stored, body, err)
		}
	})
}

func TestKeysDiffer(t *testing.T) {
	f := newFixture(t)
	seen := map[state.Key]bool{}
	for range 1000 {
		key := f.NewKey()
		if seen[key] || key.Check() != nil || strings.ContainsAny(string(key), ":/ ") {
			t.Fatalf("key %q: seen %v, %v", key, seen[key], key.Check())
		}
		seen[key] = true
	}
}

func TestFullDisk(t *testing.T) {
	small := mountSmall(t, "size=256k")
	f := newFixture(t, func(o *maildir.Options) { o.Root = filepath.Join(small, "mail") })
	kept := f.deliver(f.inbox, mail, 0)
	d, err := f.Deliver(t.Context(), f.inbox)
	f.ok(err)
	_, err = d.Add(f.NewKey(), incoming(strings.Repeat("x", 400_000), 0))
	wantCause(t, err, state.CauseDisk)
	if state.ScopeOf(err) != state.ScopeAccount {
		t.Errorf("a full disk has scope %v", state.ScopeOf(err))
	}
	f.ok(d.Commit())
	if diff := cmp.Diff([]string{".mailmoor", "new/" + string(kept.Key)}, f.names(f.path(f.inbox))); diff != "" {
		t.Error(diff)
	}
}

// mountSmall mounts a small file system for the time of the test.
func mountSmall(t *testing.T, options string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a small file system")
	}
	dir := t.TempDir()
	err := mountTmpfs(dir, options)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("no tmpfs on this system")
	}
	if err != nil {
		t.Fatalf("mount a tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}
