// Package conflict decides what becomes of ONE message, given what both sides
// last agreed on and what each side shows now. The decision is a pure function
// and a complete table: docs/conflicts.md states it, and a test executes that
// document against this code.
//
// Three rules stand behind every cell. What is missing on one side was deleted
// there only if it is proven absent; anything unknown changes nothing. A
// deletion never beats a new version or a change that shows that somebody
// still wants the message. Flags merge one by one and cannot conflict.
package conflict

import "mailmoor/state"

// Local is what the folder shows of a message.
type Local uint8

// The states of the local side.
const (
	LocalUnknown  Local = iota // could not be seen: folder not scanned, suspended
	LocalAbsent                // proven absent; without a base: was never there
	LocalNew                   // present without a base
	LocalSame                  // as in the base
	LocalFlags                 // flags differ from the base
	LocalEdited                // content differs from the base
	LocalMoved                 // absent here, found in another folder
	LocalReplaced              // a draft, absent, in whose place its folder has a new file
)

// Remote is what the mailbox shows of a message.
type Remote uint8

// The states of the remote side.
const (
	RemoteUnknown Remote = iota // could not be seen: not listed, listing incomplete
	RemoteAbsent                // proven absent; without a base: was never there
	RemoteNew                   // present without a base
	RemoteSame                  // as in the base
	RemoteFlags                 // flags differ from the base
	RemoteDeleted               // \Deleted was set since the base
	RemoteMoved                 // absent here, found in another mailbox
)

// Action is what to do.
type Action uint8

// The actions.
const (
	Nothing      Action = iota
	Wait                // one side is unknown: look again in the next cycle
	Pair                // both sides hold the same message: agree on it
	Download            // the server's message comes to the folder
	Upload              // the file goes to the server, as a new message
	KeepBoth            // two different messages: download one, upload the other
	SetFlags            // bring both sides to the merged flags
	Replace             // upload the edited file, or the one that replaces it, then retire the old version
	RemoveLocal         // move the file to the hold area
	RemoveRemote        // remove the server's message: to Trash, or for good
	MoveLocal           // the file follows the message into another folder
	MoveRemote          // the message follows the file into another mailbox
	Repair              // both sides moved it to the same place: agree on it there
	Forget              // gone on both sides: drop the record
)

// String returns the action's words, as docs/conflicts.md has them.
func (a Action) String() string {
	return [...]string{
		"nothing", "wait", "pair", "download", "upload", "keep both", "set flags", "replace",
		"remove local", "remove remote", "move local", "move remote", "pair again", "forget",
	}[a]
}

// Message is one message as both sides show it.
type Message struct {
	Known  bool // there is a base
	Local  Local
	Remote Remote
	// BaseFlags, LocalFlags and RemoteFlags are as far as that side is present.
	BaseFlags, LocalFlags, RemoteFlags state.Flags
	// Shared are the flags that travel between the two sides: those that the
	// mailbox stores for good, without Trashed where it stays local. The other
	// flags stay where they are.
	Shared state.Flags
	// Keywords are those of the message.
	Keywords Keywords
	// Equal: without a base, both sides hold the same content.
	Equal bool
	// SameTarget: both sides moved the message to the same place.
	SameTarget bool
}

// Decision is what becomes of the message.
type Decision struct {
	Action Action
	// Local and Remote are the flags that each side shall have afterwards,
	// where it holds the message.
	Local, Remote state.Flags
	// Tags is what becomes of the keywords.
	Tags Tags
	// Why is a short explanation for logs and dry runs.
	Why state.Text
}

// Decide applies the table.
func Decide(m Message) Decision {
	if !m.Known {
		return decideNew(m)
	}
	if m.Local == LocalUnknown || m.Remote == RemoteUnknown {
		return Decision{Action: Wait, Why: "one side is not known"}
	}
	d := decideKnown(m)
	d.Local, d.Remote = merge(m)
	d.Tags = tag(m)
	if m.Remote == RemoteDeleted && undeletes(m) {
		d.Local &^= m.Shared & state.Trashed
		d.Remote &^= m.Shared & state.Trashed
	}
	return d
}

