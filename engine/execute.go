package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

// executor carries out one plan.
type executor struct {
	*Engine
	*tally
	targets map[string]*target
	// unsure are the mailboxes with uploads of which recovery could not find out
	// whether they arrived. What is new there on one side may be the same
	// message as on the other.
	unsure map[string]bool
}

// batch is operations of one kind in one mailbox, all with the same other end
// and all final or none.
type batch struct {
	target *target
	kind   plan.Kind
	ops    []plan.Op
}

// execute carries the plan out: record, create, change, then destroy. A phase is
// over before the next begins. The cursor of a mailbox advances when all of
// its operations settled.
func (e *Engine) execute(ctx context.Context, c *cycle, t *tally) error {
	x := &executor{Engine: e, tally: t, targets: make(map[string]*target)}
	for i := range c.input.Mailboxes {
		m := &c.input.Mailboxes[i]
		x.targets[m.Name] = &target{Mailbox: m}
	}
	err := x.phases(ctx, c.plan.Ops)
	for name, t := range x.targets {
		if t.has(noteDoubted) && !e.doubted[name] {
			e.doubted[name] = true
			x.progressed() // the next round looks closer
		}
		if t.has(noteGrown) {
			e.grown[name] = true
			x.progressed()
		}
	}
	if err != nil {
		return err
	}
	for _, h := range c.plan.Holds {
		if h.Lost == 0 { // lost messages have records that wait
			x.leaveOpen(h.Mailbox)
		}
	}
	for _, name := range c.plan.Open {
		x.leaveOpen(name)
	}
	var confirmations state.Settlement
	for _, name := range sortedNames(x.targets) {
		if err := e.saveCursor(ctx, x.targets[name]); err != nil {
			return err
		}
		confirmations.Confirmed = append(confirmations.Confirmed, confirmed(x.targets[name].Mailbox)...)
	}
	if len(confirmations.Confirmed) == 0 {
		return nil
	}
	if err := e.Store.Settle(ctx, confirmations); err != nil {
		return fmt.Errorf("note that removals are confirmed: %w", err)
	}
	return nil
}

func (x *executor) phases(ctx context.Context, ops []plan.Op) error {
	if len(ops) == 0 {
		return x.makePlaces(ctx, nil)
	}
	intents, err := x.Store.Intents(ctx)
	if err != nil {
		return fmt.Errorf("read intents: %w", err)
	}
	x.unsure = make(map[string]bool)
	for _, i := range intents {
		if i.Kind == state.IntentUpload {
			x.unsure[i.Mailbox] = true
		}
	}
	if err := x.makePlaces(ctx, ops); err != nil {
		return err
	}
	for _, phase := range []func(plan.Kind) bool{
		// What is known is recorded before anything becomes visible that hides it.
		func(k plan.Kind) bool { return k.Creates() && k > plan.CreateMailbox && !k.Transfers() },
		plan.Kind.Transfers,
		func(k plan.Kind) bool { return !k.Creates() && !k.Destroys() },
		plan.Kind.Destroys,
	} {
		if err := each(ctx, x.pool, x.batches(ops, phase), x.run); err != nil {
			return err
		}
	}
	return nil
}

// batches returns the operations of a phase grouped by mailbox, kind and what a
// batch does with all of them alike, in the order of the plan.
func (x *executor) batches(ops []plan.Op, phase func(plan.Kind) bool) []batch {
	type group struct {
		kind          plan.Kind
		mailbox, dest string
		final         bool
	}
	var batches []batch
	at := make(map[group]int)
	for _, op := range ops {
		if !phase(op.Kind) {
			continue
		}
		g := group{op.Kind, op.Mailbox, op.Dest, op.Final}
		i, begun := at[g]
		if !begun {
			i = len(batches)
			at[g] = i
			batches = append(batches, batch{target: x.targets[op.Mailbox], kind: op.Kind})
		}
		batches[i].ops = append(batches[i].ops, op)
	}
	// Batches of one mailbox stay together, so that it is opened once.
	slices.SortStableFunc(batches, func(a, b batch) int { return cmp.Compare(a.target.Name, b.target.Name) })
	return batches
}

