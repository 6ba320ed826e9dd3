package engine

import (
	"context"
	"fmt"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

// lookElsewhere finds the records, of all mailboxes, of the contents that the plan has
// sought, and looks at those of their mailboxes that were proven unchanged. It reads the
// whole state, which is why a plan seeks only what it cannot do without.
func (e *Engine) lookElsewhere(ctx context.Context, c *cycle, listing plan.Listing) error {
	sought := make(map[state.Digest][]state.Record)
	for _, digest := range c.plan.Sought {
		sought[digest] = nil
	}
	stamps := byPath(listing.Folders)
	var looks []*look
	for i := range c.input.Mailboxes {
		m := &c.input.Mailboxes[i]
		if m.Known == nil {
			continue
		}
		records, err := e.Store.Records(ctx, m.Name)
		if err != nil {
			return fmt.Errorf("read records of mailbox %q: %w", m.Name, err)
		}
		hit := false
		for _, r := range records {
			digest := r.Content.PlainDigest()
			if found, is := sought[digest]; is && r.State == state.Paired {
				sought[digest], hit = append(found, r), true
			}
		}
		if hit && m.Local == nil && m.Remote == nil && !m.LocalFailed && !m.RemoteFailed && !m.Suspended {
			l := &look{Mailbox: m}
			e.consider(l, stamps[m.Folder])
			l.scan, l.fetch = true, true
			looks = append(looks, l)
		}
	}
	c.input.Elsewhere = sought
	if len(looks) == 0 {
		return nil
	}
	over, err := e.recollect(ctx)
	if err != nil {
		return err
	}
	if err := (&observation{Engine: e, cycle: c, over: over}).look(ctx, looks); err != nil {
		return err
	}
	if err := e.lookAgain(ctx, c, listing); err != nil {
		return err
	}
	return e.satisfy(ctx, c)
}
