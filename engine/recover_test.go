package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"mailmoor/engine"
	"mailmoor/state"
	"mailmoor/test/sim"
)

// firstTime is a fault at the first step that is the one.
func firstTime(is func(sim.Step) bool, err error) sim.Fault {
	done := false
	return func(s sim.Step) error {
		if done || !is(s) {
			return nil
		}
		done = true
		return err
	}
}

// killed runs once and kills the process at the first step that is the one.
func (f *fixture) killed(is func(sim.Step) bool) {
	f.t.Helper()
	f.world.SetFault(firstTime(is, sim.ErrKilled))
	if _, err := f.run(); !errors.Is(err, sim.ErrKilled) {
		f.t.Fatalf("the run ended with %v, want it killed", err)
	}
	f.world.SetFault(nil)
	f.world.Restart()
}

// TestGenerationIsKnownBeforeTheFirstRecord: a first sync that was interrupted
// has records and no cursor. When the server renumbers the mailbox meanwhile,
// their UIDs mean other messages, and nobody may act upon them.
func TestGenerationIsKnownBeforeTheFirstRecord(t *testing.T) {
	for name, begin := range map[string]func(*fixture){
		"download": func(f *fixture) { f.deliver("INBOX", "a", "b", "c", "d") },
		"upload": func(f *fixture) {
			f.tree.AddFolder("INBOX")
			for _, token := range []string{"a", "b", "c", "d"} {
				f.put("INBOX", "", token)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, sim.ServerOptions{})
			begin(f)
			f.killed(func(s sim.Step) bool { return s.Op == "store.settle" && s.After })
			f.server.Expunge("INBOX", 1)
			f.server.ResetUIDValidity("INBOX")
			remote, local := f.remote(), f.local()
			for range 2 {
				if h := hold(t, f.sync()); h.Lost != 1 || h.Mailbox != "INBOX" {
					t.Errorf("the hold is %+v, want one for the message that is gone", h)
				}
				if !slices.Equal(f.remote(), remote) || !slices.Equal(f.local(), local) {
					t.Errorf("the sides have %q and %q, want them as they were", f.remote(), f.local())
				}
			}
		})
	}
}

// TestGenerationOfACreatedMailbox is the same for a mailbox that we created.
func TestGenerationOfACreatedMailbox(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.clean()
	f.tree.AddFolder("Work")
	f.put("Work", "", "a")
	f.put("Work", "", "b")
	f.killed(func(s sim.Step) bool { return s.Op == "store.settle" && s.After })
	f.server.Expunge("Work", 1)
	f.server.ResetUIDValidity("Work")
	if h := hold(t, f.sync()); h.Lost != 1 || h.Mailbox != "Work" {
		t.Errorf("the hold is %+v, want one for the message that is gone", h)
	}
	if got := f.local(); len(got) != 2 {
		t.Errorf("the tree has %q, want both messages", got)
	}
}

// TestRecoveryOfAFolderThatIsGone: the folder was removed while a download into
// it was interrupted. That is a matter of this folder alone.
func TestRecoveryOfAFolderThatIsGone(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.server.CreateMailbox("Lists", state.RoleNone)
	f.deliver("Lists", "a")
	f.killed(func(s sim.Step) bool { return s.Op == "remote.fetch" && s.Subject == "Lists/1" })
	f.deliver("INBOX", "x")
	f.tree.RemoveFolder("Lists")
	report := f.sync()
	if h := hold(t, report); h.Mailbox != "Lists" || !h.Whole {
		t.Errorf("the hold is %+v, want one of the whole folder", h)
	}
	if got, want := f.local(), []string{"INBOX/x:"}; !slices.Equal(got, want) {
		t.Errorf("the tree has %q, want %q", got, want)
	}
}

// TestRecoveryThatCannotLook: nobody knows whether a file came into being while
// a folder cannot be read. That stops nobody, and ends with one copy each.
func TestRecoveryThatCannotLook(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "x", "y")
	f.deliver("Archive", "z")
	f.killed(func(s sim.Step) bool { return s.Op == "local.commit" && s.After })
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "local.find" {
			return &state.Error{Scope: state.ScopeMailbox, Cause: state.CauseDisk, Doing: "look at Archive/k", Err: errors.New("permission denied")}
		}
		return nil
	})
	report := f.sync()
	if len(report.Problems) == 0 {
		t.Error("nothing was reported")
	}
	f.world.SetFault(nil)
	f.clean()
	f.expect("Archive/z:", "INBOX/x:", "INBOX/y:")
	if open, err := f.store.Intents(t.Context()); err != nil || len(open) > 0 {
		t.Errorf("open intents are %+v, error %v", open, err)
	}
}