// run carries out one batch. What concerns a message or a mailbox is reported
// and leaves the mailbox open; only wider errors are returned.
func (x *executor) run(ctx context.Context, conn *lease, b batch) error {
	if b.kind.Destroys() && b.target.has(noteOpen) {
		// Something that was to be created or changed here has not been: look
		// again before anything is taken away.
		return nil
	}
	b.ops = slices.DeleteFunc(b.ops, func(op plan.Op) bool {
		waits := op.Twin != "" && x.targets[op.Twin].has(noteOpen)
		if waits {
			b.target.leaveOpen()
		}
		return waits
	})
	err := x.inParts(ctx, conn, b)
	if err != nil {
		b.target.leaveOpen()
	}
	if b.target.has(noteOpen) {
		// What was seen at the other end of a move has not settled either.
		for _, op := range b.ops {
			x.leaveOpen(op.Dest)
			x.leaveOpen(op.Base.Mailbox)
		}
	}
	switch {
	case err == nil:
		return nil
	case state.ScopeOf(err) >= state.ScopeAccount:
		return err
	case state.CauseOf(err) == state.CauseGeneration && b.target.Known != nil:
		return x.noteDoubt(ctx, b.target, err)
	}
	x.problem(state.ProblemOf(b.target.Name, "", err))
	return nil
}

// partFirst and partMax are how many messages a batch deals with before it records what
// it did: few at first, so that a run which is cut short has got on.
const (
	partFirst = 256
	partMax   = 4096
)

// inParts carries out a batch, in parts that a run which does not live long gets done.
// Transfers are parted where they take place.
func (x *executor) inParts(ctx context.Context, conn *lease, b batch) error {
	if b.kind.Transfers() {
		return x.dispatch(ctx, conn, b)
	}
	for ops, most := b.ops, partFirst; len(ops) > 0; most = min(2*most, partMax) {
		part := b
		part.ops = ops[:x.pace.most(min(len(ops), most))]
		if err := x.dispatch(ctx, conn, part); err != nil {
			return err
		}
		ops = ops[len(part.ops):]
		x.pace.faster()
	}
	return nil
}

// leaveOpen notes that something in the mailbox did not settle, if the mailbox
// takes part in this cycle.
func (x *executor) leaveOpen(mailbox string) {
	if t := x.targets[mailbox]; t != nil {
		t.leaveOpen()
	}
}

func (x *executor) dispatch(ctx context.Context, conn *lease, b batch) error {
	if b.kind.Creates() && b.target.unmade() {
		return nil // folder or mailbox could not be made: said already
	}
	if x.unsure[b.target.Name] && (b.kind == plan.Download || b.kind == plan.Upload || b.kind == plan.Replace) {
		b.target.leaveOpen()
		return nil
	}
	switch b.kind {
	case plan.Rematch:
		return x.rematch(ctx, b)
	case plan.Settle:
		return x.settleAgreed(ctx, b)
	case plan.Depart:
		return x.depart(ctx, b)
	case plan.Disown:
		return x.disown(ctx, b)
	case plan.Exclude:
		return x.exclude(ctx, b)
	case plan.Forget:
		return x.forget(ctx, b)
	case plan.RemoveLocal:
		return x.removeLocal(ctx, conn, b)
	case plan.Download:
		return x.download(ctx, conn, b)
	case plan.Upload, plan.Replace:
		return x.upload(ctx, conn, b)
	}
	return conn.with(ctx, func(r Remote) error {
		switch b.kind {
		case plan.Pair, plan.SetFlags:
			return x.setFlags(ctx, r, b)
		case plan.MoveLocal:
			return x.moveLocal(ctx, r, b)
		case plan.MoveRemote:
			return x.moveRemote(ctx, r, b)
		case plan.RemoveRemote, plan.Retire:
			return x.removeRemote(ctx, r, b)
		default:
			return fmt.Errorf("operation %q cannot be carried out", b.kind)
		}
	})
}

