package maildir

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"mailmoor/state"
)

// Layout says how the folders of a tree are nested on the disk.
type Layout string

// The layouts. The empty one is LayoutFS.
const (
	LayoutFS   Layout = "fs"        // a directory below a directory: Archive/2024
	LayoutPlus Layout = "maildir++" // all side by side: .Archive.2024; INBOX is the root itself
)

const (
	// plusInbox is the path of INBOX in a Maildir++ tree: the root itself.
	plusInbox = "."
	// plusMark is an empty file in every folder but INBOX. Programs that deliver
	// mail know by it that the Maildir is part of a larger one.
	plusMark = "maildirfolder"
	// fileNameBytesMax is the longest name that common file systems take.
	fileNameBytesMax = 255
)

func (l Layout) plus() bool { return l == LayoutPlus }

// String returns the word of the configuration.
func (l Layout) String() string {
	if l.plus() {
		return string(LayoutPlus)
	}
	return string(LayoutFS)
}

func (l Layout) check() error {
	if l != "" && l != LayoutFS && l != LayoutPlus {
		return fmt.Errorf("layout %q does not exist", string(l))
	}
	return nil
}

// encode returns the path of the folder for a mailbox name, of which the levels in
// apart are kept apart from others that differ in case only, without the characters in
// unfit.
func (l Layout) encode(levels []string, apart state.LevelSet, unfit string) (string, error) {
	if l.plus() {
		return encodePlus(levels, apart, unfit)
	}
	return encodePath(levels, apart, unfit)
}

// decode returns the mailbox name that a folder's path stands for, and which of its
// levels are kept apart.
func (l Layout) decode(path, unfit string) ([]string, state.LevelSet, error) {
	if l.plus() {
		return decodePlus(path, unfit)
	}
	return decodePath(path, unfit)
}

// split returns the directory names of a folder's path, none for the root itself.
// It refuses what could lead out of the root or into a control directory.
func (l Layout) split(path string) ([]string, error) {
	switch {
	case !l.plus():
		return splitPath(path)
	case path == plusInbox:
		return nil, nil
	case len(path) < 2 || path[0] != '.' || path[1] == '.' || len(path) > fileNameBytesMax || !directoryName(path):
		return nil, fmt.Errorf("%q is no folder path", path)
	}
	return []string{path}, nil
}

// encodePlus returns the directory of a mailbox in a Maildir++ tree. Dots separate
// the levels there, so that a dot inside a level is escaped as well. What is
// too long has no folder: there is no directory below that could hold the rest.
func encodePlus(levels []string, apart state.LevelSet, unfit string) (string, error) {
	if len(levels) == 0 || len(levels) > levelsMax {
		return "", fmt.Errorf("a mailbox name has 1 to %d levels, not %d", levelsMax, len(levels))
	}
	var path strings.Builder
	for i, level := range levels {
		if i == 0 && strings.EqualFold(level, "INBOX") {
			if len(levels) == 1 {
				return plusInbox, nil
			}
			path.WriteString(".INBOX") // RFC 9051, section 5.1
			continue
		}
		path.WriteString("." + spelled(level, apart.Has(i), unfit, plusLevel(i)))
	}
	if path.Len() > fileNameBytesMax {
		return "", fmt.Errorf("the mailbox name needs a directory name of %d bytes, at most %d are possible with layout = %q",
			path.Len(), fileNameBytesMax, LayoutPlus)
	}
	return path.String(), nil
}

// plusLevel returns how level i is written. The first one must not make the name of
// the root's marker.
func plusLevel(i int) func(string, marks) string {
	if i > 0 {
		return encodePlusLevel
	}
	return func(level string, marked marks) string {
		encoded := encodePlusLevel(level, marked)
		if strings.EqualFold("."+encoded, markerName) {
			return escape(encoded[:1]) + encoded[1:]
		}
		return encoded
	}
}

func encodePlusLevel(level string, marked marks) string {
	if level == "" {
		return emptyLevel
	}
	var b strings.Builder
	for i := 0; i < len(level); {
		r, n := utf8.DecodeRuneInString(level[i:])
		token, _ := encodeRune(level[i:])
		// Spaces at either end are what other systems drop.
		if marked[i] || r == '.' || r == ' ' && (i == 0 || i+n == len(level)) {
			token = escape(level[i : i+n])
		}
		b.WriteString(token)
		i += n
	}
	return b.String()
}

// decodePlus returns what decodePath does, for a Maildir++ tree. A level that is left
// empty is none, and INBOX lies in the root alone.
func decodePlus(path, unfit string) (levels []string, apart state.LevelSet, err error) {
	if path == plusInbox {
		return []string{"INBOX"}, 0, nil
	}
	if _, err := LayoutPlus.split(path); err != nil {
		return nil, 0, fmt.Errorf("%w: %w", errNoName, err)
	}
	for part := range strings.SplitSeq(path[1:], ".") {
		if part == "" {
			return nil, 0, fmt.Errorf("%w: nothing stands between two dots, or after the last", errNoName)
		}
		var b strings.Builder
		if part != emptyLevel {
			unescape(&b, part)
		}
		level := b.String()
		if len(levels) == 0 && strings.EqualFold(level, "INBOX") {
			level = "INBOX"
		} else if state.Fold(part) != state.Fold(spelled(level, false, unfit, plusLevel(len(levels)))) {
			apart = apart.With(len(levels))
		}
		levels = append(levels, level)
	}
	if len(levels) == 1 && levels[0] == "INBOX" {
		return nil, 0, fmt.Errorf("%w: with layout = %q the root itself is INBOX", errNoName, LayoutPlus)
	}
	if _, err := encodePath(levels, 0, unfit); err != nil { // which the hold area needs
		return nil, 0, fmt.Errorf("%w: %w", errNoName, err)
	}
	return levels, apart, nil
}
