package bench

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// replicate makes a second directory like the first. Messages become hard links, for
// nobody writes to one once it is there; all else is copied. Times and owners are kept.
func replicate(from, to string) error {
	var made []func() error
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case d.IsDir():
			err = os.Mkdir(target, 0o700)
		case isMessage(path):
			return os.Link(path, target)
		default:
			var content []byte
			if content, err = os.ReadFile(path); err == nil {
				err = os.WriteFile(target, content, 0o600)
			}
		}
		made = append(made, func() error { return resemble(path, target) })
		return err
	})
	slices.Reverse(made) // what is put into a directory changes its time
	for _, finish := range made {
		err = errors.Join(err, finish())
	}
	return err
}

// resemble gives a file or directory the mode, owner and time of another one.
func resemble(path, target string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		err = os.Lchown(target, int(owner.Uid), int(owner.Gid))
	}
	return errors.Join(err, os.Chmod(target, info.Mode().Perm()), os.Chtimes(target, info.ModTime(), info.ModTime()))
}

// isMessage reports whether a path is that of a message in a Maildir.
func isMessage(path string) bool {
	dir := filepath.Base(filepath.Dir(path))
	return dir == "cur" || dir == "new"
}
