package state

import (
	"errors"
	"fmt"
)

// IntentKind says which effect an intent announces.
type IntentKind uint8

// The kinds of intents.
const (
	// IntentDownload: a file named Key will appear in the mailbox's folder.
	IntentDownload IntentKind = iota + 1
	// IntentUpload: the file Key will be appended to the mailbox, under a UID
	// that is not below UIDNext.
	IntentUpload
)

// Intent is the durable note before an effect whose result could get lost.
// Recovery looks whether the effect happened; it never assumes.
type Intent struct {
	// ID is given by the store.
	ID      int64
	Kind    IntentKind
	Mailbox string
	// UIDValidity is the generation in which UID and UIDNext count.
	UIDValidity uint32
	// UID is the message to download.
	UID UID
	// UIDNext is the mailbox's UIDNEXT read before the upload.
	UIDNext UID
	// Key is the file: the one to come (download) or the one to read (upload).
	Key   Key
	Flags Flags
	// Keywords are those of the server (download) or of the file (upload).
	Keywords Keywords
	// Date is the INTERNALDATE asked for (upload). Unix seconds.
	Date int64
	// Content is what is uploaded.
	Content Content
	// Replaces is the UID of the version that the upload supersedes, 0 if none.
	Replaces UID
	// Created is when it was noted. Unix seconds.
	Created int64
}

// Check reports an intent that recovery could not act upon.
func (i Intent) Check() error {
	if err := i.check(); err != nil {
		return fmt.Errorf("intent for key %q in mailbox %q: %w", i.Key, i.Mailbox, err)
	}
	return nil
}

func (i Intent) check() error {
	switch {
	case i.Mailbox == "" || i.UIDValidity == 0:
		return errors.New("it names no generation of a mailbox")
	case i.Kind == IntentDownload && i.UID == 0:
		return errors.New("a download without a UID")
	case i.Kind == IntentUpload && (i.UIDNext == 0 || i.Content.Digest == Digest{}):
		return errors.New("an upload without UIDNEXT or digest")
	case i.Kind != IntentDownload && i.Kind != IntentUpload:
		return fmt.Errorf("kind %d does not exist", i.Kind)
	}
	return errors.Join(i.Key.Check(), i.Keywords.Check())
}
