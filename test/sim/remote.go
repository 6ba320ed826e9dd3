package sim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"mailmoor/state"
)

// listingsMax is how often Delta lists a mailbox that changes meanwhile before
// it gives absences up.
const listingsMax = 3

// conn is one connection; it implements engine.Remote.
type conn struct {
	server *Server
	// life and drops are those of the world and the server at Connect: when
	// they moved on, the connection is lost.
	life, drops int
	dead        atomic.Bool
	busy        atomic.Bool
}

// errLost is the reason of all that is asked of a lost connection.
var errLost = errors.New("the connection is lost")

// Close ends the connection.
func (c *conn) Close() error {
	c.dead.Store(true)
	return nil
}

// Usable reports whether the connection is still there.
func (c *conn) Usable() bool { return !c.dead.Load() }

// enter begins a method: it refuses a dead connection, an ended context, and a
// second goroutine, which the contract rules out.
func (c *conn) enter(ctx context.Context, doing string) (leave func(), err error) {
	if !c.busy.CompareAndSwap(false, true) {
		return nil, &state.Error{Scope: state.ScopeProcess, Doing: state.Text(doing), Err: errors.New("the connection is used twice at the same time")}
	}
	leave = func() { c.busy.Store(false) }
	c.server.mu.Lock()
	dropped := c.drops != c.server.drops
	c.server.mu.Unlock()
	if dropped || c.life != c.server.world.lifetime() {
		c.dead.Store(true)
	}
	reason := ctx.Err()
	if c.dead.Load() {
		reason = errLost
	}
	if reason != nil {
		leave()
		return nil, &state.Error{Scope: state.ScopeAccount, Cause: state.CauseNetwork, Doing: state.Text(doing), Err: reason}
	}
	return leave, nil
}

// step takes a step of the world. What it injects becomes an error of the
// connection: the answer to a command with an effect is then unknown.
func (c *conn) step(op, subject string, after bool, doing string) error {
	err := c.server.world.step(op, subject, after)
	var e *state.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrKilled):
		c.dead.Store(true)
		return &state.Error{Scope: state.ScopeProcess, Doing: state.Text(doing), Err: err}
	case errors.As(err, &e):
		if e.Scope >= state.ScopeAccount {
			c.dead.Store(true)
		}
		return err
	}
	c.dead.Store(true)
	cause := state.CauseNetwork
	if changes[op] {
		cause = state.CauseUnknown
	}
	return &state.Error{Scope: state.ScopeAccount, Cause: cause, Doing: state.Text(doing), Err: err}
}

// changes are the operations with an effect.
var changes = map[string]bool{
	"remote.create": true, "remote.append": true, "remote.store": true, "remote.keywords": true, "remote.move": true, "remote.expunge": true,
}

// open returns the mailbox in the generation ref names; generation 0 is any.
// The caller holds the server's lock.
func (c *conn) open(ref state.Ref, doing string) (*mailbox, error) {
	m := c.server.mailboxes[ref.Mailbox]
	if m == nil {
		return nil, &state.Error{
			Scope: state.ScopeMailbox, Cause: state.CauseGone, Doing: state.Text(doing), Err: errors.New("the mailbox does not exist"),
		}
	}
	if ref.UIDValidity != 0 && ref.UIDValidity != m.uidValidity {
		return nil, &state.Error{
			Scope: state.ScopeMailbox, Cause: state.CauseGeneration, Doing: state.Text(doing),
			Err: fmt.Errorf("UIDVALIDITY is %d, not %d", m.uidValidity, ref.UIDValidity),
		}
	}
	return m, nil
}

// look runs a command without an effect on a mailbox.
func (c *conn) look(ctx context.Context, op string, ref state.Ref, act func(*mailbox)) error {
	doing := fmt.Sprintf("%s %q", op, ref.Mailbox)
	leave, err := c.enter(ctx, doing)
	if err != nil {
		return err
	}
	defer leave()
	return c.exchange(op, ref, doing, act)
}

