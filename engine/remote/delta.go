package remote

import (
	"context"
	"slices"

	"github.com/emersion/go-imap/v2"

	"mailmoor/state"
)

// observationsMax is how often an observation is tried when other clients
// change the mailbox while it runs.
const observationsMax = 3

// Delta opens the mailbox afresh and compares it with what has been seen of it.
//
// What is new and what changed comes from FETCH. What is gone is never read
// off a missing line: it takes a proof, which is that the messages known and
// new add up to the number that SELECT gave, or else a list of all UIDs that
// has exactly that length. When messages come or go between SELECT and the end
// of the listing nothing can be proven, and the observation starts again.
func (c *Conn) Delta(ctx context.Context, mailbox string, saved state.Cursor, seen state.SeenSet) (state.RemoteDelta, error) {
	doing := state.Textf("observe mailbox %q", mailbox)
	if err := seen.UIDs.Check(); err != nil {
		return state.RemoteDelta{}, mailboxError(state.CauseOther, doing, "", "what was seen: %w", err)
	}
	stop, err := c.watch(ctx, doing)
	if err != nil {
		return state.RemoteDelta{}, err
	}
	defer stop()
	began := c.o.Now()
	for try := 1; ; try++ {
		o := &observation{Conn: c, doing: doing, saved: saved, seen: seen, started: c.events.Load(), limits: c.limits}
		delta, err := o.run(mailbox)
		if err != nil {
			return state.RemoteDelta{}, err
		}
		if !delta.GoneUnknown || !o.disturbed() || try == observationsMax {
			c.o.Log.Debug().Str("mailbox", mailbox).Int("tries", try).Dur("took", c.o.Now().Sub(began)).
				Int("new", len(delta.New)).Int("changed", len(delta.Changed)).Int("gone", len(delta.Gone)).
				Bool("goneUnknown", delta.GoneUnknown).Msg("observed a mailbox")
			return delta, nil
		}
	}
}

// observation is one attempt to find out what changed in a mailbox.
type observation struct {
	*Conn
	doing state.Text
	saved state.Cursor
	seen  state.SeenSet
	// started is the number of events before SELECT.
	started int64
	// limits is how many answers the server had cut short before.
	limits int
	// list is ordered; it holds at least all that is new or changed.
	list []listed
	// whole is true when list was meant to hold every message.
	whole bool
	// unnumbered are the sequence numbers of messages that have the UID 0.
	unnumbered []uint32
}

// disturbed reports whether messages came or went since SELECT.
func (o *observation) disturbed() bool { return o.events.Load() != o.started }

func (o *observation) run(mailbox string) (state.RemoteDelta, error) {
	if err := o.selectFresh(mailbox); err != nil {
		return state.RemoteDelta{}, err
	}
	if err := o.checkSaved(); err != nil {
		return state.RemoteDelta{}, err
	}
	if o.selected.Messages > listedMax {
		return state.RemoteDelta{}, mailboxError(state.CauseOther, o.doing, "", "%w", errTooMany)
	}
	if err := o.fetch(); err != nil {
		return state.RemoteDelta{}, err
	}
	gone, proven, err := o.prove()
	if err != nil {
		return state.RemoteDelta{}, err
	}
	delta := state.RemoteDelta{Mailbox: mailbox, Selected: o.selected.Selected, GoneUnknown: !proven}
	if err := o.compare(&delta, gone); err != nil {
		return state.RemoteDelta{}, err
	}
	if delta.Selected.UIDNext == 0 {
		delta.Selected.UIDNext = o.derivedUIDNext()
	}
	if !proven && !o.disturbed() {
		if delta.Unnumbered, err = o.describe(o.unnumbered); err != nil {
			return state.RemoteDelta{}, err
		}
	}
	if !proven {
		// A cursor without a mod-sequence proves nothing later: the next
		// observation looks at everything, whatever becomes of this one.
		delta.Selected.ModSeq = 0
	}
	return delta, nil
}

// comparedMax is how many messages are compared with their records at a time.
const comparedMax = 4096

// compare enters what is new, changed and gone. Only the records of what was listed, and
// of what is gone, are read for that.
func (o *observation) compare(d *state.RemoteDelta, gone state.UIDSet) error {
	for list := range slices.Chunk(o.list, comparedMax) {
		listed := uidsOf(list)
		records, err := o.records(listed.Without(listed.Without(o.seen.UIDs)))
		if err != nil {
			return err
		}
		fresh, changed := diff(records, list, o.selected.storable)
		d.New, d.Changed = append(d.New, fresh...), append(d.Changed, changed...)
	}
	if len(gone) == 0 {
		return nil
	}
	records, err := o.records(gone)
	d.Gone = records
	return err
}

// records reads the records of known messages. One that cannot be read must not look as
// if its message were new.
func (o *observation) records(uids state.UIDSet) ([]state.Record, error) {
	records, err := o.seen.Records(uids)
	if err == nil && len(records) != uids.Len() {
		err = mailboxError(state.CauseOther, o.doing, "", "%s can be read, and %d must be there", state.Count(len(records), "record"), uids.Len())
	}
	return records, err
}

