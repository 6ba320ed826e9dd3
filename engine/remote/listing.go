package remote

import (
	"fmt"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailmoor/state"
)

// pieceMessages is the size of a piece of a listing of a mailbox whose server cuts
// longer ones short.
const pieceMessages = 500

const (
	// listedMax bounds a listing: no mailbox has that many messages, and memory
	// has an end.
	listedMax = 50_000_000
	// strayMax is how many messages a server may list that it has not yet said to
	// exist: one that comes meanwhile is told of a moment too late by some.
	strayMax = 100
	// keywordBytesMax bounds what the keywords of one listing take, each set counted
	// once.
	keywordBytesMax = 64 << 20
)

var errTooMany = fmt.Errorf("the server lists more than %d messages", listedMax)

// listFlags fetches UID and FLAGS of the messages of set: those changed since
// the mod-sequence since, or all when it is 0. Lines without flags, which a
// server may send unasked and which the library then takes for the answer, are
// asked for again.
func (c *Conn) listFlags(set imap.NumSet, since state.ModSeq, doing state.Text) ([]listed, error) {
	told, err := c.fetchFlags(set, since, doing)
	return told.list, err
}

// fetchFlags is listFlags with all that was told.
func (c *Conn) fetchFlags(set imap.NumSet, since state.ModSeq, doing state.Text) (flagsTold, error) {
	told, err := c.fetchFlagsOnce(set, since, doing)
	if err != nil || len(told.partial) == 0 {
		return told, err
	}
	again, err := c.fetchFlagsOnce(uidsTo(state.NewUIDSet(told.partial...)), 0, doing)
	if err != nil {
		return flagsTold{}, err
	}
	if len(again.partial) > 0 {
		return flagsTold{}, mailboxError(state.CauseStale, doing, "", "the server does not tell the flags of UID %d", again.partial[0])
	}
	told.list = append(told.list, again.list...)
	return told, nil
}

// fetchFlagsOnce sends one FETCH of UID and FLAGS.
func (c *Conn) fetchFlagsOnce(set imap.NumSet, since state.ModSeq, doing state.Text) (flagsTold, error) {
	cmd := c.client.Fetch(set, &imap.FetchOptions{UID: true, Flags: true, ChangedSince: uint64(since)})
	told, err := c.readFlags(cmd, doing)
	if err != nil {
		return flagsTold{}, c.fail(doing, err)
	}
	c.takeNotes()
	return told, nil
}

// flagsTold is an answer to a FETCH or STORE of flags.
type flagsTold struct {
	list []listed
	// partial are the UIDs of lines that came without flags, unnumbered the sequence
	// numbers of those with the UID 0.
	partial    []state.UID
	unnumbered []uint32
	// keywords are the sets that occur, each kept once, and bytes what they take.
	keywords map[state.Keywords]state.Keywords
	bytes    int
}

// readFlags reads the whole answer to a FETCH or STORE of flags. One that names more
// messages than the server says exist, or more keywords than anybody has, is not
// believed, and the connection ends: nobody knows when the answer would.
func (c *Conn) readFlags(cmd *imapclient.FetchCommand, doing state.Text) (flagsTold, error) {
	var told flagsTold
	var beyond error
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		if beyond != nil {
			continue // the library had read it already
		}
		told.take(msg)
		if beyond = c.beyond(&told); beyond != nil {
			c.breakOff(beyond)
		}
	}
	err := cmd.Close()
	if beyond != nil {
		return flagsTold{}, mailboxError(state.CauseOther, doing,
			"nothing is concluded from that list; tell whoever runs the server if it goes on", "%w", beyond)
	}
	return told, err
}

// beyond reports an answer that is more than there can be.
func (c *Conn) beyond(told *flagsTold) error {
	switch n := told.messages(); {
	case told.bytes > keywordBytesMax:
		return fmt.Errorf("the server lists more than %d bytes of keywords", keywordBytesMax)
	case n > listedMax:
		return errTooMany
	case n > strayMax:
		if exist := c.stream.Messages(); uint64(n) > exist+strayMax {
			return fmt.Errorf("the server lists more messages than the %d that it says exist", exist)
		}
	}
	return nil
}

