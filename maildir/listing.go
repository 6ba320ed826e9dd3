package maildir

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"golang.org/x/sys/unix"

	"mailmoor/state"
)

// entry is where a message file was last seen. name holds the key, too.
type entry struct {
	name string
	// inode is the directory's own number for the file, 0 where none is known.
	inode uint64
	flags state.Flags
	// letters are those from a to z in its name.
	letters string
	inNew   bool
	// planned are the flags that the last scan saw, on which plans are based;
	// flags may have been seen later. unplanned is true when the scan did not
	// see the file.
	planned   state.Flags
	unplanned bool
	// ambiguous is true when several files have the key; nothing is done with
	// any of them.
	ambiguous bool
}

// oddEntry is an entry of new/ or cur/ whose name is no message's.
type oddEntry struct {
	entry
	leftover bool
	err      error
}

// listing is what directory reads of one folder have shown.
type listing struct {
	files map[state.Key]entry
	odd   []oddEntry
	// used are the letters in the names.
	used letterSet
	// stamp was read before the listing began; settled is true when it was old
	// enough then to prove something, proven when besides nothing changed while
	// the directories were read: what is not in the listing is not in the folder.
	stamp           state.FolderStamp
	settled, proven bool
	// ours is the stamp that the folder had after the listing and our own changes since;
	// it is zero when others have changed the folder, too.
	ours state.FolderStamp
	// scanned is true when a scan has seen the folder in this run.
	scanned bool
}

// The orders of reading. Files move from new/ to cur/, so that new/ comes first;
// a second look brackets cur/, because our own moves or a careless reader may go
// the other way.
var (
	orderOnce  = []bool{true, false}
	orderAgain = []bool{true, false, true}
)

// list reads the folder's directories in the given order.
func (t *Tree) list(ctx context.Context, f *folder, order []bool) (*listing, error) {
	before, err := f.stamp()
	if err != nil {
		return nil, err
	}
	l := &listing{files: map[state.Key]entry{}, stamp: before, settled: t.proves(f, before)}
	r := reading{listing: l, twins: map[state.Key][]entry{}, seenOdd: map[string]bool{}}
	for _, inNew := range order {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		err := f.sub(inNew).entries(func(name string, inode uint64) error {
			r.add(name, inode, inNew)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	t.seen.Or(uint32(r.by))
	for key, entries := range r.twins {
		if l.files[key], err = f.settleTwins(entries); err != nil {
			return nil, err
		}
	}
	after, err := f.stamp()
	l.proven = l.settled && before == after
	if before == after {
		l.ours = after
	}
	return l, err
}

// reading collects a listing.
type reading struct {
	*listing
	twins   map[state.Key][]entry // every name of the keys that have several
	by      separatorSet          // those in the names
	seenOdd map[string]bool
}

// add takes one directory entry.
func (r *reading) add(name string, inode uint64, inNew bool) {
	kind := kindOfName(name)
	if kind == nameControl {
		return
	}
	n := parseFileName(name)
	e := entry{name: name, inode: inode, flags: n.flags, planned: n.flags, letters: lowerCase(n.others), inNew: inNew}
	r.by = r.by.with(n.by)
	err := n.key.Check()
	if kind == nameLeftover {
		err = errLeftover
	}
	if err != nil {
		if !r.seenOdd[e.path()] {
			r.odd = append(r.odd, oddEntry{entry: e, leftover: kind == nameLeftover, err: err})
		}
		r.seenOdd[e.path()] = true
		return
	}
	r.used = r.used.with(e.letters)
	if old, found := r.files[n.key]; found && (old.name != e.name || old.inNew != e.inNew) {
		if r.twins[n.key] == nil {
			r.twins[n.key] = []entry{old}
		}
		r.twins[n.key] = append(r.twins[n.key], e)
	}
	r.files[n.key] = e
}

// path is relative to the folder.
func (e entry) path() string {
	if e.inNew {
		return "new/" + e.name
	}
	return "cur/" + e.name
}

// settleTwins decides which of several names of one key counts. A file that was
// renamed while we read shows up twice and has only one name now; a file with two
// names is one message; two files are for the user to sort out.
func (f *folder) settleTwins(entries []entry) (entry, error) {
	var alive []entry
	inodes := map[uint64]bool{}
	for _, e := range entries {
		st, err := f.sub(e.inNew).stat(e.name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return entry{}, err
		}
		inodes[st.Ino] = true
		alive = append(alive, e)
	}
	if len(alive) == 0 {
		return entries[len(entries)-1], nil // renamed again: it exists
	}
	best := alive[len(alive)-1]
	if i := slices.IndexFunc(alive, func(e entry) bool { return !e.inNew }); i >= 0 {
		best = alive[i]
	}
	best.ambiguous = len(inodes) > 1
	return best, nil
}

// guess looks for the key under every name that it is likely to have, without
// reading a directory: a look-up cannot miss a file for being renamed elsewhere in
// the directory. letters are those that its name may have; the separators are the tree's
// and those that were seen in this run.
func (t *Tree) guess(f *folder, key state.Key, letters string) (entry, bool, error) {
	if parseFileName(string(key)).key != key {
		return entry{}, false, nil // a key of an older version, which knew one separator only
	}
	candidates := []entry{{name: string(key), inNew: true}, {name: string(key)}}
	seen := separatorSet(t.seen.Load()).with(t.separator)
	for _, by := range []Separator{SeparatorColon, SeparatorExclamation, SeparatorSemicolon} {
		if !seen.has(by) {
			continue
		}
		for flags := range state.AllFlags + 1 {
			name := string(key) + by.mark() + flags.String()
			candidates = append(candidates, entry{name: name, flags: flags, planned: flags})
			if letters != "" {
				candidates = append(candidates, entry{name: name + letters, flags: flags, planned: flags, letters: letters})
			}
		}
	}
	for _, e := range candidates {
		_, err := f.sub(e.inNew).stat(e.name)
		if err == nil {
			return e, true, nil
		}
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENAMETOOLONG) {
			return entry{}, false, err
		}
	}
	return entry{}, false, nil
}

// statEntry looks at the file; found is false when it has left that name.
func (f *folder) statEntry(e entry) (st unix.Stat_t, found bool, err error) {
	st, err = f.sub(e.inNew).stat(e.name)
	if errors.Is(err, fs.ErrNotExist) {
		return st, false, nil
	}
	return st, err == nil, err
}
