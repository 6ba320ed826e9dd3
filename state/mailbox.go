package state

import (
	"errors"
	"fmt"
)

// Role is the special use of a mailbox. RFC 6154, section 2.
type Role uint8

// The roles. RoleInbox is not in RFC 6154: it marks INBOX itself.
const (
	RoleNone Role = iota
	RoleInbox
	RoleAll
	RoleArchive
	RoleDrafts
	RoleFlagged
	RoleImportant
	RoleJunk
	RoleSent
	RoleTrash
)

// String returns the attribute of the role, such as `\Trash`.
func (r Role) String() string {
	return [...]string{"", `\Inbox`, `\All`, `\Archive`, `\Drafts`, `\Flagged`, `\Important`, `\Junk`, `\Sent`, `\Trash`}[r]
}

// Virtual reports whether mailboxes of this role only show again what other
// mailboxes hold. They are left out unless the user names them.
func (r Role) Virtual() bool { return r == RoleAll || r == RoleFlagged || r == RoleImportant }

// Cursor is how far the state has followed a mailbox. It advances only when
// everything seen up to it has settled.
type Cursor struct {
	UIDValidity uint32
	UIDNext     UID
	// ModSeq is the HIGHESTMODSEQ of the SELECT that opened the observation,
	// 0 without CONDSTORE. RFC 7162, section 3.1.2.1.
	ModSeq ModSeq
	// Messages is the number of messages in the mailbox.
	Messages uint32
}

// Unchanged reports whether status, read later, proves that nothing changed
// since the cursor was saved. Without mod-sequences nothing proves it.
func (c Cursor) Unchanged(status Cursor) bool {
	return c.UIDValidity != 0 && c.ModSeq != 0 && c == status
}

// RemoteMailbox is one line of the server's list.
type RemoteMailbox struct {
	// Name is the server's name in UTF-8, INBOX in capitals.
	Name string
	// Delimiter separates the levels of Name, 0 when there are none.
	Delimiter rune
	Role      Role
	// NoSelect is true for a name that only has children.
	NoSelect bool
	// Status holds the STATUS values that came with the list; its UIDValidity
	// is 0 when the server gave none, which means "look".
	Status Cursor
}

// DirStamp identifies the state of a directory: any entry added, removed or
// renamed changes it. Times are nanoseconds.
type DirStamp struct {
	Inode        uint64
	Mtime, Ctime int64
}

// FolderStamp is the state of a folder's new/ and cur/ before a scan. The zero
// value equals no folder: the folder must be scanned.
type FolderStamp struct{ New, Cur DirStamp }

// Room is how much room there is on the disk of a tree, in bytes. Its zero value stands
// for a file system that does not tell.
type Room struct{ Free, Total int64 }

// LocalFolder is one Maildir below the account's root.
type LocalFolder struct {
	// Path is relative to the root, with slashes, and identifies the folder.
	Path string
	// Name is the mailbox name that the path stands for, level by level.
	Name []string
	// Apart are the levels of Name whose directories do not have the name that they would
	// have if they were written plainly: no disk takes them for those of names which
	// differ in case only.
	Apart LevelSet
	// Foreign is the name that the path stands for if another program wrote it in
	// modified UTF-7, nil if it is not in that form. RFC 3501, section 5.1.3.
	Foreign []string
	// Marker is the id in the folder's .mailmoor file, empty without one.
	Marker string
	// Stamp was read by this listing.
	Stamp FolderStamp
	// Settled is true when Stamp is old enough and the file system good
	// enough that an equal stamp proves an unchanged folder.
	Settled bool
}

// Doubt says how far the records of a mailbox can be believed. While there is
// one, they are only hints: nothing is removed on their word.
type Doubt uint8

// The doubts, from none to all.
const (
	Believed Doubt = iota
	// DoubtUIDs: the server has renumbered the mailbox, made it anew or restored
	// it, so that UIDs may name other messages than they did.
	DoubtUIDs
	// DoubtBase: the state is not of the same time as the tree, as after the
	// restore of either from a backup. A file that is missing says nothing.
	DoubtBase
)

// Mailbox is what the store knows of a mailbox and its folder.
type Mailbox struct {
	Name   string
	Folder string // path relative to the root
	Marker string // id of the folder's marker
	Cursor Cursor
	// Stamp is that of the last scan whose findings all settled.
	Stamp FolderStamp
	// Statted is when every file of the folder was last looked at, not only
	// its name. Unix seconds.
	Statted int64
	// Sampled is when the mailbox was last listed as a whole, with the flags of all
	// messages, and a sample of known messages stood under their UIDs. Unix seconds.
	Sampled int64
	// Tagged is true when the records know the keywords of their messages. Those
	// that a program wrote before it knew of keywords do not.
	Tagged bool
	// Doubt is what must be cleared up before the records count again.
	Doubt Doubt
}

// Check reports a mailbox that must not be stored.
func (m Mailbox) Check() error {
	switch {
	case m.Name == "":
		return errors.New("a mailbox without a name")
	case m.Folder == "":
		return fmt.Errorf("mailbox %q has no folder", m.Name)
	case m.Marker == "":
		return fmt.Errorf("mailbox %q has no folder marker", m.Name)
	case m.Doubt > DoubtBase:
		return fmt.Errorf("mailbox %q: doubt %d does not exist", m.Name, m.Doubt)
	}
	return nil
}
