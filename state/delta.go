package state

import (
	"fmt"
	"slices"
)

// ScanOptions says how closely a scan of a folder looks.
type ScanOptions struct {
	// Stat looks at every file, to find those edited in place.
	Stat bool
}

// LocalMessage is a message file as a scan saw it.
type LocalMessage struct {
	Key   Key
	Flags Flags
	// Keywords are those of the file's letters, and those of its record that have no
	// letter: what has none cannot be missing.
	Keywords Keywords
	Stat     FileStat
	// Content is known for new and edited files.
	Content Content
	// Date is the file's mtime in Unix seconds.
	Date int64
}

// FoundFile is a file that was looked for by its key, in whatever folder.
type FoundFile struct {
	Folder string
	File   LocalMessage
}

// LocalChange is a known message whose file is not as the base has it: other
// flags or keywords, another content, or only another stat.
type LocalChange struct {
	Base Record
	Now  LocalMessage
	// Edited is true when the content is another one; Now.Content is then known.
	Edited bool
}

// LocalDelta is everything that a folder changed against the base. It is
// complete: a scan that could not see everything is an error, not a delta.
type LocalDelta struct {
	Folder string
	// Stamp was read before the scan began. It is zero when an equal stamp
	// will not prove anything later.
	Stamp FolderStamp
	// Statted is true when every file was looked at, not only its name.
	Statted bool
	// Count is the number of message files present.
	Count   int
	New     []LocalMessage // ordered by key
	Changed []LocalChange  // ordered by key
	// Missing are the records whose file two complete scans did not find.
	Missing []Record
	// Problems are files that are not understood. They are neither new nor
	// missing.
	Problems []Problem
	// Defective is true when the file of a known message cannot be used, which only a
	// look at the file itself shows.
	Defective bool
	// Strays are those of them that no record knows: any may be a message that is
	// missing here or elsewhere. Ordered by path.
	Strays []Stray
}

// Check reports a delta that contradicts itself.
func (d LocalDelta) Check() error {
	seen := make(map[Key]bool, len(d.New)+len(d.Changed)+len(d.Missing))
	once := func(k Key) error {
		if err := k.Check(); err != nil {
			return fmt.Errorf("folder %q: %w", d.Folder, err)
		}
		if seen[k] {
			return fmt.Errorf("folder %q: key %q stands in the delta twice", d.Folder, k)
		}
		seen[k] = true
		return nil
	}
	for _, m := range d.New {
		if m.Content.Digest == (Digest{}) {
			return fmt.Errorf("folder %q: new file %q has no digest", d.Folder, m.Key)
		}
		if err := once(m.Key); err != nil {
			return err
		}
	}
	for _, c := range d.Changed {
		if c.Base.Key != c.Now.Key {
			return fmt.Errorf("folder %q: change of %q names file %q", d.Folder, c.Base.Key, c.Now.Key)
		}
		if err := once(c.Now.Key); err != nil {
			return err
		}
	}
	for _, r := range d.Missing {
		if err := once(r.Key); err != nil {
			return err
		}
	}
	return nil
}

// RemoteMessage is a message as the server lists it.
type RemoteMessage struct {
	UID      UID
	Flags    Flags
	Keywords Keywords
	// Identity is known only when it was asked for.
	Identity RemoteIdentity
	// Content is known only when the body was read to decide between equals.
	Content Content
	// Unread is true when the body was to be read for that, and cannot be had.
	Unread bool
	// Fields are the identity fields as they stand in the header, folded and
	// encoded, at most 64 KiB. Only Identify tells them, for somebody to look
	// at: neither a delta nor a plan nor a record carries them.
	Fields string
	// Nameless is true when they were asked for and there is no Message-ID among them:
	// two such messages may look alike and say different things.
	Nameless bool
}

// RemoteChange is a known message whose flags or keywords are not as the base has
// them. What the mailbox does not store is as it is in the base.
type RemoteChange struct {
	Base     Record
	Flags    Flags
	Keywords Keywords
}

// Selected is what SELECT said of a mailbox.
type Selected struct {
	Cursor
	// ReadOnly is true when the mailbox can be read but not changed.
	ReadOnly bool
	// Permanent are the flags that the server stores for good.
	// RFC 9051, section 7.1, PERMANENTFLAGS.
	Permanent Flags
	// Keywords says which keywords it stores; any in a read-only mailbox, of which
	// everything shown counts.
	Keywords KeywordRule
}

// RemoteDelta is everything that a mailbox changed against the base. It is
// complete: a listing with a hole in it is an error, not a delta.
type RemoteDelta struct {
	Mailbox string
	// Selected is of the SELECT that opened the observation; its cursor is
	// what may be saved when all that follows from this delta has settled.
	Selected Selected
	New      []RemoteMessage // ordered by UID
	Changed  []RemoteChange  // ordered by UID
	// Gone are the records proven absent by a complete listing.
	Gone []Record
	// GoneUnknown is true when no complete listing could be had: messages may
	// be gone, and none may be treated so in this cycle.
	GoneUnknown bool
	// Unnumbered are the messages because of which that is so, where it is because the
	// server gives them no UID.
	Unnumbered []Unnumbered
}

// Unnumbered is a message that the server shows with the UID 0. RFC 9051, section
// 2.3.1.1, knows no such UID, so there is nothing to speak of it by.
type Unnumbered struct {
	// Number is its place in the mailbox, from 1.
	Number uint32
	// Fields are as in RemoteMessage, empty where they were not told.
	Fields string
}

// Check reports a delta that contradicts itself.
func (d RemoteDelta) Check() error {
	if d.Selected.UIDValidity == 0 {
		return fmt.Errorf("mailbox %q: no UIDVALIDITY", d.Mailbox)
	}
	if d.GoneUnknown && len(d.Gone) > 0 {
		return fmt.Errorf("mailbox %q: absences without a proof", d.Mailbox)
	}
	uids := make([]UID, 0, len(d.New)+len(d.Changed)+len(d.Gone))
	for _, m := range d.New {
		uids = append(uids, m.UID)
	}
	if !slices.IsSorted(uids) {
		return fmt.Errorf("mailbox %q: the new messages are not ordered by UID", d.Mailbox)
	}
	for _, c := range d.Changed {
		uids = append(uids, c.Base.UID)
	}
	for _, r := range d.Gone {
		uids = append(uids, r.UID)
	}
	slices.Sort(uids)
	for i, uid := range uids {
		if uid == 0 || i > 0 && uid == uids[i-1] {
			return fmt.Errorf("mailbox %q: UID %d stands in the delta twice or is zero", d.Mailbox, uid)
		}
	}
	return nil
}
