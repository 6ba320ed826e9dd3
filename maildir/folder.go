package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"mailmoor/state"
)

// folder is an open Maildir.
type folder struct {
	path      string // relative to the root
	base      dir
	new, cur  dir
	onRootDev bool // on the root's device, whose file system was judged
}

func (f *folder) close() {
	f.cur.close()
	f.new.close()
	f.base.close()
}

// sub returns one of the two directories in which messages lie.
func (f *folder) sub(inNew bool) dir {
	if inNew {
		return f.new
	}
	return f.cur
}

// openFolder opens a folder for one operation.
func (t *Tree) openFolder(path string) (*folder, error) {
	base, err := t.openPath(path)
	if err != nil {
		return nil, wrap(state.ScopeMailbox, err, "open folder %q", path)
	}
	f := &folder{path: path, base: base}
	if f.new, err = base.sub("new"); err == nil {
		f.cur, err = base.sub("cur")
	}
	var st unix.Stat_t
	if err == nil {
		st, err = fstat(f.cur.f)
	}
	if err != nil {
		f.close()
		return nil, wrap(state.ScopeMailbox, err, "open folder %q", path)
	}
	f.onRootDev = uint64(st.Dev) == t.device
	return f, nil
}

// openPath opens a directory below the root, one level after the other.
func (t *Tree) openPath(path string) (dir, error) {
	parts, err := t.o.Layout.split(path)
	if err != nil {
		return dir{}, err
	}
	if len(parts) == 0 {
		return t.root.again()
	}
	d := t.root
	for i, part := range parts {
		next, err := d.sub(part)
		if i > 0 {
			d.close()
		}
		if err != nil {
			return dir{}, err
		}
		d = next
	}
	return d, nil
}

// stamp reads the state of new/ and cur/.
func (f *folder) stamp() (state.FolderStamp, error) {
	inNew, err := fstat(f.new.f)
	if err != nil {
		return state.FolderStamp{}, err
	}
	inCur, err := fstat(f.cur.f)
	return state.FolderStamp{New: dirStamp(inNew), Cur: dirStamp(inCur)}, err
}

// proves reports whether a stamp of this folder, read now, will prove something.
func (t *Tree) proves(f *folder, s state.FolderStamp) bool {
	return t.trusted && f.onRootDev && settled(s, t.now())
}

// CreateFolder creates the folder of a mailbox, with its marker. Whatever of it
// exists is kept. The levels in apart get directories that no disk takes for those of
// names which differ in case only.
func (t *Tree) CreateFolder(ctx context.Context, name []string, apart state.LevelSet) (state.LocalFolder, error) {
	if err := errors.Join(ctx.Err(), t.mayChange()); err != nil {
		return state.LocalFolder{}, err
	}
	if err := t.checkRoot(); err != nil {
		return state.LocalFolder{}, err
	}
	t.making.Lock()
	defer t.making.Unlock()
	path, err := t.place(name, apart)
	if err != nil {
		return state.LocalFolder{}, err
	}
	return t.finishFolder(path)
}

// MarkFolder gives the folder path, which others have made, its marker. Like
// CreateFolder it creates what is missing.
func (t *Tree) MarkFolder(ctx context.Context, path string) (state.LocalFolder, error) {
	if err := errors.Join(ctx.Err(), t.mayChange()); err != nil {
		return state.LocalFolder{}, err
	}
	if err := t.checkRoot(); err != nil {
		return state.LocalFolder{}, err
	}
	t.making.Lock()
	defer t.making.Unlock()
	return t.finishFolder(path)
}

// finishFolder creates what is missing of the folder path, its marker included.
func (t *Tree) finishFolder(path string) (state.LocalFolder, error) {
	base, err := t.makePath(path)
	if err != nil {
		return state.LocalFolder{}, wrap(state.ScopeMailbox, err, "create folder %q", path)
	}
	defer base.close()
	if err := t.fillFolder(base, path); err != nil {
		return state.LocalFolder{}, wrap(state.ScopeMailbox, err, "create folder %q", path)
	}
	t.step("maildir: folder created")
	m, err := t.markFolder(base, path)
	if err != nil {
		return state.LocalFolder{}, wrap(state.ScopeMailbox, err, "mark folder %q", path)
	}
	f, err := t.openFolder(path)
	if err != nil {
		return state.LocalFolder{}, err
	}
	defer f.close()
	stamp, err := f.stamp()
	if err != nil {
		return state.LocalFolder{}, wrap(state.ScopeMailbox, err, "look at folder %q", path)
	}
	levels, apart, err := t.o.Layout.decode(path, t.unfit())
	return state.LocalFolder{Path: path, Name: levels, Apart: apart, Marker: m.id, Stamp: stamp, Settled: t.proves(f, stamp)}, err
}