// exchange is one command without an effect and its answer.
func (c *conn) exchange(op string, ref state.Ref, doing string, act func(*mailbox)) error {
	if err := c.step(op, ref.Mailbox, false, doing); err != nil {
		return err
	}
	if err := c.locked(ref, doing, act); err != nil {
		return err
	}
	return c.step(op, ref.Mailbox, true, doing)
}

// locked runs act on the mailbox under the server's lock.
func (c *conn) locked(ref state.Ref, doing string, act func(*mailbox)) error {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	m, err := c.open(ref, doing)
	if err != nil {
		return err
	}
	act(m)
	return nil
}

// List implements engine.RemoteObserver.
func (c *conn) List(ctx context.Context) ([]state.RemoteMailbox, error) {
	const doing = "list the mailboxes"
	leave, err := c.enter(ctx, doing)
	if err != nil {
		return nil, err
	}
	defer leave()
	if err := c.step("remote.list", "", false, doing); err != nil {
		return nil, err
	}
	c.server.mu.Lock()
	list := c.server.list()
	c.server.mu.Unlock()
	if err := c.step("remote.list", "", true, doing); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(list, func(m state.RemoteMailbox) bool { return m.Name == "INBOX" }) {
		return nil, &state.Error{Scope: state.ScopeAccount, Doing: state.Text(doing), Err: errors.New("the list lacks INBOX")}
	}
	return list, nil
}

// Namespaces implements engine.RemoteObserver: the server tells of none.
func (c *conn) Namespaces(ctx context.Context) (state.Namespaces, error) {
	leave, err := c.enter(ctx, "ask for the namespaces")
	if err != nil {
		return state.Namespaces{}, err
	}
	leave()
	return state.Namespaces{}, nil
}

// Next implements engine.RemoteObserver.
func (c *conn) Next(ctx context.Context, name string) (next state.Cursor, err error) {
	err = c.look(ctx, "remote.next", state.Ref{Mailbox: name}, func(m *mailbox) { next = c.server.cursor(m) })
	return next, err
}

