package maildir

import "golang.org/x/sys/unix"

// renameExclusive renames in one step and fails when the new name is taken.
func renameExclusive(from dir, name string, to dir, newName string) error {
	return unix.RenameatxNp(from.fd(), name, to.fd(), newName, unix.RENAME_EXCL)
}
