package maildir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// renameFunc renames a file without replacing another one.
type renameFunc func(from dir, name string, to dir, newName string) error

// renameWays are tried in order until the file system supports one.
var renameWays = [...]renameFunc{renameExclusive, renameByLink, renameChecked}

// renameNoReplace moves a file to a name that must not exist yet. A plain
// rename(2) would silently destroy the message of that name.
func renameNoReplace(from dir, name string, to dir, newName string) error {
	var err error
	for _, way := range renameWays {
		err = retry(func() error { return way(from, name, to, newName) })
		if !unsupported(err) {
			break
		}
	}
	if err != nil {
		err = &os.LinkError{Op: "rename", Old: from.path() + "/" + name, New: to.path() + "/" + newName, Err: err}
	}
	return err
}

// unsupported reports whether the error is about the way, not about the files.
func unsupported(err error) bool {
	return errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) || errors.Is(err, errors.ErrUnsupported)
}

// renameByLink gives the file its new name before it takes the old one away, so
// that a crash leaves two names for one message, never none.
func renameByLink(from dir, name string, to dir, newName string) error {
	err := unix.Linkat(from.fd(), name, to.fd(), newName, 0)
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EMLINK), errors.Is(err, unix.EACCES):
		// No hard links here, or not of this file.
		return fmt.Errorf("%w: %w", errors.ErrUnsupported, err)
	case err != nil:
		return err
	}
	return unix.Unlinkat(from.fd(), name, 0)
}

// renameChecked is the last resort, for file systems without hard links. Between
// the look and the rename only a file with the same key could appear, and keys
// carry 64 random bits.
func renameChecked(from dir, name string, to dir, newName string) error {
	_, err := to.stat(newName)
	switch {
	case err == nil:
		return unix.EEXIST
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return unix.Renameat(from.fd(), name, to.fd(), newName)
}
