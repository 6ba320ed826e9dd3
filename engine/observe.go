package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

// sampleEvery is how often the UIDs of a mailbox are checked in which nothing
// seems to have changed: one that was restored from a backup can look so.
// Seconds.
const sampleEvery = 24 * 60 * 60

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
	// moved are known mailboxes whose folder has another path now.
	moved []state.Mailbox
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
		c.input.Trash = matched.Trash
	}
	c.input.Holds = append(c.input.Holds, matched.Holds...)
	for _, h := range listing.Holds {
		if !h.Whole {
			c.input.Holds = append(c.input.Holds, h)
		}
	}
	c.forget, c.moved = matched.Forget, matched.Moved
	if err := e.deltas(ctx, c, listing); err != nil {
		return nil, err
	}
	if err := e.satisfy(ctx, c); err != nil {
		return nil, err
	}
	c.plan = plan.Build(c.input)
	if e.Asked != nil {
		c.plan = plan.Restrict(c.plan, e.Asked)
	}
	c.problems = append(c.problems, c.plan.Problems...)
	return c, nil
}

// list reads what both sides and the store have, the two sides at once.
func (e *Engine) list(ctx context.Context) (plan.Listing, error) {
	l := plan.Listing{Wanted: e.Wanted, Rename: e.Rename, Now: e.now()}
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
	return l, nil
}

