package maildir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"mailmoor/state"
)

const (
	// messageBytesMax bounds one message. No mail server takes larger ones.
	messageBytesMax = 1 << 30
	copyBufferBytes = 128 << 10
)

// The reasons why a file is no message that can be kept in step.
var (
	errNotRegular = errors.New("it is not a regular file")
	errEmpty      = errors.New("the file is empty")
	errTooLarge   = fmt.Errorf("the file is larger than %d bytes", messageBytesMax)
	errChanging   = errors.New("the file changed while it was read")
	errLeftover   = errors.New("an editor or a file synchroniser left it here; it is left alone")
	errTwins      = errors.New("another file has the same name but for its flags")
)

// unusable reports whether err is about one file that is there but cannot be used.
func unusable(err error) bool {
	for _, known := range []error{errNotRegular, errEmpty, errTooLarge, errChanging, fs.ErrPermission, unix.EIO} {
		if errors.Is(err, known) {
			return true
		}
	}
	// O_NOFOLLOW met a symbolic link, a socket or a device without a driver.
	return errors.Is(err, unix.ELOOP) || errors.Is(err, unix.EMLINK) || errors.Is(err, unix.ENXIO)
}

// checkUsable refuses what is no message file.
func checkUsable(st unix.Stat_t) error {
	switch {
	case !isRegular(st):
		return errNotRegular
	case st.Size == 0:
		return errEmpty
	case st.Size > messageBytesMax:
		return errTooLarge
	}
	return nil
}

// openMessage opens the message file of e and looks at it.
func (f *folder) openMessage(e entry) (*os.File, unix.Stat_t, error) {
	file, err := f.sub(e.inNew).open(e.name, unix.O_RDONLY)
	if err != nil {
		return nil, unix.Stat_t{}, err
	}
	st, err := fstat(file)
	if err == nil {
		err = checkUsable(st)
	}
	if err != nil {
		return nil, st, errors.Join(err, file.Close())
	}
	return file, st, nil
}

// identify reads the message file of e.
func (f *folder) identify(ctx context.Context, e entry) (state.LocalMessage, error) {
	file, st, err := f.openMessage(e)
	if err != nil {
		return state.LocalMessage{}, err
	}
	defer file.Close()
	content, err := contentOf(ctx, file, st.Size)
	if err != nil {
		return state.LocalMessage{}, err
	}
	after, err := fstat(file)
	if err == nil && fileStat(after) != fileStat(st) {
		err = errChanging
	}
	m := message(e, st)
	m.Content = content
	return m, err
}

// message describes a file that was only looked at.
func message(e entry, st unix.Stat_t) state.LocalMessage {
	return state.LocalMessage{Key: parseFileName(e.name).key, Flags: e.flags, Stat: fileStat(st), Date: date(st)}
}

// bufferFor returns a buffer for copying a message of that size.
func bufferFor(size int64) []byte { return make([]byte, min(max(size, 0)+1, copyBufferBytes)) }

// contentOf reads r, which has about size bytes, to its end.
func contentOf(ctx context.Context, r io.Reader, size int64) (state.Content, error) {
	d := state.NewDigester()
	// The plain struct hides WriteTo, which would not use the buffer.
	_, err := io.CopyBuffer(d, struct{ io.Reader }{contextReader{ctx, r}}, bufferFor(size))
	return d.Sum(), err
}

// contextReader ends a long read soon after its context.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
