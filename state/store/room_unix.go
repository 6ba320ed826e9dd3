//go:build linux || darwin

package store

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// freeBytes returns how much room there is for us on the file system of path, and
// whether that is known.
func freeBytes(path string) (free uint64, known bool, err error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return 0, false, fmt.Errorf("ask for the file system of %s: %w", path, err)
	}
	return fs.Bavail * uint64(fs.Bsize), true, nil
}
