package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

// Keywords are sent apart from flags, because a server that refuses one of them
// refuses the whole command. What it does not take stays with the message here, and
// is recorded so: it is sent again only when the message changes, and once a day. What
// the server shows counts, not what it was told.

// sendKeywords gives messages the keywords that are wanted, and returns those that
// they have then. Messages that are not in the result no longer exist.
func sendKeywords(ctx context.Context, r Remote, ref state.Ref, wanted map[state.UID]state.Keywords) (map[state.UID]state.Keywords, error) {
	groups := make(map[state.Keywords][]state.UID)
	for uid, keywords := range wanted {
		if keywords != "" {
			groups[keywords] = append(groups[keywords], uid)
		}
	}
	order := make([]state.Keywords, 0, len(groups))
	for keywords := range groups {
		order = append(order, keywords)
	}
	slices.Sort(order)
	now := make(map[state.UID]state.Keywords)
	for _, keywords := range order {
		shown, err := r.AddKeywords(ctx, ref, state.NewUIDSet(groups[keywords]...), keywords)
		if err != nil {
			return nil, err
		}
		maps.Copy(now, shown)
	}
	return now, nil
}

// storeKeywords sends the keywords of a batch. The function it returns notes in an
// operation which of them were taken, and tells whether its message is there.
func (x *executor) storeKeywords(ctx context.Context, r Remote, t *target, ops []plan.Op) (func(*plan.Op) bool, error) {
	wanted := make(map[state.UID]state.Keywords)
	for _, op := range ops {
		wanted[op.Remote.UID] = op.Tags.Send
	}
	now, err := sendKeywords(ctx, r, t.ref(), wanted)
	return func(op *plan.Op) bool {
		if op.Tags.Send == "" {
			return true
		}
		shown, there := now[op.Remote.UID]
		if refused := op.Tags.Send.Without(shown); there && refused != "" {
			op.Tags.Agreed, op.Tags.Own = op.Tags.Agreed.Without(refused), op.Tags.Own.Union(refused)
			x.keywordsRefused(t.Name, refused.Without(op.Base.LocalKeywords))
		}
		return there
	}, err
}

// keywordsRefused says which keywords a server does not take, if that is news.
func (x *executor) keywordsRefused(mailbox string, refused state.Keywords) {
	if refused == "" {
		return
	}
	x.problem(state.Problem{
		Scope: state.ScopeMessage, Cause: state.CauseRefused, Mailbox: mailbox, Subject: "keywords " + string(refused),
		Text: "the server does not take these keywords",
		Hint: "the messages keep them here; they are sent again once a day, and when a message changes",
	})
}

// tagUploads gives uploaded messages their keywords, before anything is recorded.
// An upload of which the connection broke meanwhile counts as one without a UID: it
// is looked for, and gets them then. A message that was there before keeps its own.
// Where the server could not do it now, the letters of the file show later that it is
// still to be done.
func (x *executor) tagUploads(ctx context.Context, r Remote, t *target, ref state.Ref, items []item, results []state.Uploaded) error {
	wanted := make(map[state.UID]state.Keywords)
	for i, u := range results {
		if u.Err == nil && u.UID >= items[i].intent.UIDNext && u.UIDValidity == ref.UIDValidity {
			wanted[u.UID] = items[i].keywords
		}
	}
	now, err := sendKeywords(ctx, r, ref, wanted)
	lost := err != nil && state.ScopeOf(err) >= state.ScopeAccount
	for i, u := range results {
		items[i].shown, items[i].untagged = now[u.UID], err != nil && wanted[u.UID] != ""
		if lost && items[i].untagged {
			results[i].UID = 0
		}
		if shown, there := now[u.UID]; there && err == nil {
			x.keywordsRefused(t.Name, t.Stores().Of(items[i].keywords).Without(shown).Without(items[i].base.LocalKeywords))
		}
	}
	if err == nil || lost {
		return err
	}
	x.problem(state.ProblemOf(ref.Mailbox, "keywords", err))
	return nil
}

// known returns those keywords of an untagged upload that had been recorded before. The
// file need not have a letter for them, so that the new record must have them, and once
// a day they are offered. The others have letters, which show in the next scan.
func (it item) known() state.Keywords {
	return it.keywords.Within(it.base.AllKeywords())
}

// tagArrived is tagUploads for uploads that were looked for: by intent.
func (v *resolver) tagArrived(ctx context.Context, r Remote, found map[int64]state.RemoteMessage) (map[state.UID]state.Keywords, error) {
	wanted := make(map[state.UID]state.Keywords)
	ref := state.Ref{Mailbox: v.mailbox}
	for _, i := range v.open {
		if m, ok := found[i.ID]; ok {
			ref.UIDValidity = i.UIDValidity
			wanted[m.UID] = i.Keywords
		}
	}
	return sendKeywords(ctx, r, ref, wanted)
}

// setLocalKeywords gives the file of op the letters of its keywords.
func (x *executor) setLocalKeywords(ctx context.Context, folder string, op *plan.Op) (changed bool, err error) {
	if op.Tags.Local.Equal(op.Local.Keywords) {
		return false, nil
	}
	m, err := x.Local.SetKeywords(ctx, folder, op.Local.Key, op.Local.Keywords, op.Tags.Local)
	if err != nil {
		return false, fmt.Errorf("keywords %q: %w", op.Tags.Local, err)
	}
	op.Local.Key, op.Local.Flags, op.Local.Keywords = m.Key, m.Flags, m.Keywords
	return true, nil
}
