package maildir

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncFile makes the file's content and attributes durable.
func syncFile(f *os.File) error { return f.Sync() }

// syncDirectory makes the directory's entries durable. After a power failure btrfs may
// show a file under both names that was renamed into a directory which was synced
// alone, before that which it came from was: a message in two folders, or twice in one.
// There a sync of the whole file system takes its place, which is all or nothing.
func syncDirectory(f *os.File) error {
	if kind, err := fileSystem(f); err == nil && kind == unix.BTRFS_SUPER_MAGIC {
		return syncFileSystem(f)
	}
	return f.Sync()
}

// fileSystem returns the magic number of the file system that f is on. statfs(2).
func fileSystem(f *os.File) (int64, error) {
	var st unix.Statfs_t
	err := retry(func() error { return unix.Fstatfs(int(f.Fd()), &st) })
	return int64(uint32(st.Type)), err
}

// syncFileSystem makes everything written to the file system of f durable. Since
// Linux 5.8 it also reports write errors that happened after f was opened.
func syncFileSystem(f *os.File) error {
	err := retry(func() error { return unix.Syncfs(int(f.Fd())) })
	return os.NewSyscallError("syncfs", err)
}

// unreliableFileSystems are those whose directory stamps prove nothing, because
// another machine changes them or because they are too coarse.
var unreliableFileSystems = map[int64]bool{
	unix.NFS_SUPER_MAGIC:   true,
	unix.CIFS_SUPER_MAGIC:  true,
	unix.SMB2_SUPER_MAGIC:  true,
	unix.FUSE_SUPER_MAGIC:  true,
	unix.MSDOS_SUPER_MAGIC: true,
	unix.EXFAT_SUPER_MAGIC: true,
	unix.V9FS_MAGIC:        true,
	unix.AFS_SUPER_MAGIC:   true,
	unix.AFS_FS_MAGIC:      true,
	unix.CEPH_SUPER_MAGIC:  true,
	0x517B:                 true, // smbfs, before CIFS
	0x7366746E:             true, // ntfs3
}

// stampsProve reports whether an equal directory stamp proves an unchanged
// directory on the file system of d.
func stampsProve(d dir) bool {
	kind, err := fileSystem(d.f)
	return err == nil && !unreliableFileSystems[kind]
}
