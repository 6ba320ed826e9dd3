package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

// flagChange is what a STORE adds and removes.
type flagChange struct{ add, remove state.Flags }

// setFlags brings both sides of each message to the wanted flags and records
// what was agreed. It also records new pairs, whose flags may differ.
func (x *executor) setFlags(ctx context.Context, r Remote, b batch) error {
	stored, err := x.storeFlags(ctx, r, b.target, b.ops)
	if err != nil {
		return err
	}
	tagged, err := x.storeKeywords(ctx, r, b.target, b.ops)
	if err != nil {
		return err
	}
	var s state.Settlement
	paired, local, remote := 0, 0, 0
	for _, op := range b.ops {
		now, there := stored(op)
		if !there || !tagged(&op) {
			b.target.leaveOpen() // gone meanwhile: the next cycle looks again
			continue
		}
		if missed := (now ^ op.WantRemote) & (op.WantRemote ^ op.Remote.Flags); missed != 0 {
			// The base has what the server has: the change stays one.
			op.Agreed ^= missed
			x.notKept(b.target)
		}
		changed, err := x.setLocalFlags(ctx, b.target, &op)
		if err != nil {
			if state.ScopeOf(err) > state.ScopeMessage {
				return errors.Join(err, x.settle(ctx, s))
			}
			b.target.leaveOpen()
			x.reportUnlessStale(b.target, op, err)
			continue
		}
		s.Put = append(s.Put, agreedRecord(op))
		if op.Supersedes.State != 0 {
			s.Put = append(s.Put, retired(op.Supersedes))
		}
		if op.Base.Mailbox != "" && (op.Base.Mailbox != op.Mailbox || op.Base.UID != op.Remote.UID) {
			s.Drop = append(s.Drop, op.Base)
		}
		if op.Kind == plan.Pair {
			paired++
		}
		if changed {
			local++
		}
		if op.WantRemote != op.Remote.Flags || op.Tags.Send != "" {
			remote++
		}
	}
	if err := x.settle(ctx, s); err != nil {
		return err
	}
	x.add(func(c *Counts) { c.Paired += paired; c.FlagsLocal += local; c.FlagsRemote += remote })
	return nil
}

// notKept reports a server that says OK to flags and does not keep them.
func (x *executor) notKept(t *target) {
	t.leaveOpen()
	x.problem(state.Problem{
		Scope: state.ScopeMailbox, Cause: state.CauseRefused, Mailbox: t.Name,
		Text: "the server says OK to changed flags, and does not keep them",
		Hint: "the flags of the files stay as they are; may the mailbox only be read?",
	})
}

// storeFlags sends the flag changes, grouped by what they add and remove. The
// function it returns tells which flags an operation's message has then, and
// whether it is there.
func (x *executor) storeFlags(ctx context.Context, r Remote, t *target, ops []plan.Op) (func(plan.Op) (state.Flags, bool), error) {
	groups := make(map[flagChange][]state.UID)
	for _, op := range ops {
		var change flagChange
		change.add, change.remove = op.RemoteChange()
		if change != (flagChange{}) {
			groups[change] = append(groups[change], op.Remote.UID)
		}
	}
	order := make([]flagChange, 0, len(groups))
	for change := range groups {
		order = append(order, change)
	}
	slices.SortFunc(order, func(a, b flagChange) int {
		return cmp.Or(cmp.Compare(a.add, b.add), cmp.Compare(a.remove, b.remove))
	})
	now := make(map[state.UID]state.Flags)
	for _, change := range order {
		result, err := r.Store(ctx, t.ref(), state.NewUIDSet(groups[change]...), change.add, change.remove)
		if err != nil {
			return nil, err
		}
		maps.Copy(now, result)
	}
	return func(op plan.Op) (state.Flags, bool) {
		if op.WantRemote == op.Remote.Flags {
			return op.Remote.Flags, true
		}
		flags, there := now[op.Remote.UID]
		return flags, there
	}, nil
}

// setLocalFlags renames the file of op where its flags or keywords are to change, and
// notes in op what it is now.
func (x *executor) setLocalFlags(ctx context.Context, t *target, op *plan.Op) (changed bool, err error) {
	folder := op.Folder
	if folder == "" {
		folder = t.Folder
	}
	if op.WantLocal == op.Local.Flags {
		return x.setLocalKeywords(ctx, folder, op)
	}
	m, err := x.Local.SetFlags(ctx, folder, op.Local.Key, op.Local.Flags, op.WantLocal)
	if err != nil {
		return false, err
	}
	op.Local.Key, op.Local.Flags = m.Key, m.Flags
	_, err = x.setLocalKeywords(ctx, folder, op)
	return true, err
}

