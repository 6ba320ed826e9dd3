package main

import (
	"context"

	"mailmoor/engine"
	"mailmoor/maildir"
	"mailmoor/state"
)

// tree makes a Maildir tree the engine's port. Adapters do not know the engine,
// so that two of its types have a twin there.
type tree struct{ *maildir.Tree }

func (t tree) Scan(ctx context.Context, folder string, base []state.Record, o engine.ScanOptions) (state.LocalDelta, error) {
	return t.Tree.Scan(ctx, folder, base, maildir.ScanOptions(o))
}

func (t tree) Deliver(ctx context.Context, folder string) (engine.Delivery, error) {
	return t.Tree.Deliver(ctx, folder)
}
