package store

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// networkFileSystem returns the kind of network file system that path is on,
// "" when it is on none. FUSE is let through: encrypted home directories use
// it, and SQLite's shared memory works there.
func networkFileSystem(path string) (string, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return "", fmt.Errorf("ask for the file system of %s: %w", path, err)
	}
	return networkKind(uint32(fs.Type)), nil
}

// networkKind names the magic numbers of statfs(2) and the kernel's magic.h.
func networkKind(magic uint32) string {
	switch magic {
	case 0x6969:
		return "NFS"
	case 0x517b, 0xff534d42, 0xfe534d42:
		return "SMB"
	case 0x01021997:
		return "9P"
	case 0x00c36400:
		return "Ceph"
	case 0x5346414f, 0x6b414653:
		return "AFS"
	case 0x73757245:
		return "Coda"
	}
	return ""
}