// TestCommitThatFailedAfterItsEffect: a disk error after the rename leaves the
// file where readers see it. It is the download, not a new message.
func TestCommitThatFailedAfterItsEffect(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "poison")
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "remote.fetch" && s.Subject == "INBOX/2" {
			return errors.New("connection reset")
		}
		return nil
	})
	f.sync()
	f.world.Advance(2 * 60 * 60)
	f.world.SetFault(firstTime(func(s sim.Step) bool { return s.Op == "local.commit" && s.After }, errors.New("EIO")))
	f.sync()
	f.world.SetFault(nil)
	f.clean()
	f.expect("INBOX/a:", "INBOX/poison:")
}

// changing is a server that does something to what it is given.
type changing struct {
	engine.Remote
	change func([]state.Upload) []state.Upload
}

func (r changing) Append(ctx context.Context, ref state.Ref, uploads []state.Upload) []state.Uploaded {
	changed := r.change(uploads)
	if changed == nil {
		return make([]state.Uploaded, len(uploads))
	}
	return r.Remote.Append(ctx, ref, changed)
}

// through makes the fixture's server one that changes uploads.
func (f *fixture) through(change func([]state.Upload) []state.Upload) {
	f.reconnect(func(r engine.Remote) engine.Remote { return changing{r, change} })
}

// stamped adds a field to each upload, as some servers do.
func stamped(uploads []state.Upload) []state.Upload {
	const field = "X-Server: 1\r\n"
	uploads = slices.Clone(uploads)
	for n := range uploads {
		open := uploads[n].Open
		uploads[n].Size += int64(len(field))
		uploads[n].Open = func() (io.ReadCloser, error) {
			from, err := open()
			if err != nil {
				return nil, err
			}
			defer from.Close()
			data, err := io.ReadAll(from)
			return io.NopCloser(bytes.NewReader(append([]byte(field), data...))), err
		}
	}
	return uploads
}

// TestServerThatRewrites: without UIDPLUS an upload is found again by its
// content. A server that changed it must not get it again in each run.
func TestServerThatRewrites(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{NoUIDPlus: true})
	f.through(stamped)
	f.tree.AddFolder("INBOX")
	f.put("INBOX", "", "a")
	f.put("INBOX", "S", "b")
	f.put("INBOX", "", "b") // equal messages keep their number
	f.clean()
	f.expect("INBOX/a:", "INBOX/b:", "INBOX/b:S")
	if f.waited > 0 {
		t.Errorf("waited %s for messages that were there", f.waited)
	}
}

// TestServerThatAcceptsAndHides: a message that was accepted and cannot be
// found is reported and waits; uploading it again could fill the mailbox.
func TestServerThatAcceptsAndHides(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{NoUIDPlus: true})
	sent := 0
	f.through(func([]state.Upload) []state.Upload {
		sent++
		return nil
	})
	f.tree.AddFolder("INBOX")
	f.put("INBOX", "", "a")
	report := f.sync()
	if len(report.Problems) != 1 || report.Problems[0].Cause != state.CauseUnknown {
		t.Errorf("problems are %+v, want one about the message", report.Problems)
	}
	for range 3 {
		f.sync()
	}
	f.world.Advance(2 * 60 * 60)
	f.sync()
	f.world.Advance(90 * 60) // less than twice the first wait
	f.sync()
	if sent != 2 {
		t.Errorf("it was uploaded %d times, want once and once more after the back-off", sent)
	}
	f.opts = nil
	f.world.Advance(2 * 60 * 60)
	f.clean()
	f.expect("INBOX/a:")
}

// TestHiddenEditKeepsItsBase: the same for a message that was edited. Its older
// version stays paired, and must not come back as a new message.
func TestHiddenEditKeepsItsBase(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{NoUIDPlus: true})
	f.server.CreateMailbox("Drafts", state.RoleDrafts)
	f.deliver("Drafts", "a", "b")
	f.clean()
	f.edit("Drafts", "a", "a2")
	sent := 0
	f.through(func([]state.Upload) []state.Upload {
		sent++
		return nil
	})
	f.sync()
	f.sync()
	if got, want := f.local(), []string{"Drafts/a2:", "Drafts/b:"}; !slices.Equal(got, want) || sent != 1 {
		t.Errorf("after %d uploads the tree has %q, want one and %q", sent, got, want)
	}
	f.opts = nil
	f.world.Advance(2 * 60 * 60)
	f.clean()
	f.expect("Drafts/a2:", "Drafts/b:")
}

