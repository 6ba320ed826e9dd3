package maildir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const (
	dirMode  = 0o700
	fileMode = 0o600
	// entriesMax bounds a directory listing. Beyond it something other than a
	// mail reader is filling the directory.
	entriesMax = 5_000_000
)

// errTooMany says that a directory is larger than we are willing to read.
var errTooMany = fmt.Errorf("the directory has more than %d entries", entriesMax)

// dir is an open directory. Files below it are named by one path component and
// symbolic links are never followed.
type dir struct{ f *os.File }

// openRootDir opens a directory by its path, which may contain symbolic links.
func openRootDir(path string) (dir, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECTORY, 0)
	return dir{f}, err
}

func (d dir) fd() int      { return int(d.f.Fd()) }
func (d dir) path() string { return d.f.Name() }

// close ends the use of the directory. Nothing was written through it, so that
// the error of closing it has nothing to say.
func (d dir) close() {
	if d.f != nil {
		_ = d.f.Close()
	}
}

// linkError is what the system says of a link that is not followed, in words that say so:
// its own are about too many levels of links, or too many links.
type linkError struct{ error }

func (linkError) Error() string { return "it is a symbolic link and is not followed" }

func (e linkError) Unwrap() error { return e.error }

func (d dir) fail(op, name string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.EMLINK) {
		err = linkError{err}
	}
	return &fs.PathError{Op: op, Path: filepath.Join(d.path(), name), Err: err}
}

// open opens the file name. O_NONBLOCK keeps a FIFO from blocking us; it means
// nothing for a regular file.
func (d dir) open(name string, flags int) (*os.File, error) {
	fd := -1
	err := retry(func() (err error) {
		fd, err = unix.Openat(d.fd(), name, flags|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, fileMode)
		return err
	})
	if err != nil {
		return nil, d.fail("open", name, err)
	}
	return os.NewFile(uintptr(fd), filepath.Join(d.path(), name)), nil
}

// create creates the file name, which must not exist. The umask can only take
// permissions away; it cannot add any.
func (d dir) create(name string) (*os.File, error) {
	f, err := d.open(name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL)
	if err != nil {
		return nil, err
	}
	if err := f.Chmod(fileMode); err != nil {
		return nil, errors.Join(err, f.Close(), d.unlink(name))
	}
	return f, nil
}

// sub opens the directory name.
func (d dir) sub(name string) (dir, error) {
	f, err := d.open(name, unix.O_RDONLY|unix.O_DIRECTORY)
	return dir{f}, err
}

// again opens the same directory once more, so that reading its entries does not
// disturb anybody else who holds it.
func (d dir) again() (dir, error) { return d.sub(".") }

// stat looks at the entry name itself, not at what a link points to.
func (d dir) stat(name string) (unix.Stat_t, error) {
	var st unix.Stat_t
	err := retry(func() error { return unix.Fstatat(d.fd(), name, &st, unix.AT_SYMLINK_NOFOLLOW) })
	return st, d.fail("stat", name, err)
}

// isDir reports whether name is a directory. What does not exist is none.
func (d dir) isDir(name string) (bool, error) {
	st, err := d.stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR, err
}

// each calls yield with the name of every entry but "." and "..".
func (d dir) each(yield func(name string) error) error {
	return d.entries(func(name string, _ uint64) error { return yield(name) })
}

// entries calls yield with every entry but "." and "..", and with the inode that the
// directory itself has for it, 0 where it tells none. That number costs nothing,
// and some file systems have another one there than stat has.
func (d dir) entries(yield func(name string, inode uint64) error) error {
	again, err := d.again()
	if err != nil {
		return err
	}
	defer again.close()
	n := 0
	err = readEntries(again.f, func(name string, inode uint64) error {
		if n++; n > entriesMax {
			return d.fail("read directory", "", errTooMany)
		}
		return yield(name, inode)
	})
	var judged *fs.PathError
	if err != nil && !errors.As(err, &judged) {
		err = d.fail("read directory", "", err)
	}
	return err
}

// mkdir creates the directory name and reports whether it did; one that exists
// is not an error. The parent still has to be synced.
func (d dir) mkdir(name string) (created bool, err error) {
	err = retry(func() error { return unix.Mkdirat(d.fd(), name, dirMode) })
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err == nil {
		err = unix.Fchmodat(d.fd(), name, dirMode, 0)
	}
	return err == nil, d.fail("mkdir", name, err)
}

// unlink removes the file name.
func (d dir) unlink(name string) error {
	return d.fail("unlink", name, retry(func() error { return unix.Unlinkat(d.fd(), name, 0) }))
}

// setMtime sets the file's modification time, and its access time with it.
func (d dir) setMtime(name string, seconds int64) error {
	ts := unix.NsecToTimespec(seconds * 1e9)
	err := unix.UtimesNanoAt(d.fd(), name, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW)
	return d.fail("set time of", name, err)
}

// sync makes the directory's entries durable. Some network file systems cannot
// sync a directory and say so; there is nothing more to be done then.
func (d dir) sync() error {
	err := syncDirectory(d.f)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		return nil
	}
	return err
}

// fstat looks at an open file.
func fstat(f *os.File) (unix.Stat_t, error) {
	var st unix.Stat_t
	err := retry(func() error { return unix.Fstat(int(f.Fd()), &st) })
	if err != nil {
		err = &fs.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	return st, err
}

// retry repeats a system call that a signal interrupted.
func retry(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
