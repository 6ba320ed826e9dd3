package remote

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailmoor/state"
	"mailmoor/test/chance"
	"mailmoor/test/lab"
)

var seedFlag = flag.Uint64("seed", 0, "repeat the random changes of this seed")

// follower is a client that knows a mailbox only by deltas.
type follower struct {
	cursor state.Cursor
	base   []state.Record
}

// follow takes one delta in. It checks what the delta says of itself against
// what is known, so that a change reported twice or wrongly fails.
func (f *follower) follow(t *testing.T, c *Conn) state.RemoteDelta {
	t.Helper()
	d, err := c.Delta(t.Context(), "INBOX", f.cursor, state.SeenOf(f.base))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Check(); err != nil {
		t.Error(err)
	}
	now := make(map[uint32]state.Flags)
	for _, r := range f.base {
		now[uint32(r.UID)] = r.Flags
	}
	for _, r := range d.Gone {
		delete(now, uint32(r.UID))
	}
	for _, m := range d.New {
		if _, known := now[uint32(m.UID)]; known {
			t.Errorf("UID %d is not new", m.UID)
		}
		now[uint32(m.UID)] = m.Flags
	}
	for _, m := range d.Changed {
		if now[uint32(m.Base.UID)] == m.Flags {
			t.Errorf("UID %d has not changed", m.Base.UID)
		}
		now[uint32(m.Base.UID)] = m.Flags
	}
	f.base = f.base[:0]
	for _, uid := range sortedKeys(now) {
		f.base = append(f.base, rec(state.UID(uid), now[uid]))
	}
	f.cursor = d.Selected.Cursor
	return d
}

// TestDeltasFollowTwoClients lets two clients change a mailbox at random, one
// of them the connection itself, and compares what the deltas add up to with
// what the server shows.
func TestDeltasFollowTwoClients(t *testing.T) {
	for name, hide := range map[string][]string{
		"with CONDSTORE":    nil,
		"without CONDSTORE": {"CONDSTORE", "ESEARCH"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := lab.Dovecot(t)
			a := &dovecotAccount{srv: srv, user: srv.User("u1").Name, hide: hide}
			c := a.dial(t)
			seed := chance.Seed(*seedFlag)
			t.Logf("repeat with -seed=%d", seed)
			w := &world{T: t, random: rand.New(rand.NewPCG(seed, 0)), account: a, conn: c}
			f := &follower{}
			f.follow(t, c)
			for range 25 {
				for range w.random.IntN(4) {
					w.step(f)
				}
				f.follow(t, c)
				got, want := map[state.UID]state.Flags{}, map[state.UID]state.Flags{}
				for _, r := range f.base {
					got[r.UID] = r.Flags
				}
				for _, m := range srv.Messages(a.user, "INBOX") {
					want[m.UID] = m.Flags
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Fatalf("the deltas do not add up to the mailbox (-server +deltas):\n%s", d)
				}
			}
		})
	}
}

// world makes one change at a time.
type world struct {
	*testing.T
	random  *rand.Rand
	account *dovecotAccount
	conn    *Conn
	count   int
}

func (w *world) step(f *follower) {
	w.Helper()
	srv, user := w.account.srv.On(w.T), w.account.user
	flags := state.Flags(w.random.IntN(int(state.AllFlags) + 1))
	some := w.some(f)
	ref := state.Ref{Mailbox: "INBOX", UIDValidity: f.cursor.UIDValidity}
	switch w.random.IntN(6) {
	case 0:
		w.account.Append(w.T, "INBOX", conformanceMail(w.count, flags))
		w.count++
	case 1:
		var uploads []state.Upload
		for i := range 1 + w.random.IntN(8) {
			uploads = append(uploads, message(fmt.Sprint(w.count+i), fmt.Sprintf("Subject: %d\r\n\r\ntext\r\n", w.count+i), flags))
		}
		w.count += len(uploads)
		for _, out := range w.conn.Append(w.Context(), ref, uploads) {
			if out.Err != nil {
				w.Fatal(out.Err)
			}
		}
	case 2:
		if len(some) > 0 {
			srv.StoreFlags(user, "INBOX", some, append(lab.IMAPFlags(flags), "Work"), lab.IMAPFlags(state.AllFlags&^flags))
		}
	case 3:
		if len(some) > 0 {
			got, err := w.conn.Store(w.Context(), ref, some, flags, state.AllFlags&^flags)
			if err != nil {
				w.Fatal(err)
			}
			for uid, now := range got {
				if now != flags {
					w.Errorf("UID %d has %s after setting %s", uid, now, flags)
				}
			}
		}
	case 4:
		if len(some) > 0 {
			srv.Expunge(user, "INBOX", some)
		}
	case 5:
		if len(some) > 0 {
			if removed, err := w.conn.Expunge(w.Context(), ref, some); err != nil || !removed {
				w.Fatalf("removed %v, error %v", removed, err)
			}
		}
	}
}