// Identify implements engine.RemoteObserver.
func (c *conn) Identify(ctx context.Context, ref state.Ref, uids state.UIDSet) ([]state.RemoteMessage, error) {
	var list []state.RemoteMessage
	err := c.look(ctx, "remote.identify", ref, func(m *mailbox) {
		for _, msg := range m.within(uids) {
			list = append(list, c.identify(msg))
		}
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// identify returns what the server tells of a message without its body. The caller
// holds the server's lock.
func (c *conn) identify(msg *message) state.RemoteMessage {
	d := state.NewDigester()
	d.Write(msg.Body) // it never fails
	return state.RemoteMessage{
		UID: msg.UID, Flags: msg.Flags, Keywords: msg.Keywords, Fields: d.Fields(),
		Identity: state.RemoteIdentity{Size: c.size(msg), Date: msg.Date, Header: d.Sum().Header},
	}
}

// size is what the server says of the size of a message.
func (c *conn) size(msg *message) int64 { return int64(len(msg.Body)) + c.server.opts.SizeOff }

// Delta implements engine.RemoteObserver. Like a session with a real server it
// believes the saved cursor: below it only what has a newer mod-sequence is
// listed, and UIDs are compared one by one only when the count does not fit. A
// cursor that was saved too early therefore loses messages here too.
func (c *conn) Delta(ctx context.Context, name string, saved state.Cursor, seen state.SeenSet) (state.RemoteDelta, error) {
	doing := fmt.Sprintf("observe mailbox %q", name)
	d := state.RemoteDelta{Mailbox: name}
	base, err := seen.Records(seen.UIDs)
	if err != nil {
		return d, err
	}
	if err := checkBase(base); err != nil {
		return d, &state.Error{Scope: state.ScopeMailbox, Doing: state.Text(doing), Err: err}
	}
	leave, err := c.enter(ctx, doing)
	if err != nil {
		return d, err
	}
	defer leave()
	ref := state.Ref{Mailbox: name, UIDValidity: saved.UIDValidity}
	shape := 0
	err = c.exchange("remote.select", ref, doing, func(m *mailbox) {
		d.Selected = state.Selected{Cursor: c.server.cursor(m), ReadOnly: m.readOnly, Permanent: c.server.permanent(), Keywords: c.server.rule()}
		if m.readOnly {
			d.Selected.Keywords = state.KeywordRule{Any: true}
		}
		shape = m.shape
	})
	if err != nil {
		return state.RemoteDelta{}, err
	}
	if d.Selected.UIDNext < saved.UIDNext {
		return state.RemoteDelta{}, &state.Error{
			Scope: state.ScopeMailbox, Cause: state.CauseGeneration, Doing: state.Text(doing),
			Err: fmt.Errorf("UIDNEXT is %d and was %d", d.Selected.UIDNext, saved.UIDNext),
		}
	}
	ref.UIDValidity = d.Selected.UIDValidity
	for range listingsMax {
		stable := false
		err = c.exchange("remote.flags", ref, doing, func(m *mailbox) {
			stable = m.shape == shape
			shape = m.shape
			c.compare(m, saved, base, &d)
		})
		if err != nil {
			return state.RemoteDelta{}, err
		}
		if stable {
			return d, nil
		}
	}
	d.Gone, d.GoneUnknown = nil, true
	return d, nil
}

// checkBase reports a base that the contract of Delta rules out.
func checkBase(base []state.Record) error {
	if len(base) > 0 && base[0].UID == 0 {
		return errors.New("the base holds a record without a UID")
	}
	for i := 1; i < len(base); i++ {
		if base[i].UID <= base[i-1].UID {
			return fmt.Errorf("the base is not ordered: UID %d after UID %d", base[i].UID, base[i-1].UID)
		}
	}
	return nil
}

// compare fills in what differs from base.
func (c *conn) compare(m *mailbox, saved state.Cursor, base []state.Record, d *state.RemoteDelta) {
	d.New, d.Changed, d.Gone, d.GoneUnknown = nil, nil, nil, false
	partial := saved.ModSeq != 0 && !c.server.opts.NoCondstore
	for _, msg := range m.messages {
		r, known := lookup(base, msg.UID)
		listed := !partial || msg.modSeq > saved.ModSeq
		switch {
		case known && listed && (msg.Flags|r.SharedFlags()&^d.Selected.Permanent != r.SharedFlags() ||
			r.LocalFlags&d.Selected.Permanent != 0 || !shown(msg.Keywords, r, d.Selected.Keywords).Equal(r.Keywords)):
			d.Changed = append(d.Changed, state.RemoteChange{
				Base: r, Flags: msg.Flags | r.SharedFlags()&^d.Selected.Permanent, Keywords: shown(msg.Keywords, r, d.Selected.Keywords),
			})
		case !known && (listed || msg.UID >= saved.UIDNext):
			d.New = append(d.New, state.RemoteMessage{UID: msg.UID, Flags: msg.Flags, Keywords: msg.Keywords})
		}
	}
	if len(base)+len(d.New) == len(m.messages) {
		return
	}
	if c.server.opts.NoListing {
		d.GoneUnknown = true
		return
	}
	d.New = nil
	for _, msg := range m.messages {
		if _, known := lookup(base, msg.UID); !known {
			d.New = append(d.New, state.RemoteMessage{UID: msg.UID, Flags: msg.Flags, Keywords: msg.Keywords})
		}
	}
	for _, r := range base {
		if _, msg := m.find(r.UID); msg == nil {
			d.Gone = append(d.Gone, r)
		}
	}
}

// shown returns the keywords of a message with those of its record that are not
// stored and so cannot have been taken away.
func shown(now state.Keywords, r state.Record, rule state.KeywordRule) state.Keywords {
	if r.State != state.Paired {
		return r.Keywords
	}
	return now.Union(r.Keywords.Without(rule.Of(r.Keywords)))
}

// lookup returns the record of the UID.
func lookup(base []state.Record, uid state.UID) (state.Record, bool) {
	i, found := slices.BinarySearchFunc(base, uid, func(r state.Record, uid state.UID) int { return cmp.Compare(r.UID, uid) })
	if !found {
		return state.Record{}, false
	}
	return base[i], true
}