// TestUploadUnderWayIsNotRepeated: an answer was lost, and the server refuses to
// show what arrived. As long as nobody knows, the file is not sent again.
func TestUploadUnderWayIsNotRepeated(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.server.CreateMailbox("Drafts", state.RoleDrafts)
	f.deliver("Drafts", "a", "b")
	f.clean()
	f.edit("Drafts", "a", "a2")
	appends, looks := 0, 0
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "remote.append" && s.After {
			if appends++; appends == 1 {
				return errors.New("connection reset")
			}
		}
		if s.Op == "remote.identify" && appends > 0 && !s.After {
			if looks++; looks <= 2 { // after the upload, and in recovery
				return refused(state.ScopeMailbox, state.CauseRefused, "identify")
			}
		}
		return nil
	})
	for range 2 {
		if report := f.sync(); len(report.Problems) == 0 {
			t.Error("nothing was reported")
		}
	}
	f.clean()
	f.expect("Drafts/a2:", "Drafts/b:")
	if appends != 1 {
		t.Errorf("it was uploaded %d times, want once", appends)
	}
}

// TestRecoveryIsNoLongWork: what a killed run leaves open is cleared up in a few
// steps, and the run after it keeps what it has fetched from early on. Otherwise
// runs that are killed again and again would never get anywhere.
func TestRecoveryIsNoLongWork(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	tokens := make([]string, 400)
	for i := range tokens {
		tokens[i] = fmt.Sprintf("m%03d", i)
	}
	f.deliver("INBOX", tokens...)
	f.killed(func(s sim.Step) bool { return s.Op == "remote.fetch" && s.Subject == "INBOX/300" })
	if got := f.local(); len(got) > 0 {
		t.Fatalf("the first run left %d messages, want it killed before any became visible", len(got))
	}
	steps, fetched := make(map[string]int), false
	f.world.SetFault(func(s sim.Step) error {
		fetched = fetched || s.Op == "remote.fetch"
		if !fetched && !s.After {
			steps[s.Op]++
		}
		if s.Op == "remote.fetch" && s.Subject == "INBOX/20" {
			return sim.ErrKilled
		}
		return nil
	})
	if _, err := f.run(); !errors.Is(err, sim.ErrKilled) {
		t.Fatalf("the second run ended with %v, want it killed", err)
	}
	f.world.SetFault(nil)
	f.world.Restart()
	if steps["local.find"] != 1 || steps["store.settle"] > 10 {
		t.Errorf("to clear up 400 downloads took %d looks and %d transactions", steps["local.find"], steps["store.settle"])
	}
	if got := f.local(); len(got) < 15 { // one, two, four and eight
		t.Errorf("the second run left %d messages, want those that it had fetched", len(got))
	}
	f.clean()
	if got := f.local(); len(got) != len(tokens) {
		t.Errorf("the tree has %d messages, want %d", len(got), len(tokens))
	}
}

// TestNobodyWaitsForAnUpload: the server may still be busy with an upload that a
// killed run has left open. Before anybody waits for that, everything else is done.
func TestNobodyWaitsForAnUpload(t *testing.T) {
	f := full(t, 2)
	f.put("INBOX", "S", "sent")
	f.killed(func(s sim.Step) bool { return s.Op == "remote.append" && !s.After })
	f.deliver("Archive", "x")
	ended := errors.New("killed while it waited")
	f.opts = func(o *engine.Options) {
		o.Wait = func(context.Context, time.Duration) error { return ended }
	}
	young := f.engine() // at the same time as the run before
	if _, err := young.Sync(t.Context()); !errors.Is(err, ended) {
		t.Fatalf("the run ended with %v, want one that waits", err)
	}
	if err := young.Close(); err != nil {
		t.Fatal(err)
	}
	if given, err := f.store.GivenUp(t.Context()); err != nil || len(given) > 0 {
		t.Errorf("given up are %+v, %v, want none so early", given, err)
	}
	if got := f.local(); !slices.Contains(got, "Archive/x:") {
		t.Errorf("the tree has %q, want the new message in Archive", got)
	}
	f.opts = nil
	f.clean()
	f.expect("Archive/x:", "INBOX/m000:", "INBOX/m001:", "INBOX/sent:S")
	if f.waited > 0 {
		t.Errorf("waited %s for an upload of long ago", f.waited)
	}
}
