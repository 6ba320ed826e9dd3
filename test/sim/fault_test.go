package sim_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"mailmoor/engine"
	"mailmoor/state"
	"mailmoor/test/sim"
)

// The conformance suites prove what the fakes do when all goes well. These
// tests prove what a Fault does to them.

const mail = "Message-ID: <1@example.org>\r\n\r\ntext\r\n"

var errCable = errors.New("the cable was pulled")

// at returns a Fault that fails with err at the nth step of the operation.
func at(op string, after bool, nth int, err error) sim.Fault {
	return func(s sim.Step) error {
		if s.Op == op && s.After == after {
			if nth--; nth == 0 {
				return err
			}
		}
		return nil
	}
}

// crashAt is at with a panic.
func crashAt(op string, after bool, nth int) sim.Fault {
	fault := at(op, after, nth, sim.ErrKilled)
	return func(s sim.Step) error {
		if fault(s) != nil {
			panic(sim.Crash)
		}
		return nil
	}
}

// survive runs f and reports whether it ended with a crash.
func survive(t *testing.T, f func()) (crashed bool) {
	t.Helper()
	defer func() {
		switch r := recover(); r {
		case nil:
		case sim.Crash:
			crashed = true
		default:
			panic(r)
		}
	}()
	f()
	return false
}

func connect(t *testing.T, s *sim.Server) engine.Remote {
	t.Helper()
	r, err := s.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func upload(key state.Key) state.Upload {
	return state.Upload{Key: key, Size: int64(len(mail)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader([]byte(mail))), nil
	}}
}

func incoming() state.Incoming {
	return state.Incoming{UID: 1, Size: int64(len(mail)), Body: bytes.NewReader([]byte(mail))}
}

func TestLostConnectionDuringUploads(t *testing.T) {
	tests := []struct {
		name      string
		after     bool
		land      bool
		delivered int
	}{
		{"before the server acted", false, false, 1},
		{"after the server acted", true, false, 2},
		{"after the server acted, the rest is under way", true, true, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := sim.NewWorld(1000)
			s := sim.NewServer(sim.ServerOptions{World: w, LandAfterLoss: tt.land})
			r := connect(t, s)
			w.SetFault(at("remote.append", tt.after, 2, errCable))
			ref := state.Ref{Mailbox: "INBOX", UIDValidity: s.Cursor("INBOX").UIDValidity}
			outcomes := r.Append(t.Context(), ref, []state.Upload{upload("a"), upload("b"), upload("c")})
			if outcomes[0].Err != nil || outcomes[0].UID != 1 {
				t.Errorf("the upload before the loss: %+v", outcomes[0])
			}
			for _, out := range outcomes[1:] {
				if state.CauseOf(out.Err) != state.CauseUnknown || !errors.Is(out.Err, errCable) {
					t.Errorf("upload %s: error %v, cause %d", out.Key, out.Err, state.CauseOf(out.Err))
				}
			}
			if got := len(s.Messages("INBOX")); got != tt.delivered {
				t.Errorf("%d messages arrived, want %d", got, tt.delivered)
			}
			if _, err := r.List(t.Context()); state.CauseOf(err) != state.CauseNetwork {
				t.Errorf("the lost connection lists: error %v", err)
			}
			if _, err := connect(t, s).List(t.Context()); err != nil {
				t.Errorf("a new connection: %v", err)
			}
		})
	}
}

func TestLostConnectionCutsABody(t *testing.T) {
	w := sim.NewWorld(1000)
	s := sim.NewServer(sim.ServerOptions{World: w})
	uid := s.Append("INBOX", sim.Message{Body: []byte(mail)})
	ref := state.Ref{Mailbox: "INBOX", UIDValidity: s.Cursor("INBOX").UIDValidity}
	for _, tt := range []struct {
		op    string
		after bool
		read  int
	}{{"remote.body", false, len(mail) / 2}, {"remote.fetch", true, len(mail)}} {
		r := connect(t, s)
		w.SetFault(at(tt.op, tt.after, 1, errCable))
		read := 0
		err := r.Fetch(t.Context(), ref, state.NewUIDSet(uid), func(in state.Incoming) error {
			data, err := io.ReadAll(in.Body)
			read = len(data)
			return err
		})
		if !errors.Is(err, errCable) || read != tt.read {
			t.Errorf("%s: %d bytes were read, error %v; want %d", tt.op, read, err, tt.read)
		}
	}
}

