package maildir

import (
	"cmp"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"

	"mailmoor/state"
)

// Options says which tree to open, and how.
type Options struct {
	// Root is the absolute path of the account's tree. It may be a symbolic
	// link, which is resolved once.
	Root string
	// AccountID is the id that the root's marker must carry. It is empty only
	// with Peek, for a tree that is nobody's yet and must have no marker.
	AccountID string
	// Layout is how the folders are nested; it must be that of the root's marker.
	Layout Layout
	// Separator is what is written in the names of message files. The empty one is
	// that of the root's marker, or is found out before the first change.
	Separator Separator
	// Peek opens the tree for a look that leaves no trace: it takes no lock, so
	// that it keeps nobody from working, and every method that would change
	// something refuses. What it sees may be in the middle of another's work.
	Peek bool
	// Disk is a path on the disk of which Room tells, where that is not the root's: of a
	// root that is still to be made. It may be empty.
	Disk string
	// HoldDir is the absolute path of the preferred hold area. It is created
	// when first needed and must not lie below a root.
	HoldDir string
	// Hook, if not nil, is called after every durable side effect with the name
	// of the point; tests crash there.
	Hook func(point string)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	Log zerolog.Logger
}

// Tree is the Maildir tree of one account, locked against other processes unless
// it is only peeked at. Its methods may be called from several goroutines.
type Tree struct {
	o    Options
	root dir
	// path is the root without symbolic links.
	path string
	// device and inode pin the directory that was opened as root.
	device, inode uint64
	// trusted is true when the file system's directory stamps prove something.
	trusted bool
	// separator is the one that is written.
	separator Separator
	// seen is the separatorSet of all names that listings showed.
	seen atomic.Uint32
	host string
	keys atomic.Uint64
	// slowSync is set when syncing the whole file system took too long: other
	// programs write a lot, and this run syncs file by file from then on.
	slowSync atomic.Bool
	unsynced unsynced
	tables   tables
	// making is held while directories are created, so that nobody uses one
	// whose name another goroutine has yet to make durable.
	making sync.Mutex

	mu       sync.Mutex
	listings map[string]*listing // by folder path; see cache.go
	listed   int                 // names in all listings
}

// Open opens the tree of an account and locks it until Close. It creates nothing:
// a root that is missing or carries another marker is an error of account scope.
func Open(o Options) (*Tree, error) {
	unowned := o.Peek && o.AccountID == ""
	if !filepath.IsAbs(o.Root) || !filepath.IsAbs(o.HoldDir) || !unowned && !idPattern.MatchString(o.AccountID) {
		return nil, refuse(state.ScopeAccount, state.CauseConfig, "", state.Textf("open root %q", o.Root),
			"root and hold area %q must be absolute paths, and account %q an id", o.HoldDir, o.AccountID)
	}
	if err := errors.Join(o.Layout.check(), o.Separator.check()); err != nil {
		return nil, refuse(state.ScopeAccount, state.CauseConfig, "", state.Textf("open root %q", o.Root), "%w", err)
	}
	path, err := filepath.EvalSymlinks(o.Root)
	if err != nil {
		return nil, missingRoot(o.Root, err)
	}
	root, err := openRootDir(path)
	if err != nil {
		return nil, missingRoot(o.Root, err)
	}
	t := &Tree{
		o: o, root: root, path: path, host: hostName(), listings: map[string]*listing{},
		tables: tables{folders: map[string]lettering{}},
	}
	if err := t.begin(); err != nil {
		t.root.close()
		return nil, err
	}
	return t, nil
}

func (t *Tree) begin() error {
	st, err := fstat(t.root.f)
	if err != nil {
		return wrap(state.ScopeAccount, err, "open root %q", t.path)
	}
	t.device, t.inode = uint64(st.Dev), st.Ino
	t.trusted = stampsProve(t.root)
	if !t.o.Peek {
		if err := t.lock(); err != nil {
			return err
		}
	}
	if err := t.checkRoot(); err != nil {
		return err
	}
	err = errors.Join(checkAbove(t.path), t.checkHoldDir())
	if t.o.AccountID == "" {
		err = errors.Join(err, checkBelow(t.root)) // as CreateRoot will
	}
	if err != nil {
		return err
	}
	return t.chooseSeparator()
}

