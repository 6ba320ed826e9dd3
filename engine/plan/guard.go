package plan

import (
	"cmp"
	"slices"

	"mailmoor/conflict"
	"mailmoor/state"
)

// Limits say how many removals in one mailbox and one cycle are plausible. See
// docs/guards.md.
type Limits struct {
	// ReversibleCount and ReversiblePercent bound removals that can be undone:
	// to the hold area or to Trash. The larger of the two counts.
	ReversibleCount, ReversiblePercent int
	// FinalCount and FinalPercent bound removals that cannot be undone.
	FinalCount, FinalPercent int
	// TrashCount bounds removals inside Trash: more than that many, and all
	// that there are.
	TrashCount int
}

// DefaultLimits are the limits of a configuration that does not set any.
func DefaultLimits() Limits {
	return Limits{
		ReversibleCount: 100, ReversiblePercent: 50,
		FinalCount: 20, FinalPercent: 10,
		TrashCount: 500,
	}
}

// removals are the planned removals of one mailbox on one side.
type removals struct {
	paired int // paired records of the mailbox
	// left is how many other paired messages that side still shows there: not
	// those that moved away, or are gone from both sides.
	left  int
	trash bool
	final bool
	count int
}

// implausible returns why so many removals look like an accident, "" if they
// do not.
func (l Limits) implausible(r removals) state.Text {
	all := r.left == 0 && r.count >= 2
	if r.trash {
		if all && r.count > l.TrashCount {
			return state.Textf("all %s of Trash are gone at once", state.Count(r.count, "message"))
		}
		return ""
	}
	if all {
		return state.Textf("all %s are gone at once", state.Count(r.count, "message"))
	}
	count, percent := l.ReversibleCount, l.ReversiblePercent
	if r.final {
		count, percent = l.FinalCount, l.FinalPercent
	}
	if limit := max(count, r.paired*percent/100); r.count > limit {
		return state.Textf("%d of %s %s gone at once, more than %d", r.count, state.Count(r.paired, "message"), isOrAre(r.count), limit)
	}
	return ""
}

// guard takes the removals out of the plan that are implausible or that the
// user has rejected, and computes the holds to be stored.
func (b *builder) guard() {
	var kept []Op
	removing := make(map[removed][]Op)
	returning := make(map[string][]Op) // by the mailbox that they are gone from
	for _, op := range b.plan.Ops {
		if op.returns() {
			returning[op.Base.Mailbox] = append(returning[op.Base.Mailbox], op)
		}
		if op.Kind == RemoveLocal || op.Kind == RemoveRemote {
			k := removed{op.Mailbox, missingSide(op), op.Base.State == state.Lost}
			removing[k] = append(removing[k], op)
		} else {
			kept = append(kept, op)
		}
	}
	b.plan.Ops = kept
	for _, v := range b.views {
		b.guardGroup(v, state.Local, removing[removed{v.Name, state.Local, false}], v.wanted)
		b.guardGroup(v, state.Remote, removing[removed{v.Name, state.Remote, false}], uidsOf(returning[v.Name]))
		b.guardLost(v, removing[removed{v.Name, state.Remote, true}])
	}
	b.keepWholeHolds()
	b.holdReturns()
	b.seekReturns()
	slices.SortStableFunc(b.plan.Holds, func(x, y state.Hold) int {
		return cmp.Or(cmp.Compare(x.ID, y.ID), cmp.Compare(x.Mailbox, y.Mailbox), cmp.Compare(x.Missing, y.Missing))
	})
}

// removed groups the removals of one mailbox by the side on which the messages
// are gone already.
type removed struct {
	mailbox string
	missing state.Side
	lost    bool // messages that the server has lost
}

// missingSide is the side on which the message of a removal is gone already.
func missingSide(op Op) state.Side {
	if op.Kind == RemoveLocal {
		return state.Remote
	}
	return state.Local
}