// take enters one line.
func (f *flagsTold) take(msg *imapclient.FetchMessageData) {
	var m listed
	numbered, known := false, false
	for item := msg.Next(); item != nil; item = msg.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			m.uid, numbered = state.UID(item.UID), true
		case imapclient.FetchItemDataFlags:
			m.flags, m.keywords, known = flagsFrom(item.Flags), f.kept(keywordsFrom(item.Flags)), true
		}
	}
	switch {
	case m.uid == 0 && numbered:
		f.unnumbered = append(f.unnumbered, msg.SeqNum)
	case m.uid == 0: // it names nobody
	case known:
		f.list = append(f.list, m)
	default:
		f.partial = append(f.partial, m.uid)
	}
}

// kept returns the set as it was kept before: most messages have one of a few.
func (f *flagsTold) kept(k state.Keywords) state.Keywords {
	if k == "" {
		return ""
	}
	if known, found := f.keywords[k]; found {
		return known
	}
	if f.keywords == nil {
		f.keywords = make(map[state.Keywords]state.Keywords)
	}
	f.keywords[k] = k
	f.bytes += len(k)
	return k
}

// messages is how many messages the answer names.
func (f *flagsTold) messages() int { return len(f.list) + len(f.partial) + len(f.unnumbered) }

// presentFlags returns the flags of those of the uids that exist, as they are
// now. The open mailbox is asked again, so that what is missing in the answer
// has been missed by a command of its own.
func (c *Conn) presentFlags(uids state.UIDSet, doing state.Text) (map[state.UID]state.Flags, error) {
	list, err := c.presentNow(uids, doing)
	if err != nil {
		return nil, err
	}
	present := make(map[state.UID]state.Flags, len(list))
	for _, m := range list {
		present[m.uid] = m.flags
	}
	return present, nil
}

// presentNow lists those of the uids that exist.
func (c *Conn) presentNow(uids state.UIDSet, doing state.Text) ([]listed, error) {
	var all []listed
	for chunk := range perCommand(uids) {
		list, err := c.listFlags(uidsTo(chunk), 0, doing)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

// fetchPieces lists the whole mailbox by sequence numbers, a piece at a time:
// for servers that cut a long answer short.
func (o *observation) fetchPieces() error {
	var list []listed
	o.unnumbered = nil
	exists := uint64(o.selected.Messages)
	for first := uint64(1); first <= exists; first += pieceMessages {
		last := min(first+pieceMessages-1, exists)
		piece, err := o.fetchFlags(imap.SeqSet{{Start: uint32(first), Stop: uint32(last)}}, 0, o.doing)
		if err != nil {
			return err
		}
		list = append(list, piece.list...)
		o.unnumbered = append(o.unnumbered, piece.unnumbered...)
		if o.disturbed() {
			break // sequence numbers have shifted; the rest would be wasted
		}
	}
	o.list = ordered(list)
	return nil
}

// allUIDs returns the UIDs of all messages in the open mailbox. It returns
// false when no list of the right length could be had: servers are known that
// answer SEARCH and FETCH with the first 1,000 or 10,000 messages only.
func (o *observation) allUIDs() (state.UIDSet, bool, error) {
	exists := uint64(o.selected.Messages)
	if exists == 0 {
		return nil, !o.disturbed(), nil
	}
	all, err := o.searchAll(exists)
	if err != nil {
		return nil, false, err
	}
	if uint64(all.Len()) == exists && !o.disturbed() {
		return all, true, nil
	}
	if o.disturbed() {
		return nil, false, nil
	}
	known := o.list
	err = o.fetchPieces()
	listing := o.list
	// The pieces show flags as well, and younger ones.
	o.list = ordered(append(known, listing...))
	if err != nil {
		return nil, false, err
	}
	return uidsOf(listing), uint64(len(listing)) == exists && !o.disturbed(), nil
}

// searchAll asks for all UIDs with one SEARCH. An answer that cannot be right
// comes back as the empty set.
func (o *observation) searchAll(exists uint64) (state.UIDSet, error) {
	var options *imap.SearchOptions
	if o.caps.Has("ESEARCH") {
		options = &imap.SearchOptions{ReturnAll: true} // ranges: RFC 4731, section 3.1
	}
	data, err := o.client.UIDSearch(&imap.SearchCriteria{}, options).Wait()
	if err != nil {
		return nil, o.fail(o.doing, err)
	}
	o.takeNotes()
	all, ok := uidsFrom(data.All, exists)
	if !ok {
		return nil, nil
	}
	return all, nil
}