// decideNew is the table for messages without a base.
func decideNew(m Message) Decision {
	d := Decision{Local: m.LocalFlags, Remote: m.RemoteFlags, Tags: tag(m)}
	switch {
	case m.Local == LocalUnknown || m.Remote == RemoteUnknown:
		d.Action, d.Why = Wait, "one side is not known"
	case m.Local == LocalNew && m.Remote == RemoteNew && m.Equal:
		// Nothing is known to have been taken away, so both sides' flags count.
		both := m.LocalFlags | m.RemoteFlags
		d.Action, d.Why = Pair, "both sides hold it"
		d.Local |= both & m.Shared
		d.Remote |= both & m.Shared
	case m.Local == LocalNew && m.Remote == RemoteNew:
		d.Action, d.Why = KeepBoth, "two different messages"
	case m.Local == LocalNew:
		d.Action, d.Why = Upload, "new in the folder"
	case m.Remote == RemoteNew:
		d.Action, d.Why = Download, "new on the server"
	}
	return d
}

// decideKnown is the table for messages with a base, both sides being known.
func decideKnown(m Message) Decision {
	switch m.Local {
	case LocalEdited:
		return localEdited(m)
	case LocalAbsent, LocalReplaced:
		return localAbsent(m)
	case LocalMoved:
		return localMoved(m)
	default:
		return localPresent(m)
	}
}

// localPresent covers a file that is as it was, or differs in flags only.
func localPresent(m Message) Decision {
	switch m.Remote {
	case RemoteAbsent:
		if m.localSignificant() {
			return Decision{Action: Upload, Why: "deleted on the server, but changed here since"}
		}
		return Decision{Action: RemoveLocal, Why: "deleted on the server"}
	case RemoteMoved:
		return Decision{Action: MoveLocal, Why: "moved on the server"}
	}
	local, remote := merge(m)
	tags := tag(m)
	if local == m.LocalFlags && remote == m.RemoteFlags && !undeletes(m) && tags.Local.Equal(m.Keywords.Local) && tags.Send == "" {
		return Decision{Action: Nothing}
	}
	return Decision{Action: SetFlags, Why: "flags changed"}
}

func localEdited(m Message) Decision {
	switch m.Remote {
	case RemoteAbsent:
		return Decision{Action: Upload, Why: "deleted on the server, but edited here"}
	case RemoteMoved:
		// The file follows first; in its new folder it is found edited again.
		return Decision{Action: MoveLocal, Why: "moved on the server and edited here"}
	default:
		return Decision{Action: Replace, Why: "edited here"}
	}
}

func localAbsent(m Message) Decision {
	switch m.Remote {
	case RemoteAbsent:
		return Decision{Action: Forget, Why: "deleted on both sides"}
	case RemoteMoved:
		return Decision{Action: Forget, Why: "deleted here, but moved on the server: the moved one stays"}
	case RemoteFlags:
		if m.remoteSignificant() {
			return Decision{Action: Download, Why: "deleted here, but changed on the server since"}
		}
	}
	if m.Local == LocalReplaced {
		return Decision{Action: Replace, Why: "a draft that was saved again"}
	}
	return Decision{Action: RemoveRemote, Why: "deleted here"}
}

func localMoved(m Message) Decision {
	switch m.Remote {
	case RemoteAbsent:
		return Decision{Action: Upload, Why: "deleted on the server, but moved here"}
	case RemoteMoved:
		if m.SameTarget {
			return Decision{Action: Repair, Why: "moved to the same place on both sides"}
		}
		return Decision{Action: MoveLocal, Why: "moved to different places: the server's counts"}
	default:
		return Decision{Action: MoveRemote, Why: "moved here"}
	}
}

// merge returns the flags of each side after merging those that are shared.
func merge(m Message) (local, remote state.Flags) {
	l, r := m.LocalFlags, m.RemoteFlags
	// A side that does not hold the message has not changed its flags.
	if m.fileGone() {
		l = m.BaseFlags
	}
	if m.Remote == RemoteAbsent {
		r = m.BaseFlags
	}
	merged := state.MergeFlags(m.BaseFlags, l, r) & m.Shared
	return merged | l&^m.Shared, merged | r&^m.Shared
}

// undeletes reports whether the local side shows that the message, marked
// \Deleted on the server, is still wanted.
func undeletes(m Message) bool {
	return m.Shared&state.Trashed != 0 && m.RemoteFlags&state.Trashed != 0 && m.LocalFlags&state.Trashed == 0 &&
		(m.Local == LocalMoved || m.Local == LocalEdited || m.Local == LocalFlags && m.localSignificant())
}

// fileGone reports whether the message has no file any more.
func (m Message) fileGone() bool { return m.Local == LocalAbsent || m.Local == LocalReplaced }

func (m Message) localSignificant() bool {
	return state.Significant(m.BaseFlags&m.Shared, m.LocalFlags&m.Shared) || m.taggedLocally()
}

func (m Message) remoteSignificant() bool {
	return state.Significant(m.BaseFlags&m.Shared, m.RemoteFlags&m.Shared) || m.taggedRemotely()
}
