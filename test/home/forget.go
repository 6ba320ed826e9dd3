package home

import (
	"errors"
	"os"
	"path/filepath"
)

// Forget throws the databases below the directory of all states away, as the
// program's hints tell users to do. It is an error if there is none.
func Forget(states string) error {
	found, err := filepath.Glob(filepath.Join(states, "*", "state.db*"))
	if err == nil && len(found) == 0 {
		err = errors.New("there is no database to throw away")
	}
	for _, path := range found {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}
