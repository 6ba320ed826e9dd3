package conformance_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"mailmoor/engine"
	"mailmoor/engine/remote"
	"mailmoor/engine/remote/wire"
	"mailmoor/state"
	"mailmoor/test/conformance"
	"mailmoor/test/lab"
)

// TestPeers runs the suite of the engine's port on Cyrus and Courier. That of
// Dovecot is in engine/remote.
func TestPeers(t *testing.T) {
	t.Run("cyrus", func(t *testing.T) {
		testPeer(t, lab.Cyrus(t), func(f *conformance.RemoteFixture) {
			// The characters of its lists and tools.
			f.Refuses = func(name string) bool { return strings.ContainsAny(name, `%"`) }
		})
	})
	t.Run("courier", func(t *testing.T) {
		testPeer(t, lab.Courier(t), func(f *conformance.RemoteFixture) {
			f.Served = func(body []byte) []byte {
				if bytes.HasSuffix(body, []byte("\r\n")) {
					return body
				}
				return append(slices.Clone(body), "\r\n"...)
			}
		})
	})
}

// testPeer runs the suite with what the server cannot do or does in its own way.
func testPeer(t *testing.T, srv *lab.Peer, differ func(*conformance.RemoteFixture)) {
	t.Helper()
	users := 0
	conformance.Remote(t, func(t *testing.T) conformance.RemoteFixture {
		users++
		a := newPeerAccount(t, srv, fmt.Sprintf("user%d", users))
		f := conformance.RemoteFixture{Connect: a.connect, Other: a, Between: a.between, ReadOnly: a.readOnly, Quota: a.quota, Tag: a.tag}
		differ(&f)
		return f
	})
}

// peerAccount is an account on a server, and another client of it.
type peerAccount struct {
	srv    *lab.Peer
	user   *lab.User
	prefix string
	act    atomic.Pointer[func()]
}

func newPeerAccount(t *testing.T, srv *lab.Peer, user string) *peerAccount {
	t.Helper()
	srv = srv.On(t)
	return &peerAccount{srv: srv, user: srv.User(user), prefix: srv.Namespace(user).Prefix}
}

func (a *peerAccount) connect(t *testing.T) engine.Remote {
	t.Helper()
	host, port, err := net.SplitHostPort(a.srv.Addr())
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	c, err := remote.Dial(t.Context(), wire.Config{
		Host: host, Port: number, Roots: a.srv.TLS().RootCAs, User: a.user.Name,
		Secret: func(context.Context) (string, error) { return a.user.Password, nil },
		Trace:  a.trace,
	}, remote.Options{Log: zerolog.New(zerolog.NewTestWriter(t))})
	if err != nil {
		t.Fatal(err)
	}
	return below{c, a.prefix}
}

// trace sees each line before it is sent.
func (a *peerAccount) trace(e wire.Event) {
	if !e.Sent || !strings.Contains(e.Line, " UID FETCH ") {
		return
	}
	if act := a.act.Swap(nil); act != nil {
		(*act)()
	}
}

func (a *peerAccount) readOnly(t *testing.T, mailbox string) {
	t.Helper()
	a.srv.On(t).SetACL(a.user.Name, a.prefix+mailbox, "lr")
}

// quota is rounded up: Cyrus counts in KiB.
func (a *peerAccount) quota(t *testing.T, bytes int64) {
	t.Helper()
	a.srv.On(t).SetQuota(a.user.Name, (bytes+1023)/1024)
}

func (a *peerAccount) between(_ *testing.T, act func()) { a.act.Store(&act) }

func (a *peerAccount) CreateMailbox(t *testing.T, name string) {
	t.Helper()
	a.srv.On(t).CreateMailbox(a.user.Name, a.prefix+name)
}

func (a *peerAccount) Append(t *testing.T, mailbox string, m conformance.Message) state.UID {
	t.Helper()
	return a.srv.On(t).Append(a.user.Name, a.prefix+mailbox, append(lab.IMAPFlags(m.Flags), m.Keywords.Names()...), time.Unix(m.Date, 0), m.Body)
}

func (a *peerAccount) SetFlags(t *testing.T, mailbox string, uid state.UID, flags state.Flags) {
	t.Helper()
	a.srv.On(t).StoreFlags(a.user.Name, a.prefix+mailbox, state.NewUIDSet(uid),
		lab.IMAPFlags(flags), lab.IMAPFlags(state.AllFlags&^flags))
}

func (a *peerAccount) tag(t *testing.T, mailbox string, uid state.UID, add, remove state.Keywords) {
	t.Helper()
	a.srv.On(t).StoreFlags(a.user.Name, a.prefix+mailbox, state.NewUIDSet(uid), add.Names(), remove.Names())
}

func (a *peerAccount) Expunge(t *testing.T, mailbox string, uid state.UID) {
	t.Helper()
	a.srv.On(t).Expunge(a.user.Name, a.prefix+mailbox, state.NewUIDSet(uid))
}

func (a *peerAccount) Messages(t *testing.T, mailbox string) []conformance.Message {
	t.Helper()
	var list []conformance.Message
	for _, m := range a.srv.On(t).Messages(a.user.Name, a.prefix+mailbox) {
		list = append(list, conformance.Message{
			UID: m.UID, Flags: m.Flags, Keywords: state.NewKeywords(m.Keywords...), Date: m.InternalDate.Unix(), Body: m.Body,
		})
	}
	return list
}
