package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"mailmoor/state"
)

// names is what the user's other names mean for the mailboxes of the server.
type names struct {
	// folder has the levels of the folder's name, by mailbox, and back.
	folder map[string][]string
	back   map[string]string // by nameKey
	// refused are mailboxes that would share a folder with another one.
	refused map[string]bool
}

// renamed works out the other names, and refuses those that collide. Names that
// differ in case only do not. A mailbox's name counts more than its role.
func (m *matcher) renamed() names {
	n := names{folder: make(map[string][]string), back: make(map[string]string), refused: make(map[string]bool)}
	if len(m.Rename) == 0 {
		return n
	}
	for from, to := range m.Rename {
		if !strings.HasPrefix(from, `\`) { // a mailbox that is to be made has its name, too
			n.give(from, to)
		}
	}
	users := make(map[string][]string) // mailboxes by folder
	for _, r := range m.Remote {
		if r.NoSelect || !m.Wanted(r.Name, r.Delimiter, r.Role) {
			continue
		}
		levels := m.home.levels(r)
		to, ok := m.Rename[r.Name]
		if !ok && r.Role != state.RoleNone {
			to, ok = m.Rename[r.Role.String()]
		}
		if ok {
			levels = n.give(r.Name, to)
		}
		folder := nameKey(levels)
		users[folder] = append(users[folder], r.Name)
	}
	for _, folder := range slices.Sorted(maps.Keys(users)) {
		mailboxes := users[folder]
		if len(mailboxes) > 1 && slices.ContainsFunc(mailboxes, func(name string) bool { return n.folder[name] != nil }) {
			for _, name := range mailboxes {
				n.refused[name] = true
			}
			slices.Sort(mailboxes)
			m.problem(mailboxes[0], state.Textf("mailboxes %q would share one folder: the new ones among them are left out", mailboxes),
				"give one of them another name with rename")
		}
	}
	return n
}

// give notes the folder that the user wants for a mailbox, and returns its levels.
func (n names) give(mailbox, folder string) []string {
	levels := strings.Split(folder, "/")
	n.folder[mailbox], n.back[nameKey(levels)] = levels, mailbox
	return levels
}

// mailbox returns the mailbox that a folder without a record belongs to.
func (n names) mailbox(f state.LocalFolder, own func(state.LocalFolder) (string, error)) (string, error) {
	if name, ok := n.back[nameKey(f.Name)]; ok && !n.refused[name] {
		return name, nil
	}
	name, err := own(f)
	if err == nil && n.folder[name] != nil {
		return "", fmt.Errorf("folder %q has the name of mailbox %q, which is kept in folder %q", f.Path, name, strings.Join(n.folder[name], "/"))
	}
	if err == nil && n.refused[name] {
		return "", fmt.Errorf("folder %q is left out: two mailboxes would share it", f.Path)
	}
	return name, err
}

// followRename returns a known mailbox with the folder in which it is to be kept
// now, if the user has given that one its name.
func (m *matcher) followRename(known state.Mailbox) state.Mailbox {
	levels := m.names.folder[known.Name]
	named := levels != nil
	if !named { // the folder may get the mailbox's own name back
		levels = m.home.levels(state.RemoteMailbox{Name: known.Name, Delimiter: m.delimiter})
	}
	if m.names.refused[known.Name] {
		return known
	}
	path := m.marked[known.Marker]
	if f, there := m.folders[path]; there && path != known.Folder && slices.Equal(f.Name, levels) {
		known.Folder = path
		m.out.Moved = append(m.out.Moved, known)
		return known
	}
	if f, there := m.folders[known.Folder]; named && there && !slices.Equal(f.Name, levels) {
		hint := state.Text("rename the folder while no run is going, or take the name out of rename")
		if other := m.inTheWay(known, levels); other != "" {
			hint = state.Textf("folder %q is in the way: give the mailbox another name in rename, or take the name out", other)
		}
		m.problem(known.Name, state.Textf("mailbox %q is kept in folder %q, not yet in %q", known.Name, known.Folder, strings.Join(levels, "/")), hint)
	}
	return known
}

// inTheWay returns the folder, if there is one, that keeps that of the mailbox from
// getting this name: to rename it would move it into the other one.
func (m *matcher) inTheWay(known state.Mailbox, levels []string) string {
	for _, f := range m.Folders {
		if f.Path != known.Folder && m.oneDirectory(f, levels) {
			return f.Path
		}
	}
	return ""
}
