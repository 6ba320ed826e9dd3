package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailmoor/engine"
	"mailmoor/engine/plan"
	"mailmoor/state"
	"mailmoor/test/sim"
)

// preview plans and expects that nothing was changed by it.
func (f *fixture) preview(details bool) engine.Preview {
	f.t.Helper()
	f.world.Advance(10)
	commands, changes := len(f.server.Commands()), len(f.tree.Changes())
	e := f.engine()
	defer e.Close()
	p, err := e.Preview(f.t.Context(), details)
	if err != nil {
		f.t.Fatalf("preview: %v", err)
	}
	if len(f.server.Commands()) != commands || len(f.tree.Changes()) != changes {
		f.t.Error("a preview changed something")
	}
	return p
}

// identified counts the questions about the identity of messages.
func (f *fixture) identified(act func()) *int {
	n := new(int)
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "remote.identify" && !s.After {
			*n++
			act()
		}
		return nil
	})
	return n
}

func TestPreviewDescribesTransfers(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	var size int64
	for i := range 30 {
		data := fmt.Appendf(nil, "From: =?utf-8?q?J=C3=BCrgen?=\r\n <j%d@test>\r\nTo: x\r\nSubject: number\r\n\t%d\r\n\r\nFrom: body\r\n", i, i)
		f.server.Append("INBOX", sim.Message{Date: start - 1000 + int64(i), Body: data})
		size += int64(len(data))
	}
	f.tree.AddFolder("Sent")
	later := f.tree.PutFile("Sent", sim.File{Data: []byte("subject: later\n\nx\n"), Date: start - 10})
	early := f.tree.PutFile("Sent", sim.File{Data: []byte("\nno header\n"), Date: start - 20})

	asked := f.identified(func() {})
	if plain := f.preview(false); plain.Transfers != nil || *asked != 0 {
		t.Errorf("without details: %d questions, %+v", *asked, plain.Transfers)
	}
	p := f.preview(true)
	if len(p.Transfers) != 2 || len(p.Problems) != 0 {
		t.Fatalf("transfers %+v, problems %+v", p.Transfers, p.Problems)
	}
	inbox, sent := p.Transfers[0], p.Transfers[1]
	newest := inbox.Newest
	inbox.Newest = nil
	want := engine.Transfer{Kind: plan.Download, Mailbox: "INBOX", Messages: 30, Sized: 30, Bytes: size}
	if diff := cmp.Diff(want, inbox); diff != "" {
		t.Error(diff)
	}
	if len(newest) != engine.NewestMax || newest[19].UID != 11 {
		t.Fatalf("the newest are %+v", newest)
	}
	first := engine.Headline{
		UID: 30, Date: start - 971, Size: newest[0].Size, From: "=?utf-8?q?J=C3=BCrgen?= <j29@test>", Subject: "number 29",
	}
	if diff := cmp.Diff(first, newest[0]); diff != "" || first.Size == 0 {
		t.Errorf("size %d, %s", first.Size, diff)
	}
	want = engine.Transfer{Kind: plan.Upload, Mailbox: "Sent", Messages: 2, Sized: 2, Bytes: 21 + 13, Newest: []engine.Headline{
		{Key: later, Date: start - 10, Size: 21, Subject: "later"},
		{Key: early, Date: start - 20, Size: 13},
	}}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Error(diff)
	}
}

// TestPreviewAfterThePlan: what changes on either side after the plan was made
// is left out, and is nobody's fault.
func TestPreviewAfterThePlan(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("Archive", "a", "b", "c")
	f.tree.AddFolder("Sent")
	key := f.put("Sent", "", "d")
	f.identified(func() {
		f.server.Expunge("Archive", 2)
		f.tree.EditFile("Sent", key, []byte("Subject: edited\n\n"))
	})
	p := f.preview(true)
	if len(p.Transfers) != 2 || len(p.Problems) != 0 {
		t.Fatalf("transfers %+v, problems %+v", p.Transfers, p.Problems)
	}
	archive, sent := p.Transfers[0], p.Transfers[1]
	if archive.Messages != 3 || archive.Sized != 2 || len(archive.Newest) != 2 || archive.Newest[1].UID != 1 {
		t.Errorf("%+v", archive)
	}
	if len(sent.Newest) != 1 || sent.Newest[0].Key != key || sent.Newest[0].Subject != "" {
		t.Errorf("%+v", sent)
	}
}

func TestPreviewSurvivesAMailbox(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("Archive", "a")
	f.deliver("INBOX", "b")
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "remote.identify" && s.Subject == "Archive" {
			return &state.Error{Scope: state.ScopeMailbox, Doing: "identify", Err: errors.New("no answer"), Hint: "wait"}
		}
		return nil
	})
	p := f.preview(true)
	if len(p.Problems) != 1 || p.Problems[0].Mailbox != "Archive" || !strings.Contains(string(p.Problems[0].Text), "no answer") {
		t.Errorf("problems %+v", p.Problems)
	}
	if len(p.Transfers) != 2 || p.Transfers[0].Sized != 0 || p.Transfers[1].Sized != 1 {
		t.Errorf("transfers %+v", p.Transfers)
	}
	f.world.SetFault(func(s sim.Step) error {
		if s.Op == "remote.identify" {
			return errors.New("connection reset")
		}
		return nil
	})
	e := f.engine()
	defer e.Close()
	if _, err := e.Preview(t.Context(), true); state.CauseOf(err) != state.CauseNetwork {
		t.Errorf("a lost connection: %v", err)
	}
}
