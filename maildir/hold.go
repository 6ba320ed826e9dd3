package maildir

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"mailmoor/state"
)

// The hold area keeps the files that we removed:
//
//	<hold area>/<date>/<encoded mailbox name>/<key>:2,<flags>
//
// with the separator of the tree.
//
// It lies in Options.HoldDir when files can be renamed there from the tree, or
// else in a hidden directory beside the root. It never lies below a root: readers
// and indexers would find the mail again there.

// besideRoot returns the second choice.
func (t *Tree) besideRoot() string {
	return filepath.Join(filepath.Dir(t.path), "."+filepath.Base(t.path)+".mailmoor-hold")
}

// checkHoldDir refuses a hold area below a root.
func (t *Tree) checkHoldDir() error {
	doing := state.Textf("use hold area %q", t.o.HoldDir)
	// What does not exist yet is judged by where it will be created.
	path := filepath.Clean(t.o.HoldDir)
	resolved, err := filepath.EvalSymlinks(path)
	for errors.Is(err, fs.ErrNotExist) && filepath.Dir(path) != path {
		path = filepath.Dir(path)
		resolved, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return wrap(state.ScopeAccount, err, "%s", doing)
	}
	outer, err := rootAbove(filepath.Join(resolved, "below"))
	if err == nil && outer != "" {
		return refuse(state.ScopeAccount, state.CauseConfig, "choose a state directory outside of the mail", doing,
			"it lies inside %q, where mail readers would find what is kept there", outer)
	}
	return wrap(state.ScopeAccount, err, "%s", doing)
}

// holdPath returns where in a hold area a file goes.
func (t *Tree) holdPath(h state.Held, n fileName) (subs []string, name string, err error) {
	mailbox, err := encodePath([]string{h.Mailbox}, 0, t.unfit())
	if err != nil {
		return nil, "", err
	}
	parts, err := splitPath(mailbox)
	return append([]string{t.now().Format(time.DateOnly)}, parts...), string(n.key) + n.info(t.separator, h.Flags), err
}

// openHold opens a directory of a hold area and creates what is missing of it.
func (t *Tree) openHold(area string, subs []string) (dir, error) {
	t.making.Lock()
	defer t.making.Unlock()
	if err := mkdirDurable(area); err != nil {
		return dir{}, err
	}
	d, err := openRootDir(area)
	for _, sub := range subs {
		if err != nil {
			return dir{}, err
		}
		var next dir
		next, _, err = ensureDir(d, sub)
		d.close()
		d = next
	}
	return d, err
}

// heldKeyBytesMax is how much of a key a name in the hold area keeps when another
// one is needed there.
const heldKeyBytesMax = 190

// renameFree moves a file into a hold directory, under another name if its own is
// taken or too long with all flags, and returns the name.
func renameFree(from dir, name string, to dir, want string) (string, error) {
	err := renameNoReplace(from, name, to, want)
	if !errors.Is(err, fs.ErrExist) && !errors.Is(err, unix.ENAMETOOLONG) {
		return want, err
	}
	n := parseFileName(want)
	n.tail = ""
	want = string(n.key[:min(len(n.key), heldKeyBytesMax)]) + "." + randomHex(4) + n.info(n.by, n.flags)
	return want, renameNoReplace(from, name, to, want)
}

// Remove moves the file of the record to the hold area, after making sure that it
// still is the record's message with the flags that were planned with.
func (t *Tree) Remove(ctx context.Context, path string, r state.Record, reason state.Text) (state.Held, error) {
	if err := t.mayChange(); err != nil {
		return state.Held{}, err
	}
	doing := state.Textf("remove %s/%s", path, r.Key)
	f, err := t.openFolder(path)
	if err != nil {
		return state.Held{}, err
	}
	defer f.close()
	expect := t.planned(path, r)
	for range triesMax {
		e, err := t.find(ctx, f, r.Key, expect, doing)
		if err != nil {
			return state.Held{}, err
		}
		if e.flags != expect {
			return state.Held{}, stale(doing, "its flags are %q now, not %q", e.flags, expect)
		}
		st, err := f.sameMessage(ctx, e, r, doing)
		held := state.Held{
			Mailbox: r.Mailbox, Key: r.Key, UID: r.UID, Flags: e.flags, Content: r.Content,
			Date: r.Remote.Date, Removed: t.now().Unix(), Reason: reason,
		}
		if held.Date == 0 {
			held.Date = date(st)
		}
		if err == nil {
			held.Path, err = t.hold(ctx, f, e, st, held)
		}
		if renamed(err) {
			continue
		}
		if err != nil {
			return state.Held{}, wrap(state.ScopeMessage, err, "%s", doing)
		}
		t.moved(f, r.Key, nil, false)
		t.step("maildir: file held")
		return held, nil
	}
	return state.Held{}, errRestless(doing)
}