// some returns a few of the messages that the follower knows; the server may
// not have them any more.
func (w *world) some(f *follower) state.UIDSet {
	var set state.UIDSet
	for _, r := range f.base {
		if w.random.IntN(4) == 0 {
			set = set.Add(r.UID)
		}
	}
	return set
}

// TestThousands uploads, lists, changes and expunges more messages than any
// chunk holds.
func TestThousands(t *testing.T) {
	if testing.Short() {
		t.Skip("it uploads a thousand messages")
	}
	srv := lab.Dovecot(t)
	a := &dovecotAccount{srv: srv, user: srv.User("u1").Name}
	c := a.dial(t)
	f := &follower{}
	f.follow(t, c)
	ref := state.Ref{Mailbox: "INBOX", UIDValidity: f.cursor.UIDValidity}
	const count = 1100
	uploads := make([]state.Upload, count)
	for i := range uploads {
		uploads[i] = message(fmt.Sprint(i), fmt.Sprintf("Subject: %d\r\n\r\n%s\r\n", i, strings.Repeat("x", i)), 0)
	}
	for i, out := range c.Append(t.Context(), ref, uploads) {
		if out.Err != nil || out.UID != state.UID(i+1) {
			t.Fatalf("upload %d: %+v", i, out)
		}
	}
	if d := f.follow(t, c); len(d.New) != count {
		t.Fatalf("%d are new, want %d", len(d.New), count)
	}
	all := state.UIDSet{{First: 1, Last: count}}
	var bodies int
	err := c.Fetch(t.Context(), ref, all, func(in state.Incoming) error {
		bodies++
		body, err := io.ReadAll(in.Body)
		if want := fmt.Sprintf("Subject: %d\r\n\r\n%s\r\n", in.UID-1, strings.Repeat("x", int(in.UID-1))); string(body) != want {
			t.Errorf("UID %d has %d bytes, want %d", in.UID, len(body), len(want))
		}
		return err
	})
	if err != nil || bodies != count {
		t.Fatalf("%d bodies, error %v", bodies, err)
	}
	identities, err := c.Identify(t.Context(), ref, all)
	if err != nil || len(identities) != count {
		t.Fatalf("%d identities, error %v", len(identities), err)
	}
	if now, err := c.Store(t.Context(), ref, all, state.Seen, 0); err != nil || len(now) != count {
		t.Fatalf("%d stored, error %v", len(now), err)
	}
	if err := c.Create(t.Context(), "Dest"); err != nil {
		t.Fatal(err)
	}
	moved, _, err := c.Move(t.Context(), ref, state.UIDSet{{First: 1, Last: 250}}, "Dest")
	if err != nil || len(moved) != 250 || moved[250] != 250 {
		t.Fatalf("%d moved, UID 250 to %d, error %v", len(moved), moved[250], err)
	}
	if removed, err := c.Expunge(t.Context(), ref, state.UIDSet{{First: 200, Last: 900}}); err != nil || !removed {
		t.Fatalf("removed %v, error %v", removed, err)
	}
	d := f.follow(t, c)
	if len(d.Gone) != 900 || len(d.Changed) != 200 || len(d.New) != 0 {
		t.Errorf("%d gone, %d changed, %d new; want 900, 200, 0", len(d.Gone), len(d.Changed), len(d.New))
	}
}

