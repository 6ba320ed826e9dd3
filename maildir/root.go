package maildir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"mailmoor/state"
)

// RootInfo is what a look at a would-be root shows, so that the caller can tell a
// new account from a known one and from a disk that is not mounted.
type RootInfo struct {
	// Path is the root without symbolic links; it equals what was asked for
	// when nothing exists there.
	Path   string
	Exists bool
	// MarkerID is the account id in the root's marker, empty without one.
	MarkerID string
	// Foreign says why the directory cannot be a root although it has a marker:
	// the marker is that of a folder, or cannot be read. Empty otherwise.
	Foreign string
	// Empty is true when no mail folder lies below the root.
	Empty bool
}

// ReadRoot looks at a root and changes nothing.
func ReadRoot(root string) (RootInfo, error) {
	info := RootInfo{Path: root, Empty: true}
	resolved, err := filepath.EvalSymlinks(root)
	if errors.Is(err, fs.ErrNotExist) {
		return info, nil
	}
	if err != nil {
		return info, wrap(state.ScopeAccount, err, "look at root %q", root)
	}
	d, err := openRootDir(resolved)
	if err != nil {
		return info, wrap(state.ScopeAccount, err, "look at root %q", root)
	}
	defer d.close()
	info.Path, info.Exists = resolved, true
	m, err := readMarker(d)
	switch {
	case err == nil && m.kind == kindRoot:
		info.MarkerID = m.id
	case err == nil:
		info.Foreign = fmt.Sprintf("%s is a folder of account %s", resolved, m.account)
	case errors.Is(err, errBadMarker):
		info.Foreign = err.Error()
	case !errors.Is(err, errNoMarker):
		return info, wrap(state.ScopeAccount, err, "look at root %q", root)
	}
	err = new(dirWalk).visit(d, 0, func(_ dir, maildir bool) error {
		if maildir {
			info.Empty = false
			return fs.SkipAll
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.SkipAll) {
		return info, wrap(state.ScopeAccount, err, "look for folders below root %q", root)
	}
	return info, nil
}

// CreateRoot makes the directory root of the account id, with its marker, durably.
// A directory that exists gets the marker. It refuses when there is a marker, and
// when a directory above or below is a root itself. The layout is fixed from then on.
func CreateRoot(root, id string, layout Layout) error {
	doing := state.Textf("create root %q", root)
	if !filepath.IsAbs(root) || !idPattern.MatchString(id) {
		return refuse(state.ScopeAccount, state.CauseConfig, "", doing, "path or account id %q is not usable", id)
	}
	if err := layout.check(); err != nil {
		return refuse(state.ScopeAccount, state.CauseConfig, "", doing, "%w", err)
	}
	if err := mkdirDurable(filepath.Clean(root)); err != nil {
		return wrap(state.ScopeAccount, err, "create root %q", root)
	}
	resolved, err := filepath.EvalSymlinks(root)
	if err != nil {
		return wrap(state.ScopeAccount, err, "create root %q", root)
	}
	d, err := openRootDir(resolved)
	if err != nil {
		return wrap(state.ScopeAccount, err, "create root %q", root)
	}
	defer d.close()
	if m, err := readMarker(d); !errors.Is(err, errNoMarker) {
		if err == nil {
			err = fmt.Errorf("it already is the %s of account %s", m.kind, m.account)
		}
		return refuse(state.ScopeAccount, state.CauseConfig, state.Textf("use another directory, or remove %s if nothing uses it any more",
			filepath.Join(resolved, markerName)), doing, "%w", err)
	}
	if err := errors.Join(checkAbove(resolved), checkBelow(d)); err != nil {
		return err
	}
	return wrap(state.ScopeAccount, writeMarker(d, rootMarker(id, 1, layout, "")), "create root %q", root)
}

// Generation returns the generation in the root's marker, 0 for a tree that is
// nobody's yet.
func (t *Tree) Generation() (int64, error) {
	m, err := readMarker(t.root)
	if errors.Is(err, errNoMarker) && t.o.AccountID == "" {
		return 0, nil
	}
	return m.generation, wrap(state.ScopeAccount, err, "read the marker of root %q", t.path)
}

// Mark writes the generation into the root's marker, durably. Until it returns nil, a
// power failure may bring the old one back.
func (t *Tree) Mark(generation int64) error {
	if err := t.mayChange(); err != nil {
		return err
	}
	// Not into a directory that took the root's place a moment ago.
	if err := t.checkRoot(); err != nil {
		return err
	}
	if err := rewriteMarker(t.root, rootMarker(t.o.AccountID, generation, t.o.Layout, t.separator)); err != nil {
		return wrap(state.ScopeAccount, err, "write the marker of root %q", t.path)
	}
	t.step("maildir: root marked")
	return nil
}

// mkdirDurable creates a directory and those above it that are missing.
func mkdirDurable(path string) error {
	err := os.Mkdir(path, dirMode)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	parent := filepath.Dir(path)
	if errors.Is(err, fs.ErrNotExist) && parent != path {
		if err := mkdirDurable(parent); err != nil {
			return err
		}
		err = os.Mkdir(path, dirMode)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := os.Chmod(path, dirMode); err != nil {
		return err
	}
	d, err := openRootDir(parent)
	if err != nil {
		return err
	}
	defer d.close()
	return d.sync()
}

// errNested names two roots of which one lies in the other: each would take the
// other's mail for its own.
func errNested(outer, inner string) error {
	return refuse(state.ScopeAccount, state.CauseConfig, "give each account a directory of its own", state.Textf("use root %q", inner),
		"it lies inside %q, which is another account's root", outer)
}

// checkAbove refuses a root that lies inside another one.
func checkAbove(root string) error {
	outer, err := rootAbove(root)
	if err == nil && outer != "" {
		err = errNested(outer, root)
	}
	return wrap(state.ScopeAccount, err, "look for a root above %q", root)
}

// rootAbove returns the root inside which path lies, if any.
func rootAbove(path string) (outer string, err error) {
	for filepath.Dir(path) != path {
		path = filepath.Dir(path)
		d, err := openRootDir(path)
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
			continue // no marker can be read there, by its account neither
		}
		if err != nil {
			return "", err
		}
		m, err := readMarker(d)
		d.close()
		if err == nil && m.kind == kindRoot {
			return path, nil
		}
	}
	return "", nil
}

// checkBelow refuses a root that contains another one.
func checkBelow(root dir) error {
	err := new(dirWalk).visit(root, 0, func(d dir, _ bool) error {
		m, err := readMarker(d)
		if err == nil && m.kind == kindRoot && d.path() != root.path() {
			return errNested(root.path(), d.path())
		}
		return nil
	})
	return wrap(state.ScopeAccount, err, "look for a root below %q", root.path())
}

// dirWalk counts the directories that a walk has visited.
type dirWalk struct{ visited int }

// visit shows d and the directories below it, except those of the Maildir format
// itself, and says whether each is a Maildir.
func (w *dirWalk) visit(d dir, depth int, show func(d dir, maildir bool) error) error {
	if w.visited++; w.visited > foldersMax {
		return fmt.Errorf("more than %d directories: this is no mail directory", foldersMax)
	}
	cur, err := d.isDir("cur")
	if err != nil {
		return err
	}
	if err := show(d, cur); err != nil || depth == pathDepthMax {
		return err
	}
	return d.each(func(name string) error {
		if reservedName(name) {
			return nil
		}
		if is, err := d.isDir(name); err != nil || !is {
			return err
		}
		sub, err := d.sub(name)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			return nil
		}
		if err != nil {
			return err
		}
		defer sub.close()
		return w.visit(sub, depth+1, show)
	})
}
