//go:build !linux

package maildir

import (
	"errors"
	"io"
	"os"
)

// entriesChunk is how many names are read at once.
const entriesChunk = 4096

// readEntries calls yield for every entry of an open directory that has not been read
// yet. Inodes are not told here.
func readEntries(f *os.File, yield func(name string, inode uint64) error) error {
	for {
		names, err := f.Readdirnames(entriesChunk)
		for _, name := range names {
			if err := yield(name, 0); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
