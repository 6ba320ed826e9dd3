package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mailmoor/state"
)

// Listing is what both sides and the store know of mailboxes and folders.
type Listing struct {
	Remote []state.RemoteMailbox
	// Spaces says where on the server the account's own mailboxes lie.
	Spaces  state.Namespaces
	Folders []state.LocalFolder
	// LeftOut are directories that cannot be synced.
	LeftOut []state.LeftOut
	// FoldsCase is true when folders whose names differ in case only are the same
	// one to the file system.
	FoldsCase bool
	Known     []state.Mailbox
	Holds     []state.Hold
	// Wanted reports whether the user's patterns select the mailbox.
	Wanted func(name string, delimiter rune, role state.Role) bool
	// Rename has other names for the folders of mailboxes: by the mailbox's name,
	// or by the attribute of its role, such as `\Sent`. Levels are separated by
	// slashes.
	Rename map[string]string
	// Roles has the mailboxes that the user gives a special use, which counts more
	// than what the server marks.
	Roles map[state.Role]string
	// LastTrash is where deleted messages went in the last run, empty if there was no
	// Trash.
	LastTrash string
	// Now is the time in Unix seconds.
	Now int64
}

// Matched is the mailboxes that can be looked at, and what is wrong with the
// others.
type Matched struct {
	// Mailboxes in the order of their names, without deltas.
	Mailboxes []Mailbox
	// Moved are known mailboxes whose folder was given the name that it should
	// have now.
	Moved []state.Mailbox
	// Forget are mailboxes that are gone on both sides, or whose missing side
	// the user wants to have back: the store drops what it knows of them.
	Forget []string
	// Holds are the holds of whole mailboxes that stand now.
	Holds    []state.Hold
	Problems []state.Problem
	// Places are the directories in which messages may lie that are missing elsewhere:
	// those that were left out, and folders that stand for no mailbox.
	Places []state.StrayPlace
	// Trash is the mailbox that deleted messages go to, empty without one. It may
	// still have to be made, and TrashGone is true when it is not there at all.
	Trash     string
	TrashGone bool
}

// matcher joins the three lists by mailbox name.
type matcher struct {
	Listing
	out       Matched
	delimiter rune
	remote    map[string]state.RemoteMailbox
	folders   map[string]state.LocalFolder // by path
	marked    map[string]string            // marker id -> path
	handled   map[string]bool              // paths that belong to a known mailbox
	names     names
	home      home
	roles     roles
	// kept has the folder of each mailbox that has one.
	kept   map[string]string
	claims claims
	dirs   directories
	// listed are the mailboxes that the server lists.
	listed map[string]bool
}

// Match joins mailboxes and folders. A mailbox that is known and missing on one
// side is held, never recreated; one that is new on one side is to be created
// on the other.
func Match(l Listing) Matched {
	m := &matcher{
		Listing: l,
		remote:  make(map[string]state.RemoteMailbox),
		folders: make(map[string]state.LocalFolder),
		marked:  make(map[string]string),
		handled: make(map[string]bool),
		home:    homeOf(l.Spaces),
		kept:    make(map[string]string),
		claims:  newClaims(),
		dirs:    newDirectories(l.FoldsCase),
		listed:  make(map[string]bool),
	}
	for _, r := range l.Remote {
		m.delimiter = cmp.Or(m.delimiter, r.Delimiter)
		m.remote[r.Name], m.listed[r.Name] = r, true
	}
	for _, f := range l.Folders {
		m.folders[f.Path] = f
		if f.Marker != "" && m.marked[f.Marker] == "" {
			m.marked[f.Marker] = f.Path
		}
	}
	for _, left := range l.LeftOut {
		m.out.Problems = append(m.out.Problems, left.Problem)
		m.out.Places = append(m.out.Places, left.Place)
	}
	m.assignRoles()
	m.names = m.renamed()
	for _, known := range l.Known {
		// A known folder has the first claim on its marker: another one that
		// bears it is the copy.
		if f, there := m.folders[known.Folder]; there && f.Marker == known.Marker {
			m.marked[known.Marker] = known.Folder
		}
	}
	m.noteDirectories()
	for _, known := range l.Known {
		m.known(known)
	}
	// What both sides have goes together before anything is taken for new.
	m.newFolders(true)
	m.newFolders(false)
	m.newMailboxes()
	m.findTrash()
	slices.SortFunc(m.out.Mailboxes, func(a, b Mailbox) int { return cmp.Compare(a.Name, b.Name) })
	return m.out
}

