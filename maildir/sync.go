package maildir

import (
	"context"
	"sync"

	"golang.org/x/sys/unix"

	"mailmoor/state"
)

// unsyncedMax is how many directories wait for a sync at a time; each is kept open.
const unsyncedMax = 64

// unsynced are the directories in which files were renamed since they were synced. One
// sync of a directory makes all the renames in it durable.
type unsynced struct {
	mu sync.Mutex
	// gained have got files, lost have only lost some. By inode.
	gained, lost map[uint64]dir
}

// renamed notes that a file went from one directory to another, or got another name in
// the same one.
func (u *unsynced) renamed(from, to dir) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	source, err := fstat(from.f)
	if err != nil {
		return err
	}
	dest, err := fstat(to.f)
	if err != nil {
		return err
	}
	_, gained := u.gained[source.Ino]
	_, lost := u.lost[dest.Ino]
	if moved := source.Ino != dest.Ino; moved && (gained || lost) || len(u.gained)+len(u.lost) >= unsyncedMax {
		// Where a rename is not all or nothing, what has lost a file must not be durable
		// before what has got it.
		if err := u.flush(); err != nil {
			return err
		}
	}
	if err := u.keep(&u.gained, dest, to); err != nil || source.Ino == dest.Ino {
		return err
	}
	return u.keep(&u.lost, source, from)
}

func (u *unsynced) keep(in *map[uint64]dir, st unix.Stat_t, d dir) error {
	if _, known := (*in)[st.Ino]; known {
		return nil
	}
	kept, err := d.again()
	if err != nil {
		return err
	}
	if *in == nil {
		*in = make(map[uint64]dir)
	}
	(*in)[st.Ino] = kept
	return nil
}

// flush syncs what has got files, then what has lost some. What cannot be synced is
// tried again by the next flush.
func (u *unsynced) flush() error {
	for _, dirs := range []map[uint64]dir{u.gained, u.lost} {
		for inode, d := range dirs {
			if err := d.sync(); err != nil {
				return err
			}
			d.close()
			delete(dirs, inode)
		}
	}
	return nil
}

func (u *unsynced) empty() bool { return len(u.gained)+len(u.lost) == 0 }

// Sync makes the renames of all changes until now survive a power failure. See
// engine.LocalChanger.
func (t *Tree) Sync(context.Context) error {
	t.unsynced.mu.Lock()
	defer t.unsynced.mu.Unlock()
	if t.unsynced.empty() {
		return nil
	}
	if err := t.unsynced.flush(); err != nil {
		return wrap(state.ScopeAccount, err, "make changed file names durable")
	}
	t.step("maildir: folder synced")
	return nil
}

// closeUnsynced syncs what waits and closes it.
func (t *Tree) closeUnsynced() error {
	err := t.Sync(context.Background())
	for _, dirs := range []map[uint64]dir{t.unsynced.gained, t.unsynced.lost} {
		for _, d := range dirs {
			d.close()
		}
	}
	return err
}
