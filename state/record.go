package state

import (
	"errors"
	"fmt"
)

// Digest is a SHA-256 sum; the zero value means "not known".
type Digest [32]byte

// Content identifies the content of a message independently of where it lies.
type Content struct {
	// Digest is taken over the canonical form: CRLF line ends, without those
	// fields of the top header that other programs add and rewrite, such as
	// Status and X-TUID.
	Digest Digest
	// Plain is taken over the plain form, in which everything is evened out that servers
	// change in what they are given. It is zero where that is Digest, as for nearly
	// all messages: see PlainDigest.
	Plain Digest
	// Header is taken over the normalised Message-ID, Date, From, To and
	// Subject fields: see HeaderDigest.
	Header Digest
	// Size is the number of bytes of the canonical form.
	Size int64
	// WireSize is the number of bytes with CRLF line ends and nothing left
	// out: what APPEND announces and RFC822.SIZE should say.
	WireSize int64
}

// PlainDigest returns the digest of the plain form.
func (c Content) PlainDigest() Digest {
	if c.Plain != (Digest{}) {
		return c.Plain
	}
	return c.Digest
}

// Same reports whether two contents are those of one message, which a server may have
// stored in other bytes than it was sent. Who has a choice prefers equal digests.
func (c Content) Same(other Content) bool {
	return c.Digest != (Digest{}) && (c.Digest == other.Digest || c.PlainDigest() == other.PlainDigest())
}

// FileStat is what the file system says of a message file. Inode numbers are
// a hint that must agree with the size.
type FileStat struct {
	Inode uint64
	Size  int64
	Mtime int64 // nanoseconds
}

// RemoteIdentity is what the server says of a message, kept apart from what we
// measured ourselves: servers round sizes, are wrong about them and rewrite messages.
// The zero value means "not asked yet".
type RemoteIdentity struct {
	// Size is RFC822.SIZE, 0 while the server has not told it. It may be compared only
	// with what the same server says of other messages.
	Size   int64
	Date   int64 // INTERNALDATE, Unix seconds
	Header Digest
}

// OtherSize reports whether the server has given both messages a size, and another one
// to each.
func (i RemoteIdentity) OtherSize(other RemoteIdentity) bool {
	return i.Size != 0 && other.Size != 0 && i.Size != other.Size
}

// RecordState says why a UID or a file is in the seen set.
type RecordState uint8

// The states of a record.
const (
	// Paired: the message is on both sides.
	Paired RecordState = iota + 1
	// UploadStuck: a local file that the server refused; it has no UID.
	UploadStuck
	// DownloadStuck: a UID that could not be fetched; it has no file.
	DownloadStuck
	// Expunging: a message deleted by us that keeps its \Deleted flag until
	// somebody expunges it, because the server has no UIDPLUS. It has no file.
	Expunging
	// Lost: a message that was on both sides, and that was not found again when
	// its mailbox had been renumbered, made anew or restored. It has no UID, and
	// waits for the user to say what becomes of its file.
	Lost
	// Excluded: a UID that the user's limits leave on the server. It has no file.
	Excluded
)

// Retry says when a stuck record is tried again, and why it is stuck.
type Retry struct {
	Count  int
	NextAt int64 // Unix seconds
	Reason Text
}

// Record is the base of one message: what both sides last agreed on.
type Record struct {
	Mailbox string
	UID     UID
	Key     Key
	State   RecordState
	Flags   Flags
	// LocalFlags are those of Flags that only the file has: the mailbox did not store
	// them when they were set. That the server does not show them means nothing.
	LocalFlags Flags
	// Keywords are those that both sides have. LocalKeywords are kept here only:
	// the mailbox does not take them, or has not shown them yet.
	Keywords, LocalKeywords Keywords

	Stat    FileStat
	Content Content
	Remote  RemoteIdentity
	Retry   Retry
	// Since is when a lost message was missed, and when a paired one was brought
	// to the server that has not shown it yet; 0 otherwise. Unix seconds.
	Since int64
}

// AllKeywords returns the keywords that the message has here.
func (r Record) AllKeywords() Keywords { return r.Keywords.Union(r.LocalKeywords) }

// SharedFlags returns the flags that both sides have.
func (r Record) SharedFlags() Flags { return r.Flags &^ r.LocalFlags }

// Check reports a record that must neither be stored nor believed.
func (r Record) Check() error {
	if err := r.check(); err != nil {
		return fmt.Errorf("record of UID %d, key %q in mailbox %q: %w", r.UID, r.Key, r.Mailbox, err)
	}
	return nil
}

func (r Record) check() error {
	if r.Mailbox == "" {
		return errors.New("it names no mailbox")
	}
	if r.Flags&^AllFlags != 0 {
		return fmt.Errorf("flags %#x do not exist", uint8(r.Flags))
	}
	if r.LocalFlags&^r.Flags != 0 {
		return fmt.Errorf("flags %s of the file are none of the message's", r.LocalFlags&^r.Flags)
	}
	if err := errors.Join(r.Keywords.Check(), r.LocalKeywords.Check()); err != nil {
		return err
	}
	wantUID := r.State == Paired || r.State == DownloadStuck || r.State == Expunging || r.State == Excluded
	wantKey := r.State == Paired || r.State == UploadStuck || r.State == Lost
	switch {
	case !wantUID && !wantKey:
		return fmt.Errorf("state %d does not exist", r.State)
	case wantUID != (r.UID != 0):
		return errors.New("its UID does not fit its state")
	case wantKey != (r.Key != ""):
		return errors.New("its key does not fit its state")
	case (r.State == Paired || r.State == Lost) && r.Content.Digest == (Digest{}):
		return errors.New("it has a file without a digest")
	case r.State == Lost && r.Since == 0, r.State != Lost && r.State != Paired && r.Since != 0:
		return errors.New("the time since when does not fit its state")
	}
	if wantKey {
		return r.Key.Check()
	}
	return nil
}
