package maildir

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"mailmoor/state"
)

// FoldsCase reports whether the root's file system takes names that differ in case
// only for the same one. It asks for the root's marker in capitals; a root without
// one, which is only looked at, tells nothing. What is mounted below the root may be
// different: CreateFolder looks at what it gets.
func (t *Tree) FoldsCase(ctx context.Context) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	folds, err := foldsCase(t.root, markerName)
	return folds, wrap(state.ScopeAccount, err, "look at the names in root %q", t.path)
}

// foldsCase reports whether the file name, which has letters and no capitals, is
// also found in capitals, though no other file has that name. On FUSE one file has as many
// inodes as there are names for it.
func foldsCase(d dir, name string) (bool, error) {
	small, err := d.stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	capitals, err := d.stat(strings.ToUpper(name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil || small.Ino == capitals.Ino && small.Dev == capitals.Dev {
		return err == nil, err
	}
	listed := false
	err = d.each(func(entry string) error {
		listed = listed || entry == strings.ToUpper(name)
		return nil
	})
	return err == nil && !listed, err
}
