package state

import (
	"errors"
	"fmt"
	"strings"
)

// UID is the unique identifier of a message within one generation of one
// mailbox. Zero means "none". RFC 9051, section 2.3.1.1.
type UID uint32

// ModSeq is a mod-sequence. Zero means that the mailbox has none.
// RFC 7162, section 3.1.
type ModSeq uint64

// Key is the base name of a Maildir file without its ":2," info. It is unique
// within a folder and stays the same when flags change or the file moves from
// new/ to cur/.
type Key string

// keyBytesMax is as long as a file name can be. A key that leaves no room for the
// flags is exchanged for another one when they have to be written.
const keyBytesMax = 255

var errKey = errors.New("not a Maildir key")

// Check reports whether k can be the base name of a message file.
func (k Key) Check() error {
	switch s := string(k); {
	case s == "":
		return fmt.Errorf("%w: it is empty", errKey)
	case len(s) > keyBytesMax:
		return fmt.Errorf("%w: %d bytes, at most %d are possible", errKey, len(s), keyBytesMax)
	case s[0] == '.':
		return fmt.Errorf("%w: %q begins with a dot", errKey, s)
	case strings.ContainsAny(s, "/\x00"):
		return fmt.Errorf("%w: %q contains a slash or a NUL byte", errKey, s)
	case strings.Contains(s, ":2,"):
		return fmt.Errorf("%w: %q contains \":2,\"", errKey, s)
	}
	return nil
}

// Ref names one generation of a mailbox. UIDs mean something only together
// with it: an adapter that finds another UIDValidity answers CauseGeneration.
type Ref struct {
	Mailbox     string
	UIDValidity uint32
}
