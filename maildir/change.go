package maildir

import (
	"context"
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"

	"mailmoor/state"
)

// triesMax is how often a file is looked up again because another program renamed
// it between the look and the act.
const triesMax = 5

// renamed reports whether a file has left the name under which it was seen. An
// error that was judged before is about something else.
func renamed(err error) bool {
	var judged *state.Error
	return errors.Is(err, fs.ErrNotExist) && !errors.As(err, &judged)
}

// errRestless says that triesMax was not enough.
func errRestless(doing state.Text) error {
	return stale(doing, "other programs keep renaming the file")
}

// find returns where the file of a key is now, which should have these flags;
// CauseStale when it is not there.
func (t *Tree) find(ctx context.Context, f *folder, key state.Key, expect state.Flags, doing state.Text) (entry, error) {
	e, found, err := t.likely(f, key, expect)
	if err == nil && !found {
		e, found, err = t.locate(ctx, f, key)
	}
	switch {
	case err != nil:
		return e, wrap(state.ScopeMessage, err, "%s", doing)
	case !found:
		return e, stale(doing, "the file is not in the folder any more")
	case e.ambiguous:
		return e, stale(doing, "two files have this key")
	}
	return e, nil
}

// withFlags returns the entry with these flags and, where key is not empty, with
// that key. A file that gets flags leaves new/ for cur/; without any it stays
// where it is.
func (e entry) withFlags(by Separator, want state.Flags, key state.Key) entry {
	n := parseFileName(e.name)
	to := entry{flags: want, planned: want, letters: e.letters, inNew: e.inNew && want == 0}
	to.name = string(n.key)
	if !n.noInfo || !to.inNew && want != e.flags {
		to.name += n.info(by, want)
	}
	if key != "" {
		to = to.withKey(by, key)
	}
	return to
}

// withKey returns the entry with another key, as a file gets one whose name is taken
// where it goes, or has no room for its flags. Only the letters come along: what
// else stands behind them may be what is too long.
func (e entry) withKey(by Separator, key state.Key) entry {
	n := parseFileName(e.name)
	n.tail = ""
	e.name = string(key)
	if !n.noInfo {
		e.name += n.info(by, e.flags)
	}
	return e
}

// SetFlags replaces the flags expect of the file by want.
func (t *Tree) SetFlags(ctx context.Context, path string, key state.Key, expect, want state.Flags) (state.LocalMessage, error) {
	if err := t.mayChange(); err != nil {
		return state.LocalMessage{}, err
	}
	doing := state.Textf("set the flags of %s/%s to %q", path, key, want)
	return t.renameFile(ctx, path, key, expect, doing, func(_ *folder, e entry) (entry, error) {
		if e.flags != expect {
			return e, stale(doing, "its flags are %q now, not %q", e.flags, expect)
		}
		return e.withFlags(t.separator, want, ""), nil
	})
}

// renameFile gives the file of a key the name that to returns, in its folder. expect are
// the flags that it probably has. Where
// somebody else renames it meanwhile, it looks again.
func (t *Tree) renameFile(
	ctx context.Context, path string, key state.Key, expect state.Flags, doing state.Text, to func(*folder, entry) (entry, error),
) (state.LocalMessage, error) {
	f, err := t.openFolder(path)
	if err != nil {
		return state.LocalMessage{}, err
	}
	defer f.close()
	for range triesMax {
		e, err := t.find(ctx, f, key, expect, doing)
		if err != nil {
			return state.LocalMessage{}, err
		}
		now, err := to(f, e)
		if err != nil {
			return state.LocalMessage{}, err
		}
		st, err := t.moveFile(f, e, f, now)
		if errors.Is(err, unix.ENAMETOOLONG) {
			now = now.withKey(t.separator, t.NewKey())
			st, err = t.moveFile(f, e, f, now)
		}
		if renamed(err) {
			continue
		}
		if errors.Is(err, fs.ErrExist) {
			return state.LocalMessage{}, stale(doing, "another file has the new name: %w", err)
		}
		return message(now, st), wrap(state.ScopeMessage, err, "%s", doing)
	}
	return state.LocalMessage{}, errRestless(doing)
}

