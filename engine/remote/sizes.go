package remote

import (
	"fmt"
	"io"
	"slices"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/rs/zerolog"

	"mailmoor/state"
)

// A message that comes with another length than the server says it has (RFC822.SIZE) was
// cut, or is not that message. But some servers are wrong about sizes: they round them,
// or count what they do not send. So the word of a server counts against a message only
// where it has been found right about others.

const (
	// wrongSizesMax is after how many wrong sizes and no right one a server is known
	// to be wrong about them.
	wrongSizesMax = 3
	// rightSizesMin is how many right sizes it takes for each wrong one, until a server
	// is known to be right to the byte.
	rightSizesMin = 20
	// Where nothing is known yet, the newest probedNear messages of the mailbox are
	// asked for their sizes, and up to probesMax of those of at most probeBytesMax are
	// fetched to compare.
	probedNear    = 20
	probesMax     = 3
	probeBytesMax = 256 << 10
)

// sizes is how often the server was right about the size of a message, and wrong.
type sizes struct{ right, wrong int }

// note enters a message.
func (s *sizes) note(told, sent int64) {
	if told == sent {
		s.right++
	} else {
		s.wrong++
	}
}

// useless reports whether the server is known to be wrong about sizes.
func (s *sizes) useless() bool { return s.right == 0 && s.wrong >= wrongSizesMax }

// against reports whether the server's word counts against a message, which is the
// last wrong one. What is missing for a reason of the server's own is a header field
// or the CRs of line ends; for more than that, being mostly right is enough.
func (s *sizes) against(d doubt) bool {
	others := s.wrong - 1
	if d.grave() {
		return s.right > 0 && s.right >= others
	}
	return s.right >= rightSizesMin*max(1, others)
}

// doubt is a message that came with another size than the server says.
type doubt struct {
	uid        state.UID
	told, sent int64
}

// grave reports whether more than half of the message is missing.
func (d doubt) grave() bool { return d.sent*2 < d.told }

// doubts reports whether the message must wait until it is known whether the server's
// word counts.
func (t *transfer) doubts(in state.Incoming, sent int64) bool {
	if in.Told <= 0 || t.accepted {
		return false
	}
	t.sizes.note(in.Told, sent)
	if in.Told == sent {
		return false
	}
	d := doubt{in.UID, in.Told, sent}
	if t.sizes.useless() || !d.grave() && !t.sizes.against(d) {
		t.accept(d)
		return false
	}
	t.doubtful = append(t.doubtful, d)
	return true
}

// pass reads a body that nobody wants.
func (t *transfer) pass(literal imap.LiteralReader) {
	if _, err := io.Copy(io.Discard, &wholeBody{from: literal, left: literal.Size()}); err != nil {
		t.awaitEnd()
		return
	}
	t.current = 0
}

// settleDoubts decides what becomes of the messages in doubt. Those that are taken are
// fetched once more; the first that is not is the error.
func (t *transfer) settleDoubts() error {
	doubtful := t.doubtful
	t.doubtful = nil
	if len(doubtful) > 0 && t.sizes.right == 0 && !t.sizes.useless() {
		if err := t.probe(doubtful); err != nil {
			return err
		}
	}
	for _, d := range doubtful {
		if t.sizes.against(d) {
			return &state.Error{
				Scope: state.ScopeMessage, Cause: state.CauseOther, Doing: t.doing(d.uid),
				Err:  fmt.Errorf("the server sends %d bytes of a message that has %d by its own word", d.sent, d.told),
				Hint: "other programs may be able to repair the message on the server",
			}
		}
		t.accept(d)
		t.accepted = true
		err := t.runInTwo(state.NewUIDSet(d.uid))
		t.accepted = false
		if err != nil {
			return err
		}
	}
	return nil
}

// accept says that a message is taken as it came. Of a server that is now and then, or
// always, a little wrong nobody needs to hear.
func (t *transfer) accept(d doubt) {
	rounded := d.told%1024 == 0 && d.told-d.sent < 1024
	level := zerolog.WarnLevel
	if t.sizes.wrong > 1 && (!d.grave() || rounded) {
		level = zerolog.DebugLevel
	}
	t.o.Log.WithLevel(level).Str("mailbox", t.mailbox).Msg(string(state.Textf("the server sends UID %d with %s, another size than it says (%d); "+
		"it is not known to be right about sizes, so the message is taken as it came", d.uid, state.Count(d.sent, "byte"), d.told)))
}

// probe compares other messages of the mailbox with what the server says of their
// sizes.
func (t *transfer) probe(doubtful []doubt) error {
	told, err := t.sizesNear(doubtful)
	if err != nil || len(told) == 0 {
		return err
	}
	var uids state.UIDSet
	for uid := range told {
		uids = uids.Add(uid)
	}
	cmd := t.client.Fetch(uidsTo(uids), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}})
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		var uid state.UID
		for item := msg.Next(); item != nil; item = msg.Next() {
			switch item := item.(type) {
			case imapclient.FetchItemDataUID:
				uid = state.UID(item.UID)
			case imapclient.FetchItemDataBodySection:
				if told[uid] > 0 && item.Literal != nil {
					t.sizes.note(told[uid], item.Literal.Size())
					delete(told, uid)
				}
			}
		}
	}
	return t.probed(cmd)
}

// sizesNear returns what the server says of the sizes of a few other messages.
func (t *transfer) sizesNear(doubtful []doubt) (map[state.UID]int64, error) {
	last := t.selected.Messages
	if last == 0 {
		return nil, nil
	}
	told := make(map[state.UID]int64)
	cmd := t.client.Fetch(imap.SeqSet{{Start: max(last, probedNear) - probedNear + 1, Stop: last}}, &imap.FetchOptions{UID: true, RFC822Size: true})
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		var in state.Incoming
		for item := msg.Next(); item != nil; item = msg.Next() {
			noteItem(&in, item)
		}
		other := in.UID != 0 && !slices.ContainsFunc(doubtful, func(d doubt) bool { return d.uid == in.UID })
		if other && in.Told > 0 && in.Told <= probeBytesMax && len(told) < probesMax {
			told[in.UID] = in.Told
		}
	}
	return told, t.probed(cmd)
}

// probed ends a command of a probe. A server that refuses it leaves things unknown.
func (t *transfer) probed(cmd *imapclient.FetchCommand) error {
	err := cmd.Close()
	if err != nil && !isRefusal(err) {
		return t.fail(state.Textf("compare sizes in %q", t.mailbox), err)
	}
	t.takeNotes()
	return nil
}
