// Package plan decides one account: from the changes of all mailboxes against
// what was last agreed on to the ordered operations that bring both sides in
// step, with implausible removals held back for the user.
//
// It is pure: the same input gives the same plan, byte for byte. The clock is a
// number in the input.
package plan

import (
	"mailmoor/conflict"
	"mailmoor/state"
)

// Mailbox is one mailbox with its folder, as both sides show it.
type Mailbox struct {
	Name   string
	Folder string // path relative to the root, empty if it is to be created
	Role   state.Role
	// Guessed is true when only the name tells the role.
	Guessed bool
	// Levels is the name level by level, from which the folder's path is made.
	Levels []string
	// Apart are the levels that are written so that no disk takes them for others which
	// differ in case only.
	Apart state.LevelSet
	// NewFolder is true when the folder must be created or given a marker.
	NewFolder bool
	// NewMailbox is true when the mailbox must be created on the server.
	NewMailbox bool
	// Known is what the store has, nil for a mailbox seen for the first time.
	Known *state.Mailbox
	// Status is what the server's list said, zero when it did not say.
	Status state.Cursor

	// Local and Remote are the changes of each side; nil means that this side
	// is not known in this cycle, so that nothing may be concluded from it.
	Local  *state.LocalDelta
	Remote *state.RemoteDelta
	// Suspended is true for a mailbox for which nothing may be planned: held as
	// a whole, or without its marker. It is looked at, as far as it is there,
	// because messages may have been moved to or from it.
	Suspended bool
	// OnServer is false for a mailbox that the server does not show.
	OnServer bool
	// LocalFailed and RemoteFailed are true when that side was to be looked at
	// and could not be, or changed while others were looked at: a message that
	// is absent elsewhere may be here.
	LocalFailed, RemoteFailed bool
	// Unseen are the contents of the messages in a folder that could not be
	// scanned: an equal new file elsewhere may have been moved from here.
	Unseen []state.Digest
	// Unlisted are the headers of the messages in a mailbox that could not be listed: a
	// new message elsewhere that has one of them may have been moved from here.
	Unlisted []state.Digest
	// Doubt is not Believed when the records must be matched afresh. Base are
	// then all of them, and Relisted is everything that the server shows; nil if
	// it could not be listed. Remote is nil.
	Doubt    state.Doubt
	Base     []state.Record
	Relisted *state.RemoteDelta
	// Sampled is true when the mailbox was listed as a whole, with the flags of all
	// messages, and a sample of known messages stood under their UIDs.
	Sampled bool
	// Vanished is true when messages that were listed as new are gone already.
	Vanished bool
	// Oldest is the lowest known UID that the server still shows, 0 without one.
	Oldest state.UID
	// Highest is the highest UID of a record, 0 without one: the server must not give
	// it, or a lower one, to anything that is brought there.
	Highest state.UID
	// Paired is the number of paired records in the base.
	Paired int
	// Late are uploads that were given up and may still arrive. Repeated are the
	// contents of those of which another copy is there. Buried are messages that we removed, and that no
	// complete listing has shown to be gone yet.
	Late     []state.Intent
	Repeated map[state.Digest]bool
	Buried   []state.Tombstone
	// Offer are the records of which the server shall be offered once more the
	// keywords that only the local side has.
	Offer []state.Record
	// Waiting are the records that are not paired: stuck ones, and deleted
	// ones that wait for an expunge.
	Waiting []state.Record
}

// known reports whether the mailbox can be planned for.
func (m *Mailbox) known() bool { return !m.Suspended && m.Local != nil && m.Remote != nil }

// Shared returns the flags that travel between mailbox and folder.
func (m *Mailbox) Shared() state.Flags {
	shared := state.AllFlags
	if m.Remote != nil && !m.NewMailbox && !m.Remote.Selected.ReadOnly {
		shared = m.Remote.Selected.Permanent
	}
	if m.Role == state.RoleTrash {
		// Some servers purge what is marked \Deleted in Trash, and some readers
		// mark everything there.
		shared &^= state.Trashed
	}
	return shared
}

// Discards reports whether what is removed from the mailbox was thrown away before: it
// is Trash, and somebody who knows has said so. The name alone is not enough, since
// what is removed from Trash leaves no copy and hardly ever needs approval.
func (m *Mailbox) Discards() bool { return m.Role == state.RoleTrash && !m.Guessed }

// onlyLocal returns those of the flags decided on that the mailbox does not store, so
// that only the file will have them. \Deleted says what becomes of a message, and is
// none of them.
func (m *Mailbox) onlyLocal(d conflict.Decision) state.Flags {
	return d.Local &^ d.Remote &^ m.Shared() &^ state.Trashed
}

// Stores says which keywords the mailbox stores: any in one that was not looked at,
// or that is still to be made.
func (m *Mailbox) Stores() state.KeywordRule {
	if m.Remote == nil || m.NewMailbox {
		return state.KeywordRule{Any: true}
	}
	return m.Remote.Selected.Keywords
}

// readOnly reports whether the server takes no changes for the mailbox.
func (m *Mailbox) readOnly() bool { return m.Remote != nil && m.Remote.Selected.ReadOnly }

// Input is everything that a plan depends on.
type Input struct {
	// Mailboxes in the order of their names.
	Mailboxes []Mailbox
	// Strays are what lies in places that are left out, as far as it was looked at.
	Strays []state.Stray
	// Holds are those of the store, with the user's decisions.
	Holds []state.Hold
	// Elsewhere are the paired records, of all mailboxes, of the contents that a plan
	// has sought, by their plain form; nil while nobody has looked.
	Elsewhere map[state.Digest][]state.Record
	// Direction says which side's changes travel.
	Direction Direction
	// Reach says which messages on the server are wanted at all.
	Reach Reach
	// Trash is the name of the mailbox to which deleted messages move, empty
	// when there is none or when they are to be expunged.
	Trash string
	// TrashGone is true when that mailbox is not there: what should move to it waits.
	TrashGone bool
	Limits    Limits
	// Now is the time in Unix seconds.
	Now int64
}

