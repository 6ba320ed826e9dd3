package main

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailmoor/config"
	"mailmoor/engine"
	"mailmoor/engine/plan"
	"mailmoor/state"
)

func TestReport(t *testing.T) {
	const ms = time.Millisecond
	problem := state.Problem{Scope: state.ScopeMessage, Text: "too large"}
	waiting := problem
	waiting.Weight = state.WeightWaiting
	hold := state.Hold{ID: 3, Mailbox: "INBOX", Missing: state.Local, UIDs: state.NewUIDSet(1, 2), Reason: "all gone"}
	decided := hold
	decided.Decision = state.Rejected
	for _, test := range []struct {
		name   string
		report engine.Report
		err    error
		exit   exitCode
		inStep bool
		text   string
	}{
		{
			"nothing",
			engine.Report{Quiet: true, Mailboxes: 98, Duration: 1234 * ms},
			nil, exitInStep, true,
			"in step; nothing to do; 98 mailboxes in 1.2 s",
		},
		{
			"everything",
			engine.Report{Quiet: true, Mailboxes: 1, Counts: engine.Counts{
				Downloaded: 12, Uploaded: 1, Paired: 2, Rematched: 7, Lost: 8, FlagsLocal: 1, FlagsRemote: 2, MovedLocal: 3, MovedRemote: 4,
				RemovedLocal: 5, RemovedRemote: 6, NewFolders: 1, NewMailboxes: 2,
			}},
			nil, exitInStep, true,
			"in step; 12 downloaded, 1 uploaded, 2 paired, 7 matched afresh, 8 lost by the server, flags of 3 messages changed, 3 moved locally, " +
				"4 moved on the server, 5 removed locally, 6 removed on the server, 1 new folder, 2 new mailboxes; 1 mailbox in 0.0 s",
		},
		{"still changing", engine.Report{}, nil, exitInStep, false, "still changing, the next run goes on; nothing to do"},
		{"a hold", engine.Report{Quiet: true, Holds: []state.Hold{hold}}, nil, exitHeld, false, "in step but for 1 hold; nothing to do"},
		{"a decided hold", engine.Report{Quiet: true, Holds: []state.Hold{decided}}, nil, exitInStep, true, "in step; nothing to do"},
		{
			"a problem",
			engine.Report{Quiet: true, Problems: []state.Problem{problem}, Holds: []state.Hold{hold}},
			nil,
			exitFailed, false, "not in step: 1 problem, 1 hold; nothing to do",
		},
		{
			"a problem that waits",
			engine.Report{Quiet: true, Problems: []state.Problem{waiting}, Holds: []state.Hold{hold}},
			nil,
			exitHeld, false, "in step but for 1 hold and 1 stuck message; nothing to do",
		},
		{
			"only one that waits",
			engine.Report{Quiet: true, Problems: []state.Problem{waiting}},
			nil,
			exitInStep, false, "in step but for 1 stuck message; nothing to do",
		},
		{"an error", engine.Report{}, errors.New("disk full"), exitFailed, false, "stopped early; nothing to do"},
	} {
		got := reportOf("a", test.report, test.err)
		if got.Exit != test.exit || got.InStep != test.inStep || string(got.summary()) != test.text {
			t.Errorf("%s: exit code %d, in step %t, %q; want %d, %t, %q",
				test.name, got.Exit, got.InStep, got.summary(), test.exit, test.inStep, test.text)
		}
	}
}

// TestInherit keeps what an interrupted run did not look at, once.
func TestInherit(t *testing.T) {
	old := problemReport{Text: "old"}
	last := accountReport{Problems: []problemReport{old}, Holds: []holdReport{{ID: "a:1", Reason: "gone"}}}
	now := accountReport{Exit: exitTemporary, ended: exitTemporary, Error: &errorReport{}, Problems: []problemReport{{Text: "new"}}}
	for range 3 {
		now.inherit(last)
		last = now
	}
	var texts []string
	for _, p := range now.notices() {
		texts = append(texts, string(p.Text))
	}
	if diff := cmp.Diff([]string{"new", "old", "gone", awayNotice}, texts); diff != "" {
		t.Error(diff)
	}
}

