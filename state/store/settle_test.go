package store

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mailmoor/state"
	"mailmoor/test/chance"
)

// model is the store as a list of records; slow, and plainly right.
type model []state.Record

// same reports whether r names record m, by UID or else by key.
func same(r, m state.Record) bool {
	if r.Mailbox != m.Mailbox {
		return false
	}
	if r.UID != 0 {
		return r.UID == m.UID
	}
	return r.Key == m.Key
}

// settle returns the model after the settlement, and false when it must fail.
func (m model) settle(s state.Settlement) (model, bool) {
	next := slices.Clone(m)
	for _, r := range slices.Concat(s.Drop, s.Put) {
		next = slices.DeleteFunc(next, func(old state.Record) bool { return same(r, old) })
	}
	for _, r := range s.Put {
		for _, old := range next {
			if r.Mailbox == old.Mailbox && (r.UID != 0 && r.UID == old.UID || r.Key != "" && r.Key == old.Key) {
				return m, false
			}
		}
		next = append(next, r)
	}
	return next, true
}

func (m model) records(mailbox string) []state.Record {
	var list []state.Record
	for _, r := range m {
		if r.Mailbox == mailbox {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b state.Record) int {
		return cmp.Or(cmp.Compare(a.UID, b.UID), cmp.Compare(a.Key, b.Key))
	})
	return list
}

var modelMailboxes = []string{"INBOX", "Work/Ärger", "Trash"}

// anyRecord draws from few UIDs and keys, so that records meet.
func anyRecord() *rapid.Generator[state.Record] {
	return rapid.Custom(func(t *rapid.T) state.Record {
		r := state.Record{
			Mailbox: rapid.SampledFrom(modelMailboxes).Draw(t, "mailbox"),
			UID:     state.UID(rapid.SampledFrom([]uint32{1, 2, 3, 4, 5, 1<<32 - 1}).Draw(t, "uid")),
			Key:     state.Key(rapid.SampledFrom([]string{"a", "b", "c", "d", "\xff\xfe", "z é"}).Draw(t, "key")),
			State:   state.RecordState(rapid.IntRange(1, 5).Draw(t, "state")),
			Flags:   state.Flags(rapid.IntRange(0, 63).Draw(t, "flags")),
			Stat: state.FileStat{
				Inode: rapid.Uint64().Draw(t, "inode"), Size: rapid.Int64().Draw(t, "size"), Mtime: rapid.Int64().Draw(t, "mtime"),
			},
			Content: state.Content{
				Digest: digestOf(rapid.Uint64Min(1).Draw(t, "digest")), Header: digestOf(rapid.Uint64().Draw(t, "header")),
				Size: rapid.Int64().Draw(t, "content size"), WireSize: rapid.Int64().Draw(t, "wire size"),
			},
			Remote: state.RemoteIdentity{
				Size: rapid.Int64().Draw(t, "remote size"), Date: rapid.Int64().Draw(t, "date"),
				Header: digestOf(rapid.Uint64().Draw(t, "remote header")),
			},
			Retry: state.Retry{
				Count: rapid.Int().Draw(t, "tries"), NextAt: rapid.Int64().Draw(t, "next"), Reason: state.Text(rapid.String().Draw(t, "reason")),
			},
		}
		switch r.State {
		case state.UploadStuck:
			r.UID = 0
		case state.Lost:
			r.UID, r.Since = 0, rapid.Int64Min(1).Draw(t, "since")
		case state.DownloadStuck, state.Expunging:
			r.Key = ""
		}
		return r
	})
}

// anySettlement also draws moves: the record's old place is dropped, and the
// record put under another UID or key, or into another mailbox.
func anySettlement(t *rapid.T, m model) state.Settlement {
	s := state.Settlement{
		Drop: rapid.SliceOfN(anyRecord(), 0, 3).Draw(t, "drop"),
		Put:  rapid.SliceOfN(anyRecord(), 0, 4).Draw(t, "put"),
	}
	if len(m) > 0 && rapid.Bool().Draw(t, "move") {
		old := rapid.SampledFrom(m).Draw(t, "moved")
		to := anyRecord().Draw(t, "place")
		to.Content = old.Content
		if (to.State == state.Paired || to.State == state.Lost) && to.Content.Digest == (state.Digest{}) {
			to.Content.Digest = digestOf(9)
		}
		s.Drop = append(s.Drop, old)
		s.Put = append(s.Put, to)
	}
	return s
}

