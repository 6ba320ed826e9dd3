package maildir

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncFile makes the file durable. Go asks for F_FULLFSYNC, without which the
// data may rest in the disk's cache; not every file system knows it.
func syncFile(f *os.File) error {
	err := f.Sync()
	if errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTTY) {
		return os.NewSyscallError("fsync", unix.Fsync(int(f.Fd())))
	}
	return err
}

// syncDirectory makes the directory's entries durable.
func syncDirectory(f *os.File) error { return syncFile(f) }

// syncFileSystem is not to be had here: sync(2) only schedules the writes.
func syncFileSystem(*os.File) error { return errors.ErrUnsupported }

// reliableFileSystems are those whose directory stamps prove something.
var reliableFileSystems = map[string]bool{"apfs": true, "hfs": true}

// stampsProve reports whether an equal directory stamp proves an unchanged
// directory on the file system of d.
func stampsProve(d dir) bool {
	var st unix.Statfs_t
	err := retry(func() error { return unix.Fstatfs(d.fd(), &st) })
	return err == nil && reliableFileSystems[unix.ByteSliceToString(st.Fstypename[:])]
}
