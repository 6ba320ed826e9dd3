package conformance_test

import (
	"context"
	"strings"

	"mailmoor/engine"
	"mailmoor/state"
)

// below lets the suite speak of mailboxes as if they lay at the top, on a server
// that has all of them but INBOX below a prefix. It changes names and nothing
// else.
type below struct {
	engine.Remote
	prefix string
}

// name returns what the server calls the mailbox.
func (b below) name(mailbox string) string {
	if mailbox == "INBOX" {
		return mailbox
	}
	return b.prefix + mailbox
}

func (b below) ref(ref state.Ref) state.Ref {
	ref.Mailbox = b.name(ref.Mailbox)
	return ref
}

func (b below) List(ctx context.Context) ([]state.RemoteMailbox, error) {
	list, err := b.Remote.List(ctx)
	for i := range list {
		list[i].Name = strings.TrimPrefix(list[i].Name, b.prefix)
	}
	return list, err
}

func (b below) Delta(ctx context.Context, mailbox string, saved state.Cursor, seen state.SeenSet) (state.RemoteDelta, error) {
	d, err := b.Remote.Delta(ctx, b.name(mailbox), saved, seen)
	d.Mailbox = strings.TrimPrefix(d.Mailbox, b.prefix)
	return d, err
}

func (b below) Sizes(ctx context.Context, ref state.Ref, uids state.UIDSet) (map[state.UID]int64, error) {
	return b.Remote.Sizes(ctx, b.ref(ref), uids)
}

func (b below) Identify(ctx context.Context, ref state.Ref, uids state.UIDSet) ([]state.RemoteMessage, error) {
	return b.Remote.Identify(ctx, b.ref(ref), uids)
}

func (b below) Next(ctx context.Context, mailbox string) (state.Cursor, error) {
	return b.Remote.Next(ctx, b.name(mailbox))
}

func (b below) Fetch(ctx context.Context, ref state.Ref, uids state.UIDSet, each func(state.Incoming) error) error {
	return b.Remote.Fetch(ctx, b.ref(ref), uids, each)
}

func (b below) Append(ctx context.Context, ref state.Ref, uploads []state.Upload) []state.Uploaded {
	return b.Remote.Append(ctx, b.ref(ref), uploads)
}

func (b below) Create(ctx context.Context, mailbox string) error {
	return b.Remote.Create(ctx, b.name(mailbox))
}

func (b below) Store(ctx context.Context, ref state.Ref, uids state.UIDSet, add, remove state.Flags) (map[state.UID]state.Flags, error) {
	return b.Remote.Store(ctx, b.ref(ref), uids, add, remove)
}

func (b below) AddKeywords(ctx context.Context, ref state.Ref, uids state.UIDSet, add state.Keywords) (map[state.UID]state.Keywords, error) {
	return b.Remote.AddKeywords(ctx, b.ref(ref), uids, add)
}

func (b below) Move(ctx context.Context, ref state.Ref, uids state.UIDSet, dest string) (map[state.UID]state.UID, bool, error) {
	return b.Remote.Move(ctx, b.ref(ref), uids, b.name(dest))
}

func (b below) Expunge(ctx context.Context, ref state.Ref, uids state.UIDSet) (bool, error) {
	return b.Remote.Expunge(ctx, b.ref(ref), uids)
}
