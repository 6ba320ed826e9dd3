package plan

import (
	"strings"

	"mailmoor/state"
)

// claims says which mailbox each folder is that of, by the folder's name. Two
// mailboxes never share one.
type claims struct {
	// byName has the mailbox by the folder's name, gone by the path of a folder
	// that is not in the tree and may come back.
	byName, gone map[string]string
}

func newClaims() claims {
	return claims{byName: make(map[string]string), gone: make(map[string]string)}
}

// add notes that the mailbox is kept in the folder of this name.
func (c claims) add(mailbox string, levels []string) { c.byName[nameKey(levels)] = mailbox }

// of returns the mailbox that the folder of this name is kept for.
func (c claims) of(levels []string) string {
	if other := c.byName[nameKey(levels)]; other != "" {
		return other
	}
	return c.gone[strings.Join(levels, "/")]
}

// claimGone notes that the mailbox is kept in a folder that is not in the tree: its
// name can only be guessed, from its path and from the name that the mailbox has now.
func (m *matcher) claimGone(known state.Mailbox, levels []string) {
	m.claims.add(known.Name, levels)
	if !strings.Contains(known.Folder, "%") { // which no name has in its path as it stands
		m.claims.gone[known.Folder] = known.Name
	}
	m.dirs.note(strings.Split(known.Folder, "/"), 0)
	m.dirs.spell(levels)
}

// nameKey returns what a folder's name is known by. No level of a name holds a zero
// byte, and one may well hold a slash. INBOX is one name in any case.
func nameKey(levels []string) string {
	key := strings.Join(levels, "\x00")
	if first, _, _ := strings.Cut(key, "\x00"); strings.EqualFold(first, "INBOX") {
		key = "INBOX" + key[len(first):]
	}
	return key
}

// directories says which levels of folder names are kept apart, because the disk
// takes the directory of another name, which differs in case only, for theirs.
type directories struct {
	// folds is true on such a disk.
	folds bool
	// apart says of each beginning of a folder's name whether the directory that its
	// last level has is kept apart. All that lies below is in that directory.
	apart map[string]bool
	// plain has the beginnings whose last level is written plainly, by what the disk
	// takes for one.
	plain map[string]string
}

func newDirectories(folds bool) directories {
	return directories{folds: folds, apart: make(map[string]bool), plain: make(map[string]string)}
}

// slot returns what directories of the same one above have in common to the disk.
func (d directories) slot(levels []string) string {
	last := len(levels) - 1
	if last == 0 {
		return d.fold(nameKey(levels))
	}
	return nameKey(levels[:last]) + "\x00" + d.fold(levels[last])
}

func (d directories) fold(level string) string {
	if d.folds {
		return state.Fold(level)
	}
	return level
}

// note takes in the directories of a folder that is in the tree. Those that are
// noted first are where more will go.
func (d directories) note(levels []string, apart state.LevelSet) {
	for i := range levels {
		name, slot := nameKey(levels[:i+1]), d.slot(levels[:i+1])
		if _, noted := d.apart[name]; !noted {
			d.apart[name] = apart.Has(i)
		}
		if d.plain[slot] == "" && !apart.Has(i) {
			d.plain[slot] = name
		}
	}
}

// spell decides which levels of a new folder are kept apart, and notes it. Where
// there is a directory already, it is used. Else the plain one is for who comes first.
func (d directories) spell(levels []string) state.LevelSet {
	var apart state.LevelSet
	for i := range levels {
		name := nameKey(levels[:i+1])
		is, noted := d.apart[name]
		if other := d.plain[d.slot(levels[:i+1])]; !noted {
			is = other != "" && other != name
		}
		if is {
			apart = apart.With(i)
		}
	}
	d.note(levels, apart)
	return apart
}

// twinOf returns a mailbox of the server, without a folder yet, whose folder this
// new one would be if the disk did not ignore case, or the zero value. Which of the two
// the user means is not known: as a mailbox of its own all its mail would perhaps be
// there twice.
func (m *matcher) twinOf(f state.LocalFolder) Mailbox {
	if !m.FoldsCase {
		return Mailbox{}
	}
	for _, r := range m.Remote {
		if !m.isNew(r) {
			continue
		}
		if mb := m.mailbox(r); m.oneDirectory(f, mb.Levels) {
			return mb
		}
	}
	return Mailbox{}
}

// oneDirectory reports whether the folder is where one of this name would be, were it
// not kept apart. Where this name's directory is kept apart already, it is another one.
func (m *matcher) oneDirectory(f state.LocalFolder, levels []string) bool {
	if len(f.Name) != len(levels) {
		return false
	}
	for i, level := range f.Name {
		if level == levels[i] {
			continue
		}
		if f.Apart.Has(i) || m.dirs.apart[nameKey(levels[:i+1])] || m.dirs.fold(level) != m.dirs.fold(levels[i]) {
			return false
		}
	}
	return true
}
