package maildir

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"mailmoor/state"
)

// Separator is what stands between the key and the info in the names of message files.
// Maildir has a colon there, which exFAT, NTFS and many a file server do not take;
// programs that run on those write one of the others. All are read in every tree, so that
// a copy of one loses no flags, whatever it was copied through; a tree has one
// that is written.
type Separator string

// The separators. The empty one means that it is to be found out.
const (
	SeparatorColon       Separator = ":"
	SeparatorExclamation Separator = "!"
	SeparatorSemicolon   Separator = ";"
)

const (
	separators = ":!;"
	// infoVersion begins the info behind the separator. Info of any other version
	// (":1,", ":3,") belongs to others; it counts as part of the key.
	infoVersion = "2,"
)

func (s Separator) check() error {
	if s != "" && (len(s) != 1 || !strings.Contains(separators, string(s))) {
		return fmt.Errorf("info separator %q does not exist", string(s))
	}
	return nil
}

// mark begins the info in names that are written with this separator.
func (s Separator) mark() string { return string(cmp.Or(s, SeparatorColon)) + infoVersion }

// separatorSet is a set of separators, one bit for each.
type separatorSet uint32

func (s separatorSet) with(by Separator) separatorSet {
	if by == "" {
		return s
	}
	return s | 1<<strings.Index(separators, string(by))
}

func (s separatorSet) has(by Separator) bool { return s.with(by) == s }

// cutInfo returns the name up to the first mark, with whichever separator, and what
// follows it.
func cutInfo(name string) (key string, by Separator, info string, found bool) {
	for from := 0; ; {
		i := strings.Index(name[from:], infoVersion)
		if i < 0 {
			return name, "", "", false
		}
		i += from
		if i > 0 && strings.IndexByte(separators, name[i-1]) >= 0 {
			return name[:i-1], Separator(name[i-1 : i]), name[i+len(infoVersion):], true
		}
		from = i + len(infoVersion)
	}
}

// unfit returns the characters that the names of directories do not get in this tree. A
// disk that takes no colon in the names of files takes none there, and others neither.
func (t *Tree) unfit() string {
	if t.separator == SeparatorColon {
		return ""
	}
	return unfitForWindows
}

// chooseSeparator decides which separator is written in this tree: what the configuration
// says, or what the root's marker has. Else it is found out, and the marker has it
// from then on.
func (t *Tree) chooseSeparator() error {
	doing := state.Textf("use root %q", t.path)
	m, err := readMarker(t.root)
	if errors.Is(err, errNoMarker) && t.o.AccountID == "" {
		m.generation, err = 1, nil // a first run is looked at
	}
	if err != nil {
		return wrap(state.ScopeAccount, err, "%s", doing)
	}
	t.separator = cmp.Or(t.o.Separator, m.separator)
	switch {
	case t.separator == "":
		if t.separator, err = t.findSeparator(m.generation == 1); err != nil {
			return wrap(state.ScopeAccount, err, "look for message files below root %q", t.path)
		}
	case t.separator == SeparatorColon && !t.trusted && !t.o.Peek && refusesColon(t.root):
		return refuse(state.ScopeAccount, state.CauseConfig, state.Textf("write info_separator = %q", SeparatorExclamation), doing,
			"its disk takes no colon in file names, and the configuration says info_separator = %q", t.separator)
	}
	if t.o.Peek || t.separator == cmp.Or(m.separator, SeparatorColon) {
		return nil
	}
	if err := rewriteMarker(t.root, rootMarker(m.id, m.generation, m.layout, t.separator)); err != nil {
		return wrap(state.ScopeAccount, err, "write the marker of root %q", t.path)
	}
	t.step("maildir: separator recorded")
	return nil
}

// findSeparator returns the separator that all names have which others have written
// before the first run, or else one that the disk takes, if it is not one of those that
// take all. A tree in use may have come to another disk.
func (t *Tree) findSeparator(first bool) (Separator, error) {
	refused := !t.o.Peek && !t.trusted && refusesColon(t.root)
	if first || refused {
		if by, err := separatorBelow(t.root); err != nil || by != "" {
			return by, err
		}
	}
	if refused {
		return SeparatorExclamation, nil
	}
	return SeparatorColon, nil
}

// refusesColon asks the disk, which says no in many ways, whether it takes a name with
// another separator and none with a colon.
func refusesColon(d dir) bool {
	return !takesName(d, markerName+SeparatorColon.mark()) && takesName(d, markerName+SeparatorExclamation.mark())
}

// takesName reports whether a file of that name can be created.
func takesName(d dir, name string) bool {
	f, err := d.create(name)
	if err == nil {
		err = f.Close()
	}
	// What a crash left of an earlier question is there, and taken.
	return (err == nil || errors.Is(err, fs.ErrExist)) && d.unlink(name) == nil
}

// separatorBelow returns the separator that all names of message files below a root have
// which have any, or "" where there are none, or several.
func separatorBelow(root dir) (Separator, error) {
	found := ""
	err := new(dirWalk).visit(root, 0, func(d dir, maildir bool) error {
		if !maildir {
			return nil
		}
		cur, err := d.sub("cur")
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			return nil // a folder that is gone, or that cannot be read, has nothing to say
		}
		if err != nil {
			return err
		}
		defer cur.close()
		return cur.each(func(name string) error {
			_, by, _, is := cutInfo(name)
			if is && kindOfName(name) == nameMessage && !strings.Contains(found, string(by)) {
				found += string(by)
			}
			if found == string(SeparatorColon) || len(found) > 1 {
				return fs.SkipAll
			}
			return nil
		})
	})
	if len(found) > 1 {
		found = ""
	}
	if errors.Is(err, fs.SkipAll) {
		err = nil
	}
	return Separator(found), err
}