// lock takes the lock on the root itself, so that nothing needs to be created.
func (t *Tree) lock() error {
	err := retry(func() error { return unix.Flock(t.root.fd(), unix.LOCK_EX|unix.LOCK_NB) })
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		return refuse(state.ScopeAccount, state.CauseLocked, "wait until it has finished, or stop it",
			state.Textf("lock root %q", t.path), "%s is working on it", lockHolder(t.root))
	case err != nil:
		// Not every network file system can lock a directory. The account's
		// state has a lock of its own.
		t.o.Log.Warn().Err(err).Msg(string(state.Textf("the root %q cannot be locked, so that only the state keeps other runs out", t.path)))
	}
	return nil
}

// Close releases the tree and its lock.
func (t *Tree) Close() error {
	err := t.closeUnsynced()
	// A program that is being started at this moment has a copy of the descriptor
	// until it runs, and with it the lock: closing ours would not be enough.
	_ = retry(func() error { return unix.Flock(t.root.fd(), unix.LOCK_UN) })
	return errors.Join(err, t.root.f.Close())
}

func missingRoot(root string, err error) error {
	e := wrap(state.ScopeAccount, err, "open root %q", root)
	var known *state.Error
	if errors.As(e, &known) && known.Cause == state.CauseGone {
		known.Hint = "mount the disk that holds it; if it was moved or emptied on purpose, run mailmoor doctor --accept-root"
	}
	return e
}

// checkRoot makes sure that the root's path still leads to the directory that we
// hold open, and that it is the account's.
func (t *Tree) checkRoot() error {
	doing := state.Textf("check root %q", t.path)
	d, err := openRootDir(t.path)
	if err != nil {
		return missingRoot(t.path, err)
	}
	defer d.close()
	st, err := fstat(d.f)
	if err != nil {
		return wrap(state.ScopeAccount, err, "check root %q", t.path)
	}
	if uint64(st.Dev) != t.device || st.Ino != t.inode {
		return refuse(state.ScopeAccount, state.CauseGone, "run mailmoor again when the disk is in place", doing,
			"another directory lies there than a moment ago")
	}
	m, err := readMarker(d)
	switch {
	case errors.Is(err, errNoMarker) && t.o.AccountID == "":
		return nil
	case errors.Is(err, errNoMarker), errors.Is(err, errBadMarker):
		return refuse(state.ScopeAccount, state.CauseGone, "mount the disk that holds the mail; if the tree was emptied or moved "+
			"on purpose, run mailmoor doctor --accept-root", doing, "%w", err)
	case err != nil:
		return wrap(state.ScopeAccount, err, "check root %q", t.path)
	case m.kind != kindRoot || m.id != t.o.AccountID:
		return refuse(state.ScopeAccount, state.CauseConfig, "give each account a directory of its own", doing,
			"it is the %s of account %s, not the root of account %s", m.kind, m.account, cmp.Or(t.o.AccountID, "(new)"))
	case m.layout.plus() != t.o.Layout.plus():
		return refuse(state.ScopeAccount, state.CauseConfig, state.Textf("write layout = %q again; for the other layout, sync once more "+
			"with this one, then let maildir name a new, empty directory: the next run brings all mail there", m.layout), doing,
			"its folders are laid out as layout = %q, and the configuration says %q: the layout of a tree that is in use does not change",
			m.layout, t.o.Layout)
	}
	return nil
}

// mayChange refuses to change a tree that was opened for a look only. Every
// method that has an effect on the disk asks it first.
func (t *Tree) mayChange() error {
	if !t.o.Peek {
		return nil
	}
	return refuse(state.ScopeAccount, state.CauseOther, "", state.Textf("change the tree below %q", t.path),
		"it was opened only to be looked at")
}

// step tells the hook that a side effect is durable now, or visible.
func (t *Tree) step(point string) {
	if t.o.Hook != nil {
		t.o.Hook(point)
	}
}

func (t *Tree) now() time.Time {
	if t.o.Now != nil {
		return t.o.Now()
	}
	return time.Now()
}