// fillFolder creates what is missing of a Maildir, durably.
func (t *Tree) fillFolder(base dir, path string) error {
	if t.o.Layout.plus() && path != plusInbox {
		f, err := base.create(plusMark)
		if err == nil {
			err = f.Close()
		}
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	// cur/ comes last, since a directory counts as a folder only with it.
	for _, sub := range []string{"tmp", "new", "cur"} {
		created, err := base.mkdir(sub)
		if err == nil && !created {
			err = exactName(base, sub) // and not that of a mailbox New
		}
		if err != nil {
			return err
		}
	}
	return base.sync()
}

// makePath opens a directory below the root and creates what is missing of it.
func (t *Tree) makePath(path string) (dir, error) {
	parts, err := t.o.Layout.split(path)
	if err != nil {
		return dir{}, err
	}
	if len(parts) == 0 {
		return t.root.again()
	}
	d := t.root
	for i, part := range parts {
		next, err := t.makeDir(d, part)
		if i > 0 {
			d.close()
		}
		if err != nil {
			return dir{}, err
		}
		d = next
	}
	return d, nil
}

// makeDir opens the directory name of the tree, and creates it if it is missing.
func (t *Tree) makeDir(parent dir, name string) (dir, error) {
	d, created, err := ensureDir(parent, name)
	if err != nil {
		return dir{}, err
	}
	if !created || !plainASCII(name) {
		err = exactName(parent, name)
	}
	if !created {
		err = errors.Join(err, t.checkOurs(d))
	}
	if err != nil {
		d.close()
		return dir{}, err
	}
	return d, nil
}

// ensureDir opens the directory name, and creates it durably if it is missing.
func ensureDir(parent dir, name string) (d dir, created bool, err error) {
	created, err = parent.mkdir(name)
	if err == nil && created {
		err = parent.sync()
	}
	if err != nil {
		return dir{}, created, err
	}
	d, err = parent.sub(name)
	return d, created, err
}

// plainASCII reports whether no file system has another way to write the name.
func plainASCII(name string) bool {
	return strings.IndexFunc(name, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// exactName refuses a directory that the file system only takes for name because
// it ignores case or normalises: two mailboxes would share one folder. It refuses one,
// too, that the file system shows under another name than it was given.
func exactName(parent dir, name string) error {
	found := false
	err := parent.each(func(entry string) error {
		found = found || entry == name
		return nil
	})
	if err == nil && !found {
		err = refuse(state.ScopeMailbox, state.CauseConfig, "give the mailbox another folder with rename, or leave it out",
			state.Textf("create directory %q", name), "the file system takes the name for another one, which differs in case, "+
				"or in how accents are written: two mailboxes would share a folder")
	}
	return err
}

// checkOurs refuses a directory that carries another account's marker.
func (t *Tree) checkOurs(d dir) error {
	m, err := readMarker(d)
	switch {
	case errors.Is(err, errNoMarker):
		return nil
	case err != nil:
		return err
	case m.kind == kindRoot:
		return errNested(t.path, d.path())
	case m.account != t.o.AccountID:
		return refuse(state.ScopeMailbox, state.CauseConfig, "move the directory back to the account that it belongs to",
			state.Textf("use directory %q", d.path()), "it is a folder of another account, %s", m.account)
	}
	return nil
}

// markFolder returns the marker of a folder, which gets one if it has none.
// The root has one, which is also that of an INBOX in it.
func (t *Tree) markFolder(base dir, path string) (marker, error) {
	m, err := readMarker(base)
	if path == plusInbox {
		return m, err
	}
	if !errors.Is(err, errNoMarker) {
		return m, err
	}
	m = marker{kind: kindFolder, id: NewID(), account: t.o.AccountID, generation: 1}
	if err := writeMarker(base, m); err != nil {
		return marker{}, err
	}
	t.step("maildir: marker written")
	return m, nil
}

// checkMarked makes sure that the folder still has its marker. Without it nothing
// may be concluded from what is not in the folder.
func (t *Tree) checkMarked(f *folder) error {
	m, err := readMarker(f.base)
	kind := kindFolder
	if f.path == plusInbox {
		kind = kindRoot
	}
	if err == nil && (m.kind != kind || m.account != t.o.AccountID) {
		err = fmt.Errorf("its marker is that of a %s of account %s", m.kind, m.account)
	}
	if errors.Is(err, errNoMarker) || errors.Is(err, errBadMarker) || errors.Is(err, fs.ErrNotExist) || err != nil && m.kind != "" {
		return refuse(state.ScopeMailbox, state.CauseGone, "put the folder back, or restore its "+markerName+" file from a backup",
			state.Textf("scan folder %q", f.path), "%w", err)
	}
	return wrap(state.ScopeMailbox, err, "scan folder %q", f.path)
}
