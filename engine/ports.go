package engine

import (
	"context"
	"io"

	"mailmoor/state"
)

// The ports: what the cycle needs of the two sides and of the store. Every
// method takes a context and returns soon after it ends. Errors are
// *state.Error wherever the scope is narrower than the account.

// RemoteObserver looks at the server without changing anything.
type RemoteObserver interface {
	// List returns every mailbox that the server shows, with its STATUS where
	// the server gives it. A list that did not end in OK, or that lacks INBOX,
	// is an error.
	List(ctx context.Context) ([]state.RemoteMailbox, error)
	// Namespaces returns where mailboxes of the account and of others lie, as
	// far as the server tells.
	Namespaces(ctx context.Context) (state.Namespaces, error)
	// Delta opens the mailbox afresh and compares it with what has been seen of it.
	// saved is the cursor up to which seen is complete; its zero value asks for all. A
	// UIDVALIDITY other than saved's is an error with CauseGeneration. An error of
	// reading seen is returned as it is.
	Delta(ctx context.Context, mailbox string, saved state.Cursor, seen state.SeenSet) (state.RemoteDelta, error)
	// Identify returns flags, identity and identity fields of those of the uids
	// that exist, by UID, looking at the mailbox as it is now.
	Identify(ctx context.Context, ref state.Ref, uids state.UIDSet) ([]state.RemoteMessage, error)
	// Next returns the mailbox's current UIDVALIDITY, UIDNEXT and number of messages,
	// looking at it as it is now.
	Next(ctx context.Context, mailbox string) (state.Cursor, error)
}

// RemoteTransfer moves message bodies.
type RemoteTransfer interface {
	// Fetch calls each for every one of the uids that still exists, in the
	// server's order. An error of each ends the transfer and is returned. A
	// body is whole only when Fetch reached the next one or returned nil: after
	// an error the last body handed out must not be kept.
	Fetch(ctx context.Context, ref state.Ref, uids state.UIDSet, each func(state.Incoming) error) error
	// Sizes returns what the server says of the sizes of those of the uids that exist, as
	// far as it says it.
	Sizes(ctx context.Context, ref state.Ref, uids state.UIDSet) (map[state.UID]int64, error)
	// Append uploads the messages into the mailbox, in order, and returns one
	// outcome for each. It may send them without waiting for answers.
	Append(ctx context.Context, ref state.Ref, uploads []state.Upload) []state.Uploaded
}

// RemoteChanger changes the server. What it reports as done is done.
type RemoteChanger interface {
	// Create creates the mailbox and subscribes to it.
	Create(ctx context.Context, mailbox string) error
	// Store adds and removes flags and returns the flags that the messages now
	// have. Messages that are missing from the result no longer exist.
	Store(ctx context.Context, ref state.Ref, uids state.UIDSet, add, remove state.Flags) (map[state.UID]state.Flags, error)
	// AddKeywords gives messages keywords, and returns those that the messages now
	// have. What the mailbox does not store is not sent, and what the server refuses
	// is missing in the result: neither is an error. Messages that are missing from
	// the result no longer exist.
	AddKeywords(ctx context.Context, ref state.Ref, uids state.UIDSet, add state.Keywords) (map[state.UID]state.Keywords, error)
	// Move moves messages to the mailbox dest: by UID MOVE, or else by COPY,
	// a check of the copies, and Expunge. It returns the new UID of each moved
	// message, 0 where the server does not tell; messages that are missing from
	// the result have not been moved. removed is false when the server has
	// neither MOVE nor UIDPLUS: then the sources are only marked \Deleted.
	Move(ctx context.Context, ref state.Ref, uids state.UIDSet, dest string) (moved map[state.UID]state.UID, removed bool, err error)
	// Expunge removes exactly these messages for good. It returns false when
	// the server has no UIDPLUS: then they are only marked \Deleted, and other
	// people's deleted messages are left alone. RFC 4315, section 2.1.
	Expunge(ctx context.Context, ref state.Ref, uids state.UIDSet) (removed bool, err error)
}

