package remote

import (
	"fmt"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailmoor/state"
)

// pieceMessages is the size of a piece of a listing. RFC 9738 lets servers
// limit how many messages a command may name; known limits are 1,000 and more.
const pieceMessages = 500

// listedMax bounds a listing: no mailbox has that many messages, and memory
// has an end.
const listedMax = 50_000_000

var errTooMany = fmt.Errorf("the server lists more than %d messages", listedMax)

// listFlags fetches UID and FLAGS of the messages of set: those changed since
// the mod-sequence since, or all when it is 0. Lines without flags, which a
// server may send unasked and which the library then takes for the answer, are
// asked for again.
func (c *Conn) listFlags(set imap.NumSet, since state.ModSeq, doing string) ([]listed, error) {
	list, partial, err := c.fetchFlags(set, since, doing)
	if err != nil || len(partial) == 0 {
		return list, err
	}
	again, partial, err := c.fetchFlags(uidsTo(state.NewUIDSet(partial...)), 0, doing)
	if err != nil {
		return nil, err
	}
	if len(partial) > 0 {
		return nil, mailboxError(state.CauseStale, doing, "", "the server does not tell the flags of UID %d", partial[0])
	}
	return append(list, again...), nil
}

// fetchFlags sends one FETCH of UID and FLAGS. It returns apart the UIDs of
// lines that came without flags.
func (c *Conn) fetchFlags(set imap.NumSet, since state.ModSeq, doing string) (list []listed, partial []state.UID, err error) {
	cmd := c.client.Fetch(set, &imap.FetchOptions{UID: true, Flags: true, ChangedSince: uint64(since)})
	list, partial, err = readFlags(cmd)
	if err != nil {
		return nil, nil, c.fail(doing, err)
	}
	c.takeNotes()
	return list, partial, nil
}

// readFlags reads the whole answer to a FETCH or STORE of flags.
func readFlags(cmd *imapclient.FetchCommand) (list []listed, partial []state.UID, err error) {
	tooMany := false
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		var m listed
		known := false
		for item := msg.Next(); item != nil; item = msg.Next() {
			switch item := item.(type) {
			case imapclient.FetchItemDataUID:
				m.uid = state.UID(item.UID)
			case imapclient.FetchItemDataFlags:
				m.flags, m.keywords, known = flagsFrom(item.Flags), keywordsFrom(item.Flags), true
			}
		}
		switch {
		case m.uid == 0: // it names nobody
		case len(list)+len(partial) >= listedMax:
			tooMany = true
		case known:
			list = append(list, m)
		default:
			partial = append(partial, m.uid)
		}
	}
	if err := cmd.Close(); err != nil || !tooMany {
		return list, partial, err
	}
	return nil, nil, errTooMany
}

// presentFlags returns the flags of those of the uids that exist, as they are
// now. The open mailbox is asked again, so that what is missing in the answer
// has been missed by a command of its own.
func (c *Conn) presentFlags(uids state.UIDSet, doing string) (map[state.UID]state.Flags, error) {
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
func (c *Conn) presentNow(uids state.UIDSet, doing string) ([]listed, error) {
	var all []listed
	for chunk := range uids.Chunks(pieceMessages) {
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
	exists := uint64(o.selected.Messages)
	for first := uint64(1); first <= exists; first += pieceMessages {
		last := min(first+pieceMessages-1, exists)
		piece, err := o.listFlags(imap.SeqSet{{Start: uint32(first), Stop: uint32(last)}}, 0, o.doing)
		if err != nil {
			return err
		}
		list = append(list, piece...)
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
