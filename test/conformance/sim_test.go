package conformance_test

import (
	"testing"

	"mailmoor/engine"
	"mailmoor/state"
	"mailmoor/test/conformance"
	"mailmoor/test/sim"
)

// The fakes start at this time, in Unix seconds.
const simStart = 1_750_000_000

func TestSimRemote(t *testing.T) {
	servers := map[string]sim.ServerOptions{
		"everything": {RefusedKeywords: "refused"},
		"bare":       {NoCondstore: true, NoUIDPlus: true, NoMove: true, NoStatus: true},
		"no UIDPLUS": {NoUIDPlus: true},
	}
	for name, o := range servers {
		t.Run(name, func(t *testing.T) {
			conformance.Remote(t, func(*testing.T) conformance.RemoteFixture {
				o.World = sim.NewWorld(simStart)
				return remoteFixture(sim.NewServer(o), o)
			})
		})
	}
}

func remoteFixture(s *sim.Server, o sim.ServerOptions) conformance.RemoteFixture {
	return conformance.RemoteFixture{
		Connect: func(t *testing.T) engine.Remote {
			t.Helper()
			r, err := s.Connect(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return r
		},
		Other:     otherClient{s},
		NoUIDPlus: o.NoUIDPlus,
		Limit: func(_ *testing.T, bytes int64) {
			s.Configure(func(o *sim.ServerOptions) { o.MessageBytesMax = bytes })
		},
		Quota: func(_ *testing.T, bytes int64) {
			// The account is empty so far.
			s.Configure(func(o *sim.ServerOptions) { o.QuotaBytes = bytes })
		},
		ReadOnly: func(_ *testing.T, mailbox string) { s.SetReadOnly(mailbox, true) },
		Tag: func(_ *testing.T, mailbox string, uid state.UID, add, remove state.Keywords) {
			for _, m := range s.Messages(mailbox) {
				if m.UID == uid {
					s.SetKeywords(mailbox, uid, m.Keywords.Without(remove).Union(add))
				}
			}
		},
		Refused: string(o.RefusedKeywords),
		Between: func(_ *testing.T, act func()) {
			done := false
			o.World.SetFault(func(step sim.Step) error {
				if step.Op == "remote.flags" && !step.After && !done {
					done = true
					act()
				}
				return nil
			})
		},
	}
}

// otherClient acts on the server directly.
type otherClient struct{ server *sim.Server }

func (c otherClient) CreateMailbox(_ *testing.T, name string) {
	c.server.CreateMailbox(name, state.RoleNone)
}

func (c otherClient) Append(_ *testing.T, mailbox string, m conformance.Message) state.UID {
	return c.server.Append(mailbox, sim.Message(m))
}

func (c otherClient) SetFlags(_ *testing.T, mailbox string, uid state.UID, flags state.Flags) {
	c.server.SetFlags(mailbox, uid, flags)
}

func (c otherClient) Expunge(_ *testing.T, mailbox string, uid state.UID) {
	c.server.Expunge(mailbox, uid)
}

func (c otherClient) Messages(_ *testing.T, mailbox string) []conformance.Message {
	var list []conformance.Message
	for _, m := range c.server.Messages(mailbox) {
		list = append(list, conformance.Message(m))
	}
	return list
}

func TestSimStore(t *testing.T) {
	conformance.Store(t, func(*testing.T) engine.Store { return sim.NewStore(nil) })
}