// Remote is one authenticated connection. One goroutine uses it at a time. An
// error of account scope means that the connection is not usable any more.
type Remote interface {
	RemoteObserver
	RemoteTransfer
	RemoteChanger
	io.Closer
	// Usable reports whether the connection is still there. It may have ended with a
	// narrower error, too: what went wrong is a mailbox's or a message's affair, and
	// it was cheaper or safer to give the rest of an answer up.
	Usable() bool
}

// LocalObserver looks at the tree without changing anything.
type LocalObserver interface {
	// Folders lists every folder below the root, ordered by path, and what it
	// had to leave out. It fails with account scope when the root or its marker
	// is not what it should be.
	Folders(ctx context.Context) ([]state.LocalFolder, []state.LeftOut, error)
	// Scan compares the folder with base, the mailbox's records that have a
	// key. Files that are new or edited come with their content identified.
	Scan(ctx context.Context, folder string, base []state.Record, o state.ScanOptions) (state.LocalDelta, error)
	// Find looks keys up in all folders and returns the files that lie there, with
	// their content identified. A key that is missing from the result lies in no
	// folder; an error means that nobody knows.
	Find(ctx context.Context, keys []state.Key) ([]state.FoundFile, error)
	// Strays returns the files that lie in these places, with their content where
	// it can be had; for a place that cannot be read one that may be anything.
	Strays(ctx context.Context, places []state.StrayPlace) ([]state.Stray, error)
}

// LocalDisk tells of the file system that the tree lies on.
type LocalDisk interface {
	// FoldsCase reports whether names that differ in case only are the same one to
	// the file system, as far as can be told.
	FoldsCase(ctx context.Context) (bool, error)
	// Room returns how much room there is on the disk of the root, its zero value where
	// the file system does not tell.
	Room(ctx context.Context) (state.Room, error)
}

// LocalTransfer moves message bodies.
type LocalTransfer interface {
	// NewKey returns a key that no file has had or will have.
	NewKey() state.Key
	// Deliver begins a batch of messages for the folder.
	Deliver(ctx context.Context, folder string) (state.Delivery, error)
	// Open returns an Upload for the file, after checking that it is still the
	// message that m describes; CauseStale if not.
	Open(ctx context.Context, folder string, m state.LocalMessage) (state.Upload, error)
	// Keep writes a message into the hold area, durably.
	Keep(ctx context.Context, held state.Held, in state.Incoming) (state.Held, error)
	// Discard removes what an interrupted delivery of the key left behind in
	// tmp/. It never touches a delivered message. In a folder that is gone there
	// is nothing left.
	Discard(ctx context.Context, folder string, key state.Key) error
}

// LocalMaker makes folders. When a method returns nil the folder survives a power failure.
type LocalMaker interface {
	// CreateFolder creates the folder of a mailbox, given level by level, with
	// its marker. A folder that exists without a marker gets one. The levels in apart
	// are written so that no disk takes them for others which differ in case only.
	CreateFolder(ctx context.Context, name []string, apart state.LevelSet) (state.LocalFolder, error)
	// MarkFolder gives a folder that others have made its marker. A folder that has
	// one keeps it.
	MarkFolder(ctx context.Context, folder string) (state.LocalFolder, error)
}

// LocalChanger changes messages in the tree. Each method first looks whether the file is
// still as the caller believes and answers CauseStale if not: a record that it
// is given has the key, the flags and the stat that the file should have. A change
// survives a power failure when a Sync that began after it has returned nil.
type LocalChanger interface {
	// SetFlags replaces the flags expect of the file by want.
	SetFlags(ctx context.Context, folder string, key state.Key, expect, want state.Flags) (state.LocalMessage, error)
	// SetKeywords gives the file the letters of the keywords want, as far as they have
	// any there, and takes those of expect from it that are not in want. Letters that
	// were added since stay. A file in new/ has none until it leaves it.
	SetKeywords(ctx context.Context, folder string, key state.Key, expect, want state.Keywords) (state.LocalMessage, error)
	// Move renames the file into another folder, under the same key where that
	// is free, and sets its flags. The letters of its keywords come along.
	Move(ctx context.Context, folder string, r state.Record, dest string, want state.Flags) (state.LocalMessage, error)
	// Remove moves the file of the record to the hold area.
	Remove(ctx context.Context, folder string, r state.Record, reason state.Text) (state.Held, error)
	// Sync makes all changes until now durable.
	Sync(ctx context.Context) error
}

