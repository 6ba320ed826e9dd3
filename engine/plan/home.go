package plan

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"mailmoor/state"
)

// home is the part of the server's names in which all mailboxes of the account
// but INBOX have to lie, such as "INBOX." with Courier. Folders leave the prefix
// out: mailbox INBOX.Lists is kept in folder Lists. The zero value is that of a
// server without such a part, where a folder has the name of its mailbox.
//
// Names are translated by the namespaces alone and not by what the server lists,
// so that a mailbox that comes or goes never changes what another folder means.
type home struct {
	prefix    string
	delimiter rune
	// foreign are the first levels, folded, of the names that are never below
	// the prefix: those of INBOX and of all other namespaces.
	foreign map[string]bool
}

// homeOf finds the home in what the server tells of its namespaces. There is
// none where names without the prefix exist that could belong to others: Cyrus
// with altnamespace: no has its shared mailboxes there.
func homeOf(spaces state.Namespaces) home {
	var found home
	foreign := map[string]bool{"inbox": true}
	for _, n := range spaces.Personal {
		if n.Prefix == "" {
			return home{}
		}
		if found.prefix == "" && n.Delimiter != 0 && strings.HasSuffix(n.Prefix, string(n.Delimiter)) {
			found.prefix, found.delimiter = n.Prefix, n.Delimiter
			continue
		}
		foreign[firstOf(n)] = true
	}
	for _, kind := range [][]state.Namespace{spaces.Others, spaces.Shared} {
		for _, n := range kind {
			if n.Prefix == "" {
				return home{}
			}
			foreign[firstOf(n)] = true
		}
	}
	if found.prefix == "" {
		return home{}
	}
	found.foreign = foreign
	return found
}

// firstOf returns the folded first level of a namespace.
func firstOf(n state.Namespace) string {
	first := n.Prefix
	if n.Delimiter != 0 {
		first, _, _ = strings.Cut(first, string(n.Delimiter))
	}
	return state.Fold(first)
}

// levels returns the levels of the folder's name of a mailbox.
func (h home) levels(r state.RemoteMailbox) []string {
	if r.Delimiter == 0 {
		return []string{r.Name}
	}
	levels := strings.Split(r.Name, string(r.Delimiter))
	if h.prefix == "" || r.Delimiter != h.delimiter {
		return levels
	}
	if below, in := strings.CutPrefix(r.Name, h.prefix); in {
		if own := strings.Split(below, string(h.delimiter)); h.owns(own) {
			return own
		}
	}
	return levels
}

// owns reports whether a folder of these levels has its mailbox below the prefix.
func (h home) owns(levels []string) bool {
	return h.prefix != "" && levels[0] != "" && !h.foreign[state.Fold(levels[0])]
}

// nameOf returns the mailbox name that a folder's path stands for. It may have been
// written by a program that leaves names as the server sends them. Only the server's
// list tells whether it was: it has the mailbox, or one above it, by its name in full
// and not in that form.
func (m *matcher) nameOf(f state.LocalFolder) (string, error) {
	for n := len(f.Foreign); n > 0; n-- {
		plain, err := m.nameOfLevels(f.Path, f.Name[:n])
		foreign, foreignErr := m.nameOfLevels(f.Path, f.Foreign[:n])
		switch {
		case foreignErr != nil || plain == foreign:
		case err == nil && m.listed[plain]:
			return m.nameOfLevels(f.Path, f.Name)
		case m.listed[foreign]:
			return m.nameOfLevels(f.Path, f.Foreign)
		}
	}
	return m.nameOfLevels(f.Path, f.Name)
}

func (m *matcher) nameOfLevels(path string, levels []string) (string, error) {
	if m.delimiter == 0 && len(levels) > 1 {
		return "", fmt.Errorf("folder %q lies inside another, and the server knows no hierarchy", path)
	}
	for _, level := range levels {
		if m.delimiter != 0 && strings.ContainsRune(level, m.delimiter) {
			return "", fmt.Errorf("folder %q cannot have a mailbox: its name contains %q, which separates levels on this server",
				path, m.delimiter)
		}
	}
	name := strings.Join(levels, string(m.delimiter))
	if !utf8.ValidString(name) && !m.listed[name] {
		return "", fmt.Errorf("folder %q cannot have a mailbox: its name is not in UTF-8", path)
	}
	if m.home.owns(levels) && m.delimiter == m.home.delimiter && !m.listed[name] {
		return m.home.prefix + name, nil
	}
	return name, nil
}