// noteDirectories takes in what the tree has, first what is known.
func (m *matcher) noteDirectories() {
	for _, known := range m.Known {
		if f, there := m.folders[m.marked[known.Marker]]; there {
			m.dirs.note(f.Name, f.Apart)
		}
	}
	for _, f := range m.Folders {
		m.dirs.note(f.Name, f.Apart)
	}
}

// known handles a mailbox that the store knows.
func (m *matcher) known(known state.Mailbox) {
	r, onServer := m.remote[known.Name]
	onServer = onServer && !r.NoSelect
	known = m.followRename(known)
	f, inTree := m.folders[known.Folder]
	m.handled[known.Folder] = true
	if onServer || inTree {
		m.kept[known.Name] = known.Folder
		if inTree {
			m.claims.add(known.Name, f.Name)
		} else {
			m.claimGone(known, m.mailbox(state.RemoteMailbox{Name: known.Name, Delimiter: m.delimiter, Role: r.Role}).Levels)
		}
	}
	delete(m.remote, known.Name)
	switch {
	case !onServer && !inTree:
		m.out.Forget = append(m.out.Forget, known.Name)
	case !m.Wanted(known.Name, m.delimiter, r.Role):
		// Left out by the user: nothing happens to it on either side.
	case inTree && f.Marker != known.Marker:
		m.suspend(known, onServer, inTree, r)
		m.problem(known.Name, state.Textf("folder %q has lost its marker: it is not the folder that was synced, so nothing is done with it", known.Folder),
			"is a disk not mounted? put the folder back, or restore its file .mailmoor from a backup; without one, "+
				"`mailmoor doctor --accept-root ACCOUNT` takes the tree as it is: the next run pairs both sides again and removes nothing")
	case !inTree && m.unreadable(known.Folder):
		// Said already where the tree was listed.
		m.suspend(known, onServer, inTree, r)
		m.out.Mailboxes[len(m.out.Mailboxes)-1].LocalFailed = true
	case !inTree:
		m.suspend(known, onServer, inTree, r)
		m.missing(known, state.Local, m.missingFolder(known))
	case !onServer:
		m.suspend(known, onServer, inTree, r)
		m.missing(known, state.Remote, state.Textf("mailbox %q is gone from the server", known.Name))
	default:
		mb := m.mailbox(r)
		mb.Folder, mb.Known, mb.OnServer = known.Folder, &known, true
		m.out.Mailboxes = append(m.out.Mailboxes, mb)
	}
}

// suspend lets a mailbox be looked at, as far as it is there, and nothing more.
func (m *matcher) suspend(known state.Mailbox, onServer, inTree bool, r state.RemoteMailbox) {
	mb := Mailbox{Name: known.Name, Known: &known, Suspended: true, OnServer: onServer, Status: r.Status}
	if inTree {
		mb.Folder = known.Folder
	}
	m.out.Mailboxes = append(m.out.Mailboxes, mb)
}

// unreadable reports whether the folder, or a directory that it lies in, is
// there but could not be read.
func (m *matcher) unreadable(folder string) bool {
	return slices.ContainsFunc(m.LeftOut, func(l state.LeftOut) bool {
		path := l.Place.Path
		return path != "" && (folder == path || strings.HasPrefix(folder, path+"/"))
	})
}

// missingFolder says where the folder may have gone.
func (m *matcher) missingFolder(known state.Mailbox) state.Text {
	text := state.Textf("folder %q is gone from the tree", known.Folder)
	if path := m.marked[known.Marker]; path != "" {
		m.handled[path] = true
		m.leaveOut(m.folders[path])
		text = state.Textf("folder %q is now named %q, and renames are not sent to the server: rename the folder back, or the mailbox likewise",
			known.Folder, path)
	}
	return text
}

// missing holds a whole mailbox, or carries out what the user said of it.
func (m *matcher) missing(known state.Mailbox, side state.Side, reason state.Text) {
	hold := state.Hold{Mailbox: known.Name, Missing: side, Whole: true, Created: m.Now}
	for _, h := range m.Holds {
		if h.Whole && h.Mailbox == known.Name && h.Missing == side {
			hold = h
		}
	}
	if hold.Decision == state.Rejected {
		m.out.Forget = append(m.out.Forget, known.Name)
		return
	}
	hold.Reason = reason
	m.out.Holds = append(m.out.Holds, hold)
}