// hold moves the file of e out of the tree and returns its path in the hold area.
func (t *Tree) hold(ctx context.Context, f *folder, e entry, st unix.Stat_t, h state.Held) (string, error) {
	subs, name, err := t.holdPath(h, parseFileName(e.name))
	if err != nil {
		return "", err
	}
	for _, area := range []string{t.o.HoldDir, t.besideRoot()} {
		if !onDevice(area, uint64(st.Dev)) {
			continue
		}
		d, err := t.openHold(area, subs)
		if err != nil && area != t.o.HoldDir {
			break // we may not write beside the root
		}
		if err != nil {
			return "", wrap(state.ScopeAccount, err, "use hold area %q", area)
		}
		held, err := t.holdByRename(f.sub(e.inNew), e.name, st, d, name)
		d.close()
		if errors.Is(err, unix.EXDEV) {
			continue
		}
		return filepath.Join(filepath.Join(subs...), held), err
	}
	d, err := t.openHold(t.o.HoldDir, subs)
	if err != nil {
		return "", wrap(state.ScopeAccount, err, "use hold area %q", t.o.HoldDir)
	}
	defer d.close()
	held, err := t.holdByCopy(ctx, f, e, h.Content, d, name)
	return filepath.Join(filepath.Join(subs...), held), err
}

// onDevice reports whether path, or what exists above it, lies on the device. A
// rename to another one fails, and need not leave empty directories behind.
func onDevice(path string, device uint64) bool {
	for {
		var st unix.Stat_t
		err := unix.Stat(path, &st)
		if err == nil {
			return uint64(st.Dev) == device
		}
		if !errors.Is(err, fs.ErrNotExist) || filepath.Dir(path) == path {
			return false
		}
		path = filepath.Dir(path)
	}
}

// Keep writes a message into the hold area, durably.
func (t *Tree) Keep(ctx context.Context, held state.Held, in state.Incoming) (state.Held, error) {
	if err := t.mayChange(); err != nil {
		return state.Held{}, err
	}
	doing := state.Textf("keep message UID %d of mailbox %q", in.UID, held.Mailbox)
	if held.Key == "" {
		held.Key = t.NewKey()
	}
	if held.Removed == 0 {
		held.Removed = t.now().Unix()
	}
	err := held.Key.Check()
	if err != nil {
		return state.Held{}, wrap(state.ScopeMessage, err, "%s", doing)
	}
	subs, name, err := t.holdPath(held, fileName{key: held.Key})
	if err != nil {
		return state.Held{}, wrap(state.ScopeMessage, err, "%s", doing)
	}
	d, err := t.openHold(t.o.HoldDir, subs)
	if err != nil {
		return state.Held{}, wrap(state.ScopeMessage, err, "%s", doing)
	}
	defer d.close()
	tmp := "." + randomHex(8) + ".tmp"
	file, m, err := writeMessage(ctx, d, tmp, in)
	if err == nil {
		if err = errors.Join(syncFile(file), file.Close()); err == nil {
			name, err = renameFree(d, tmp, d, name)
		}
		if err != nil {
			err = errors.Join(err, d.unlink(tmp))
		} else {
			err = d.sync()
		}
	}
	if err != nil {
		return state.Held{}, wrap(state.ScopeMessage, err, "%s", doing)
	}
	t.step("maildir: message kept")
	held.Path, held.Content, held.Date = filepath.Join(filepath.Join(subs...), name), m.Content, m.Date
	return held, nil
}

// HeldFile returns the absolute path of a file in the hold area, wherever that lies.
func (t *Tree) HeldFile(held state.Held) (string, error) {
	if !filepath.IsLocal(held.Path) {
		return "", refuse(state.ScopeMessage, state.CauseOther, "", "find a held file", "%q is not a path in the hold area", held.Path)
	}
	for _, area := range []string{t.o.HoldDir, t.besideRoot()} {
		path := filepath.Join(area, held.Path)
		_, err := os.Lstat(path)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", wrap(state.ScopeMessage, err, "find held file %q", held.Path)
		}
	}
	return "", wrap(state.ScopeMessage, fs.ErrNotExist, "find held file %q", held.Path)
}