func TestKilledProcessHasNoMoreEffects(t *testing.T) {
	w := sim.NewWorld(1000)
	s, tree, store := sim.NewServer(sim.ServerOptions{World: w}), sim.NewTree(sim.TreeOptions{World: w}), sim.NewStore(w)
	r := connect(t, s)
	w.SetFault(at("store.mailbox", true, 1, sim.ErrKilled))
	inbox := state.Mailbox{Name: "INBOX", Folder: "INBOX", Marker: "m"}
	if err := store.PutMailbox(t.Context(), inbox); !errors.Is(err, sim.ErrKilled) || !w.Dead() {
		t.Fatalf("the process lives: error %v", err)
	}
	if err := r.Create(t.Context(), "Work"); !errors.Is(err, sim.ErrKilled) {
		t.Errorf("a dead process created a mailbox: error %v", err)
	}
	if _, err := tree.CreateFolder(t.Context(), []string{"Work"}, 0); !errors.Is(err, sim.ErrKilled) {
		t.Errorf("a dead process created a folder: error %v", err)
	}
	w.SetFault(nil)
	w.Restart()
	if got, err := store.Mailboxes(t.Context()); err != nil || len(got) != 1 {
		t.Errorf("the store has %v, error %v; the transaction was committed", got, err)
	}
	if len(s.Mailboxes()) != 1 || len(tree.Paths()) != 0 || len(s.Commands())+len(tree.Changes()) != 0 {
		t.Errorf("there were effects: %v, %v", s.Commands(), tree.Changes())
	}
	if _, err := r.List(t.Context()); err == nil {
		t.Error("a connection outlived its process")
	}
}

func TestCrashInTheMiddleOfACommit(t *testing.T) {
	w := sim.NewWorld(1000)
	tree := sim.NewTree(sim.TreeOptions{World: w})
	tree.AddFolder("INBOX")
	w.SetFault(crashAt("local.commit", true, 1))
	crashed := survive(t, func() {
		d, err := tree.Deliver(t.Context(), "INBOX")
		if err != nil {
			t.Fatal(err)
		}
		defer d.Abort()
		for _, key := range []state.Key{"a", "b"} {
			if _, err := d.Add(key, incoming()); err != nil {
				t.Fatal(err)
			}
		}
		t.Errorf("commit returned %v", d.Commit())
	})
	if !crashed {
		t.Fatal("the process did not crash")
	}
	w.SetFault(nil)
	w.Restart()
	files, leftovers := tree.Files("INBOX"), tree.Leftovers("INBOX")
	if len(files) != 1 || files[0].Key != "a" || len(leftovers) != 1 || leftovers[0].Key != "b" {
		t.Errorf("files %v, leftovers %v; want a delivered and b in tmp/", files, leftovers)
	}
}

func TestCrashBeforeATransaction(t *testing.T) {
	w := sim.NewWorld(1000)
	store := sim.NewStore(w)
	w.SetFault(crashAt("store.mailbox", false, 1))
	inbox := state.Mailbox{Name: "INBOX", Folder: "INBOX", Marker: "m"}
	if !survive(t, func() { t.Errorf("put returned %v", store.PutMailbox(t.Context(), inbox)) }) {
		t.Fatal("the process did not crash")
	}
	w.SetFault(nil)
	w.Restart()
	if got, err := store.Mailboxes(t.Context()); err != nil || len(got) != 0 || store.Commits() != 0 {
		t.Errorf("the store has %v, error %v", got, err)
	}
}

func TestUnprovenAbsence(t *testing.T) {
	s := sim.NewServer(sim.ServerOptions{NoListing: true})
	uid := s.Append("INBOX", sim.Message{Body: []byte(mail)})
	base := []state.Record{{Mailbox: "INBOX", UID: uid, State: state.DownloadStuck}}
	saved := s.Cursor("INBOX")
	s.WipeMailbox("INBOX")
	d, err := connect(t, s).Delta(t.Context(), "INBOX", saved, state.SeenOf(base))
	if err != nil || !d.GoneUnknown || len(d.Gone) != 0 {
		t.Errorf("delta %+v, error %v", d, err)
	}
}

func TestStampsSettle(t *testing.T) {
	w := sim.NewWorld(1000)
	tree := sim.NewTree(sim.TreeOptions{World: w})
	tree.AddFolder("INBOX")
	stamp := func() state.LocalFolder {
		t.Helper()
		list, _, err := tree.Folders(t.Context())
		if err != nil || len(list) != 1 {
			t.Fatalf("folders %v, error %v", list, err)
		}
		return list[0]
	}
	if stamp().Settled {
		t.Error("a stamp of this second proves something")
	}
	w.Advance(10)
	before := stamp()
	if !before.Settled {
		t.Error("an old stamp proves nothing")
	}
	key := tree.PutFile("INBOX", sim.File{Data: []byte("Subject: x\n\n")})
	if after := stamp(); after.Stamp == before.Stamp || after.Settled {
		t.Error("a delivery leaves the stamp as it was")
	}
	w.Advance(10)
	before = stamp()
	tree.EditFile("INBOX", key, []byte("Subject: y\n\n"))
	if stamp().Stamp != before.Stamp {
		t.Error("an edit in place changes the directory's stamp")
	}
}
