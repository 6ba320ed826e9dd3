package store

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailmoor/state"
)

func TestMailboxRoundTrip(t *testing.T) {
	d := newDirectory(t)
	s := open(t, d, Options{})
	putMailboxes(t, s, "b", "a", "Ärger")
	changed := mailbox("b")
	changed.Cursor, changed.Stamp = state.Cursor{}, state.FolderStamp{}
	must(t, s.PutMailbox(t.Context(), changed))
	want := []state.Mailbox{mailbox("a"), changed, mailbox("Ärger")}

	check := func(s *Store) {
		t.Helper()
		got, err := s.Mailboxes(t.Context())
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("mailboxes (-want +got):\n%s", diff)
		}
	}
	check(s)
	must(t, s.Close())
	check(open(t, d, Options{}))

	if err := s.PutMailbox(t.Context(), state.Mailbox{Name: "c"}); err == nil {
		t.Error("a mailbox without a folder was written")
	}
}

func TestIntentRoundTrip(t *testing.T) {
	s := newStore(t)
	putMailboxes(t, s, "INBOX", "Sent")
	upload := state.Intent{
		Kind: state.IntentUpload, Mailbox: "Sent", UIDValidity: 1<<32 - 1, UIDNext: 1<<32 - 1, Key: "k",
		Flags: state.Draft, Date: -1, Content: state.Content{Digest: digestOf(1), Size: 2, WireSize: 3},
		Replaces: 4, Created: 5,
	}
	intents := []state.Intent{upload, download("INBOX", 1, "a"), download("INBOX", 2, "b")}
	must(t, s.Intend(t.Context(), intents))
	check := func(want []state.Intent) {
		t.Helper()
		got, err := s.Intents(t.Context())
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("intents (-want +got):\n%s", diff)
		}
	}
	check(intents)

	last := intents[2].ID
	must(t, s.Settle(t.Context(), state.Settlement{Done: []int64{intents[1].ID, last, last + 100}}))
	check(intents[:1])

	more := []state.Intent{download("INBOX", 3, "c")}
	must(t, s.Intend(t.Context(), more))
	if more[0].ID <= last {
		t.Errorf("id %d was given after %d had been", more[0].ID, last)
	}
	if err := s.Intend(t.Context(), more); err == nil {
		t.Error("an intent was noted twice")
	}
	batch := []state.Intent{download("INBOX", 4, "d"), download("Nowhere", 5, "e")}
	if err := s.Intend(t.Context(), batch); err == nil || batch[0].ID != 0 {
		t.Errorf("a batch with an unknown mailbox: error %v, id %d", err, batch[0].ID)
	}
	check(append(intents[:1:1], more...))
}

func TestHeldRoundTrip(t *testing.T) {
	s := newStore(t)
	held := []state.Held{
		{
			Path: "1/a", Mailbox: "INBOX", Key: "a", UID: 1<<32 - 1, Flags: state.AllFlags,
			Content: state.Content{Digest: digestOf(1), Header: digestOf(2), Size: 3, WireSize: 4}, Date: 5, Removed: 100, Reason: "r",
		},
		{Path: "2/b", Mailbox: "Gone", Removed: 200},
	}
	must(t, s.Settle(t.Context(), state.Settlement{Held: []state.Held{held[1], held[0]}}))
	must(t, s.Settle(t.Context(), state.Settlement{Held: held[:1]}))
	check := func(since int64, want ...state.Held) {
		t.Helper()
		got, err := s.HeldFiles(t.Context(), since)
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("held files since %d (-want +got):\n%s", since, diff)
		}
	}
	check(100, held...)
	check(101, held[1])
	must(t, s.ForgetHeld(t.Context(), 101))
	check(0, held[1])
}

func TestLastRun(t *testing.T) {
	s := newStore(t)
	if _, found, err := s.LastRun(t.Context()); found || err != nil {
		t.Errorf("a run before the first: %v, %v", found, err)
	}
	must(t, s.PutLastRun(t.Context(), Run{Started: 1, Exit: 75}))
	want := Run{Started: 2, Ended: 3, Exit: 4, Summary: json.RawMessage(`{"fetched": [1, "é"]}`)}
	must(t, s.PutLastRun(t.Context(), want))
	for name, bad := range map[string]string{
		"not JSON": "{", "too long": `"` + strings.Repeat("x", summaryBytesMax) + `"`,
	} {
		if err := s.PutLastRun(t.Context(), Run{Summary: json.RawMessage(bad)}); err == nil {
			t.Errorf("a summary that is %s was written", name)
		}
	}
	got, found, err := s.LastRun(t.Context())
	if diff := cmp.Diff(want, got); diff != "" || !found || err != nil {
		t.Errorf("last run: %v, %v (-want +got):\n%s", found, err, diff)
	}
}

func TestNotices(t *testing.T) {
	const day = remindSeconds
	problem := func(text state.Text) state.Problem {
		return state.Problem{Mailbox: "INBOX", Subject: "UID 1", Text: text, Hint: "h"}
	}
	a, b, c := problem("a"), problem("b"), problem("c")
	steps := []struct {
		name        string
		now         int64
		given, want []state.Problem
	}{
		{"first seen, one of them twice", 1000, []state.Problem{a, b, a}, []state.Problem{a, b}},
		{"soon after", 1060, []state.Problem{a, b}, nil},
		{"one changed", 2000, []state.Problem{a, c}, []state.Problem{c}},
		{"one came back", 2060, []state.Problem{a, b, c}, []state.Problem{b}},
		{"just before a day", 1000 + day - 1, []state.Problem{a, b, c}, nil},
		{"a day after the first", 1000 + day, []state.Problem{a, b, c}, []state.Problem{a}},
		{"all gone", 1001 + day, nil, nil},
		{"again", 1002 + day, []state.Problem{a}, []state.Problem{a}},
		{"after the clock was set back", 500, []state.Problem{a}, []state.Problem{a}},
		{"and running on", 501, []state.Problem{a}, nil},
	}
	s := newStore(t)
	for _, step := range steps {
		got, err := s.Notices(t.Context(), step.now, step.given)
		must(t, err)
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
}
