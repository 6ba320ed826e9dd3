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
	case CreateMailbox, Upload, Replace, Depart, MoveRemote, RemoveRemote, Retire:
		return true
	case SetFlags, Pair, MoveLocal:
		return op.WantRemote != op.Remote.Flags || op.Tags.Send != ""
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
		return op.changesFile()
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
		return op.withoutRemote()
	case b.in.Direction == Push && (op.Kind == SetFlags || op.Kind == Pair || op.Kind == MoveRemote):
		return op.withoutLocal()
	}
	return op, false
}

// changesFile reports whether flags or keywords of the file are to change.
func (o Op) changesFile() bool {
	return o.WantLocal != o.Local.Flags || !o.Tags.Local.Equal(o.Local.Keywords)
}

// records reports whether the record is to have other flags or keywords.
func (o Op) records() bool {
	return o.Agreed != o.Base.Flags || o.OnlyLocal != o.Base.LocalFlags || !o.Tags.Agreed.Equal(o.Base.Keywords) || !o.Tags.Own.Equal(o.Base.LocalKeywords)
}

// withoutRemote returns what is left of a change of flags when nothing may change on
// the server, and false if that is nothing. The base then has what the server has.
func (o Op) withoutRemote() (Op, bool) {
	o.WantRemote, o.Agreed, o.OnlyLocal = o.Remote.Flags, o.Remote.Flags, 0
	o.Tags.Agreed, o.Tags.Send = o.Tags.Agreed.Without(o.Tags.Send), ""
	o.Tags.Own = o.Tags.Own.Union(o.Base.LocalKeywords).Without(o.Tags.Agreed)
	return o, o.Kind != SetFlags || o.changesFile() || o.records()
}

// withoutLocal is withoutRemote for the other side. The base then has what the file
// has, and what was sent to the server.
func (o Op) withoutLocal() (Op, bool) {
	o.WantLocal, o.Agreed, o.OnlyLocal = o.Local.Flags, o.Local.Flags, o.OnlyLocal&o.Local.Flags
	o.Tags.Agreed = o.Base.Keywords.Union(o.Tags.Send)
	theirs := o.Tags.Own.Without(o.Local.Keywords.Union(o.Base.LocalKeywords))
	o.Tags.Own = o.Tags.Own.Without(theirs).Without(o.Tags.Agreed)
	o.Tags.Local = o.Local.Keywords
	return o, o.Kind != SetFlags || o.WantRemote != o.Remote.Flags || o.Tags.Send != "" || o.records()
}
