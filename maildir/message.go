package maildir

import (
	"context"
	"errors"
	"io"
	"os"

	"mailmoor/state"
)

// writeMessage writes a message to the new file name in d and returns it open and
// described. Nothing is durable yet. After an error the file is gone.
func writeMessage(ctx context.Context, d dir, name string, in state.Incoming) (*os.File, state.LocalMessage, error) {
	switch {
	case in.Size <= 0:
		return nil, state.LocalMessage{}, bodyError(state.CauseRefused, in, "the server sent an empty message")
	case in.Size > messageBytesMax:
		return nil, state.LocalMessage{}, bodyError(state.CauseTooLarge, in, "it has %d bytes, at most %d are taken", in.Size, messageBytesMax)
	}
	file, err := d.create(name)
	if err != nil {
		return nil, state.LocalMessage{}, err
	}
	m, err := fill(ctx, d, name, file, in)
	if err != nil {
		return nil, state.LocalMessage{}, errors.Join(err, file.Close(), d.unlink(name))
	}
	return file, m, nil
}

// bodyError is an error of the message that the server sent, not of our disk.
func bodyError(cause state.Cause, in state.Incoming, format string, args ...any) error {
	return refuse(state.ScopeMessage, cause, "", state.Textf("receive message UID %d", in.UID), format, args...)
}

// bodyReader marks the errors of a body as such.
type bodyReader struct {
	ctx context.Context
	in  state.Incoming
}

func (r bodyReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.in.Body.Read(p)
	var known *state.Error
	if err != nil && !errors.Is(err, io.EOF) && !errors.As(err, &known) {
		err = bodyError(state.CauseNetwork, r.in, "read the body: %w", err)
	}
	return n, err
}

// fill writes the body and sets the date.
func fill(ctx context.Context, d dir, name string, file *os.File, in state.Incoming) (state.LocalMessage, error) {
	digester, store := state.NewDigester(), newStorer(file, in.Size)
	// One byte more than announced is enough to know that there are too many.
	body := io.LimitReader(bodyReader{ctx, in}, in.Size+1)
	n, err := io.CopyBuffer(io.MultiWriter(digester, store), body, bufferFor(in.Size))
	switch {
	case err != nil:
		return state.LocalMessage{}, err
	case n < in.Size:
		return state.LocalMessage{}, bodyError(state.CauseNetwork, in, "the body ended after %d of %d bytes: %w", n, in.Size, io.ErrUnexpectedEOF)
	case n > in.Size:
		return state.LocalMessage{}, bodyError(state.CauseNetwork, in, "the body is longer than the announced %d bytes", in.Size)
	}
	if err := store.Close(); err != nil {
		return state.LocalMessage{}, err
	}
	if in.Date != 0 {
		if err := d.setMtime(name, clampDate(in.Date)); err != nil {
			return state.LocalMessage{}, err
		}
	}
	st, err := fstat(file)
	return state.LocalMessage{Flags: in.Flags, Stat: fileStat(st), Content: digester.Sum(), Date: date(st)}, err
}
