package maildir

import (
	"errors"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"

	"mailmoor/state"
)

// AdoptRoot makes the directory root that of the account id, whatever marker it has, and
// creates it if need be. Folders below it whose marker is another account's, or cannot be
// read, lose it. It refuses when another root lies above or below, while somebody works
// on the tree, and when it cannot be written to. When nothing speaks against it, it calls
// forget before it changes anything but the directory itself: what is known of an older
// tree must be gone when this one gets the marker. All may be done again after an
// interruption. The tree has the given layout from then on: directories that do not fit
// it are left alone, and left out.
func AdoptRoot(root, id string, layout Layout, forget func() error) error {
	doing := state.Textf("accept root %q", root)
	if !filepath.IsAbs(root) || !idPattern.MatchString(id) {
		return refuse(state.ScopeAccount, state.CauseConfig, "", doing, "path or account id %q is not usable", id)
	}
	if err := layout.check(); err != nil {
		return refuse(state.ScopeAccount, state.CauseConfig, "", doing, "%w", err)
	}
	if err := mkdirDurable(filepath.Clean(root)); err != nil {
		return wrap(state.ScopeAccount, err, "accept root %q", root)
	}
	resolved, err := filepath.EvalSymlinks(root)
	if err != nil {
		return wrap(state.ScopeAccount, err, "accept root %q", root)
	}
	d, err := openRootDir(resolved)
	if err != nil {
		return wrap(state.ScopeAccount, err, "accept root %q", root)
	}
	defer d.close()
	err = retry(func() error { return unix.Flock(d.fd(), unix.LOCK_EX|unix.LOCK_NB) })
	if errors.Is(err, unix.EWOULDBLOCK) {
		return refuse(state.ScopeAccount, state.CauseLocked, "wait until it has finished, or stop it", doing,
			"%s is working on it", lockHolder(d))
	}
	if err := errors.Join(checkAbove(resolved), checkBelow(d)); err != nil {
		return err
	}
	if err := unix.Access(resolved, unix.W_OK); err != nil {
		return wrap(state.ScopeAccount, d.fail("write to", "", err), "accept root %q", root)
	}
	if err := forget(); err != nil {
		return err
	}
	// The folders go first: a root that is the account's is not looked at again.
	if err := dropMarkers(d, id); err != nil {
		return wrap(state.ScopeAccount, err, "accept root %q", root)
	}
	return wrap(state.ScopeAccount, rewriteMarker(d, rootMarker(id, 1, layout, "")), "accept root %q", root)
}

// dropMarkers removes the markers of folders that are not the account's.
func dropMarkers(root dir, id string) error {
	return new(dirWalk).visit(root, 0, func(d dir, _ bool) error {
		if d.path() == root.path() {
			return nil
		}
		m, err := readMarker(d)
		switch {
		case errors.Is(err, errNoMarker), err == nil && m.account == id:
			return nil
		case err != nil && !errors.Is(err, errBadMarker):
			return err
		}
		if err := d.unlink(markerName); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return d.sync()
	})
}
