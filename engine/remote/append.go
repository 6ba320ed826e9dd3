package remote

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailmoor/state"
)

const (
	// pipelinedBytesMax is the greatest message that is sent without waiting:
	// the server takes it in before it can refuse it. The stream below sends
	// no larger one without the server's permission.
	pipelinedBytesMax = 8 << 20
	// pipelinedMax is how many messages are on their way at once.
	pipelinedMax = 64
)

// Append uploads the messages into the mailbox, in order, and returns one
// outcome for each. With LITERAL+ (RFC 7888) they are all sent before the
// first answer is waited for.
func (c *Conn) Append(ctx context.Context, ref state.Ref, uploads []state.Upload) []state.Uploaded {
	b := &batch{Conn: c, mailbox: ref.Mailbox, uploads: uploads, results: make([]state.Uploaded, len(uploads))}
	for i, u := range uploads {
		b.results[i] = state.Uploaded{Key: u.Key}
	}
	doing := state.Textf("append to %q", ref.Mailbox)
	stop, err := c.watch(ctx, doing)
	if err != nil {
		b.giveUp(0, err)
		return b.results
	}
	defer stop()
	if err := c.checkGeneration(ref, doing); err != nil {
		// Nothing has been sent of any message.
		for i := range b.results {
			b.results[i].Err = err
		}
		return b.results
	}
	for i := range uploads {
		if c.broken != nil {
			b.giveUp(i, c.broken)
			break
		}
		b.send(i)
	}
	b.settle()
	return b.results
}

// batch is the upload of some messages into one mailbox.
type batch struct {
	*Conn
	mailbox string
	uploads []state.Upload
	results []state.Uploaded
	// pending are the commands sent and not answered, oldest first.
	pending []sentAppend
}

type sentAppend struct {
	index int
	cmd   *imapclient.AppendCommand
}

func (b *batch) doing(i int) state.Text {
	return state.Textf("append %s to %q", b.uploads[i].Key, b.mailbox)
}

// giveUp reports the uploads from the first on as not known to have happened.
func (b *batch) giveUp(first int, reason error) {
	for i := first; i < len(b.results); i++ {
		b.results[i].Err = b.unknown(i, reason)
	}
}

// unknown is the error of an upload whose answer did not come.
func (b *batch) unknown(i int, reason error) error {
	return &state.Error{
		Scope: state.ScopeAccount, Cause: state.CauseUnknown, Doing: b.doing(i), Err: reason,
		Hint: "whether the message arrived will be looked up",
	}
}

// send sends one message. Its answer is waited for at once when it had to wait
// for the server's permission anyway.
func (b *batch) send(i int) {
	u := b.uploads[i]
	if limit, known := b.caps.AppendLimit(); known && u.Size > limit {
		// RFC 7889: it would be refused, and its bytes cost time.
		b.results[i].Err = &state.Error{
			Scope: state.ScopeMessage, Cause: state.CauseTooLarge, Doing: b.doing(i),
			Hint: "the server does not take messages of this size",
			Err:  fmt.Errorf("the message has %d bytes, the server takes %d", u.Size, limit),
		}
		return
	}
	body, err := u.Open()
	if err != nil {
		b.results[i].Err = unreadable(b.doing(i), err)
		return
	}
	// It was only read from.
	defer func() { _ = body.Close() }()
	free := b.caps.Has("LITERAL+") && u.Size <= pipelinedBytesMax
	switch {
	case !free:
		b.settle()
	case len(b.pending) == pipelinedMax:
		b.settleFirst(1)
	}
	if b.broken != nil {
		b.results[i].Err = b.unknown(i, b.broken)
		return
	}
	cmd := b.client.Append(b.mailbox, u.Size, &imap.AppendOptions{Flags: flagsTo(u.Flags), Time: appendDate(u.Date)})
	err = writeBody(cmd, body, u.Size)
	var source *sourceError
	if errors.As(err, &source) {
		b.abandon(i, cmd, source)
		return
	}
	// Close ends the command; its error, and that of the writing, is told by
	// the answer to the command.
	_ = cmd.Close()
	b.pending = append(b.pending, sentAppend{i, cmd})
	if !free {
		b.settle()
	}
}

// abandon ends an upload whose source broke in the middle of the literal. The
// bytes announced cannot be delivered, and nothing else may take their place:
// only the end of the connection tells the server that the message is void.
func (b *batch) abandon(i int, cmd *imapclient.AppendCommand, reason error) {
	// Those sent before are whole; their answers do not depend on this one.
	b.settle()
	b.breakOff(reason)
	// Only now, when nothing more can reach the server: Close writes the line
	// end of the command, which would count as the message's.
	_ = cmd.Close()
	_, _ = cmd.Wait()
	b.results[i].Err = b.unknown(i, reason)
}

