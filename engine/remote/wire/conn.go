package wire

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"mailmoor/state"
)

// queueBytesMax is how much of the server's answers may wait for go-imap
// before the pump stops reading.
const queueBytesMax = 256 << 10

// Conn is an authenticated connection for go-imap's client. The methods of
// net.Conn may be used as that interface says; the others by any goroutine.
type Conn struct {
	cfg  Config
	raw  net.Conn
	in   *bufio.Reader // only the pump reads from it
	caps Capabilities
	own  string        // tag of our own command, whose answer go-imap must not see; the pump's
	done chan struct{} // closed when the pump has ended
	line []byte        // the pump's, to put a response together

	writeMu sync.Mutex // held while one Write works
	sending []byte     // bytes of commands that have yet to be sent

	mu    sync.Mutex
	moved sync.Cond // something below changed: queue, err
	// queue is what go-imap may read next. inside is true while the queue ends
	// in the middle of a response.
	queue  bytes.Buffer
	inside bool
	// permits counts the continuation requests of our own making that wait for
	// the end of the response.
	permits  int
	out      outgoing
	ration   ration
	patience patience
	notes    Notes
	bye      string // what the server said when it hung up; unlike in notes, it stays
	stalled  string // what lasted too long, where that ended the connection
	// err is the first error, and stays.
	err    error
	closed bool
}

func newConn(s *session) *Conn {
	c := &Conn{
		cfg: s.cfg, raw: s.raw, caps: s.caps, own: s.ownTag,
		done: make(chan struct{}), patience: patience{progress: s.cfg.ProgressTimeout},
	}
	c.moved.L = &c.mu
	c.queue.WriteString("* PREAUTH [CAPABILITY " + visible(c.caps.String(), nil) + "] ready\r\n")
	limit, limited := c.caps.AppendLimit()
	c.out = newOutgoing(c.caps.Has("LITERAL+"), limit, limited)
	// What the server has sent already stands in the session's buffer.
	ahead := make([]byte, s.in.Buffered())
	_, _ = io.ReadFull(s.in, ahead) // a buffered read cannot fail
	c.in = bufio.NewReaderSize(&source{c: c, ahead: ahead}, readBufferBytes)
	go c.pump()
	return c
}

// source feeds the pump. Each read gets the whole time again, and has for ever
// when no answer is due.
type source struct {
	c     *Conn
	ahead []byte
}

func (s *source) Read(p []byte) (int, error) {
	if len(s.ahead) > 0 {
		n := copy(p, s.ahead)
		s.ahead = s.ahead[n:]
		return n, nil
	}
	s.c.mu.Lock()
	s.c.rearm()
	s.c.mu.Unlock()
	n, err := s.c.raw.Read(p)
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	now := time.Now()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.c.stalled = s.c.patience.reason(now)
	}
	s.c.patience.read(now, n)
	return n, err
}

// rearm sets the time until which the server has to say something. It runs
// before every read and after every write, so that progress in either
// direction counts. c.mu is held.
func (c *Conn) rearm() {
	// An error would show at the read itself.
	_ = c.raw.SetReadDeadline(c.patience.deadline(time.Now(), c.out.due()))
}

// Messages returns how many different messages the server can have shown of the
// open mailbox, by its own word: those that existed when it was opened, and those
// that have come since.
func (c *Conn) Messages() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ration.messages()
}

// Capabilities returns what the server announced after the login, without what
// Config.Hide names. The caller must not change it.
func (c *Conn) Capabilities() Capabilities { return c.caps }

// Take returns what has been noted since the last call. What a response says
// is noted before go-imap gets to see the response.
func (c *Conn) Take() Notes {
	c.mu.Lock()
	defer c.mu.Unlock()
	notes := c.notes
	c.notes = Notes{}
	return notes
}

// Err returns the error that ended the connection, a *state.Error. It is nil
// while there is none, and when Close came first. go-imap's own errors often
// hide it.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil || errors.Is(c.err, net.ErrClosed) {
		return nil
	}
	return c.explain(c.err)
}

// explain gives the reason the form of an error of this account. c.mu is held.
func (c *Conn) explain(err error) error {
	var known *state.Error
	if errors.As(err, &known) {
		return err
	}
	doing := state.Textf("talk to %s", c.cfg.address())
	switch {
	case c.bye != "":
		return problem(state.CauseNetwork, doing, "try again later", fmt.Errorf("the server hung up: %q: %w", c.bye, err))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return problem(state.CauseNetwork, doing, "", fmt.Errorf("the server hung up: %w", io.ErrUnexpectedEOF))
	case errors.Is(err, os.ErrDeadlineExceeded):
		stalled := cmp.Or(c.stalled, c.patience.silence()) // a write has but one limit
		return problem(state.CauseNetwork, doing, "", fmt.Errorf("%s: %w", stalled, err))
	}
	return problem(state.CauseNetwork, doing, "", err)
}

// Read returns responses as go-imap may see them. After an error it returns
// what came before it, and then that error for ever.
func (c *Conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.queue.Len() == 0 && c.err == nil {
		c.moved.Wait()
	}
	if c.closed {
		return 0, net.ErrClosed
	}
	if c.queue.Len() == 0 {
		return 0, c.err
	}
	c.moved.Broadcast()
	return c.queue.Read(p)
}

// deliver appends to what go-imap reads. inside says that the response goes on.
func (c *Conn) deliver(b []byte, inside bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.queue.Len() >= queueBytesMax {
		full := time.Now()
		for c.queue.Len() >= queueBytesMax && c.err == nil {
			c.moved.Wait()
		}
		c.patience.pause(time.Since(full))
	}
	if c.err != nil {
		return c.err
	}
	c.queue.Write(b)
	c.inside = inside
	c.permit()
	c.moved.Broadcast()
	return nil
}

// permit hands go-imap the continuation requests that were made on the
// server's behalf, as soon as it is between two responses. c.mu is held.
func (c *Conn) permit() {
	for ; c.permits > 0 && !c.inside; c.permits-- {
		c.queue.WriteString("+ go ahead\r\n")
	}
	c.moved.Broadcast()
}

// fail ends the connection with its first error.
func (c *Conn) fail(err error) error {
	c.mu.Lock()
	if c.err == nil {
		c.err = err
	}
	err = c.err
	c.moved.Broadcast()
	c.mu.Unlock()
	return err
}

// Close ends the connection and returns when the pump has ended. Reads and
// writes that wait return an error. Closing again does nothing.
func (c *Conn) Close() error {
	c.mu.Lock()
	again := c.closed
	c.closed = true
	if c.err == nil {
		c.err = net.ErrClosed
	}
	c.moved.Broadcast()
	c.mu.Unlock()
	var err error
	if !again {
		err = c.raw.Close()
	}
	<-c.done
	return err
}

// LocalAddr returns the address of this end.
func (c *Conn) LocalAddr() net.Addr { return c.raw.LocalAddr() }

// RemoteAddr returns the address of the server.
func (c *Conn) RemoteAddr() net.Addr { return c.raw.RemoteAddr() }

// SetDeadline does nothing: go-imap sets absolute deadlines, which a large
// message on a slow line misses although all is well.
func (c *Conn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing, like SetDeadline.
func (c *Conn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing, like SetDeadline.
func (c *Conn) SetWriteDeadline(time.Time) error { return nil }