// moveFile renames the file and returns what it then is.
func (t *Tree) moveFile(from *folder, e entry, to *folder, now entry) (unix.Stat_t, error) {
	fromDir, toDir := from.sub(e.inNew), to.sub(now.inNew)
	// A rename changes none of what a record keeps of the stat.
	st, err := fromDir.stat(e.name)
	if err == nil {
		err = checkUsable(st)
	}
	if err != nil {
		return st, err
	}
	sameDir := from == to && e.inNew == now.inNew
	if !sameDir || e.name != now.name {
		fromAlone, toAlone := t.alone(from), t.alone(to)
		if err := renameNoReplace(fromDir, e.name, toDir, now.name); err != nil {
			return st, err
		}
		t.moved(from, parseFileName(e.name).key, nil, fromAlone)
		t.moved(to, parseFileName(now.name).key, &now, toAlone)
		t.step("maildir: file renamed")
		if err := t.unsynced.renamed(fromDir, toDir); err != nil {
			return st, err
		}
	}
	return st, nil
}

// sameMessage makes sure that the file of e is the message of the record: equal
// stat, or else equal content.
func (f *folder) sameMessage(ctx context.Context, e entry, r state.Record, doing state.Text) (unix.Stat_t, error) {
	file, st, err := f.openMessage(e)
	if unusable(err) {
		return st, stale(doing, "%w", err)
	}
	if err != nil {
		return st, err
	}
	defer file.Close()
	if fileStat(st) == r.Stat {
		return st, nil
	}
	content, err := contentOf(ctx, file, st.Size)
	if err == nil && content.Digest != r.Content.Digest {
		err = stale(doing, "the file has another content than when both sides last agreed")
	}
	return st, err
}

// Move renames the file of the record into the folder dest, under the same key
// where that is free there, and sets its flags.
func (t *Tree) Move(ctx context.Context, path string, r state.Record, dest string, want state.Flags) (state.LocalMessage, error) {
	if err := t.mayChange(); err != nil {
		return state.LocalMessage{}, err
	}
	doing := state.Textf("move %s/%s to folder %q", path, r.Key, dest)
	if path == dest {
		return state.LocalMessage{}, refuse(state.ScopeMessage, state.CauseOther, "", doing, "it already lies there")
	}
	from, err := t.openFolder(path)
	if err != nil {
		return state.LocalMessage{}, err
	}
	defer from.close()
	to, err := t.openFolder(dest)
	if err != nil {
		return state.LocalMessage{}, err
	}
	defer to.close()
	expect, newKey := t.planned(path, r), state.Key("")
	for range triesMax {
		e, err := t.find(ctx, from, r.Key, expect, doing)
		if err != nil {
			return state.LocalMessage{}, err
		}
		if e.flags != expect {
			return state.LocalMessage{}, stale(doing, "its flags are %q now, not %q", e.flags, expect)
		}
		if taken, err := t.taken(ctx, to, r.Key); err != nil {
			return state.LocalMessage{}, wrap(state.ScopeMessage, err, "%s", doing)
		} else if taken {
			newKey = t.NewKey()
		}
		_, err = from.sameMessage(ctx, e, r, doing)
		now, k := e, state.Keywords("")
		if err == nil {
			now, k, err = t.translated(ctx, from, e, to)
		}
		now = now.withFlags(t.separator, want, newKey)
		var st unix.Stat_t
		if err == nil {
			st, err = t.moveFile(from, e, to, now)
		}
		switch {
		case renamed(err):
			continue
		case errors.Is(err, fs.ErrExist), errors.Is(err, unix.ENAMETOOLONG) && newKey == "":
			newKey = t.NewKey()
			continue
		}
		m := message(now, st)
		m.Content, m.Keywords = r.Content, k.Union(r.AllKeywords())
		return m, wrap(state.ScopeMessage, err, "%s", doing)
	}
	return state.LocalMessage{}, errRestless(doing)
}
