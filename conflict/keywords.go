package conflict

import "mailmoor/state"

// Keywords are the keywords of one message as both sides show them.
type Keywords struct {
	// Base are those that both sides had when they last agreed; Own are those that
	// only the local side had, because the mailbox did not take them.
	Base, Own state.Keywords
	// Local and Remote are as far as that side is present.
	Local, Remote state.Keywords
	// Stored says which of them the mailbox stores.
	Stored state.KeywordRule
}

// Tags is what becomes of the keywords of a message.
type Tags struct {
	// Local are those that the message shall have here.
	Local state.Keywords
	// Send are those that the message on the server shall gain. None is ever taken
	// from it: a letter that is missing in a file name says nothing.
	Send state.Keywords
	// Agreed and Own are what the record shall have afterwards, when what was sent
	// has been taken.
	Agreed, Own state.Keywords
}

// base returns the keywords as they are when neither side did anything.
func (k Keywords) base() state.Keywords { return k.Base.Union(k.Own) }

// tag merges the keywords keyword by keyword, as flags are merged. They differ from
// flags in that readers and indexers drop the letters that they do not know, so that
// on the local side only what has been added counts.
func tag(m Message) Tags {
	k := m.Keywords
	if k == (Keywords{Stored: k.Stored}) {
		return Tags{}
	}
	local, remote := k.base(), k.Base
	if !m.fileGone() {
		local = local.Union(k.Local)
	}
	if m.Remote != RemoteAbsent {
		// What the mailbox does not store has not been taken away.
		remote = k.Remote.Union(k.Base.Without(k.Stored.Of(k.Base)))
	}
	t := Tags{Local: state.MergeKeywords(k.Base, local, remote)}
	t.Send = k.Stored.Of(t.Local.Without(remote))
	t.Agreed = k.Stored.Of(remote).Union(t.Send)
	t.Own = t.Local.Without(t.Agreed)
	return t
}

// taggedLocally reports whether somebody gave the message a keyword since the base: that
// shows that it is wanted, as one that was taken away does not.
func (m Message) taggedLocally() bool {
	return m.Keywords.Local.Without(m.Keywords.base()) != ""
}

// taggedRemotely is taggedLocally for the other side.
func (m Message) taggedRemotely() bool {
	return m.Keywords.Stored.Of(m.Keywords.Remote).Without(m.Keywords.base()) != ""
}