// guardGroup decides the removals of one mailbox whose messages are missing on
// one side: by what the user said of them, and else by the limits. What returns, because
// it was changed on the other side, counts with them: it tells nothing about whether
// the side that lacks it can be believed.
func (b *builder) guardGroup(v *view, missing state.Side, group []Op, returning state.UIDSet) {
	open, decided := b.holdsOf(v.Name, missing)
	if v.rematched {
		return // their UIDs count no more: what is still missing then is held anew
	}
	if v.doubted {
		// Not everything could be seen in this cycle: what is not missing now
		// has not proven to be back, so the holds stay, and so does what they
		// cover.
		b.keepHolds(open, decided, group)
		return
	}
	var rest []Op
	for _, op := range group {
		switch decisionFor(decided, op.Base.UID) {
		case state.Approved:
			b.plan.Ops = append(b.plan.Ops, op)
		case state.Rejected:
			b.reject(v, op)
		default:
			rest = append(rest, op)
		}
	}
	b.plan.Holds = append(b.plan.Holds, stillNeeded(decided, group)...)
	returning = undecided(decided, returning)
	if len(rest) == 0 && len(returning) == 0 {
		return
	}
	why := b.in.Limits.implausible(removals{
		paired: v.Paired, left: v.left(missing), trash: v.Discards(), final: len(rest) > 0 && rest[0].Final,
		count: len(rest) + returning.Len(),
	})
	if why != "" && v.Role == state.RoleTrash && v.Guessed {
		why += state.Textf("; if %q is Trash, say so in the configuration: roles.trash", v.Name)
	}
	if slid := v.slidOut(rest); why == "" && (open == nil || len(slid) > 0 && len(slid) == len(rest)) {
		b.plan.Ops = append(b.plan.Ops, rest[len(slid):]...)
		if len(slid) == 0 {
			return
		}
		rest = slid
		why = state.Textf("the server seems to show only its newest %s: the oldest %d left that window "+
			"(reject would upload them again)", state.Count(int64(v.Remote.Selected.Messages), "message"), len(slid))
	}
	// What goes missing while a hold is open joins it: the user has not yet
	// said whether this side can be believed.
	held := state.NewUIDSet(slices.AppendSeq(slices.Collect(uidsOf(rest).All()), returning.All())...)
	b.plan.Holds = append(b.plan.Holds, b.heldNow(v, open, state.Hold{
		Mailbox: v.Name, Missing: missing, UIDs: held, Reason: why, Created: b.in.Now,
	}))
}

// heldNow returns the hold as it is to be stored, given the one that is open, if any. The
// reason of that one stays true as long as it is about the same messages.
func (b *builder) heldNow(v *view, open *state.Hold, now state.Hold) state.Hold {
	if open != nil {
		if slices.Equal(open.UIDs, now.UIDs) {
			return *open
		}
		now.ID, now.Created = open.ID, open.Created
		if now.Reason == "" {
			n := now.UIDs.Len()
			now.Reason = state.Textf("%d of %s %s gone, and more of them were at once", n, state.Count(v.Paired, "message"), isOrAre(n))
		}
	}
	b.seekUIDs(v, now.UIDs)
	now.Reason += v.whereElse(func(e *entry) bool { return now.UIDs.Contains(e.base.UID) })
	return now
}

// returns reports whether the upload brings a message back that is gone from the
// server and was changed here.
func (o Op) returns() bool { return o.Kind == Upload && o.Base.State == state.Paired && !o.Decided }

// holdReturns lets what would be brought back wait with what is held in its mailbox:
// when that side shows everything again, it would have two of it. In a mailbox that was
// not seen completely the others wait without a hold, and it with them: brought back
// alone, it would make a mailbox that was emptied look as if it were not.
func (b *builder) holdReturns() {
	held := make(map[removed]bool)
	for _, v := range b.views {
		if v.doubted {
			held[removed{v.Name, state.Remote, false}] = true
			held[removed{v.Name, state.Local, false}] = true
		}
	}
	for _, h := range b.plan.Holds {
		if h.Decision == state.Undecided && !h.Whole && h.Lost == 0 {
			held[removed{h.Mailbox, h.Missing, false}] = true
		}
	}
	waits := func(mailbox string, missing state.Side, uid state.UID) bool {
		if !held[removed{mailbox, missing, false}] {
			return false
		}
		_, decided := b.holdsOf(mailbox, missing)
		return decisionFor(decided, uid) == state.Undecided
	}
	b.plan.Ops = slices.DeleteFunc(b.plan.Ops, func(op Op) bool {
		if !op.returns() || !waits(op.Base.Mailbox, state.Remote, op.Base.UID) {
			return false
		}
		b.open(op.touches()...)
		return true
	})
	for _, v := range b.views {
		var wanted state.UIDSet
		for uid := range v.wanted.All() {
			if !waits(v.Name, state.Local, uid) { // the hold keeps the mailbox open
				wanted = wanted.Add(uid)
			}
		}
		v.wanted = wanted
	}
}

// seekReturns has what would be brought back looked for elsewhere first.
func (b *builder) seekReturns() {
	for _, op := range b.plan.Ops {
		if op.returns() && op.Local.Content.Digest == op.Base.Content.Digest {
			b.seek(op.Base)
		}
	}
	for _, v := range b.views {
		b.seekUIDs(v, v.wanted)
	}
}