// reportUnlessStale reports an error about one message, unless it only says
// that the file is not what was scanned: then the next scan looks closer.
func (x *executor) reportUnlessStale(t *target, op plan.Op, err error) {
	if state.CauseOf(err) == state.CauseStale {
		t.doubt()
		return
	}
	subject := string(op.Local.Key)
	if subject == "" {
		subject = fmt.Sprintf("UID %d", op.Base.UID)
	}
	x.problem(state.ProblemOf(t.Name, subject, err))
}

// moveLocal makes files follow their messages into another folder.
func (x *executor) moveLocal(ctx context.Context, r Remote, b batch) error {
	dest := x.targets[b.ops[0].Dest]
	if dest == nil || dest.unmade() {
		b.target.leaveOpen()
		return nil
	}
	ops, err := x.moveFiles(ctx, b, dest)
	if err != nil || len(ops) == 0 {
		return err
	}
	if _, err := x.storeFlags(ctx, r, dest, ops); err != nil {
		return x.atOtherEnd(ctx, b.target, dest, err)
	}
	tagged, err := x.storeKeywords(ctx, r, dest, ops)
	if err != nil {
		return x.atOtherEnd(ctx, b.target, dest, err)
	}
	var s state.Settlement
	var moved []state.Record
	for _, op := range ops {
		if !tagged(&op) {
			dest.leaveOpen() // gone meanwhile: the next cycle looks again
		}
		if _, err := x.setLocalKeywords(ctx, dest.Folder, &op); err != nil {
			if state.ScopeOf(err) > state.ScopeMessage {
				return errors.Join(err, x.settle(ctx, s))
			}
			x.moveFailed(b.target, dest, op, err)
			continue
		}
		// Another record may still claim the file name, that of a file which is gone
		// from there: its message then counts as new.
		claimed := state.Record{Mailbox: op.Dest, Key: op.Local.Key}
		s.Drop = append(s.Drop, op.Base, claimed)
		s.Put = append(s.Put, movedRecord(op))
		moved = append(moved, op.Base)
	}
	if err := x.settle(ctx, s); err != nil {
		return err
	}
	x.did(plan.MoveLocal, dest.Name, moved...)
	x.add(func(c *Counts) { c.MovedLocal += len(moved) })
	return nil
}

// moveFiles moves the files and returns the operations of those that are in the folder of
// dest then, with what they are there.
func (x *executor) moveFiles(ctx context.Context, b batch, dest *target) ([]plan.Op, error) {
	var moved []plan.Op
	for _, op := range b.ops {
		if op.Local.Content != (state.Content{}) && op.Local.Content.Digest != op.Base.Content.Digest {
			dest.doubt() // it was edited before it was moved
		}
		if op.Folder != dest.Folder {
			from := op.Base
			from.Key, from.Stat, from.Flags = op.Local.Key, op.Local.Stat, op.Local.Flags
			if op.Local.Content != (state.Content{}) {
				from.Content = op.Local.Content
			}
			m, err := x.Local.Move(ctx, op.Folder, from, dest.Folder, op.WantLocal)
			switch {
			case err == nil:
			case state.ScopeOf(err) > state.ScopeMessage:
				return nil, err
			default:
				x.moveFailed(b.target, dest, op, err)
				continue
			}
			op.Local.Key, op.Local.Flags, op.Local.Keywords = m.Key, m.Flags, m.Keywords
		}
		moved = append(moved, op)
	}
	return moved, nil
}

// moveFailed reports that a file could not follow its message.
func (x *executor) moveFailed(from, dest *target, op plan.Op, err error) {
	from.leaveOpen()
	dest.leaveOpen()
	x.reportUnlessStale(from, op, err)
}

// movedRecord is the record of a message whose file has followed it.
func movedRecord(op plan.Op) state.Record {
	r := op.Base
	r.Mailbox, r.UID, r.Key, r.Flags = op.Dest, op.Remote.UID, op.Local.Key, op.Agreed
	r.LocalFlags = op.OnlyLocal & op.Agreed
	r.Keywords, r.LocalKeywords = op.Tags.Agreed, op.Tags.Own
	r.State, r.Remote, r.Since = state.Paired, op.Remote.Identity, 0
	return r
}

// moveRemote makes messages follow their files into another mailbox.
func (x *executor) moveRemote(ctx context.Context, r Remote, b batch) error {
	dest := x.targets[b.ops[0].Dest]
	if dest == nil || dest.unmade() {
		b.target.leaveOpen()
		return nil
	}
	err := x.moveTo(ctx, r, b, dest)
	if err != nil {
		dest.leaveOpen()
	}
	return err
}

