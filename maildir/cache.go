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

// moved notes what we did ourselves to the file of a key. A nil entry means that
// it has left the folder.
func (t *Tree) moved(path string, key state.Key, e *entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.listings[path]
	if l == nil {
		return
	}
	l.proven = false
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