// deltas fills in the changes of every mailbox that may have some.
func (e *Engine) deltas(ctx context.Context, c *cycle, listing plan.Listing) error {
	waiting, err := e.Store.Waiting(ctx)
	if err != nil {
		return fmt.Errorf("read waiting records: %w", err)
	}
	byName := make(map[string][]state.Record)
	for _, r := range waiting {
		byName[r.Mailbox] = append(byName[r.Mailbox], r)
	}
	over, err := e.recollect(ctx)
	if err != nil {
		return err
	}
	stamps := byPath(listing.Folders)
	var changed []*look
	for i := range c.input.Mailboxes {
		l := &look{Mailbox: &c.input.Mailboxes[i]}
		l.Waiting, l.Buried = byName[l.Name], over.buried[l.Name]
		e.consider(l, stamps[l.Folder])
		if l.scan || l.fetch {
			changed = append(changed, l)
		}
	}
	var mu sync.Mutex
	failed := func(l *look, side state.Side, err error) error {
		if state.ScopeOf(err) >= state.ScopeAccount {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		l.LocalFailed = l.LocalFailed || side == state.Local
		l.RemoteFailed = l.RemoteFailed || side == state.Remote
		if !l.Suspended { // why it is suspended has been said
			c.problems = append(c.problems, state.ProblemOf(l.Name, "", err))
		}
		return nil
	}
	if err := e.lookLocally(ctx, changed, failed); err != nil {
		return err
	}
	for _, l := range changed {
		c.problems = append(c.problems, l.localProblems()...)
		l.Late, l.Repeated = over.late(l)
	}
	err = each(ctx, e.pool, changed, func(ctx context.Context, conn *lease, l *look) error {
		if err := e.lookRemotely(ctx, conn, l); err != nil {
			l.unlist()
			return failed(l, state.Remote, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, l := range changed {
		if l.Remote != nil && l.Remote.GoneUnknown {
			c.problems = append(c.problems, holeProblem(l.Name))
		}
	}
	return e.lookAgain(ctx, c, listing)
}

// look is one mailbox while it is being observed.
type look struct {
	*plan.Mailbox
	scan  bool // the folder must be scanned
	fetch bool // the mailbox must be opened
	stat  bool
	// sample is true when known messages must be compared with what the server
	// shows, whether or not anything changed; sampled when that was done.
	sample, sampled bool
	base            []state.Record
}

// localProblems are the files that the scan could not make sense of.
func (l *look) localProblems() []state.Problem {
	if l.Local == nil || l.Suspended {
		return nil
	}
	problems := slices.Clone(l.Local.Problems)
	for i := range problems {
		problems[i].Mailbox = l.Name // a scan without a base knows the path only
	}
	return problems
}

// consider decides what has to be looked at. What is proven unchanged is not.
func (e *Engine) consider(l *look, f state.LocalFolder) {
	l.scan, l.fetch = true, true
	if l.Known == nil {
		l.stat, l.sample = true, true
		return
	}
	l.Doubt = l.Known.Doubt
	l.stat = l.Role == state.RoleDrafts || e.now()-l.Known.Statted >= statEvery || e.doubted[l.Name] || l.Doubt != state.Believed
	l.sample = e.now()-l.Known.Sampled >= sampleEvery
	unchanged := f.Settled && f.Stamp == l.Known.Stamp && f.Stamp != (state.FolderStamp{})
	l.scan = l.stat || !unchanged
	l.scan = l.scan || !l.Known.Tagged
	l.fetch = l.sample || !l.Known.Tagged || len(l.Buried) > 0 || l.Doubt != state.Believed || !l.Known.Cursor.Unchanged(l.Status)
	for _, r := range l.Waiting {
		// What is lost may turn up in any mailbox, or have been decided upon.
		l.scan = l.scan || r.State == state.Lost
		stuck := r.State == state.UploadStuck || r.State == state.DownloadStuck
		wanted := r.State == state.Excluded && e.Reach.Has(r.Remote, e.now())
		superseded := r.State == state.Expunging && r.Flags&state.Trashed == 0
		if wanted || superseded || stuck && r.Retry.NextAt <= e.now() {
			l.scan, l.fetch = true, true
		}
	}
}

// lookLocally scans the folders, one after the other: they share one disk.
func (e *Engine) lookLocally(ctx context.Context, looks []*look, failed func(*look, state.Side, error) error) error {
	for _, l := range looks {
		err := e.lookLocal(ctx, l)
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := failed(l, state.Local, err); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) lookLocal(ctx context.Context, l *look) error {
	if l.Known != nil {
		var err error
		if l.base, err = e.Store.Records(ctx, l.Name); err != nil {
			return fmt.Errorf("read records of mailbox %q: %w", l.Name, err)
		}
	}
	for _, r := range l.base {
		l.Highest = max(l.Highest, r.UID)
		if r.State == state.Paired {
			l.Paired++
		}
		// Once a day a server may take what it did not take before.
		if r.State == state.Paired && (r.LocalKeywords != "" && (l.sample || !l.Known.Tagged) || r.LocalFlags != 0 && l.sample) {
			l.Offer = append(l.Offer, r)
		}
	}
	if l.Folder == "" {
		if !l.Suspended {
			l.Local = &state.LocalDelta{Statted: true} // still to be made
		}
		return nil
	}
	if !l.scan {
		// Proven unchanged by its stamp.
		l.Local = &state.LocalDelta{Folder: l.Folder, Stamp: l.Known.Stamp, Count: l.Paired}
		return nil
	}
	delta, err := e.Local.Scan(ctx, l.Folder, withKey(l.base), state.ScanOptions{Stat: l.stat})
	if err != nil {
		for _, r := range l.base {
			l.Unseen = append(l.Unseen, r.Content.Digest)
		}
		return err
	}
	if err := delta.Check(); err != nil {
		return &state.Error{Scope: state.ScopeMailbox, Doing: fmt.Sprintf("scan folder %q", l.Folder), Err: err}
	}
	l.Local = &delta
	if delta.Statted {
		delete(e.doubted, l.Name)
	}
	if len(delta.New)+len(delta.Changed)+len(delta.Missing) > 0 {
		// What the server says decides what becomes of these.
		l.fetch = true
	}
	return nil
}

// lookRemotely opens the mailbox where it may have changed.
func (e *Engine) lookRemotely(ctx context.Context, conn *lease, l *look) error {
	switch {
	case l.Suspended && !l.OnServer:
		return nil
	case l.NewMailbox:
		l.Remote = &state.RemoteDelta{Mailbox: l.Name, Selected: unasked(state.Cursor{})}
		return nil
	case !l.fetch:
		l.Remote = &state.RemoteDelta{Mailbox: l.Name, Selected: unasked(l.Known.Cursor)}
		return nil
	}
	if l.Doubt == state.Believed {
		err := e.lookKnown(ctx, conn, l)
		if state.CauseOf(err) != state.CauseGeneration || l.Known == nil {
			return explainGeneration(l.Name, err)
		}
		e.Log.Warn().Err(err).Str("mailbox", l.Name).Msg("the records of the mailbox are matched afresh")
		l.Doubt = state.DoubtUIDs
	}
	return e.relist(ctx, conn, l)
}

// unasked stands for what a mailbox says of itself when it is not opened.
func unasked(c state.Cursor) state.Selected {
	return state.Selected{Cursor: c, Permanent: state.AllFlags, Keywords: state.KeywordRule{Any: true}}
}

// lookKnown compares a mailbox with its records. CauseGeneration means that they
// cannot be believed.
func (e *Engine) lookKnown(ctx context.Context, conn *lease, l *look) error {
	var saved state.Cursor
	if l.Known != nil {
		saved = l.Known.Cursor
		if !l.Known.Tagged || l.sample {
			// Every message may have keywords that nobody has asked for, or other flags
			// than were recorded: mod-sequences do not show what a server that was set
			// back has forgotten, once they are as high as before.
			saved.ModSeq = 0
		}
	}
	var delta state.RemoteDelta
	err := conn.with(ctx, func(r Remote) (err error) {
		base := withUID(l.base)
		if delta, err = r.Delta(ctx, l.Name, saved, base); err != nil {
			return err
		}
		if err := e.checkNext(base, delta.Selected); err != nil {
			return err
		}
		// A mod-sequence that went back is that of a lost index or of a restore.
		back := delta.Selected.ModSeq < saved.ModSeq
		if !l.sample && !back && !l.changed(delta) {
			return nil
		}
		l.sampled = true
		return checkSample(ctx, r, base, delta)
	})
	if err != nil {
		return err
	}
	if err := delta.Check(); err != nil {
		return &state.Error{Scope: state.ScopeMailbox, Doing: fmt.Sprintf("list mailbox %q", l.Name), Err: err}
	}
	l.Remote, l.Sampled, l.Oldest = &delta, l.sampled, oldest(l.base, delta.Gone)
	if delta.GoneUnknown {
		l.unlist()
	}
	return nil
}

// checkNext compares the records with the UIDNEXT of now. A run that was interrupted
// has recorded messages of which the saved cursor knows nothing yet: when the server
// has not given their UIDs to anybody, it was set back, and they are not deleted.
func (e *Engine) checkNext(base []state.Record, now state.Selected) error {
	if len(base) == 0 || now.UIDNext == 0 {
		return nil
	}
	for _, r := range slices.Backward(base) { // ordered by UID
		switch {
		case r.UID < now.UIDNext:
			return nil
		case plan.NotShownYet(r, e.now()):
			continue
		}
		return &state.Error{
			Scope: state.ScopeMailbox, Cause: state.CauseGeneration, Doing: fmt.Sprintf("list mailbox %q", r.Mailbox),
			Err: fmt.Errorf("UIDNEXT is %d, and UID %d was there before", now.UIDNext, r.UID),
		}
	}
	return nil
}

// explainGeneration says what a new UIDVALIDITY means for the user.
func explainGeneration(mailbox string, err error) error {
	if state.CauseOf(err) != state.CauseGeneration {
		return err
	}
	return &state.Error{
		Scope: state.ScopeMailbox, Cause: state.CauseGeneration,
		Doing: fmt.Sprintf("sync mailbox %q", mailbox),
		Hint:  "the server renumbered the mailbox or made it anew; its messages are matched afresh, and nothing is removed meanwhile",
		Err:   err,
	}
}

// withKey returns the records that have a file.
func withKey(base []state.Record) []state.Record {
	return slices.DeleteFunc(slices.Clone(base), func(r state.Record) bool { return r.Key == "" })
}

// withUID returns the records that have a message, ordered by UID.
func withUID(base []state.Record) []state.Record {
	return slices.DeleteFunc(slices.Clone(base), func(r state.Record) bool { return r.UID == 0 })
}