// undecided returns those of the messages of which the user has said nothing.
func undecided(decided []state.Hold, uids state.UIDSet) state.UIDSet {
	var left []state.UID
	for uid := range uids.All() {
		if decisionFor(decided, uid) == state.Undecided {
			left = append(left, uid)
		}
	}
	return state.NewUIDSet(left...)
}

// slidOut returns those of the removals, at their head, that look as if the server
// showed only so many of its newest messages: the oldest are gone, and the mailbox
// is exactly as large as before. One alone may be a coincidence.
func (v *view) slidOut(removals []Op) []Op {
	messages := v.Remote.Selected.Messages
	if len(removals) == 0 || removals[0].Kind != RemoveLocal || v.Known == nil || messages == 0 || v.Known.Cursor.Messages != messages || v.Oldest == 0 {
		return nil
	}
	n := 0
	for n < len(removals) && removals[n].Base.UID < v.Oldest {
		n++
	}
	const windowLeast = 1000 // windows that servers have are round
	if n < 2 && (messages < windowLeast || messages%windowLeast != 0) {
		return nil
	}
	return removals[:n]
}

// left returns how many paired messages a side still shows in the mailbox.
func (v *view) left(side state.Side) int {
	left := v.Paired
	for _, e := range v.entries {
		if e.base.State != state.Paired {
			continue
		}
		local := e.local == conflict.LocalAbsent || e.local == conflict.LocalMoved
		remote := e.remote == conflict.RemoteAbsent || e.remote == conflict.RemoteMoved
		if side == state.Local && local || side == state.Remote && remote {
			left--
		}
	}
	return left
}

// keepHolds leaves the holds of a mailbox as they are. Removals that none of
// them covers wait for a cycle in which everything can be seen.
func (b *builder) keepHolds(open *state.Hold, decided []state.Hold, group []Op) {
	b.plan.Holds = append(b.plan.Holds, decided...)
	if open != nil {
		b.plan.Holds = append(b.plan.Holds, *open)
	}
	for _, op := range group {
		b.open(op.touches()...)
	}
}

// reject carries out that the user wants a removal not to happen. What is in another
// mailbox as well is not brought to the server a second time.
func (b *builder) reject(v *view, op Op) {
	if op.Kind == RemoveLocal {
		b.seek(op.Base)
		if slices.ContainsFunc(v.entries, func(e *entry) bool { return e.twin != nil && e.base.Key == op.Base.Key }) {
			b.plan.Ops = append(b.plan.Ops, op)
			return
		}
	}
	b.restore(v, op)
}

// restore puts the missing side of a rejected removal back.
func (b *builder) restore(v *view, op Op) {
	const why = "the removal was rejected"
	if op.Kind == RemoveRemote {
		v.restored = v.restored.Add(op.Base.UID)
		return
	}
	file := op.Local
	file.Flags, file.Keywords = op.WantLocal, op.Tags.Local
	b.add(v, Op{Kind: Upload, Files: []state.LocalMessage{file}, Base: op.Base, Local: op.Local, Decided: true, Why: why})
}

// holdsOf returns the undecided hold and the decided ones of one mailbox and
// side, those of the whole mailbox left out.
func (b *builder) holdsOf(mailbox string, missing state.Side) (open *state.Hold, decided []state.Hold) {
	for _, h := range b.in.Holds {
		switch {
		case h.Mailbox != mailbox || h.Missing != missing || h.Whole || h.Lost > 0:
		case h.Decision == state.Undecided:
			open = &h
		default:
			decided = append(decided, h)
		}
	}
	return open, decided
}

// keepWholeHolds carries over the holds of mailboxes that are not planned for:
// whether they still stand is seen where mailboxes and folders are matched.
func (b *builder) keepWholeHolds() {
	for _, h := range b.in.Holds {
		planned := slices.ContainsFunc(b.views, func(v *view) bool { return v.Name == h.Mailbox })
		if h.Whole || !planned {
			b.plan.Holds = append(b.plan.Holds, h)
		}
	}
}

func decisionFor(decided []state.Hold, uid state.UID) state.Decision {
	for _, h := range decided {
		if h.UIDs.Contains(uid) {
			return h.Decision
		}
	}
	return state.Undecided
}

// stillNeeded returns the decided holds of which a message is still missing:
// they stand until what was decided has been carried out.
func stillNeeded(decided []state.Hold, group []Op) []state.Hold {
	var needed []state.Hold
	for _, h := range decided {
		if slices.ContainsFunc(group, func(op Op) bool { return h.UIDs.Contains(op.Base.UID) }) {
			needed = append(needed, h)
		}
	}
	return needed
}

func uidsOf(ops []Op) state.UIDSet {
	uids := make([]state.UID, len(ops))
	for i, op := range ops {
		uids[i] = op.Base.UID
	}
	return state.NewUIDSet(uids...)
}