func TestChoose(t *testing.T) {
	cfg := config.Config{Accounts: []config.Account{{Name: "home"}, {Name: "work"}}}
	type chosen struct {
		Account   string
		Mailboxes []string
	}
	for _, test := range []struct {
		args []string
		want []chosen
		bad  bool
	}{
		{nil, []chosen{{"home", nil}, {"work", nil}}, false},
		{[]string{"work"}, []chosen{{"work", nil}}, false},
		{[]string{"work", "home"}, []chosen{{"home", nil}, {"work", nil}}, false},
		{[]string{"work/INBOX", "work/A/B"}, []chosen{{"work", []string{"INBOX", "A/B"}}}, false},
		{[]string{"work/INBOX", "work"}, []chosen{{"work", nil}}, false},
		{[]string{"werk"}, nil, true},
		{[]string{"work/"}, nil, true},
	} {
		choices, err := choose(cfg, test.args)
		if (err != nil) != test.bad || err != nil && exitOf(err) != exitUsage {
			t.Errorf("%q: %v", test.args, err)
		}
		var got []chosen
		for _, c := range choices {
			one := chosen{Account: c.account.Name}
			if c.only != nil {
				one.Mailboxes = c.only.names
			}
			got = append(got, one)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%q:\n%s", test.args, diff)
		}
	}
}

// TestSelection uses a server that separates levels with a dot.
func TestSelection(t *testing.T) {
	s := &selection{names: []string{"inbox", "A/B", "nowhere"}, found: make(map[string]string)}
	for _, name := range []string{"INBOX", "A", "A.B", "a.b"} {
		s.offer(name, '.')
	}
	for name, want := range map[string]bool{"INBOX": true, "A": false, "A.B": true, "a.b": false} {
		if s.has(name) != want {
			t.Errorf("%q is selected: %t", name, !want)
		}
	}
	if diff := cmp.Diff([]string{"nowhere"}, s.missing()); diff != "" {
		t.Error(diff)
	}
}

// TestPlanLines has one line for each removal, move and edit, and counts for
// the rest.
func TestPlanLines(t *testing.T) {
	one := state.Record{UID: 7, Key: "k7"}
	var many state.UIDSet
	many = many.AddRange(state.UIDRange{First: 1, Last: 400_000})
	file := state.LocalMessage{Key: "new1", Content: state.Content{WireSize: 2048}}
	got := planLines([]plan.Op{
		{Kind: plan.CreateFolder, Mailbox: "INBOX"},
		{Kind: plan.Download, Mailbox: "INBOX", UIDs: many},
		{Kind: plan.Download, Mailbox: "INBOX", UIDs: state.NewUIDSet(400_005)},
		{Kind: plan.Upload, Mailbox: "Sent", Files: []state.LocalMessage{file}},
		{Kind: plan.Replace, Mailbox: "Drafts", Base: one, Why: "edited here"},
		{Kind: plan.MoveRemote, Mailbox: "INBOX", Base: one, Dest: "Archive"},
		{Kind: plan.SetFlags, Mailbox: "INBOX"},
		{Kind: plan.SetFlags, Mailbox: "INBOX"},
		{Kind: plan.RemoveLocal, Mailbox: "INBOX", Base: one},
		{Kind: plan.RemoveRemote, Mailbox: "INBOX", Dest: "Papierkorb", Base: one, Why: "deleted here"},
		{Kind: plan.RemoveRemote, Mailbox: "Trash", Base: one, Final: true},
	}, nil)
	want := []state.Text{
		"INBOX: make the folder",
		"INBOX: download 400001 messages",
		"  the newest UIDs: 400005 400000 399999 399998 399997 399996 399995 399994 399993 399992 " +
			"399991 399990 399989 399988 399987 399986 399985 399984 399983 399982",
		"Sent: upload 1 message, 2.0 kB",
		"  the newest file: new1",
		"Drafts: upload the edited version of UID 7 (k7): edited here",
		"INBOX: move UID 7 (k7) to Archive on the server",
		"INBOX: change flags of 2 messages",
		"INBOX: remove UID 7 (k7) from the folder, into the hold area",
		"INBOX: remove UID 7 (k7) from the server, into Papierkorb: deleted here",
		"Trash: remove UID 7 (k7) from the server for good",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
