package state

import (
	"errors"
	"fmt"
)

// Stray is a file, or a place with files, that lies where messages lie and is not
// understood: its name is none that a message can have, or it cannot be read.
// While there is one that may be a message which is missing, that message is not
// known to be gone.
type Stray struct {
	// Path identifies it, relative to the root.
	Path string
	// Mark is equal to that of an earlier look when nothing has happened to it since,
	// and empty when nothing proves that.
	Mark string
	// Key is the one that its name has, empty without a usable one.
	Key Key
	// Stat is zero when it could not be had.
	Stat FileStat
	// Content is zero when it could not be read.
	Content Content
	// Leftover is true for what an editor or a file synchroniser leaves behind: it
	// will never be a message, and may still be the last copy of one.
	Leftover bool
	// Cleared is true for what was there, just as it is, when no message was missing.
	Cleared bool
}

// Readable reports whether the content is known.
func (s Stray) Readable() bool { return s.Content.Digest != (Digest{}) }

// StrayNote is what is remembered of a stray from one run to the next.
type StrayNote struct {
	Path, Mark string
	Cleared    bool
}

// Check reports a note that could never be met again.
func (n StrayNote) Check() error {
	if n.Path == "" || n.Mark == "" {
		return errors.New("a note about nothing")
	}
	if len(n.Path) > strayPathBytesMax {
		return fmt.Errorf("a path of %d bytes, at most %d are possible", len(n.Path), strayPathBytesMax)
	}
	return nil
}

// strayPathBytesMax is what a path may have in all on the systems that we know.
const strayPathBytesMax = 4096

// LeftOut is a directory of the tree that is not kept in step, though mail may lie
// in it.
type LeftOut struct {
	// Problem says why. Its Subject is the path.
	Problem Problem
	Place   StrayPlace
}

// StrayPlace is a directory in which strays may lie.
type StrayPlace struct {
	Path string // relative to the root; empty for the root itself
	// Mark is that of a Stray, for all that lies there.
	Mark string
	// Deep is true when what lies below it is left out with it.
	Deep bool
}