func TestSettleAgainstModel(t *testing.T) {
	d := newDirectory(t)
	var s *Store
	chance.Check(t, func(rt *rapid.T) {
		if s == nil {
			s = open(t, d, Options{})
		}
		for _, name := range modelMailboxes {
			must(t, s.ForgetMailbox(t.Context(), name))
		}
		putMailboxes(t, s, modelMailboxes...)
		var m model
		for range rapid.IntRange(1, 8).Draw(rt, "settlements") {
			settlement := anySettlement(rt, m)
			next, want := m.settle(settlement)
			if err := s.Settle(t.Context(), settlement); (err == nil) != want {
				rt.Fatalf("settle %+v on %+v: %v, want success: %v", settlement, m, err, want)
			}
			m = next
			for _, name := range modelMailboxes {
				got, err := s.Records(t.Context(), name)
				if err != nil {
					rt.Fatal(err)
				}
				if diff := gocmp.Diff(m.records(name), got, equateEmpty); diff != "" {
					rt.Fatalf("records of %s (-want +got):\n%s", name, diff)
				}
			}
			checkCounts(t, rt, s, m)
			checkWaiting(t, rt, s, m)
		}
	})
}

// equateEmpty lets a nil list equal an empty one.
var equateEmpty = gocmp.FilterValues(
	func(a, b []state.Record) bool { return len(a) == 0 && len(b) == 0 },
	gocmp.Comparer(func(_, _ []state.Record) bool { return true }))

func checkCounts(t *testing.T, rt *rapid.T, s *Store, m model) {
	t.Helper()
	want := map[string]Count{}
	for _, name := range modelMailboxes {
		want[name] = Count{Mailbox: name}
	}
	for _, r := range m {
		c := want[r.Mailbox]
		switch r.State {
		case state.Paired:
			c.Paired++
		case state.UploadStuck, state.DownloadStuck:
			c.Stuck++
		case state.Expunging:
			c.Expunging++
		case state.Lost:
			c.Lost++
		}
		want[r.Mailbox] = c
	}
	got, err := s.Counts(t.Context())
	must(t, err)
	sorted := slices.SortedFunc(maps.Values(want), func(a, b Count) int { return cmp.Compare(a.Mailbox, b.Mailbox) })
	if diff := gocmp.Diff(sorted, got); diff != "" {
		rt.Fatalf("counts (-want +got):\n%s", diff)
	}
}

func checkWaiting(t *testing.T, rt *rapid.T, s *Store, m model) {
	t.Helper()
	var want []state.Record
	for _, name := range slices.Sorted(slices.Values(modelMailboxes)) {
		for _, r := range m.records(name) {
			if r.State != state.Paired {
				want = append(want, r)
			}
		}
	}
	got, err := s.Waiting(t.Context())
	must(t, err)
	if diff := gocmp.Diff(want, got, equateEmpty); diff != "" {
		rt.Fatalf("waiting (-want +got):\n%s", diff)
	}
}

// TestSettleIsOneTransaction lets the last part of a settlement fail and
// expects that nothing of it is there.
func TestSettleIsOneTransaction(t *testing.T) {
	s := newStore(t)
	putMailboxes(t, s, "INBOX")
	intents := []state.Intent{download("INBOX", 2, "b")}
	must(t, s.Intend(t.Context(), intents))
	before := []state.Record{paired("INBOX", 1, "a")}
	must(t, s.Settle(t.Context(), state.Settlement{Put: before}))

	err := s.Settle(t.Context(), state.Settlement{
		Drop: before,
		Put:  []state.Record{paired("INBOX", 2, "b"), paired("INBOX", 3, "b")},
		Done: []int64{intents[0].ID},
	})
	if err == nil || !strings.Contains(err.Error(), `UID 3, key "b" in mailbox "INBOX"`) {
		t.Errorf("two records of one key: error %v does not name the second", err)
	}
	got, err := s.Records(t.Context(), "INBOX")
	must(t, err)
	if diff := gocmp.Diff(before, got); diff != "" {
		t.Errorf("records after a failed settlement (-want +got):\n%s", diff)
	}
	left, err := s.Intents(t.Context())
	must(t, err)
	if diff := gocmp.Diff(intents, left); diff != "" {
		t.Errorf("intents after a failed settlement (-want +got):\n%s", diff)
	}
}

