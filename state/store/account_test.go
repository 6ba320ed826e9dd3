package store

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mailmoor/state"
)

// account is what a small account's database holds.
type account struct {
	mailboxes []state.Mailbox
	records   []state.Record // ordered by mailbox, and within it as Records does
	intents   []state.Intent
	holds     []state.Hold
	held      []state.Held
	givenUp   []state.Intent
	buried    []state.Tombstone
}

// firstV1 is what testdata/schema_v1.sql holds, which the first program wrote.
func firstV1() account {
	stuck := state.Record{
		Mailbox: "INBOX", Key: "stuck", State: state.UploadStuck,
		Retry: state.Retry{Count: 2, NextAt: 3, Reason: "too big"},
	}
	intent, h := download("INBOX", 9, "coming"), hold(1, "INBOX", 1, 2, 5)
	intent.ID, h.Decision = 1, state.Rejected
	return account{
		mailboxes: []state.Mailbox{mailbox("INBOX")}, records: []state.Record{stuck, paired("INBOX", 1, "a")},
		intents: []state.Intent{intent}, holds: []state.Hold{h},
		held: []state.Held{{Path: "p", Mailbox: "INBOX", Key: "k", Removed: 4, Reason: "r"}},
	}
}

// accountV1 is what testdata/account_v1.sql holds: everything that schema 1 can.
func accountV1() account {
	upload := state.Intent{
		ID: 2, Kind: state.IntentUpload, Mailbox: "Sent", UIDValidity: 1<<32 - 1, UIDNext: 77, Key: "going", Flags: state.Draft,
		Date: -5, Content: state.Content{Digest: digestOf(9), Header: digestOf(8), Size: 7, WireSize: 6}, Replaces: 5, Created: 4,
	}
	coming := download("INBOX", 9, "coming")
	coming.ID = 1
	partial, whole := hold(1, "INBOX", 1, 2, 5), hold(2, "Sent", 1<<32-1)
	partial.Decision = state.Approved
	whole.Whole, whole.Missing = true, state.Remote
	return account{
		mailboxes: []state.Mailbox{mailbox("INBOX"), mailbox("Sent"), mailbox("Ärger")},
		records: []state.Record{
			{Mailbox: "INBOX", Key: "it's ü", State: state.UploadStuck, Retry: state.Retry{Count: 2, NextAt: 3, Reason: "too big"}},
			paired("INBOX", 1, "a"), paired("INBOX", 1<<32-1, "b"),
			{Mailbox: "Sent", UID: 3, State: state.DownloadStuck, Flags: state.Seen, Retry: state.Retry{Count: 1, NextAt: 2, Reason: "poison"}},
			{Mailbox: "Sent", UID: 4, State: state.Expunging, Remote: state.RemoteIdentity{Size: 5, Date: 6, Header: digestOf(7)}},
		},
		intents: []state.Intent{coming, upload},
		holds:   []state.Hold{partial, whole},
		held: []state.Held{
			{
				Path: "1/a", Mailbox: "INBOX", Key: "k", UID: 6, Flags: state.Answered, Content: upload.Content,
				Date: 5, Removed: 4, Reason: "removed on the server",
			},
			{Path: "2/b", Mailbox: "Gone", Removed: 5},
		},
	}
}

// accountV2 is accountV1 with everything that schema 2 added.
func accountV2() account {
	a := accountV1()
	now := testNow().Unix()
	a.mailboxes[1].Doubt, a.mailboxes[2].Doubt, a.mailboxes[0].Sampled = state.DoubtUIDs, state.DoubtBase, now
	lost := paired("Sent", 0, "lost")
	lost.State, lost.Since = state.Lost, now-5
	a.records = slices.Insert(a.records, 3, lost)
	a.holds = append(a.holds, state.Hold{
		ID: 3, Mailbox: "Sent", Missing: state.Remote, Lost: 1, Through: now, Reason: "it was renumbered", Created: now,
	})
	gone := a.intents[1]
	gone.ID, gone.Key = 3, "gone"
	a.givenUp = []state.Intent{gone}
	a.buried = []state.Tombstone{
		{Mailbox: "INBOX", UIDValidity: 1<<32 - 1, UID: 7, Remote: paired("", 7, "").Remote, Tries: 2, Removed: now - 60},
		{Mailbox: "Sent", UIDValidity: 5, UID: 1<<32 - 1, Tries: 1, Removed: now},
	}
	return a
}

// accountV3 is accountV2 with everything that schema 3 added.
func accountV3() account {
	a := accountV2()
	a.mailboxes[0].Tagged = true
	a.records[1].Keywords, a.records[2].LocalKeywords = state.NewKeywords("NonJunk", "$Label1"), state.NewKeywords("todo")
	a.records[3].Keywords, a.records[3].LocalKeywords = state.NewKeywords("a"), state.NewKeywords("b")
	a.intents[0].Keywords, a.givenUp[0].Keywords = state.NewKeywords("c"), state.NewKeywords("d")
	a.held[0].Keywords = state.NewKeywords("e", "F")
	return a
}

// accountV5 is accountV3 with the columns that schema 5 added.
func accountV5() account {
	a := accountV3()
	a.records[1].Content.Plain, a.records[3].Content.Plain = digestOf(21), digestOf(22)
	a.intents[1].Content.Plain, a.givenUp[0].Content.Plain, a.held[0].Content.Plain = digestOf(23), digestOf(24), digestOf(25)
	return a
}

// readAccount reads everything that the engine would believe.
func readAccount(t *testing.T, s *Store) (a account, err error) {
	t.Helper()
	var errs [6]error
	if a.mailboxes, err = s.Mailboxes(t.Context()); err != nil {
		return a, err
	}
	for _, m := range a.mailboxes {
		records, err := s.Records(t.Context(), m.Name)
		a.records = append(a.records, records...)
		errs[0] = errors.Join(errs[0], err)
	}
	a.intents, errs[1] = s.Intents(t.Context())
	a.holds, errs[2] = s.Holds(t.Context())
	a.held, errs[3] = s.HeldFiles(t.Context(), 0)
	a.givenUp, errs[4] = s.GivenUp(t.Context())
	a.buried, errs[5] = s.Tombstones(t.Context())
	return a, errors.Join(errs[:]...)
}

func diffAccounts(want, got account) string {
	digests := cmp.Comparer(func(a, b state.Digest) bool { return a == b }) // not byte by byte
	return cmp.Diff(want, got, cmp.AllowUnexported(account{}), cmpopts.EquateEmpty(), digests)
}

// write puts the account into an empty store, which gives the same IDs to everything.
func write(t *testing.T, s *Store, a account) {
	t.Helper()
	for _, m := range a.mailboxes {
		must(t, s.PutMailbox(t.Context(), m))
	}
	intents, holds := slices.Concat(a.intents, a.givenUp), slices.Clone(a.holds)
	for i := range intents {
		intents[i].ID = 0
	}
	for i := range holds {
		holds[i].ID = 0
	}
	must(t, s.Intend(t.Context(), intents))
	_, err := s.PutHolds(t.Context(), holds)
	must(t, err)
	settlement := state.Settlement{Put: a.records, Held: a.held, Buried: a.buried}
	for _, i := range a.givenUp {
		settlement.GivenUp = append(settlement.GivenUp, i.ID)
	}
	must(t, s.Settle(t.Context(), settlement))
}
