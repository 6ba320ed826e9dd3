package state

import "io"

// Incoming is a message on its way from the server to a folder.
type Incoming struct {
	UID      UID
	Flags    Flags
	Keywords Keywords
	// Date is INTERNALDATE in Unix seconds, 0 when the server gave none.
	Date int64
	// Size is the announced number of bytes of Body.
	Size int64
	// Told is the size that the server says the message has (RFC822.SIZE), 0 if it
	// does not say. Some servers are wrong about it.
	Told int64
	// Body yields exactly Size bytes or an error; it is valid only until the
	// callback that received it returns.
	Body io.Reader
}

// Delivery is one batch of messages for a folder that become visible together.
// Exactly one of Commit and Abort ends it.
type Delivery interface {
	// Add writes one message to tmp/. A body that is shorter or longer than
	// announced is an error, and the message is not part of the batch.
	Add(key Key, in Incoming) (LocalMessage, error)
	// Commit makes the messages durable and visible. When it returns nil they
	// survive a power failure; when it does not, recovery has to look.
	Commit() error
	// Abort removes what Add wrote.
	Abort()
}

// Upload is a message on its way from a folder to the server.
type Upload struct {
	Key   Key
	Flags Flags
	Date  int64 // INTERNALDATE to ask for, Unix seconds
	Size  int64 // exact number of bytes that Open yields
	// Open yields the canonical CRLF form. It is called at most once.
	Open func() (io.ReadCloser, error)
}

// Uploaded is the outcome of one Upload.
type Uploaded struct {
	Key Key
	// UID is 0 when the server did not tell it (no UIDPLUS).
	UID UID
	// UIDValidity of the mailbox that the UID belongs to.
	UIDValidity uint32
	// Err has CauseUnknown unless the server refused exactly this message.
	Err error
}

// Held is a file that we moved to the hold area instead of deleting it.
type Held struct {
	// Path is relative to the hold area.
	Path    string
	Mailbox string
	Key     Key
	UID     UID
	Flags   Flags
	// Keywords are those that the message had here.
	Keywords Keywords
	Content  Content
	Date     int64 // INTERNALDATE, Unix seconds
	Removed  int64 // Unix seconds
	Reason   Text
}

// Side is one of the two sides that are kept in step.
type Side uint8

// The sides.
const (
	Local  Side = iota + 1 // the Maildir tree
	Remote                 // the server
)

// String returns "local" or "remote".
func (s Side) String() string {
	if s == Local {
		return "local"
	}
	return "remote"
}

// Decision is what the user said of a hold.
type Decision uint8

// The decisions.
const (
	Undecided Decision = iota
	Approved           // do it
	Rejected           // put the missing side back
)

// Hold is a set of removals that wait for the user, because they look like an
// accident.
type Hold struct {
	// ID is given by the store and shown to the user.
	ID      int64
	Mailbox string
	// Missing is the side on which the messages are gone; the removals would
	// happen on the other one.
	Missing Side
	// Whole is true when the mailbox or the folder itself is gone.
	Whole bool
	// UIDs are the messages of the mailbox that it covers.
	UIDs UIDSet
	// Lost is the number of lost messages that it covers instead: those missed
	// no later than Through (Unix seconds).
	Lost     int
	Through  int64
	Reason   Text
	Decision Decision
	Created  int64 // Unix seconds
}

// Settlement is what one transaction of the store records: results that have
// been confirmed, and the intents that they end.
type Settlement struct {
	// Drop removes records by (Mailbox, UID), or by (Mailbox, Key) where the
	// UID is 0. It is carried out before Put.
	Drop []Record
	// Put inserts records, or replaces those of the same (Mailbox, UID), or
	// (Mailbox, Key) where the UID is 0.
	Put []Record
	// Done are the IDs of intents that ended.
	Done []int64
	// GivenUp are the IDs of intents that ended without a message having been
	// found. What they announced is remembered, because it may still come.
	GivenUp []int64
	Held    []Held
	// Recalled are the IDs of intents that were given up and whose message has
	// come after all.
	Recalled []int64
	// Buried are messages that we removed from the server, Confirmed those of
	// them that a complete listing has since shown to be gone.
	Buried, Confirmed []Tombstone
	// Mailboxes are put in the same transaction as the records.
	Mailboxes []Mailbox
}

// Tombstone is the memory of a message that we removed from the server, until a
// complete listing confirms it: some servers say OK and keep the message.
type Tombstone struct {
	Mailbox     string
	UIDValidity uint32
	UID         UID
	Remote      RemoteIdentity
	// Tries is how often it has been removed.
	Tries   int
	Removed int64 // Unix seconds
}
