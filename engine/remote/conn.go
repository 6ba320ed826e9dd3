package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/rs/zerolog"

	"mailmoor/state"
)

// Options are what a connection needs besides the address and the login.
type Options struct {
	Log zerolog.Logger
	// Hook is called after each effect on the server that was confirmed, with
	// a constant name such as "remote: appended". Tests interrupt there. It
	// may be nil.
	Hook func(point string)
	// Now tells the time for back-off and logs; nil means time.Now.
	Now func() time.Time
}

// stream is the byte stream below the library: logged in, with deadlines and
// limits of its own, and with a memory for what status lines said.
type stream interface {
	net.Conn
	Has(capability string) bool
	AppendLimit() (limit int64, known bool)
	Take() notes
}

// notes is what status lines said since they were last taken.
type notes struct {
	ReadOnly, MessageLimit, NoModSeq, UIDNotSticky bool
	Alerts                                         []string
	Bye, LastText                                  string
	Codes                                          []string
	Repaired                                       []string
}

// Conn is one authenticated connection. One goroutine uses it at a time. An
// error of account scope means that it is not usable any more.
type Conn struct {
	stream stream
	client *imapclient.Client
	o      Options

	// selected is the mailbox that the server has open for us.
	selected selection
	// notes is what the status lines of the command before last said.
	notes notes
	// events counts what the server told unasked of the selected mailbox:
	// messages that came and went. The library's reader counts.
	events atomic.Int64
	// limits counts the answers that a server cut short. RFC 9738.
	limits int
	// interrupted holds the reason why a context ended the connection.
	interrupted atomic.Pointer[error]
	// broken is why the connection is not usable any more.
	broken error
	// bodyFirst is true when the server sends a body before the flags and the
	// date that were asked for in front of it.
	bodyFirst bool
}

// newConn starts the library on a stream that is already logged in.
func newConn(s stream, o Options) (*Conn, error) {
	if o.Hook == nil {
		o.Hook = func(string) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Conn{stream: s, o: o}
	// The handlers run in the library's reader: they must neither block nor
	// call the library.
	c.client = imapclient.New(s, &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		Expunge: func(uint32) { c.events.Add(1) },
		Mailbox: func(data *imapclient.UnilateralDataMailbox) {
			if data.NumMessages != nil {
				c.events.Add(1)
			}
		},
	}})
	if err := c.client.WaitGreeting(); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// watch ends the connection when ctx ends: the library's calls know no
// context. The caller calls stop when the work is done.
func (c *Conn) watch(ctx context.Context, doing string) (stop func(), err error) {
	if c.broken != nil {
		return nil, closed(doing, c.broken)
	}
	if ctx.Err() != nil {
		// Nothing has been sent; the connection stays as it is. The scope is
		// the account's all the same, because the caller wants everything to end.
		return nil, ended(doing, ctx)
	}
	release := context.AfterFunc(ctx, func() {
		cause := context.Cause(ctx)
		c.interrupted.Store(&cause)
		_ = c.stream.Close()
	})
	return func() {
		if !release() && c.broken == nil {
			c.broken = context.Cause(ctx)
		}
	}, nil
}

// breakOff closes the connection for good.
func (c *Conn) breakOff(reason error) {
	if c.broken == nil {
		c.broken = reason
	}
	c.selected = selection{}
	_ = c.stream.Close()
}

// takeNotes reads what the status lines said since the last call, and logs
// what a user should know of. The notes replace those before.
func (c *Conn) takeNotes() notes {
	c.notes = c.stream.Take()
	if c.notes.MessageLimit {
		c.limits++
	}
	for _, text := range c.notes.Alerts {
		// RFC 9051, section 7.1: an alert must be shown to the user.
		c.o.Log.Warn().Str("text", printable(text)).Msg("the server sends an alert")
	}
	for _, what := range c.notes.Repaired {
		c.o.Log.Warn().Str("what", printable(what)).Msg("the server sent a line that cannot be right")
	}
	return c.notes
}

// canCondStore reports whether mailboxes have mod-sequences. RFC 7162.
func (c *Conn) canCondStore() bool { return c.stream.Has("CONDSTORE") || c.stream.Has("QRESYNC") }

// canUIDPlus reports whether APPENDUID, COPYUID and UID EXPUNGE exist. RFC 4315.
func (c *Conn) canUIDPlus() bool { return c.stream.Has("UIDPLUS") }

// Close says goodbye and closes the connection. It does not wait for the
// server's answer, which nobody needs any more.
func (c *Conn) Close() error {
	if c.broken == nil {
		c.client.Logout()
		c.broken = errors.New("it was closed")
	}
	// The library reports again how the connection ended; whoever had to know
	// has been told by the command that it ended.
	if err := c.client.Close(); err != nil {
		c.o.Log.Debug().Err(err).Msg("connection closed")
	}
	return nil
}

// quoted names a mailbox in errors.
func quoted(mailbox string) string { return fmt.Sprintf("%q", mailbox) }

// doingUIDs describes work on messages of a mailbox.
func doingUIDs(verb string, uids state.UIDSet, mailbox string) string {
	text := uids.String()
	if len(text) > 60 {
		text = fmt.Sprintf("%d:%d (%d messages)", uids[0].First, uids[len(uids)-1].Last, uids.Len())
	}
	return fmt.Sprintf("%s UID %s of %q", verb, text, mailbox)
}
