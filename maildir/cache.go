package maildir

import (
	"context"

	"mailmoor/state"
)

// listedMax bounds the names that are remembered between the scan of a folder and
// the operations on it: some 150 bytes each.
const listedMax = 1_000_000

// remember keeps a listing for the operations of this run. A listing that is not
// a scan's own keeps what the scan saw of the flags.
func (t *Tree) remember(path string, l *listing, scanned bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l.scanned = scanned
	if old := t.listings[path]; old != nil && !scanned && old.scanned {
		l.scanned = true
		for key, e := range l.files {
			before, found := old.files[key]
			e.planned, e.unplanned = before.planned, !found || before.unplanned
			l.files[key] = e
		}
	}
	t.forgetLocked(path)
	if t.listed+len(l.files) > listedMax {
		t.listings, t.listed = map[string]*listing{}, 0
	}
	t.listings[path] = l
	t.listed += len(l.files)
}

func (t *Tree) forgetLocked(path string) {
	if old := t.listings[path]; old != nil {
		t.listed -= len(old.files)
		delete(t.listings, path)
	}
}

// known returns what the last listing of the folder shows of the key. exact is
// true when the folder has not changed since, so that absence is proven.
func (t *Tree) known(f *folder, key state.Key) (e entry, found, exact bool) {
	now, err := f.stamp()
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.listings[f.path]
	if l == nil {
		return entry{}, false, false
	}
	e, found = l.files[key]
	return e, found, err == nil && l.proven && now == l.stamp
}

// alone reports whether only we have changed the folder since it was listed, as far as
// its stamp tells.
func (t *Tree) alone(f *folder) bool {
	now, err := f.stamp()
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.listings[f.path]
	return err == nil && l != nil && l.ours == now
}

// moved notes what we did ourselves to the file of a key. A nil entry means that
// it has left the folder. alone is what alone said just before.
func (t *Tree) moved(f *folder, key state.Key, e *entry, alone bool) {
	now, err := f.stamp()
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.listings[f.path]
	if l == nil {
		return
	}
	l.proven = false
	if l.ours = now; err != nil || !alone {
		l.ours = state.FolderStamp{}
	}
	t.listed -= len(l.files)
	if e == nil {
		delete(l.files, key)
	} else {
		l.files[key] = *e
	}
	t.listed += len(l.files)
}

// planned returns the flags that plans of this run expect of the file: those that
// the last scan saw, or those of the record when there was none.
func (t *Tree) planned(path string, r state.Record) state.Flags {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l := t.listings[path]; l != nil && l.scanned {
		if e, found := l.files[r.Key]; found && !e.unplanned {
			return e.planned
		}
	}
	return r.Flags
}

// taken reports whether a file of the folder has the key. A listing that knows our own
// changes will do while nobody else has changed the folder: a file that comes with the
// key just then is found by the next scan, as one that comes a moment later is.
func (t *Tree) taken(ctx context.Context, f *folder, key state.Key) (bool, error) {
	if !t.alone(f) {
		l, err := t.list(ctx, f, orderOnce)
		if err != nil {
			return false, err
		}
		t.remember(f.path, l, false)
	}
	_, found, _ := t.known(f, key)
	return found, nil
}

// likely looks for the file of a key in a folder that has not been listed in this run:
// under the name that it has with these flags, and then as guess does. It may still be
// there under another name.
func (t *Tree) likely(f *folder, key state.Key, flags state.Flags) (entry, bool, error) {
	t.mu.Lock()
	listed := t.listings[f.path] != nil
	t.mu.Unlock()
	if listed {
		return entry{}, false, nil
	}
	e := entry{name: string(key) + t.separator.mark() + flags.String(), flags: flags, planned: flags}
	if parseFileName(e.name).key == key {
		if _, found, err := f.statEntry(e); found || err != nil {
			return e, found, err
		}
	}
	return t.guess(f, key, "")
}

// locate finds the present name of a key. found is false only when that is proven
// by the standard that Scan sets: two complete reads and a direct look-up.
func (t *Tree) locate(ctx context.Context, f *folder, key state.Key) (entry, bool, error) {
	if err := key.Check(); err != nil {
		return entry{}, false, err
	}
	e, known, exact := t.known(f, key)
	if known && !e.ambiguous {
		if _, found, err := f.statEntry(e); found || err != nil {
			return e, found, err
		}
	}
	if !known && exact {
		return entry{}, false, nil
	}
	for _, order := range [][]bool{orderOnce, orderAgain} {
		l, err := t.list(ctx, f, order)
		if err != nil {
			return entry{}, false, err
		}
		e, found := l.files[key]
		proven := l.proven
		t.remember(f.path, l, false) // it belongs to everybody from here on
		if found || proven {
			return e, found, nil
		}
	}
	e, found, err := t.guess(f, key, e.letters)
	return e, found, err
}