// LocalTree is the Maildir tree of one account.
type LocalTree interface {
	LocalObserver
	LocalDisk
	LocalTransfer
	LocalMaker
	LocalChanger
}

// StoreReader reads the agreed state.
type StoreReader interface {
	// Mailboxes returns all known mailboxes, ordered by name.
	Mailboxes(ctx context.Context) ([]state.Mailbox, error)
	// Records returns the records of the mailbox, ordered by UID, those
	// without a UID first and by key.
	Records(ctx context.Context, mailbox string) ([]state.Record, error)
	// Waiting returns the records of all mailboxes that are not paired.
	Waiting(ctx context.Context) ([]state.Record, error)
	// Intents returns the open intents in the order in which they were noted.
	Intents(ctx context.Context) ([]state.Intent, error)
	// Holds returns the holds that have not been dropped, ordered by ID.
	Holds(ctx context.Context) ([]state.Hold, error)
}

// StoreSeen answers what a run asks of a large mailbox instead of reading it.
type StoreSeen interface {
	// UIDs returns the UIDs of all records of the mailbox.
	UIDs(ctx context.Context, mailbox string) (state.UIDSet, error)
	// RecordsOf returns the records with these UIDs, as far as there are any,
	// ordered by UID.
	RecordsOf(ctx context.Context, mailbox string, uids state.UIDSet) ([]state.Record, error)
}

// StoreWriter changes the agreed state. Each call is one transaction, durable
// when it returns.
type StoreWriter interface {
	// PutMailbox inserts or replaces what is known of the mailbox.
	PutMailbox(ctx context.Context, m state.Mailbox) error
	// ForgetMailbox removes the mailbox with its records, intents and holds.
	ForgetMailbox(ctx context.Context, name string) error
	// Intend notes intents, all in one transaction, and fills in their IDs.
	Intend(ctx context.Context, intents []state.Intent) error
	// Settle records confirmed results.
	Settle(ctx context.Context, s state.Settlement) error
	// PutHolds replaces all holds by these; new ones have ID 0 and get one. A
	// decision that the user made meanwhile is kept.
	PutHolds(ctx context.Context, holds []state.Hold) ([]state.Hold, error)
}

// StoreMemory tells of what is over and may yet have a sequel.
type StoreMemory interface {
	// GivenUp returns the uploads that were given up in the last seven days, in
	// the order in which they were noted.
	GivenUp(ctx context.Context) ([]state.Intent, error)
	// Tombstones returns the messages removed in the last thirty days, ordered by
	// mailbox and UID.
	Tombstones(ctx context.Context) ([]state.Tombstone, error)
	// Trash returns the mailbox that deleted messages went to, empty if there was none.
	Trash(ctx context.Context) (string, error)
	// PutTrash notes which mailbox that is now.
	PutTrash(ctx context.Context, mailbox string) error
}

// StoreNotes is what was noted of files that are not understood.
type StoreNotes interface {
	// StrayNotes returns what was noted ordered by path.
	StrayNotes(ctx context.Context) ([]state.StrayNote, error)
	// PutStrayNotes replaces all by these, in one transaction.
	PutStrayNotes(ctx context.Context, notes []state.StrayNote) error
}

// Store is the state of one account. Any number of goroutines may use it.
type Store interface {
	StoreReader
	StoreSeen
	StoreWriter
	StoreMemory
	StoreNotes
}
