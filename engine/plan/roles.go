package plan

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"mailmoor/state"
)

// roles says which mailbox of the server has which special use, role by role: the one
// that the user names, else those that the server marks, else the one of the usual
// name.
type roles struct {
	of map[string]state.Role
	// guessed are those mailboxes of which only the name tells the role.
	guessed map[string]bool
	told    map[state.Role]bool // by the user or by the server
}

// assignRoles finds the special uses out and notes them in the list of mailboxes.
// Nothing that is only guessed makes anything more final: see Mailbox.Discards.
func (m *matcher) assignRoles() {
	r := roles{of: make(map[string]state.Role), guessed: make(map[string]bool), told: make(map[state.Role]bool)}
	for _, role := range slices.Sorted(maps.Keys(m.Roles)) {
		r.told[role] = true
		if name, there := m.called(m.Roles[role]); there {
			r.of[name] = role
		}
	}
	for _, mb := range m.Remote {
		if _, is := r.of[mb.Name]; is || mb.Role == state.RoleNone || m.Roles[mb.Role] != "" {
			continue // the user says otherwise
		}
		r.of[mb.Name] = mb.Role
		r.told[mb.Role] = r.told[mb.Role] || !mb.NoSelect
	}
	own := m.ownNames()
	for _, u := range usualFolded {
		if r.told[u.role] {
			continue
		}
		if name := m.guess(u, r, own); name != "" {
			r.of[name], r.guessed[name] = u.role, true
		}
	}
	m.roles, m.Remote = r, slices.Clone(m.Remote)
	for i := range m.Remote {
		mb := &m.Remote[i]
		mb.Role = r.of[mb.Name]
		m.remote[mb.Name] = *mb
	}
}

// guess returns the mailbox that has the role by its name. What was Trash stays Trash
// as long as nothing tells otherwise: neither a mark that is lost nor a mailbox that
// comes changes where deleted messages go.
func (m *matcher) guess(u usual, r roles, own map[string]string) string {
	free := func(name string) bool {
		_, taken := r.of[name]
		return name != "" && !taken
	}
	if last, there := m.remote[m.LastTrash]; u.role == state.RoleTrash && there && !last.NoSelect && free(last.Name) {
		return last.Name
	}
	for _, name := range u.names {
		if found := own[name]; free(found) {
			return found
		}
	}
	return ""
}

// ownNames has the account's mailboxes by what their names are, folded, without what
// stands before all of them. No mailbox of others is among them, and none that lies
// below another one than INBOX. Of those with the same name the shortest is meant.
func (m *matcher) ownNames() map[string]string {
	own := make(map[string]string)
	for _, r := range m.Remote {
		name, is := m.ownName(r)
		if r.NoSelect || !is {
			continue
		}
		name = state.Fold(name)
		other, taken := own[name]
		if !taken || cmp.Or(cmp.Compare(len(r.Name), len(other)), cmp.Compare(r.Name, other)) < 0 {
			own[name] = r.Name
		}
	}
	return own
}

// ownName returns the name of one of the account's mailboxes within its home: right
// there, or right below INBOX, or below the level that Gmail keeps its own ones in.
func (m *matcher) ownName(r state.RemoteMailbox) (string, bool) {
	if r.Name == "INBOX" {
		return "", false
	}
	if r.Delimiter == 0 {
		return r.Name, true
	}
	homes := m.Spaces.Personal
	if len(homes) == 0 {
		homes = []state.Namespace{{}}
	}
	var prefixes []string
	for _, n := range homes {
		prefixes = append(prefixes, n.Prefix)
	}
	for _, above := range []string{"INBOX", "[Gmail]", "[Google Mail]"} {
		prefixes = append(prefixes, above+string(r.Delimiter))
	}
	for _, prefix := range prefixes {
		if name, below := strings.CutPrefix(r.Name, prefix); below && !strings.ContainsRune(name, r.Delimiter) {
			return name, true
		}
	}
	return "", false
}

// called returns the mailbox that the user calls so: by its full name, with the
// server's separator or slashes between its levels, or by the name of its folder.
func (m *matcher) called(name string) (string, bool) {
	for _, name := range m.meant(name) {
		if slices.ContainsFunc(m.Remote, func(r state.RemoteMailbox) bool { return r.Name == name && !r.NoSelect }) {
			return name, true
		}
	}
	return "", false
}

// meant are the names that a mailbox which the user calls so can have.
func (m *matcher) meant(name string) []string {
	if m.delimiter == 0 {
		return []string{name}
	}
	name = strings.ReplaceAll(name, "/", string(m.delimiter))
	return []string{name, m.home.prefix + name}
}

// findTrash finds out where deleted messages go. A Trash that is gone, or that the user
// names and that is not there, is waited for: that it is not there makes nothing final.
func (m *matcher) findTrash() {
	m.missingRoles()
	for _, r := range m.Remote { // of several the one that it was before, or the first
		if r.Role == state.RoleTrash && !r.NoSelect && (m.out.Trash == "" || r.Name == m.LastTrash) {
			m.out.Trash = r.Name
		}
	}
	for i := range m.out.Mailboxes {
		if mb := &m.out.Mailboxes[i]; m.out.Trash == "" && mb.NewMailbox && m.willBeTrash(mb) {
			m.out.Trash = mb.Name
		}
	}
	if m.out.Trash == "" {
		m.out.Trash = cmp.Or(m.Roles[state.RoleTrash], m.LastTrash)
		m.out.TrashGone = m.out.Trash != ""
	}
}

// willBeTrash gives the role to a mailbox that is to be made, if it is Trash by the
// user's word, or by its name and nothing else is.
func (m *matcher) willBeTrash(mb *Mailbox) bool {
	if named := m.Roles[state.RoleTrash]; named != "" {
		if !slices.Contains(m.meant(named), mb.Name) {
			return false
		}
		mb.Role = state.RoleTrash
		return true
	}
	name, is := m.ownName(state.RemoteMailbox{Name: mb.Name, Delimiter: m.delimiter})
	if !is || !usualFor(state.RoleTrash, name) {
		return false
	}
	mb.Role, mb.Guessed = state.RoleTrash, true
	return true
}

// missingRoles reports mailboxes that the user gives a role and that are not there.
func (m *matcher) missingRoles() {
	for _, role := range slices.Sorted(maps.Keys(m.Roles)) {
		name := m.Roles[role]
		_, there := m.called(name)
		made := slices.ContainsFunc(m.out.Mailboxes, func(mb Mailbox) bool { return slices.Contains(m.meant(name), mb.Name) })
		if !there && !made {
			m.problem("", state.Textf("mailbox %q, which is %s in the configuration, is not on the server", name, role),
				"create it there, or mend its name under roles")
		}
	}
}