// checkSaved compares the mailbox with the cursor that was saved.
func (o *observation) checkSaved() error {
	now := o.selected.Cursor
	if o.saved.UIDValidity == 0 {
		return nil
	}
	if now.UIDValidity != o.saved.UIDValidity {
		return generationError(o.selected.mailbox, o.saved.UIDValidity, now.UIDValidity)
	}
	if now.UIDNext == 0 && o.saved.UIDNext > 1 {
		next, err := o.toldNext()
		if err != nil {
			return err
		}
		now.UIDNext = next
	}
	if now.UIDNext != 0 && now.UIDNext < o.saved.UIDNext {
		// UIDs never go backwards (RFC 9051, section 2.3.1.1): the server was
		// restored from a backup, and UIDs may name other messages now.
		return mailboxError(state.CauseGeneration, o.doing,
			"the server was set back to an earlier state; nothing is changed there until that is cleared up",
			"UIDNEXT is %d and was %d", now.UIDNext, o.saved.UIDNext)
	}
	return nil
}

// toldNext asks for the UIDNEXT of the open mailbox, which RFC 3501 made
// optional in SELECT. Courier leaves it out there. STATUS of an open mailbox may
// be of an old view (RFC 9051, section 6.3.11), but that is no older than the
// SELECT, so it tells whether UIDs went back and nothing else. The result is 0
// when the server does not say.
func (o *observation) toldNext() (state.UID, error) {
	data, err := o.client.Status(o.selected.mailbox, &imap.StatusOptions{UIDNext: true}).Wait()
	switch {
	case err == nil:
		o.takeNotes()
		return state.UID(data.UIDNext), nil
	case isRefusal(err):
		o.o.Log.Debug().Str("mailbox", o.selected.mailbox).Err(err).Msg("no status of the open mailbox")
		return 0, nil
	}
	return 0, o.fail(o.doing, err)
}

// fetch lists what is new or changed.
func (o *observation) fetch() error {
	now, saved := o.selected.Cursor, o.saved
	if now.Messages == 0 {
		o.whole = true
		return nil
	}
	if now.ModSeq == 0 || saved.ModSeq == 0 || now.ModSeq < saved.ModSeq {
		return o.fetchWhole()
	}
	if now.ModSeq > saved.ModSeq {
		// RFC 7162, section 3.1.4.1.
		list, err := o.listFlags(uidsFromTo(1, 0), saved.ModSeq, o.doing)
		if err != nil {
			return err
		}
		o.list = list
	}
	if now.UIDNext == 0 || o.listedSince(saved.UIDNext) < uint64(now.UIDNext)-uint64(min(now.UIDNext, saved.UIDNext)) {
		list, err := o.listFlags(uidsFromTo(max(1, saved.UIDNext), 0), 0, o.doing)
		if err != nil {
			return err
		}
		for _, m := range list {
			// "n:*" names the last message even when its UID is below n. The
			// library leaves that one out, too, but does not promise to.
			if m.uid >= saved.UIDNext {
				o.list = append(o.list, m)
			}
		}
	}
	if o.limits != o.Conn.limits {
		return o.fetchWhole()
	}
	o.list = ordered(o.list)
	return nil
}

// listedSince returns how many of the messages listed have a UID from next on: those that
// came since have a mod-sequence of their own and are among those that changed. Where
// every UID given since is there, nobody has to be asked for them.
func (o *observation) listedSince(next state.UID) uint64 {
	found := make(map[state.UID]bool)
	for _, m := range o.list {
		if m.uid >= next {
			found[m.uid] = true
		}
	}
	return uint64(len(found))
}

// fetchWhole lists every message, if need be in pieces.
func (o *observation) fetchWhole() error {
	o.whole = true
	list, err := o.listFlags(uidsFromTo(1, 0), 0, o.doing)
	if err != nil {
		return err
	}
	o.list = ordered(list)
	if len(o.list) == int(o.selected.Messages) || o.disturbed() {
		return nil
	}
	return o.fetchPieces()
}

// prove finds out which of the known messages are gone. It returns false when that
// could not be proven.
func (o *observation) prove() (state.UIDSet, bool, error) {
	if o.whole {
		complete := len(o.list) == int(o.selected.Messages)
		if !complete || o.disturbed() {
			return nil, false, nil
		}
		return o.seen.UIDs.Without(uidsOf(o.list)), true, nil
	}
	if o.disturbed() {
		return nil, false, nil
	}
	if countGone(o.seen.UIDs, uidsOf(o.list), o.selected.Messages) == 0 {
		return nil, true, nil
	}
	all, found, err := o.allUIDs()
	if err != nil || !found {
		return nil, false, err
	}
	// Messages that are there and that nobody knows: the records had lost them.
	if unknown := all.Without(o.seen.UIDs).Without(uidsOf(o.list)); len(unknown) > 0 {
		list, err := o.listFlags(uidsTo(unknown), 0, o.doing)
		if err != nil {
			return nil, false, err
		}
		o.list = ordered(append(o.list, list...))
		if len(list) != unknown.Len() || o.disturbed() {
			return nil, false, nil
		}
	}
	return o.seen.UIDs.Without(all), true, nil
}

// derivedUIDNext stands in for a UIDNEXT that the server does not give. It
// never goes back when the last message disappears.
func (o *observation) derivedUIDNext() state.UID {
	next := max(1, o.saved.UIDNext)
	if n := len(o.list); n > 0 {
		next = max(next, o.list[n-1].uid+1)
	}
	return next
}

// uidsFromTo returns the set first:last, where 0 stands for "*".
func uidsFromTo(first, last state.UID) imap.UIDSet {
	return imap.UIDSet{{Start: imap.UID(first), Stop: imap.UID(last)}}
}
