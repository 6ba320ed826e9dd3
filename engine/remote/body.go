package remote

import (
	"io"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailmoor/state"
)

// noteItem enters what a response says of a message before its body. It
// reports whether the item was the flags.
func noteItem(in *state.Incoming, item imapclient.FetchItemData) (flags bool) {
	switch item := item.(type) {
	case imapclient.FetchItemDataUID:
		in.UID = state.UID(item.UID)
	case imapclient.FetchItemDataInternalDate:
		in.Date = item.Time.Unix()
	case imapclient.FetchItemDataRFC822Size:
		in.Told = item.Size
	case imapclient.FetchItemDataFlags:
		in.Flags, in.Keywords = flagsFrom(item.Flags), keywordsFrom(item.Flags)
		return true
	}
	return false
}

// receive reads one response to its end and hands its body on. When all is
// true the flags and the date must stand in front of the body, because the
// caller wants to know them first; a server that sends them behind it is
// remembered, and the message is fetched again.
func (t *transfer) receive(msg *imapclient.FetchMessageData, all bool) {
	var in state.Incoming
	var flags, date, body bool
	for item := msg.Next(); item != nil; item = msg.Next() {
		section, is := item.(imapclient.FetchItemDataBodySection)
		if !is {
			_, isDate := item.(imapclient.FetchItemDataInternalDate)
			flags, date = noteItem(&in, item) || flags, isDate || date
			if in.UID != 0 {
				t.current = in.UID
			}
			continue
		}
		if body {
			continue // a second content of one message is not what was asked for
		}
		body = true
		if section.Literal == nil {
			// NIL: expunged by somebody else while we asked. Not an empty message.
			t.current = 0
			continue
		}
		switch {
		case t.failed != nil:
			t.drain(section.Literal.Size())
		case in.UID == 0:
			// Without its UID nobody knows which message it is; the library
			// passes on only responses that name it first, so this is not seen.
		case all && (!flags || !date):
			t.bodyFirst = true
			t.incomplete = append(t.incomplete, in.UID)
		default:
			if !all {
				in = withKnown(in, t.known)
			}
			if t.doubts(in, section.Literal.Size()) {
				t.pass(section.Literal)
				continue
			}
			t.deliver(in, section.Literal)
		}
	}
	if !body && in.UID != 0 && t.failed == nil {
		t.incomplete = append(t.incomplete, in.UID)
	}
}

// withKnown returns flags, date and size as they were told beforehand.
func withKnown(in state.Incoming, known map[state.UID]state.Incoming) state.Incoming {
	k := known[in.UID]
	k.UID = in.UID
	return k
}

// deliver hands one body to the caller.
func (t *transfer) deliver(in state.Incoming, literal imap.LiteralReader) {
	in.Size = literal.Size()
	body := &wholeBody{from: literal, left: in.Size}
	in.Body = body
	t.failed = t.each(in)
	switch {
	case body.err != nil:
		t.failed = nil // the command will tell better what happened
	case t.failed != nil:
		t.drain(body.left)
	}
	// Whether the rest arrives tells whether this message broke the connection.
	if _, err := io.Copy(io.Discard, body); err == nil {
		t.current = 0
	} else {
		t.awaitEnd()
	}
	body.from = nil
}

// drain counts bytes that nobody wants any more, and gives the connection up
// when reading them would take longer than opening a new one.
func (t *transfer) drain(size int64) {
	t.drained += size
	if t.drained > drainBytesMax {
		t.breakOff(t.failed)
	}
}

// wholeBody yields exactly the announced bytes or an error: the library lets a
// literal end early without one.
type wholeBody struct {
	from io.Reader
	left int64
	err  error
}

func (b *wholeBody) Read(p []byte) (int, error) {
	switch {
	case b.from == nil:
		return 0, io.ErrClosedPipe
	case b.err != nil:
		return 0, b.err
	case b.left == 0:
		return 0, io.EOF
	}
	n, err := b.from.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	if err == io.EOF && b.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && err != io.EOF {
		b.err = err
	}
	if err == io.EOF && n > 0 {
		err = nil
	}
	return n, err
}
