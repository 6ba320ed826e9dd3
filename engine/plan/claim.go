package plan

import (
	"strings"

	"mailmoor/state"
)

// claims says which mailbox each folder is that of, by the folder's name. Two
// mailboxes never share one.
type claims struct {
	// folds is true where folders whose names differ in case only are the same.
	folds bool
	// byName has the mailbox by the folder's name, gone by the path of a folder
	// that is not in the tree and may come back.
	byName, gone map[string]string
}

func newClaims(folds bool) claims {
	return claims{folds: folds, byName: make(map[string]string), gone: make(map[string]string)}
}

// key returns what names of the same folder have in common. No level of a name
// holds a zero byte, and one may well hold a slash.
func (c claims) key(levels []string) string {
	key := strings.Join(levels, "\x00")
	if c.folds {
		key = strings.ToLower(key)
	}
	return key
}

// claim notes that the mailbox is kept in the folder of this name.
func (c claims) claim(mailbox string, levels []string) { c.byName[c.key(levels)] = mailbox }

// claimGone does so for a folder that is not in the tree: its name can only be
// guessed, from its path and from the name that the mailbox has now.
func (c claims) claimGone(known state.Mailbox, levels []string) {
	c.claim(known.Name, levels)
	c.gone[known.Folder] = known.Name
}

// claimedBy returns the mailbox that the folder of this name is kept for.
func (c claims) claimedBy(levels []string) string {
	if other := c.byName[c.key(levels)]; other != "" {
		return other
	}
	return c.gone[strings.Join(levels, "/")]
}

// whyShared explains why two mailboxes of different names have one folder.
func (c claims) whyShared(mailbox, other string) string {
	if c.folds && mailbox != other && strings.EqualFold(mailbox, other) {
		return "; this disk does not tell names apart that differ in case only"
	}
	return ""
}

// twinOf returns a mailbox of the server, without a folder yet, whose folder would
// be this new one because the disk ignores case.
func (m *matcher) twinOf(f state.LocalFolder, onServer bool) string {
	if !m.folds || onServer {
		return ""
	}
	for _, r := range m.Remote {
		if _, left := m.remote[r.Name]; !left || r.NoSelect || m.names.refused[r.Name] || !m.Wanted(r.Name, m.delimiter, r.Role) {
			continue
		}
		if m.key(m.mailbox(r).Levels) == m.key(f.Name) {
			return r.Name
		}
	}
	return ""
}
