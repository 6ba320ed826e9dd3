package maildir

import (
	"slices"
	"strings"

	"mailmoor/state"
)

// place returns the path of the folder that a mailbox is to have. A directory that
// stands for one of its levels already is used, however it is written.
func (t *Tree) place(name []string, apart state.LevelSet) (string, error) {
	doing := state.Textf("create a folder for %q", strings.Join(name, "/"))
	apart, err := t.apartFromOwn(name, apart)
	if err != nil {
		return "", wrap(state.ScopeMailbox, err, "%s", doing)
	}
	path, err := t.o.Layout.encode(name, apart, t.unfit())
	if err != nil {
		return "", refuse(state.ScopeMailbox, state.CauseConfig, "rename the mailbox, or leave it out of the configuration", doing, "%w", err)
	}
	if t.o.Layout.plus() {
		return path, nil // there is nothing above that it could lie in
	}
	path, err = t.existing(path)
	return path, wrap(state.ScopeMailbox, err, "%s", doing)
}

// apartFromOwn returns apart with the levels that a disk which ignores case would take
// for a Maildir's own directories. A Maildir++ tree has nothing beside those.
func (t *Tree) apartFromOwn(name []string, apart state.LevelSet) (state.LevelSet, error) {
	if t.o.Layout.plus() || !slices.ContainsFunc(name, likeReserved) {
		return apart, nil
	}
	folds, err := foldsCase(t.root, markerName)
	for i, level := range name {
		if folds && likeReserved(level) {
			apart = apart.With(i)
		}
	}
	return apart, err
}

// likeReserved reports whether the name differs from that of one of a Maildir's own
// directories, and in case only.
func likeReserved(name string) bool { return !reservedName(name) && reservedName(state.Fold(name)) }

// existing returns a path that stands for the same levels, as far as there are directories
// for them in the names that they have.
func (t *Tree) existing(path string) (string, error) {
	d, err := t.root.again()
	if err != nil {
		return "", err
	}
	defer func() { d.close() }()
	have := ""
	for rest := path; rest != ""; {
		level, below := cutLevel(rest)
		name, err := standingFor(d, level, have == "")
		if err != nil || name == "" {
			return join(have, rest), err
		}
		next, err := d.sub(name)
		if err != nil {
			return "", err
		}
		d.close()
		if part, more, _ := strings.Cut(rest, "/"); part == name {
			below = more // perhaps the level goes on there
		}
		d, have, rest = next, join(have, name), below
	}
	return have, nil
}

// standingFor returns the name of the directory in d for the level of a path that is
// written so: the first directory of that, or another one that stands for the whole
// level, or "" when there is neither.
func standingFor(d dir, written string, first bool) (string, error) {
	level, err := decodeLevel(written)
	if err != nil {
		return "", err
	}
	written, _, _ = strings.Cut(written, "/")
	var others []string
	found := false
	err = d.each(func(entry string) error {
		switch {
		case entry == written:
			found = true
		case !directoryName(entry):
		case entry == level, strings.Contains(entry, "%"), first && strings.EqualFold(entry, level):
			if stands, err := decodeLevel(entry); err == nil && sameLevel(stands, level, first) {
				others = append(others, entry)
			}
		}
		return nil
	})
	if found || err != nil {
		return written, err
	}
	slices.Sort(others)
	for _, name := range others {
		if is, err := d.isDir(name); is || err != nil {
			return name, err
		}
	}
	return "", nil
}

// sameLevel reports whether two levels are one. INBOX is in any case, as first one.
func sameLevel(a, b string, first bool) bool {
	return a == b || first && strings.EqualFold(a, "INBOX") && strings.EqualFold(b, "INBOX")
}
