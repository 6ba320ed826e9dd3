package store

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// networkFileSystem returns the kind of network file system that path is on,
// "" when it is on none.
func networkFileSystem(path string) (string, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return "", fmt.Errorf("ask for the file system of %s: %w", path, err)
	}
	switch kind := unix.ByteSliceToString(fs.Fstypename[:]); kind {
	case "nfs", "smbfs", "afpfs", "webdav":
		return kind, nil
	}
	return "", nil
}
