package engine

import (
	"context"
	"slices"
	"sync"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

// look is one mailbox while it is being observed.
type look struct {
	*plan.Mailbox
	scan  bool // the folder must be scanned
	fetch bool // the mailbox must be opened
	stat  bool
	// sample is true when the mailbox must be listed as a whole and known messages
	// compared with what the server shows, whether or not anything changed.
	sample bool
	// seen is what is known of the messages; base are all records of the mailbox, where
	// they had to be read.
	seen state.SeenSet
	base []state.Record
}

// observation is the part of a cycle in which mailboxes are looked at.
type observation struct {
	*Engine
	*cycle
	over memory
	mu   sync.Mutex // of problems
}

// look looks at both sides of these mailboxes. A side that has been seen is not
// looked at twice, but for a mailbox that shall be opened after all.
func (o *observation) look(ctx context.Context, looks []*look) error {
	unseen := slices.DeleteFunc(slices.Clone(looks), func(l *look) bool { return l.Local != nil || l.LocalFailed })
	if err := o.lookLocally(ctx, unseen); err != nil {
		return err
	}
	for _, l := range unseen {
		o.problems = append(o.problems, l.localProblems()...)
		l.Late, l.Repeated = o.over.late(l)
	}
	o.watched.look(len(looks))
	return each(ctx, o.pool, looks, func(ctx context.Context, conn *lease, l *look) error {
		defer o.watched.looked()
		if err := o.lookRemotely(ctx, conn, l); err != nil {
			if err := o.unlist(ctx, l); err != nil {
				return err
			}
			return o.failed(l, state.Remote, err)
		}
		return nil
	})
}

// failed notes that a side of a mailbox could not be seen. It returns the error if
// that is more than the mailbox's own.
func (o *observation) failed(l *look, side state.Side, err error) error {
	if state.ScopeOf(err) >= state.ScopeAccount {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	l.LocalFailed = l.LocalFailed || side == state.Local
	l.RemoteFailed = l.RemoteFailed || side == state.Remote
	if !l.Suspended { // why it is suspended has been said
		o.problems = append(o.problems, state.ProblemOf(l.Name, "", err))
	}
	return nil
}

// suspects returns the mailboxes that must be opened after all, because another one
// has just been matched afresh. A server that was set back in one of them was so in
// all, as a rule, and some may look as if nothing had happened: what has come since
// can bring count, UIDNEXT and mod-sequence to just what was saved.
func suspects(looks []*look) []*look {
	if !slices.ContainsFunc(looks, func(l *look) bool { return l.Relisted != nil && l.Known.Doubt == state.Believed }) {
		return nil
	}
	var found []*look
	for _, l := range looks {
		if l.Known == nil || l.Doubt != state.Believed || l.Sampled || l.Suspended || l.RemoteFailed || !l.OnServer {
			continue
		}
		l.fetch, l.sample, l.Remote = true, true, nil
		found = append(found, l)
	}
	return found
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
	unchanged := f.Settled && f.Stamp == l.Known.Stamp && f.Stamp != (state.FolderStamp{})
	l.scan = l.stat || !unchanged || !l.Known.Tagged
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
func (o *observation) lookLocally(ctx context.Context, looks []*look) error {
	for _, l := range looks {
		err := o.readSeen(ctx, l, o.over.concerns(l))
		if err == nil {
			err = o.lookLocal(ctx, l)
		}
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := o.failed(l, state.Local, err); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) lookLocal(ctx context.Context, l *look) error {
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
		return &state.Error{Scope: state.ScopeMailbox, Doing: state.Textf("scan folder %q", l.Folder), Err: err}
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
		e.Log.Debug().Err(err).Str("mailbox", l.Name).Msg("the records of the mailbox are matched afresh")
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
		if delta, err = r.Delta(ctx, l.Name, saved, l.seen); err != nil {
			return err
		}
		if err := e.checkNext(l.seen, delta.Selected); err != nil {
			return err
		}
		// A mod-sequence that went back is that of a lost index or of a restore.
		back := delta.Selected.ModSeq < saved.ModSeq
		if !l.sample && !back && !l.changed(delta) {
			return nil
		}
		return checkSample(ctx, r, l.seen, delta)
	})
	if err != nil {
		return err
	}
	if err := delta.Check(); err != nil {
		return &state.Error{Scope: state.ScopeMailbox, Doing: state.Textf("list mailbox %q", l.Name), Err: err}
	}
	l.Remote, l.Sampled = &delta, l.sample
	if uids := left(l.seen, delta.Gone); len(uids) > 0 {
		l.Oldest = uids[0].First
	}
	if delta.GoneUnknown {
		return e.unlist(ctx, l)
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
		Doing: state.Textf("sync mailbox %q", mailbox),
		Hint:  "the server renumbered the mailbox or made it anew; its messages are matched afresh, and nothing is removed meanwhile",
		Err:   err,
	}
}

// withKey returns the records that have a file: base itself if all have one.
func withKey(base []state.Record) []state.Record {
	fileless := func(r state.Record) bool { return r.Key == "" }
	if !slices.ContainsFunc(base, fileless) {
		return base
	}
	return slices.DeleteFunc(slices.Clone(base), fileless)
}
