package conformance

import (
	"context"

	"mailmoor/state"
)

func intentCases() []storeCase {
	return []storeCase{
		{"intents come back as they were noted, in order", intentRoundTrip},
		{"settle ends intents", intentDone},
		{"intents are noted all or none", intentAtomic},
		{"ids of intents are not given again", intentFreshIDs},
		{"nothing happens after the context ended", storeEnded},
	}
}

// download returns the intent of a download.
func download(mailbox string, uid state.UID, key state.Key) state.Intent {
	return state.Intent{
		Kind: state.IntentDownload, Mailbox: mailbox, UIDValidity: 1<<32 - 1, UID: uid, Key: key,
		Flags: state.Seen, Created: baseDate,
	}
}

// intents returns the open intents.
func (s *storeRun) intents() []state.Intent {
	s.Helper()
	list, err := s.Intents(s.Context())
	ok(s.T, err)
	return list
}

func intentRoundTrip(s *storeRun) {
	s.mailbox("Other")
	want := []state.Intent{download(work, 9, "z"), uploading(work, "u"), download("Other", 1, "a")}
	ok(s.T, s.Intend(s.Context(), want))
	late := []state.Intent{download(work, 2, "b")}
	ok(s.T, s.Intend(s.Context(), late))
	want = append(want, late...)
	seen := map[int64]bool{}
	for _, i := range want {
		if i.ID == 0 || seen[i.ID] {
			s.Errorf("the intent of %q has ID %d, which is none or taken", i.Key, i.ID)
		}
		seen[i.ID] = true
	}
	equal(s.T, "the intents", s.intents(), want)
}

func intentDone(s *storeRun) {
	intents := []state.Intent{download(work, 1, "a"), download(work, 2, "b"), download(work, 3, "c")}
	ok(s.T, s.Intend(s.Context(), intents))
	ok(s.T, s.Settle(s.Context(), state.Settlement{
		Put: []state.Record{paired(work, 1, "a")}, Done: []int64{intents[0].ID, intents[2].ID},
	}))
	equal(s.T, "the intents", s.intents(), intents[1:2])
	equal(s.T, "the records", s.records(work), []state.Record{paired(work, 1, "a")})
}

func intentAtomic(s *storeRun) {
	bad := download(work, 0, "b")
	if err := s.Intend(s.Context(), []state.Intent{download(work, 1, "a"), bad}); err == nil {
		s.Error("a download without a UID was noted")
	}
	if err := s.Intend(s.Context(), []state.Intent{download(work, 1, "a"), download("Nowhere", 1, "a")}); err == nil {
		s.Error("an intent of an unknown mailbox was noted")
	}
	equal(s.T, "the intents", s.intents(), []state.Intent(nil))
}

func intentFreshIDs(s *storeRun) {
	first := []state.Intent{download(work, 1, "a")}
	ok(s.T, s.Intend(s.Context(), first))
	ok(s.T, s.Settle(s.Context(), state.Settlement{Done: []int64{first[0].ID}}))
	second := []state.Intent{download(work, 2, "b")}
	ok(s.T, s.Intend(s.Context(), second))
	if first[0].ID == second[0].ID {
		s.Errorf("ID %d was given twice", first[0].ID)
	}
}

func storeEnded(s *storeRun) {
	ended, end := context.WithCancel(s.Context())
	end()
	if err := s.Settle(ended, state.Settlement{Put: []state.Record{paired(work, 1, "a")}}); err == nil {
		s.Error("it was settled after the context ended")
	}
	if _, err := s.Records(ended, work); err == nil {
		s.Error("records were read after the context ended")
	}
	equal(s.T, "the records", s.records(work), []state.Record(nil))
}

func holdCases() []storeCase {
	return []storeCase{
		{"holds come back as they were put", holdRoundTrip},
		{"put holds replaces all", holdReplace},
		{"holds keep decisions", holdDecision},
		{"a decision covers no more than what was decided", holdGrown},
		{"ids of holds are not given again", holdFreshIDs},
		{"holds are put all or none", holdAtomic},
	}
}

// hold returns a hold that has no ID yet.
func hold(mailbox string, uids ...state.UID) state.Hold {
	return state.Hold{
		Mailbox: mailbox, Missing: state.Local, UIDs: state.NewUIDSet(uids...), Reason: "the folder is empty", Created: baseDate,
	}
}

// putHolds puts holds and returns what the store made of them.
func (s *storeRun) putHolds(holds ...state.Hold) []state.Hold {
	s.Helper()
	put, err := s.PutHolds(s.Context(), holds)
	ok(s.T, err)
	return put
}

// holds returns the holds.
func (s *storeRun) holds() []state.Hold {
	s.Helper()
	list, err := s.Holds(s.Context())
	ok(s.T, err)
	return list
}

func holdRoundTrip(s *storeRun) {
	whole := hold(work, 1, 2, 3, 9, 1<<32-1)
	whole.Missing, whole.Whole, whole.Decision = state.Remote, true, state.Rejected
	want := []state.Hold{hold(work, 4), whole}
	put := s.putHolds(want...)
	equal(s.T, "the number of holds", len(put), 2)
	for i := range want {
		if put[i].ID == 0 || i > 0 && put[i].ID <= put[i-1].ID {
			s.Errorf("hold %d has ID %d", i, put[i].ID)
		}
		want[i].ID = put[i].ID
	}
	equal(s.T, "what put returned", put, want)
	equal(s.T, "the holds", s.holds(), want)
}

func holdReplace(s *storeRun) {
	s.mailbox("Other")
	put := s.putHolds(hold(work, 1), hold("Other", 2))
	second := s.putHolds(put[1], hold(work, 3))
	equal(s.T, "the one that stayed", second[0], put[1])
	equal(s.T, "the holds", s.holds(), second)
	s.putHolds()
	equal(s.T, "the holds when none are left", s.holds(), []state.Hold(nil))
}

func holdDecision(s *storeRun) {
	approved := hold(work, 1, 2)
	approved.Decision = state.Approved
	put := s.putHolds(approved)
	// The cycle knows nothing of the decision, and less is missing by now.
	again := put[0]
	again.Decision, again.UIDs = state.Undecided, state.NewUIDSet(2)
	want := again
	want.Decision = state.Approved
	equal(s.T, "what put returned", s.putHolds(again), []state.Hold{want})
	equal(s.T, "the holds", s.holds(), []state.Hold{want})
}

func holdGrown(s *storeRun) {
	approved := hold(work, 1, 2)
	approved.Decision = state.Approved
	put := s.putHolds(approved)
	more := put[0]
	more.Decision, more.UIDs = state.Undecided, state.NewUIDSet(1, 2, 3)
	got := s.putHolds(more)
	if len(got) != 1 || got[0].Decision != state.Undecided || got[0].ID == put[0].ID {
		s.Errorf("hold %+v grew to %+v: an approval reaches further than what the user saw", put[0], got)
	}
}

func holdFreshIDs(s *storeRun) {
	first := s.putHolds(hold(work, 1))
	s.putHolds()
	second := s.putHolds(hold(work, 2))
	if first[0].ID == second[0].ID {
		s.Errorf("ID %d was given twice: a late decision would hit another hold", first[0].ID)
	}
}

func holdAtomic(s *storeRun) {
	put := s.putHolds(hold(work, 1))
	if _, err := s.PutHolds(s.Context(), []state.Hold{hold(work, 2), hold("Nowhere", 3)}); err == nil {
		s.Error("a hold of an unknown mailbox was put")
	}
	equal(s.T, "the holds", s.holds(), put)
}
