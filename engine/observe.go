package engine

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

// statEvery is how often every file of a folder is looked at, to find messages
// that were edited without the directory showing it. Seconds.
const statEvery = 24 * 60 * 60

// cycle is one round: what was observed, and the plan that follows from it.
type cycle struct {
	input    plan.Input
	plan     plan.Plan
	problems []state.Problem
	looked   int // mailboxes taken part
	// moving is true when places changed while others were looked at.
	moving bool
	// forget are the mailboxes that the store shall drop; the next round sees
	// them afresh, if they are still there.
	forget []string
	// trash is where deleted messages go; newTrash is the same if they went elsewhere in
	// the last run, empty otherwise.
	trash, newTrash string
	// moved are known mailboxes whose folder has another path now.
	moved []state.Mailbox
	// places are the directories in which nobody looks for mail. strays is what was seen
	// of files that are not understood, notes what was noted of such ones before.
	places        []state.StrayPlace
	strays, notes []state.StrayNote
}

// observe looks at both sides and plans.
func (e *Engine) observe(ctx context.Context) (*cycle, error) {
	listing, err := e.list(ctx)
	if err != nil {
		return nil, err
	}
	matched := plan.Match(listing)
	c := &cycle{problems: matched.Problems, looked: len(matched.Mailboxes)}
	c.input = plan.Input{
		Mailboxes: matched.Mailboxes, Limits: e.Limits, Direction: e.Direction, Reach: e.Reach, Now: e.now(),
	}
	if !e.Expunge {
		c.input.Trash, c.input.TrashGone = matched.Trash, matched.TrashGone
	}
	c.trash = matched.Trash
	listed := slices.ContainsFunc(listing.Remote, func(r state.RemoteMailbox) bool { return r.Name == c.trash })
	if listed && !matched.TrashGone && c.trash != listing.LastTrash {
		c.newTrash = c.trash
	}
	c.input.Holds = append(c.input.Holds, matched.Holds...)
	for _, h := range listing.Holds {
		if !h.Whole {
			c.input.Holds = append(c.input.Holds, h)
		}
	}
	c.forget, c.moved, c.places = matched.Forget, matched.Moved, matched.Places
	if err := e.deltas(ctx, c, listing); err != nil {
		return nil, err
	}
	if err := e.satisfy(ctx, c); err != nil {
		return nil, err
	}
	c.plan = plan.Build(c.input)
	if len(c.plan.Sought) > 0 {
		if err := e.lookElsewhere(ctx, c, listing); err != nil {
			return nil, err
		}
		c.plan = plan.Build(c.input)
	}
	if e.Asked != nil {
		c.plan = plan.Restrict(c.plan, e.Asked)
	}
	c.problems = append(c.problems, c.plan.Problems...)
	return c, e.fit(ctx, c)
}

// list reads what both sides and the store have, the two sides at once.
func (e *Engine) list(ctx context.Context) (plan.Listing, error) {
	l := plan.Listing{Wanted: e.Wanted, Rename: e.Rename, Roles: e.Roles, Now: e.now()}
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return e.pool.with(groupCtx, func(r Remote) (err error) {
			if l.Spaces, err = r.Namespaces(groupCtx); err != nil {
				return err
			}
			l.Remote, err = r.List(groupCtx)
			return err
		})
	})
	group.Go(func() (err error) {
		if l.Folders, l.LeftOut, err = e.Local.Folders(groupCtx); err != nil {
			return err
		}
		l.FoldsCase, err = e.Local.FoldsCase(groupCtx)
		return err
	})
	if err := group.Wait(); err != nil {
		return l, err
	}
	var err error
	if l.Known, err = e.Store.Mailboxes(ctx); err != nil {
		return l, fmt.Errorf("read known mailboxes: %w", err)
	}
	if l.Holds, err = e.Store.Holds(ctx); err != nil {
		return l, fmt.Errorf("read holds: %w", err)
	}
	if l.LastTrash, err = e.Store.Trash(ctx); err != nil {
		return l, fmt.Errorf("read which mailbox was Trash: %w", err)
	}
	return l, nil
}

// retryNow lets what is stuck be tried in this round, if the user wants that.
func (e *Engine) retryNow(records []state.Record) {
	for i := range records {
		if e.retrying {
			records[i].Retry.NextAt = 0
		}
	}
}

// deltas fills in the changes of every mailbox that may have some.
func (e *Engine) deltas(ctx context.Context, c *cycle, listing plan.Listing) error {
	waiting, err := e.Store.Waiting(ctx)
	if err != nil {
		return fmt.Errorf("read waiting records: %w", err)
	}
	byName := make(map[string][]state.Record)
	e.retryNow(waiting)
	for _, r := range waiting {
		byName[r.Mailbox] = append(byName[r.Mailbox], r)
	}
	o := &observation{Engine: e, cycle: c}
	if o.over, err = e.recollect(ctx); err != nil {
		return err
	}
	stamps, due := byPath(listing.Folders), plan.Due(c.input.Mailboxes, e.now())
	var looks, changed []*look
	for i := range c.input.Mailboxes {
		l := &look{Mailbox: &c.input.Mailboxes[i]}
		l.sample = due[l.Name]
		l.Waiting, l.Buried = byName[l.Name], o.over.buried[l.Name]
		e.consider(l, stamps[l.Folder])
		looks = append(looks, l)
		if l.scan || l.fetch {
			changed = append(changed, l)
		}
	}
	if err := o.look(ctx, changed); err != nil {
		return err
	}
	if err := o.look(ctx, suspects(looks)); err != nil {
		return err
	}
	for _, l := range looks {
		if l.Remote != nil && l.Remote.GoneUnknown {
			c.problems = append(c.problems, holeProblems(l.Name, l.Remote.Unnumbered)...)
		}
	}
	if err := e.clearStrays(ctx, c); err != nil {
		return err
	}
	return e.lookAgain(ctx, c, listing)
}
