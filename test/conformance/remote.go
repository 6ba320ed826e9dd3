package conformance

import (
	"context"
	"io"
	"slices"
	"testing"

	"mailmoor/engine"
	"mailmoor/state"
)

// Message is a message on the server as another client sees it.
type Message struct {
	UID      state.UID
	Flags    state.Flags
	Keywords state.Keywords
	Date     int64 // INTERNALDATE, Unix seconds
	Body     []byte
}

// OtherClient is another client of the same account, independent of the code
// under test. Its methods end the test when they cannot do their work.
type OtherClient interface {
	// CreateMailbox creates an empty mailbox.
	CreateMailbox(t *testing.T, name string)
	// Append adds the message and returns the UID that it got.
	Append(t *testing.T, mailbox string, m Message) state.UID
	// SetFlags gives the message exactly these flags.
	SetFlags(t *testing.T, mailbox string, uid state.UID, flags state.Flags)
	// Expunge removes the message for good.
	Expunge(t *testing.T, mailbox string, uid state.UID)
	// Messages returns the messages of the mailbox by UID.
	Messages(t *testing.T, mailbox string) []Message
}

// RemoteFixture is an account with an empty INBOX. The functions that are nil
// stand for what the server cannot be made to do; their subtests are skipped.
type RemoteFixture struct {
	// Connect returns a new connection, which the suite closes.
	Connect func(t *testing.T) engine.Remote
	Other   OtherClient
	// NoUIDPlus is true for a server that tells no new UIDs and cannot expunge
	// single messages.
	NoUIDPlus bool
	// Refuses reports whether the server takes no mailbox of that name. Cyrus
	// refuses characters that its own tools give a meaning. This is harmless:
	// such a name can only come from a folder, whose mailbox then cannot be
	// created, which the suite sees reported. nil stands for a server that takes
	// every name.
	Refuses func(name string) bool
	// Served returns how the server gives back a message that was uploaded.
	// Courier ends the last line where it does not end. This is harmless as long
	// as the change is exactly the known one, because uploads are compared with
	// what the server made of them. nil stands for a server that keeps messages
	// as they are.
	Served func(body []byte) []byte
	// Limit makes the server refuse messages of more bytes.
	Limit func(t *testing.T, bytes int64)
	// Quota leaves the account room for this many bytes more.
	Quota func(t *testing.T, bytes int64)
	// ReadOnly makes the mailbox readable only.
	ReadOnly func(t *testing.T, mailbox string)
	// Tag gives a message keywords and takes others from it, as another client.
	Tag func(t *testing.T, mailbox string, uid state.UID, add, remove state.Keywords)
	// Refused is a keyword that the server takes in a message and refuses to add,
	// "" if there is none.
	Refused string
	// Between makes act happen once, after the next SELECT and before the
	// listing that follows it.
	Between func(t *testing.T, act func())
}

// remoteCase is one subtest of the suite.
type remoteCase struct {
	name string
	run  func(r *remoteRun)
}

// Remote runs the suite of engine.Remote; open is called for each subtest.
func Remote(t *testing.T, open func(t *testing.T) RemoteFixture) {
	for _, c := range slices.Concat(listCases(), deltaCases(), fetchCases(), appendCases(), storeCases(), keywordCases(), moveCases()) {
		t.Run(c.name, func(t *testing.T) {
			f := open(t)
			if f.Refuses == nil {
				f.Refuses = func(string) bool { return false }
			}
			if f.Served == nil {
				f.Served = func(body []byte) []byte { return body }
			}
			r := &remoteRun{T: t, RemoteFixture: f, ctx: t.Context(), remote: f.Connect(t)}
			// A connection that a subtest broke may complain about its end.
			t.Cleanup(func() { _ = r.remote.Close() })
			r.Other.CreateMailbox(t, work)
			c.run(r)
		})
	}
}

// work is the mailbox that every subtest finds empty.
const work = "Work"

// remoteRun is one subtest that runs.
type remoteRun struct {
	*testing.T
	RemoteFixture
	ctx    context.Context
	remote engine.Remote
}

