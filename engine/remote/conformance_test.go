package remote

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"mailmoor/engine"
	"mailmoor/engine/remote/wire"
	"mailmoor/state"
	"mailmoor/test/conformance"
	"mailmoor/test/lab"
)

// TestConformance runs the suite of the engine's port on Dovecot, with
// everything that it can do and with parts of it hidden.
func TestConformance(t *testing.T) {
	tests := []struct {
		name      string
		hide      []string
		noUIDPlus bool
	}{
		{name: "everything"},
		{name: "no CONDSTORE, no ESEARCH", hide: []string{"CONDSTORE", "ESEARCH"}},
		{name: "no MOVE, no LITERAL+, no LIST-STATUS", hide: []string{"MOVE", "LITERAL+", "LIST-STATUS"}},
		{name: "nothing", noUIDPlus: true, hide: []string{
			"CONDSTORE", "ESEARCH", "LIST-STATUS", "LIST-EXTENDED", "LITERAL+", "MOVE", "UIDPLUS",
			"UNSELECT", "SPECIAL-USE", "ENABLE", "ID",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// Without the plugin names must not begin with "~".
			srv := lab.Dovecot(t, lab.ACL(), lab.Config("protocol imap {\n  mail_plugins = acl imap_acl listescape\n}"))
			users := 0
			conformance.Remote(t, func(t *testing.T) conformance.RemoteFixture {
				users++
				f := &dovecotAccount{srv: srv, user: srv.On(t).User(fmt.Sprintf("user%d", users)).Name, hide: tt.hide}
				return conformance.RemoteFixture{
					Connect: f.connect, Other: f, NoUIDPlus: tt.noUIDPlus,
					ReadOnly: f.readOnly, Between: f.between, Tag: f.tag,
					// Longer than what Dovecot takes.
					Refused: strings.Repeat("x", 60),
				}
			})
		})
	}
}

// dovecotAccount is an account on a Dovecot, and another client of it.
type dovecotAccount struct {
	srv  *lab.Server
	user string
	hide []string
	act  atomic.Pointer[func()]
}

// config is how to reach the account.
func (a *dovecotAccount) config() wire.Config {
	return wire.Config{
		Host: a.srv.Host, Port: a.srv.Port, Roots: a.srv.CA, User: a.user, Hide: a.hide,
		Secret: func(context.Context) (string, error) { return a.srv.Password, nil },
		Trace: func(e wire.Event) {
			if !e.Sent || !strings.Contains(e.Line, " UID FETCH ") {
				return
			}
			if act := a.act.Swap(nil); act != nil {
				(*act)() // the line is still to be sent
			}
		},
	}
}

func (a *dovecotAccount) dial(t *testing.T) *Conn {
	t.Helper()
	c, err := Dial(t.Context(), a.config(), Options{Log: zerolog.New(zerolog.NewTestWriter(t))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func (a *dovecotAccount) connect(t *testing.T) engine.Remote {
	t.Helper()
	return a.dial(t)
}

func (a *dovecotAccount) readOnly(t *testing.T, mailbox string) {
	t.Helper()
	a.srv.On(t).SetACL(a.user, mailbox, "lr")
}

func (a *dovecotAccount) between(_ *testing.T, act func()) { a.act.Store(&act) }

func (a *dovecotAccount) CreateMailbox(t *testing.T, name string) {
	t.Helper()
	a.srv.On(t).CreateMailbox(a.user, name)
}

func (a *dovecotAccount) Append(t *testing.T, mailbox string, m conformance.Message) state.UID {
	t.Helper()
	return a.srv.On(t).Append(a.user, mailbox, append(lab.IMAPFlags(m.Flags), m.Keywords.Names()...), time.Unix(m.Date, 0), m.Body)
}

func (a *dovecotAccount) SetFlags(t *testing.T, mailbox string, uid state.UID, flags state.Flags) {
	t.Helper()
	a.srv.On(t).StoreFlags(a.user, mailbox, state.NewUIDSet(uid),
		lab.IMAPFlags(flags), lab.IMAPFlags(state.AllFlags&^flags))
}

func (a *dovecotAccount) tag(t *testing.T, mailbox string, uid state.UID, add, remove state.Keywords) {
	t.Helper()
	a.srv.On(t).StoreFlags(a.user, mailbox, state.NewUIDSet(uid), add.Names(), remove.Names())
}

func (a *dovecotAccount) Expunge(t *testing.T, mailbox string, uid state.UID) {
	t.Helper()
	a.srv.On(t).Expunge(a.user, mailbox, state.NewUIDSet(uid))
}

func (a *dovecotAccount) Messages(t *testing.T, mailbox string) []conformance.Message {
	t.Helper()
	var list []conformance.Message
	for _, m := range a.srv.On(t).Messages(a.user, mailbox) {
		list = append(list, conformance.Message{
			UID: m.UID, Flags: m.Flags, Keywords: state.NewKeywords(m.Keywords...), Date: m.InternalDate.Unix(), Body: m.Body,
		})
	}
	return list
}

// conformanceMail is a message for the other client to append.
func conformanceMail(number int, flags state.Flags) conformance.Message {
	return conformance.Message{Flags: flags, Date: 1_000_000_000, Body: conformance.Mail(number)}
}