// makePlaces creates the folders and mailboxes that the plan needs, and makes
// every mailbox that is looked at for the first time known to the store: from
// its first record on, its UIDs count in a generation that is known.
func (x *executor) makePlaces(ctx context.Context, ops []plan.Op) error {
	for _, op := range ops {
		t := x.targets[op.Mailbox]
		var err error
		switch op.Kind {
		case plan.CreateFolder:
			err = x.createFolder(ctx, t, op)
		case plan.CreateMailbox:
			err = x.pool.with(ctx, func(r Remote) error { return r.Create(ctx, op.Mailbox) })
			if err == nil {
				t.created = true
				x.add(func(c *Counts) { c.NewMailboxes++ })
			}
		default:
			continue
		}
		if err == nil {
			x.progressed()
			continue
		}
		t.leaveOpen()
		if state.ScopeOf(err) >= state.ScopeAccount {
			return err
		}
		x.problem(state.ProblemOf(op.Mailbox, "", err))
	}
	for _, name := range sortedNames(x.targets) {
		t := x.targets[name]
		if t.unmade() || t.Local == nil || t.Known.Cursor != (state.Cursor{}) {
			continue
		}
		if err := x.noteMailbox(ctx, t, t.ref().UIDValidity); err != nil {
			return err
		}
	}
	return nil
}

func (x *executor) createFolder(ctx context.Context, t *target, op plan.Op) error {
	var f state.LocalFolder
	var err error
	if op.Folder != "" {
		f, err = x.Local.MarkFolder(ctx, op.Folder)
	} else if f, err = x.Local.CreateFolder(ctx, op.Levels, op.Apart); err == nil {
		x.add(func(c *Counts) { c.NewFolders++ })
	}
	if err != nil {
		return err
	}
	t.Folder = f.Path
	t.Known = &state.Mailbox{Name: t.Name, Folder: f.Path, Marker: f.Marker}
	return nil
}

// noteMailbox makes the mailbox known to the store in this generation, which is
// 0 for a mailbox that was created and not asked yet.
func (x *executor) noteMailbox(ctx context.Context, t *target, generation uint32) error {
	now := *t.Known
	now.Cursor.UIDValidity = generation
	if err := x.Store.PutMailbox(ctx, now); err != nil {
		return fmt.Errorf("note mailbox %q: %w", t.Name, err)
	}
	t.setGeneration(generation)
	t.note(noteStored)
	return nil
}

// learnGeneration asks for the generation of a mailbox that was created in this
// cycle, and makes it known before the first record refers to it.
func (x *executor) learnGeneration(ctx context.Context, r Remote, t *target) (state.Cursor, error) {
	next, err := r.Next(ctx, t.Name)
	if err != nil {
		return next, err
	}
	switch want := t.ref().UIDValidity; {
	case want == 0:
		return next, x.noteMailbox(ctx, t, next.UIDValidity)
	case want != next.UIDValidity:
		return next, explainGeneration(t.Name, &state.Error{
			Scope: state.ScopeMailbox, Cause: state.CauseGeneration,
			Doing: state.Textf("look at mailbox %q", t.Name),
			Err:   fmt.Errorf("UIDVALIDITY changed from %d to %d", want, next.UIDValidity),
		})
	}
	return next, nil
}

func sortedNames(targets map[string]*target) []string {
	names := make([]string, 0, len(targets))
	for name := range targets {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// settle records results in one transaction.
func (x *executor) settle(ctx context.Context, s state.Settlement) error {
	return x.Engine.settle(ctx, x.tally, s)
}