// fill appends n messages as the other client and returns their UIDs.
func (r *remoteRun) fill(n int) []state.UID {
	r.Helper()
	uids := make([]state.UID, n)
	for i := range uids {
		uids[i] = r.Other.Append(r.T, work, Message{Date: baseDate + int64(i), Body: Mail(i)})
	}
	return uids
}

// ref returns the present generation of the mailbox.
func (r *remoteRun) ref(mailbox string) state.Ref {
	r.Helper()
	next, err := r.remote.Next(r.ctx, mailbox)
	ok(r.T, err)
	return state.Ref{Mailbox: mailbox, UIDValidity: next.UIDValidity}
}

// wrongRef returns a generation of the work mailbox that is not the present one.
func (r *remoteRun) wrongRef() state.Ref {
	r.Helper()
	ref := r.ref(work)
	ref.UIDValidity++
	return ref
}

// mirror is what a client that follows the work mailbox by deltas knows of it.
type mirror struct {
	cursor state.Cursor
	base   []state.Record
}

// look observes the work mailbox without following it.
func (r *remoteRun) look(m *mirror) state.RemoteDelta {
	r.Helper()
	d, err := r.remote.Delta(r.ctx, work, m.cursor, state.SeenOf(m.base))
	ok(r.T, err)
	ok(r.T, d.Check())
	if d.Mailbox != work {
		r.Errorf("the delta is of mailbox %q", d.Mailbox)
	}
	if !slices.IsSortedFunc(d.New, func(a, b state.RemoteMessage) int { return int(a.UID) - int(b.UID) }) {
		r.Errorf("new messages are not ordered: %v", d.New)
	}
	if !slices.IsSortedFunc(d.Changed, func(a, b state.RemoteChange) int { return int(a.Base.UID) - int(b.Base.UID) }) {
		r.Errorf("changed messages are not ordered: %v", d.Changed)
	}
	return d
}

// follow observes the work mailbox, applies the delta and saves its cursor.
func (r *remoteRun) follow(m *mirror) state.RemoteDelta {
	r.Helper()
	d := r.look(m)
	for _, c := range d.Changed {
		i := slices.IndexFunc(m.base, func(b state.Record) bool { return b.UID == c.Base.UID })
		m.base[i].Flags = c.Flags
	}
	for _, gone := range d.Gone {
		m.base = slices.DeleteFunc(m.base, func(b state.Record) bool { return b.UID == gone.UID })
	}
	for _, n := range d.New {
		m.base = append(m.base, state.Record{Mailbox: work, UID: n.UID, State: state.DownloadStuck, Flags: n.Flags})
	}
	slices.SortFunc(m.base, func(a, b state.Record) int { return int(a.UID) - int(b.UID) })
	m.cursor = d.Selected.Cursor
	return d
}

// agrees fails the test when the mirror is not what the other client sees.
func (r *remoteRun) agrees(m *mirror) {
	r.Helper()
	got, want := map[state.UID]state.Flags{}, map[state.UID]state.Flags{}
	for _, b := range m.base {
		got[b.UID] = b.Flags
	}
	for _, msg := range r.Other.Messages(r.T, work) {
		want[msg.UID] = msg.Flags
	}
	equal(r.T, "what the deltas add up to", got, want)
}

// fetched is a message that came through Fetch.
type fetched struct {
	UID   state.UID
	Flags state.Flags
	Date  int64
	Body  string
}

// fetch fetches messages of the work mailbox whole.
func (r *remoteRun) fetch(uids ...state.UID) []fetched {
	r.Helper()
	var list []fetched
	err := r.remote.Fetch(r.ctx, r.ref(work), state.NewUIDSet(uids...), func(in state.Incoming) error {
		body, err := io.ReadAll(in.Body)
		if err != nil {
			return err
		}
		if in.Size != int64(len(body)) {
			r.Errorf("UID %d: %d bytes announced, %d came", in.UID, in.Size, len(body))
		}
		list = append(list, fetched{in.UID, in.Flags, in.Date, string(body)})
		return nil
	})
	ok(r.T, err)
	return list
}

// uidsOf returns the UIDs in the mailbox as the other client sees them.
func (r *remoteRun) uidsOf(mailbox string) []state.UID {
	r.Helper()
	var uids []state.UID
	for _, m := range r.Other.Messages(r.T, mailbox) {
		uids = append(uids, m.UID)
	}
	return uids
}
