package remote

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/rs/zerolog"

	"mailmoor/engine/remote/wire"
	"mailmoor/state"
)

// Options are what a connection needs besides the address and the login.
type Options struct {
	Log zerolog.Logger
	// Hook is called after each effect on the server that was confirmed, with
	// a constant name such as "remote: appended". Tests interrupt there. It
	// may be nil.
	Hook func(point string)
	// Named reports whether the user asks by name for mailboxes of the namespace
	// with this prefix, one of other users or a shared one: then List looks for
	// them even where the server hides them. nil means that nobody asks.
	Named func(prefix string, delimiter rune) bool
	// Now tells the time, for durations in the log; nil means time.Now.
	Now func() time.Time
}

// Conn is one authenticated connection. One goroutine uses it at a time. An
// error of account scope means that it is not usable any more.
type Conn struct {
	// stream lies below the library: logged in, with deadlines and limits of
	// its own, and with a memory for what status lines said.
	stream *wire.Conn
	caps   wire.Capabilities
	client *imapclient.Client
	o      Options

	// selected is the mailbox that the server has open for us.
	selected selection
	// generations is the last UIDVALIDITY that was heard of each mailbox.
	generations map[string]uint32
	// namespaces is what the server told of them, nil before it was asked.
	namespaces *state.Namespaces
	// events counts what the server told unasked of the selected mailbox:
	// messages that came and went. The library's reader counts.
	events atomic.Int64
	// expunged counts those of the events that said a message is gone.
	expunged atomic.Int64
	// limits counts the answers that a server cut short. RFC 9738.
	limits int
	// interrupted holds the reason why a context ended the connection.
	interrupted atomic.Pointer[error]
	// broken is why the connection is not usable any more.
	broken error
	// bodyFirst is true when the server sends a body before the flags and the
	// date that were asked for in front of it.
	bodyFirst bool
	// sizes is how far the server's sizes of messages can be relied upon.
	sizes sizes
}

// Dial connects to the server and logs in. Its errors are of account scope and
// have one of the causes CauseNetwork, CauseTLS, CauseLogin and CauseConfig.
func Dial(ctx context.Context, cfg wire.Config, o Options) (*Conn, error) {
	stream, err := wire.Dial(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if o.Hook == nil {
		o.Hook = func(string) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Conn{stream: stream, caps: stream.Capabilities(), o: o, generations: make(map[string]uint32)}
	// The handlers run in the library's reader: they must neither block nor
	// call the library.
	c.client = imapclient.New(stream, &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		Expunge: func(uint32) {
			c.events.Add(1)
			c.expunged.Add(1)
		},
		Mailbox: func(data *imapclient.UnilateralDataMailbox) {
			if data.NumMessages != nil {
				c.events.Add(1)
			}
		},
	}})
	if err := c.client.WaitGreeting(); err != nil {
		err = c.fail("start the session", err)
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// watch ends the connection when ctx ends: the library's calls know no
// context. The caller calls stop when the work is done.
func (c *Conn) watch(ctx context.Context, doing state.Text) (stop func(), err error) {
	if c.broken != nil {
		return nil, closed(doing, c.broken)
	}
	if ctx.Err() != nil {
		// Nothing has been sent; the connection stays as it is. The scope is
		// the account's all the same, because the caller wants everything to end.
		return nil, ended(ctx, doing)
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

// Usable reports whether the connection has not ended. It asks nobody: what the
// network has not told yet is found out by the next command.
func (c *Conn) Usable() bool { return c.broken == nil && c.stream.Err() == nil }

// takeNotes reads what the status lines said since the last call, and logs
// what a user should know of.
func (c *Conn) takeNotes() wire.Notes {
	said := c.stream.Take()
	if said.MessageLimit {
		c.limits++
	}
	for _, text := range said.Alerts {
		// RFC 9051, section 7.1: an alert must be shown to the user.
		c.o.Log.Warn().Msg(string(state.Textf("the server asks to tell you: %s", state.Foreign(trimmed(text)))))
	}
	for _, what := range said.Repaired {
		c.o.Log.Warn().Msg(string(state.Textf("the server sent a line that cannot be right: %s", state.Foreign(trimmed(what)))))
	}
	return said
}

// awaitEnd waits until the library has noticed that the stream ended, which it
// did in the middle of a literal. The library's reader wakes up when the
// literal fails; the next use of the command would read the literal once more,
// at the same time as that reader.
func (c *Conn) awaitEnd() { <-c.client.Closed() }

// canCondStore reports whether mailboxes have mod-sequences. RFC 7162.
func (c *Conn) canCondStore() bool { return c.caps.Has("CONDSTORE") }

// canUIDPlus reports whether APPENDUID, COPYUID and UID EXPUNGE exist. RFC 4315.
func (c *Conn) canUIDPlus() bool { return c.caps.Has("UIDPLUS") }

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

// doingUIDs describes work on messages of a mailbox.
func doingUIDs(verb state.Text, uids state.UIDSet, mailbox string) state.Text {
	text := state.Textf("%s", uids)
	if len(text) > 60 {
		text = state.Textf("%d:%d (%s)", uids[0].First, uids[len(uids)-1].Last, state.Count(uids.Len(), "message"))
	}
	return state.Textf("%s UID %s of %q", verb, text, mailbox)
}
