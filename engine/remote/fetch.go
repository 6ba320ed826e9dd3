package remote

import (
	"context"
	"errors"

	"github.com/emersion/go-imap/v2"

	"mailmoor/state"
)

const (
	// fetchChunk is how many bodies one command asks for.
	fetchChunk = 200
	// drainBytesMax is how much of an unwanted answer is read to its end to
	// keep the connection; beyond it a new connection is cheaper.
	drainBytesMax = 4 << 20
)

var errIncomplete = errors.New("the server sends the message without what was asked for")

// Fetch calls each for every one of the uids that still exists, in the
// server's order. See RemoteTransfer for what an error means. After the loss
// of the connection the error names the message at which it happened, so that
// the caller can go on without it.
func (c *Conn) Fetch(ctx context.Context, ref state.Ref, uids state.UIDSet, each func(state.Incoming) error) error {
	doing := doingUIDs("fetch", uids, ref.Mailbox)
	stop, err := c.watch(ctx, doing)
	if err != nil {
		return err
	}
	defer stop()
	if err := c.open(ref); err != nil {
		return err
	}
	for chunk := range uids.Chunks(fetchChunk) {
		if err := c.fetchBodies(ref.Mailbox, chunk, each); err != nil {
			return err
		}
	}
	return nil
}

// fetchBodies fetches one chunk. What came without its flags, its date or its
// body is asked for once more, one by one, with flags and date beforehand.
func (c *Conn) fetchBodies(mailbox string, uids state.UIDSet, each func(state.Incoming) error) error {
	t := &transfer{Conn: c, mailbox: mailbox, each: each}
	var err error
	if c.bodyFirst {
		err = t.runInTwo(uids)
	} else {
		err = t.run(uids, true)
	}
	if err == nil {
		err = t.settleDoubts()
	}
	if err != nil {
		return err
	}
	again := t.incomplete
	t.incomplete = nil
	for _, uid := range again {
		if err := t.runInTwo(state.NewUIDSet(uid)); err != nil {
			return err
		}
		if err := t.settleDoubts(); err != nil {
			return err
		}
		if len(t.incomplete) > 0 {
			return &state.Error{
				Scope: state.ScopeMessage, Cause: state.CauseOther,
				Doing: t.doing(uid), Err: errIncomplete,
				Hint: "other programs may be able to repair the message on the server",
			}
		}
	}
	return nil
}

// transfer is the fetching of one chunk of bodies.
type transfer struct {
	*Conn
	mailbox string
	each    func(state.Incoming) error
	// known holds flags, date and size of the messages, where they were asked for
	// beforehand.
	known map[state.UID]state.Incoming
	// incomplete are messages that came without something that was asked for.
	incomplete []state.UID
	// doubtful are messages that came with another size than the server says; accepted
	// is true while such a one is taken all the same.
	doubtful []doubt
	accepted bool
	// current is the last message that the server began to send.
	current state.UID
	// failed is the error of each, or of a body that each did not read.
	failed error
	// drained counts bytes that were read for nobody.
	drained int64
}

func (t *transfer) doing(uid state.UID) state.Text {
	return state.Textf("fetch UID %d of %q", uid, t.mailbox)
}

// runInTwo asks for flags, dates and sizes first and for the bodies then.
func (t *transfer) runInTwo(uids state.UIDSet) error {
	t.known = make(map[state.UID]state.Incoming)
	cmd := t.client.Fetch(uidsTo(uids), &imap.FetchOptions{UID: true, Flags: true, InternalDate: true, RFC822Size: true})
	var there state.UIDSet
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		in, flags := state.Incoming{}, false
		for item := msg.Next(); item != nil; item = msg.Next() {
			flags = noteItem(&in, item) || flags
		}
		switch {
		case !uids.Contains(in.UID):
		case flags:
			t.known[in.UID] = in
			there = there.Add(in.UID)
		default:
			t.incomplete = append(t.incomplete, in.UID)
		}
	}
	if err := cmd.Close(); err != nil {
		return t.fail(doingUIDs("fetch", uids, t.mailbox), err)
	}
	t.takeNotes()
	if len(there) == 0 {
		return nil
	}
	return t.run(there, false)
}

// run fetches bodies, and with them flags, dates and sizes unless those are known.
func (t *transfer) run(uids state.UIDSet, all bool) error {
	t.current = 0
	cmd := t.client.Fetch(uidsTo(uids), &imap.FetchOptions{
		UID: true, Flags: all, InternalDate: all, RFC822Size: all,
		BodySection: []*imap.FetchItemBodySection{{Peek: true}},
	})
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		t.receive(msg, all)
	}
	err := cmd.Close()
	if t.failed != nil {
		// Even when the connection was given up, it was because of this.
		return t.failed
	}
	if err != nil {
		doing := doingUIDs("fetch", uids, t.mailbox)
		if t.current != 0 {
			doing = t.doing(t.current)
		}
		return t.fail(doing, err)
	}
	t.takeNotes()
	return nil
}