func (x *executor) moveTo(ctx context.Context, r Remote, b batch, dest *target) error {
	if dest.ref().UIDValidity == 0 {
		if _, err := x.learnGeneration(ctx, r, dest); err != nil {
			return x.atOtherEnd(ctx, b.target, dest, err)
		}
	}
	stored, err := x.storeFlags(ctx, r, b.target, b.ops)
	if err != nil {
		return err
	}
	tagged, err := x.storeKeywords(ctx, r, b.target, b.ops)
	if err != nil {
		return err
	}
	ops, err := x.stillThere(ctx, r, b, func(op plan.Op) bool {
		_, there := stored(op)
		return there && tagged(&op)
	})
	if err != nil || len(ops) == 0 {
		return err
	}
	moved, removed, err := x.move(ctx, r, b.target, remoteUIDs(ops), dest.Name)
	if err != nil && state.ScopeOf(err) >= state.ScopeAccount {
		return err
	}
	if settleErr := x.settleMoves(ctx, b, dest, ops, moved, removed); settleErr != nil {
		return settleErr
	}
	return err
}

// settleMoves records what has been moved on the server: moved has the new UIDs, 0 where
// the server does not tell; removed is false when the old messages are still there,
// marked deleted.
func (x *executor) settleMoves(
	ctx context.Context, b batch, dest *target, ops []plan.Op, moved map[state.UID]state.UID, removed bool,
) error {
	var s state.Settlement
	var doubt error
	n := 0
	for _, op := range ops {
		uid, ok := moved[op.Remote.UID]
		if !ok {
			b.target.leaveOpen()
			continue
		}
		n++
		if given := dest.checkGiven(uid); given != nil && !dest.had(uid) {
			doubt = given // as after an interruption, both sides show what happened
			continue
		}
		s.Drop = append(s.Drop, op.Base)
		if !removed {
			s.Put = append(s.Put, marked(op.Base))
		}
		if uid == 0 || dest.had(uid) {
			// The next cycle pairs file and message by their content, or finds that
			// the server keeps only one of equal messages.
			dest.leaveOpen()
			continue
		}
		if _, err := x.setLocalFlags(ctx, dest, &op); err != nil {
			dest.leaveOpen()
			x.reportUnlessStale(dest, op, err)
			continue
		}
		rec := agreedRecord(op)
		rec.Mailbox, rec.UID, rec.Since = dest.Name, uid, x.now()
		// Which keywords came along is seen when the server shows the message there.
		rec.Keywords, rec.LocalKeywords = "", op.Tags.Local
		s.Put = append(s.Put, rec)
	}
	if err := x.settle(ctx, s); err != nil {
		return err
	}
	x.did(plan.MoveRemote, dest.Name, s.Drop...)
	x.add(func(c *Counts) { c.MovedRemote += n })
	if doubt != nil {
		return x.atOtherEnd(ctx, b.target, dest, doubt)
	}
	return nil
}

// move moves messages and takes nobody's word for it: where the server does not
// tell the new UIDs, a message that is still there has not been moved.
func (x *executor) move(ctx context.Context, r Remote, t *target, uids state.UIDSet, dest string) (map[state.UID]state.UID, bool, error) {
	moved, removed, err := r.Move(ctx, t.ref(), uids, dest)
	if err != nil || !removed {
		return moved, removed, err
	}
	var untold []state.UID
	for uid := range uids.All() {
		if moved[uid] == 0 {
			untold = append(untold, uid)
		}
	}
	if len(untold) == 0 {
		return moved, removed, nil
	}
	left, err := r.Identify(ctx, t.ref(), state.NewUIDSet(untold...))
	if err != nil {
		return moved, removed, err
	}
	for _, m := range left {
		delete(moved, m.UID)
	}
	if len(left) > 0 {
		x.problem(state.Problem{
			Scope: state.ScopeMailbox, Cause: state.CauseRefused, Mailbox: t.Name,
			Text: state.Textf("the server says OK to a move to %q, and leaves messages where they were", dest),
			Hint: "nothing is lost; the next run tries again",
		})
	}
	return moved, removed, nil
}

// atOtherEnd handles an error that is about the mailbox dest, in an operation of
// another one: that the UIDs of dest are in doubt says nothing of those.
func (x *executor) atOtherEnd(ctx context.Context, t, dest *target, err error) error {
	if state.CauseOf(err) != state.CauseGeneration || dest.Known == nil {
		return err
	}
	t.leaveOpen()
	dest.leaveOpen()
	return x.noteDoubt(ctx, dest, err)
}

func remoteUIDs(ops []plan.Op) state.UIDSet {
	uids := make([]state.UID, len(ops))
	for i, op := range ops {
		uids[i] = op.Remote.UID
	}
	return state.NewUIDSet(uids...)
}
