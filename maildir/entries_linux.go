package maildir

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// entriesBufferBytes is how much of a directory is read at once.
const entriesBufferBytes = 64 << 10

// The layout of struct linux_dirent64, which getdents64(2) fills: inode and offset,
// the length of the record, a type, and the name up to a NUL byte.
const (
	direntLength = 16
	direntName   = 19
)

var errDirent = errors.New("the kernel returned a directory entry of impossible length")

// readEntries calls yield for every entry of an open directory that has not been read
// yet. os.File.ReadDir would look at each file to learn its inode.
func readEntries(f *os.File, yield func(name string, inode uint64) error) error {
	buf := make([]byte, entriesBufferBytes)
	for {
		var n int
		err := retry(func() (err error) {
			n, err = unix.Getdents(int(f.Fd()), buf)
			return err
		})
		if err != nil || n <= 0 {
			return err
		}
		for rest := buf[:n]; len(rest) > 0; {
			if len(rest) < direntName {
				return errDirent
			}
			length := int(binary.NativeEndian.Uint16(rest[direntLength:]))
			if length <= direntName || length > len(rest) {
				return errDirent
			}
			inode := binary.NativeEndian.Uint64(rest)
			name, _, _ := bytes.Cut(rest[direntName:length], []byte{0})
			rest = rest[length:]
			if s := string(name); s != "." && s != ".." {
				if err := yield(s, inode); err != nil {
					return err
				}
			}
		}
	}
}