// settle waits for all answers.
func (b *batch) settle() { b.settleFirst(len(b.pending)) }

// settleFirst waits for the answers to the n commands sent first.
func (b *batch) settleFirst(n int) {
	for _, sent := range b.pending[:n] {
		data, err := sent.cmd.Wait()
		r := &b.results[sent.index]
		var refusal *imap.Error
		switch {
		case err == nil:
			if b.canUIDPlus() {
				r.UID, r.UIDValidity = state.UID(data.UID), data.UIDValidity
			}
			b.o.Hook("remote: appended")
		case errors.As(err, &refusal) && refusal.Type != imap.StatusResponseTypeBye:
			r.Err = refusedAppend(b.doing(sent.index), refusal)
		default:
			if b.broken == nil {
				b.breakOff(b.lost(err))
			}
			r.Err = b.unknown(sent.index, b.broken)
		}
	}
	b.pending = slices.Delete(b.pending, 0, n)
	if b.broken == nil {
		b.takeNotes()
	}
}

// refusedAppend builds the error of a refused upload. The causes that promise
// "nothing happened" are kept; the others become CauseRefused, which does.
func refusedAppend(doing state.Text, refusal *imap.Error) *state.Error {
	e := refused(doing, refusal)
	switch e.Cause {
	case state.CauseTooLarge, state.CauseQuota, state.CauseReadOnly, state.CauseGone:
		return e
	case state.CauseRefused:
		e.Scope = state.ScopeMessage
	default:
		// The server is busy or ill: the next message would fare no better.
		e.Scope = state.ScopeMailbox
	}
	e.Cause = state.CauseRefused
	return e
}

// sourceError is an error of the message's own source, not of the connection.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return e.err.Error() }
func (e *sourceError) Unwrap() error { return e.err }

// unreadable is the error of a message that could not be opened: nothing was
// sent of it. What the opener knows of the cause is kept.
func unreadable(doing state.Text, err error) error {
	cause := state.CauseOf(err)
	if cause == state.CauseOther || cause == state.CauseUnknown {
		cause = state.CauseDisk
	}
	return &state.Error{Scope: state.ScopeMessage, Cause: cause, Doing: doing, Err: err}
}

// writeBody writes exactly size bytes. The last byte is held back until the
// source has shown that it ends there: a message that grew meanwhile must not
// be stored cut off.
func writeBody(w io.Writer, body io.Reader, size int64) error {
	from := bufio.NewReaderSize(body, 64<<10)
	if size > 0 {
		if err := copyN(w, from, size-1); err != nil {
			return err
		}
	}
	var last []byte
	if size > 0 {
		c, err := from.ReadByte()
		if err != nil {
			return &sourceError{shortOf(size, err)}
		}
		last = []byte{c}
	}
	switch _, err := from.Peek(1); {
	case err == nil:
		return &sourceError{fmt.Errorf("the message has more than the %d bytes announced: it changed meanwhile", size)}
	case err != io.EOF:
		return &sourceError{err}
	}
	_, err := w.Write(last)
	return err
}

// copyN copies n bytes and tells errors of the source apart.
func copyN(w io.Writer, from io.Reader, n int64) error {
	tap := &tappedReader{from: io.LimitReader(from, n)}
	copied, err := io.Copy(w, tap)
	switch {
	case tap.err != nil:
		return &sourceError{tap.err}
	case err != nil:
		return err
	case copied < n:
		return &sourceError{shortOf(n+1, io.EOF)}
	}
	return nil
}

func shortOf(size int64, err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("the message has fewer than the %d bytes announced: it changed meanwhile", size)
	}
	return err
}

// tappedReader remembers the error of its source.
type tappedReader struct {
	from io.Reader
	err  error
}

func (r *tappedReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// The years that servers can store as INTERNALDATE: older and later ones come
// back changed. (Dovecot 2.3 turns 1900 into 1901 and 2100 into today.)
const (
	dateMin = 0          // 1970-01-01
	dateMax = 2145916799 // 2037-12-31 23:59:59
)

// appendDate is the INTERNALDATE to ask for, in UTC.
func appendDate(unix int64) time.Time {
	return time.Unix(min(max(unix, dateMin), dateMax), 0).UTC()
}