// Kind says what an operation does. The order of the kinds is the order of
// execution: create, then change, then destroy, across both sides.
type Kind uint8

// The kinds.
const (
	CreateFolder  Kind = iota + 1 // make the folder, or mark the one that is there
	CreateMailbox                 // make the mailbox on the server
	Rematch                       // bind the records to what the server shows now
	Pair                          // record that file and message are the same
	Settle                        // record what both sides already agree on
	Depart                        // record that a message has a copy where it was to go
	Disown                        // record that a message is a second copy of an upload of ours
	Exclude                       // record messages that stay on the server
	Download                      // messages to the folder
	Upload                        // files to the mailbox
	Replace                       // upload an edited file, retire the old version
	MoveLocal                     // file to another folder
	MoveRemote                    // message to another mailbox
	SetFlags                      // merged flags to one or both sides
	RemoveLocal                   // file to the hold area
	RemoveRemote                  // message to Trash, or for good
	Retire                        // superseded version of a message, for good
	Forget                        // drop the record
)

// String returns the kind in words.
func (k Kind) String() string {
	return [...]string{
		"", "create folder", "create mailbox", "match again", "pair", "settle", "depart", "disown", "exclude", "download", "upload", "replace",
		"move local", "move remote", "set flags", "remove local", "remove remote", "retire", "forget",
	}[k]
}

// Creates reports whether operations of this kind bring a message to a side.
func (k Kind) Creates() bool { return k <= Replace }

// Transfers reports whether operations of this kind bring bodies to a side. Those
// that create and transfer nothing only record what is there, or make places.
func (k Kind) Transfers() bool { return k >= Download && k <= Replace }

// Destroys reports whether operations of this kind take a message away.
func (k Kind) Destroys() bool { return k >= RemoveLocal }

// Op is one operation. Which fields mean something depends on the kind.
type Op struct {
	Kind    Kind
	Mailbox string
	// Folder is where the file lies, or where the messages go.
	Folder string
	// Dest and DestFolder are the other end of a move.
	Dest, DestFolder string
	Levels           []string       // CreateFolder
	Apart            state.LevelSet // CreateFolder

	UIDs state.UIDSet // Download
	// Own are the keywords that only the local side had of messages that are
	// downloaded once more.
	Own map[state.UID]state.Keywords
	// Messages are those to exclude.
	Messages []state.RemoteMessage
	Files    []state.LocalMessage // Upload; Base has the record that it replaces, if any

	// Base is the record before, zero without one.
	Base state.Record
	// Supersedes is the record of a message that is to be retired once this
	// operation is recorded, zero if there is none.
	Supersedes state.Record
	// Local and Remote are the message as each side has it now.
	Local  state.LocalMessage
	Remote state.RemoteMessage
	// WantLocal and WantRemote are the flags that each side shall have.
	WantLocal, WantRemote state.Flags
	// Agreed are the flags that the record shall have afterwards.
	Agreed state.Flags
	// OnlyLocal are those of them that the mailbox does not store.
	OnlyLocal state.Flags
	// Tags is what becomes of the keywords.
	Tags conflict.Tags
	// Decided is true for what the user has said that is to be done.
	Decided bool
	// Final is true for a removal that cannot be undone on the server.
	Final bool
	// Twin is the mailbox of the equal message that stays, and that gets what was changed
	// about this one first; empty if there is none. See findTwins.
	Twin string
	// Rematching is the outcome of a Rematch.
	Rematching *Rematching
	// Intent is the upload that a disowned message is a copy of.
	Intent int64
	// Tries is how often a message was removed that is still there.
	Tries int
	Why   state.Text
}

// touches returns the mailboxes whose state the operation depends on.
func (o Op) touches() []string {
	return []string{o.Mailbox, o.Dest, o.Base.Mailbox, o.Supersedes.Mailbox, o.Twin}
}

// RemoteChange returns the flags that the message on the server is to gain and
// to lose.
func (o Op) RemoteChange() (add, remove state.Flags) {
	return o.WantRemote &^ o.Remote.Flags, o.Remote.Flags &^ o.WantRemote
}

// Count returns how many messages the operation is about.
func (o Op) Count() int {
	switch o.Kind {
	case Download:
		return o.UIDs.Len()
	case Upload:
		return len(o.Files)
	case Exclude:
		return len(o.Messages)
	case CreateFolder, CreateMailbox:
		return 0
	case Rematch:
		return o.Rematching.Found
	}
	return 1
}

// Plan is the ordered operations and what was held back or left out.
type Plan struct {
	Ops []Op
	// Holds are all holds as they shall be stored.
	Holds []state.Hold
	// Problems are changes that cannot be carried out, for the user to know.
	Problems []state.Problem
	// Sought are contents, in their plain form, of which it matters whether another
	// mailbox has them, too: the plan must be made anew with Elsewhere.
	Sought []state.Digest
	// Kept is how many changes stay on their side because of the direction.
	Kept int
	// Open are the mailboxes with changes that wait for a later cycle: they
	// must be looked at again even if nothing changes there meanwhile.
	Open []string
}

// Empty reports whether there is nothing to do.
func (p Plan) Empty() bool { return len(p.Ops) == 0 }