func TestSettleRefuses(t *testing.T) {
	s := newStore(t)
	putMailboxes(t, s, "INBOX")
	bad := paired("INBOX", 1, "a")
	bad.Content.Digest = state.Digest{}
	tests := map[string]struct {
		settlement state.Settlement
		want       string
	}{
		"record that fails its check":  {state.Settlement{Put: []state.Record{bad}}, "without a digest"},
		"mailbox that fails its check": {state.Settlement{Mailboxes: []state.Mailbox{{Name: "M"}}}, "no folder"},
		"removed without a UID":        {state.Settlement{Buried: []state.Tombstone{{Mailbox: "INBOX", UIDValidity: 1}}}, "without mailbox"},
		"removed from an unknown mailbox": {
			state.Settlement{Buried: []state.Tombstone{{Mailbox: "Nowhere", UIDValidity: 1, UID: 1}}}, `mailbox "Nowhere"`,
		},
		"unknown mailbox":          {state.Settlement{Put: []state.Record{paired("Nowhere", 1, "a")}}, `mailbox "Nowhere"`},
		"drop without a name":      {state.Settlement{Drop: []state.Record{{Mailbox: "INBOX"}}}, "neither UID nor key"},
		"held file without a path": {state.Settlement{Held: []state.Held{{Key: "k"}}}, "no path"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := s.Settle(t.Context(), test.settlement)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestForgetMailboxCascades(t *testing.T) {
	s := newStore(t)
	putMailboxes(t, s, "INBOX", "Old")
	for _, name := range []string{"INBOX", "Old"} {
		must(t, s.Settle(t.Context(), state.Settlement{
			Put:  []state.Record{paired(name, 1, "a")},
			Held: []state.Held{{Path: "x/" + name, Mailbox: name, Key: "k"}},
		}))
		must(t, s.Intend(t.Context(), []state.Intent{download(name, 9, "n")}))
	}
	_, err := s.PutHolds(t.Context(), []state.Hold{hold(0, "INBOX", 1), hold(0, "Old", 1, 5)})
	must(t, err)

	must(t, s.ForgetMailbox(t.Context(), "Old"))

	boxes, err := s.Mailboxes(t.Context())
	must(t, err)
	intents, err := s.Intents(t.Context())
	must(t, err)
	holds, err := s.Holds(t.Context())
	must(t, err)
	if len(boxes) != 1 || len(intents) != 1 || len(holds) != 1 {
		t.Errorf("%d mailboxes, %d intents, %d holds are left, want one each", len(boxes), len(intents), len(holds))
	}
	held, err := s.HeldFiles(t.Context(), 0)
	must(t, err)
	if len(held) != 2 {
		t.Errorf("%d held files are listed, want both: they are still there", len(held))
	}
	putMailboxes(t, s, "Old")
	records, err := s.Records(t.Context(), "Old")
	must(t, err)
	if len(records) != 0 {
		t.Errorf("a mailbox that came back has records: %v", records)
	}
}

func download(mailbox string, uid state.UID, key state.Key) state.Intent {
	return state.Intent{
		Kind: state.IntentDownload, Mailbox: mailbox, UIDValidity: 1, UID: uid, Key: key,
		Flags: state.Seen, Date: 5, Created: 6,
	}
}

func hold(id int64, mailbox string, uids ...state.UID) state.Hold {
	return state.Hold{
		ID: id, Mailbox: mailbox, Missing: state.Local, UIDs: state.NewUIDSet(uids...),
		Reason: state.Textf("%d messages are gone", len(uids)), Created: 7,
	}
}