// newFolders handles folders that belong to no known mailbox: those of which the
// server has the mailbox, or the others.
func (m *matcher) newFolders(listed bool) {
	for _, f := range m.Folders {
		if m.handled[f.Path] {
			continue
		}
		name, err := m.names.mailbox(f, m.nameOf)
		if err != nil {
			if !listed {
				m.problem("", state.TextOf(err), "rename the folder")
				m.leaveOut(f)
			}
			continue
		}
		r, onServer := m.remote[name]
		if onServer != listed {
			continue
		}
		m.handled[f.Path] = true
		delete(m.remote, name)
		if !onServer {
			r = state.RemoteMailbox{Name: name, Delimiter: m.delimiter}
		}
		if !m.Wanted(name, m.delimiter, r.Role) {
			continue
		}
		if kept, is := m.kept[name]; is {
			m.problem(name, state.Textf("folder %q has the name of mailbox %q, which is kept in folder %q", f.Path, name, kept),
				"move its mail into that folder, or rename it")
			m.leaveOut(f)
			continue
		}
		if path := m.marked[f.Marker]; f.Marker != "" && path != f.Path {
			m.problem(name, state.Textf("folder %q is a copy of folder %q", f.Path, path),
				"to sync it as a folder of its own, remove the file .mailmoor in it")
			m.leaveOut(f)
			continue
		}
		var twin Mailbox
		if !onServer {
			twin = m.twinOf(f)
		}
		if twin.Name != "" {
			delete(m.remote, twin.Name)
			m.problem(twin.Name, state.Textf("folder %q and folder %q of mailbox %q differ in case only, and are the same one on this disk",
				f.Path, strings.Join(twin.Levels, "/"), twin.Name), "rename the folder to that name, or give the mailbox another one with rename")
			m.leaveOut(f)
			continue
		}
		m.kept[name] = f.Path
		m.claims.add(name, f.Name)
		mb := m.mailbox(r)
		// Not those of the mailbox's name: the folder may have another one.
		mb.Folder, mb.Levels, mb.Apart, mb.NewFolder = f.Path, f.Name, f.Apart, f.Marker == ""
		mb.NewMailbox = !onServer || r.NoSelect
		mb.OnServer = !mb.NewMailbox
		if mb.Known == nil && f.Marker != "" {
			mb.Known = &state.Mailbox{Name: name, Folder: f.Path, Marker: f.Marker}
		}
		m.out.Mailboxes = append(m.out.Mailboxes, mb)
	}
}

// newMailboxes handles mailboxes without a folder, in the order of their names: of
// those that the disk would take for one, the first has the plain one.
func (m *matcher) newMailboxes() {
	for _, name := range slices.Sorted(maps.Keys(m.remote)) {
		r := m.remote[name]
		if !m.isNew(r) {
			continue
		}
		mb := m.mailbox(r)
		if other := m.claims.of(mb.Levels); other != "" {
			m.problem(r.Name, state.Textf("mailbox %q is left out: folder %q, which it would be kept in, is that of mailbox %q",
				r.Name, strings.Join(mb.Levels, "/"), other), "give it another folder with rename")
			continue
		}
		m.claims.add(r.Name, mb.Levels)
		mb.Apart, mb.NewFolder, mb.OnServer = m.dirs.spell(mb.Levels), true, true
		m.out.Mailboxes = append(m.out.Mailboxes, mb)
	}
}

// isNew reports whether the mailbox is to have a folder and has none.
func (m *matcher) isNew(r state.RemoteMailbox) bool {
	_, left := m.remote[r.Name]
	return left && !r.NoSelect && !m.names.refused[r.Name] && m.Wanted(r.Name, m.delimiter, r.Role)
}

func (m *matcher) mailbox(r state.RemoteMailbox) Mailbox {
	levels := m.names.folder[r.Name]
	if levels == nil {
		levels = m.home.levels(r)
	}
	role := r.Role
	if r.Name == "INBOX" {
		role = state.RoleInbox
	}
	return Mailbox{Name: r.Name, Role: role, Guessed: m.roles.guessed[r.Name], Levels: levels, Status: r.Status}
}

// leaveOut notes a folder that belongs to no mailbox.
func (m *matcher) leaveOut(f state.LocalFolder) {
	p := state.StrayPlace{Path: f.Path}
	if f.Settled {
		p.Mark = fmt.Sprint(f.Stamp)
	}
	m.out.Places = append(m.out.Places, p)
}

func (m *matcher) problem(mailbox string, text, hint state.Text) {
	m.out.Problems = append(m.out.Problems, state.Problem{
		Scope: state.ScopeMailbox, Mailbox: mailbox, Text: text, Hint: hint,
	})
}