func TestQuota(t *testing.T) {
	srv := lab.Dovecot(t, lab.Quota(20_000))
	a := &dovecotAccount{srv: srv, user: srv.User("u1").Name}
	c := a.dial(t)
	next, err := c.Next(t.Context(), "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	ref := state.Ref{Mailbox: "INBOX", UIDValidity: next.UIDValidity}
	large := "Subject: large\r\n\r\n" + strings.Repeat("0123456789", 3000) + "\r\n"
	got := c.Append(t.Context(), ref, []state.Upload{
		message("a", "Subject: a\r\n\r\n", 0), message("b", large, 0), message("c", "Subject: c\r\n\r\n", 0),
	})
	cause(t, got[1].Err, state.CauseQuota, state.ScopeMailbox)
	if got[0].Err != nil || got[2].Err != nil || got[0].UID == 0 || got[2].UID == 0 {
		t.Errorf("the innocent ones: %+v, %+v", got[0], got[2])
	}
}

// TestContextEndsACall: whatever the call waits for, the end of the context
// ends it, and the connection with it.
func TestContextEndsACall(t *testing.T) {
	tests := []struct {
		name, script string
		call         func(ctx context.Context, c *Conn) error
	}{
		{
			"a listing", `
			C: LIST`,
			func(ctx context.Context, c *Conn) error { _, err := c.List(ctx); return err },
		},
		{
			"a delta in the middle", `
			C: SELECT "Box"
			S: * 3 EXISTS
			S: * OK [UIDVALIDITY 7] x
			S: $ OK done
			C: UID FETCH 1:*
			S: * 1 FETCH (UID 2 FLAGS ())`,
			func(ctx context.Context, c *Conn) error {
				_, err := c.Delta(ctx, "Box", state.Cursor{}, state.SeenSet{})
				return err
			},
		},
		{
			"a body in the middle", opened("1") + `
			C: UID FETCH 1
			S: * 1 FETCH (UID 1 FLAGS () INTERNALDATE NIL BODY[] {1000}
			S: text`,
			func(ctx context.Context, c *Conn) error {
				return c.Fetch(ctx, box, state.NewUIDSet(1), func(in state.Incoming) error {
					_, err := io.Copy(io.Discard, in.Body)
					return err
				})
			},
		},
		{
			"an upload without an answer", known + `
			C: APPEND`,
			func(ctx context.Context, c *Conn) error {
				err := c.Append(ctx, box, []state.Upload{message("a", "one", 0)})[0].Err
				if state.CauseOf(err) != state.CauseUnknown {
					return fmt.Errorf("not unknown: %w", err)
				}
				return &state.Error{Scope: state.ScopeOf(err), Cause: state.CauseNetwork, Err: err}
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			reached := make(chan struct{})
			c := scriptedAndThen(t, tt.script, func() { close(reached) })
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-reached
				cancel()
			}()
			err := tt.call(ctx, c)
			cause(t, err, state.CauseNetwork, state.ScopeAccount)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%v does not say that it was cancelled", err)
			}
			if _, err := c.List(t.Context()); state.ScopeOf(err) != state.ScopeAccount || err == nil {
				t.Errorf("the connection is still in use: %v", err)
			}
		})
	}
}

func TestContextThatHasEnded(t *testing.T) {
	c := scripted(t, "", "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.List(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestAppendSparesItsNeighbours: a file that became shorter ends the
// connection, but what was sent whole before it counts.
func TestAppendSparesItsNeighbours(t *testing.T) {
	srv := lab.Dovecot(t)
	a := &dovecotAccount{srv: srv, user: srv.User("u1").Name}
	c := a.dial(t)
	next, err := c.Next(t.Context(), "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	short := message("b", "Subject: b\r\n\r\n"+strings.Repeat("text\r\n", 5000), 0)
	short.Size += 2 // as if only the last line end were missing
	got := c.Append(t.Context(), state.Ref{Mailbox: "INBOX", UIDValidity: next.UIDValidity}, []state.Upload{
		message("a", "Subject: a\r\n\r\n", 0), short, message("c", "Subject: c\r\n\r\n", 0),
	})
	if got[0].Err != nil || got[0].UID != next.UIDNext {
		t.Errorf("the one before: %+v", got[0])
	}
	cause(t, got[1].Err, state.CauseUnknown, state.ScopeAccount)
	cause(t, got[2].Err, state.CauseUnknown, state.ScopeAccount)
	if stored := srv.Messages(a.user, "INBOX"); len(stored) != 1 {
		t.Errorf("%d messages were stored, want 1", len(stored))
	}
}
