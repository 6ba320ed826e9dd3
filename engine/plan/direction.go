package plan

import "mailmoor/state"

// Direction says which side's changes travel to the other one.
type Direction uint8

// The directions.
const (
	Both Direction = iota
	Pull           // only the server's changes travel
	Push           // only the tree's changes travel
)

// changesRemote reports whether the operation changes the server.
func changesRemote(op Op) bool {
	switch op.Kind {
	case CreateMailbox, Upload, Replace, MoveRemote, RemoveRemote, Retire:
		return true
	case SetFlags, Pair, MoveLocal:
		return op.WantRemote != op.Remote.Flags
	default:
		return false
	}
}

// changesLocal reports whether the operation changes the tree.
func changesLocal(op Op) bool {
	switch op.Kind {
	case Download, MoveLocal:
		return true
	case CreateFolder:
		return op.Folder == "" // one that is there only gets its marker
	case RemoveLocal:
		// What the server has lost is removed only on the user's word.
		return op.Base.State != state.Lost
	case SetFlags, Pair, MoveRemote:
		return op.WantLocal != op.Local.Flags
	default:
		return false
	}
}

// directed returns what is left of an operation when only one side's changes
// travel, and false if nothing is. The base keeps what the other side has not
// taken over, so that it stays visible as a change.
func (b *builder) directed(op Op) (Op, bool) {
	if op.Decided {
		return op, true
	}
	against := b.in.Direction == Pull && changesRemote(op) || b.in.Direction == Push && changesLocal(op)
	if !against {
		return op, true
	}
	b.plan.Kept += max(1, op.Count())
	b.open(op.touches()...)
	switch {
	case b.in.Direction == Pull && (op.Kind == SetFlags || op.Kind == Pair || op.Kind == MoveLocal):
		op.WantRemote, op.Agreed = op.Remote.Flags, op.Remote.Flags
		return op, op.Kind != SetFlags || op.WantLocal != op.Local.Flags || op.Agreed != op.Base.Flags
	case b.in.Direction == Push && (op.Kind == SetFlags || op.Kind == Pair || op.Kind == MoveRemote):
		op.WantLocal, op.Agreed = op.Local.Flags, op.Local.Flags
		return op, op.Kind != SetFlags || op.WantRemote != op.Remote.Flags || op.Agreed != op.Base.Flags
	}
	return op, false
}
