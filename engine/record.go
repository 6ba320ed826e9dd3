package engine

import (
	"context"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

// The operations that change nothing on either side: they only record.

// settleAgreed records what both sides show alike already.
func (x *executor) settleAgreed(ctx context.Context, b batch) error {
	var s state.Settlement
	for _, op := range b.ops {
		r := agreedRecord(op)
		if r.UID != op.Base.UID {
			s.Drop = append(s.Drop, op.Base)
		}
		s.Put = append(s.Put, r)
	}
	return x.settle(ctx, s)
}

// depart records messages that a move has left behind. They are retired later in
// this run, or by the plan of the next.
func (x *executor) depart(ctx context.Context, b batch) error {
	var s state.Settlement
	for _, op := range b.ops {
		s.Put = append(s.Put, retired(op.Base))
	}
	return x.settle(ctx, s)
}

// disown records second copies of uploads. The next plan retires them.
func (x *executor) disown(ctx context.Context, b batch) error {
	var s state.Settlement
	for _, op := range b.ops {
		s.Put = append(s.Put, retired(state.Record{
			Mailbox: op.Mailbox, UID: op.Remote.UID, Flags: op.Remote.Flags, Content: op.Remote.Content, Remote: op.Remote.Identity,
		}))
		s.Recalled = append(s.Recalled, op.Intent)
	}
	return x.settle(ctx, s)
}

// exclude records messages that stay on the server.
func (x *executor) exclude(ctx context.Context, b batch) error {
	var s state.Settlement
	for _, op := range b.ops {
		for _, m := range op.Messages {
			s.Put = append(s.Put, state.Record{
				Mailbox: op.Mailbox, UID: m.UID, State: state.Excluded, Flags: m.Flags, Remote: m.Identity,
			})
		}
	}
	return x.settle(ctx, s)
}

// agreedRecord is the record of op's message with what is known of it now.
func agreedRecord(op plan.Op) state.Record {
	r := op.Base
	r.Mailbox, r.UID, r.State = op.Mailbox, op.Remote.UID, state.Paired
	r.Key, r.Stat, r.Flags = op.Local.Key, op.Local.Stat, op.Agreed
	r.LocalFlags = op.OnlyLocal & op.Agreed
	r.Keywords, r.LocalKeywords = op.Tags.Agreed, op.Tags.Own
	if op.Local.Content != (state.Content{}) {
		r.Content = op.Local.Content
	}
	if op.Remote.Identity != (state.RemoteIdentity{}) {
		r.Remote = op.Remote.Identity
	}
	r.Retry, r.Since = state.Retry{}, 0
	return r
}

// forget drops records of messages that are gone on both sides.
func (x *executor) forget(ctx context.Context, b batch) error {
	var s state.Settlement
	for _, op := range b.ops {
		s.Drop = append(s.Drop, op.Base)
	}
	return x.settle(ctx, s)
}
