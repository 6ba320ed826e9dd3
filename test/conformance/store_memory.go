package conformance

import (
	"slices"

	"mailmoor/state"
)

func lostCases() []storeCase {
	return []storeCase{
		{"doubts and samples come back as they were put", storeDoubt},
		{"lost records come back as they were put", storeLost},
		{"a lost record becomes a paired one", storeLostFound},
		{"holds of lost messages come back as they were put", holdLost},
		{"more lost messages are another hold", holdMoreLost},
		{"messages lost later are another hold", holdLostLater},
		{"fewer lost messages keep the decision", holdFewerLost},
	}
}

func memoryCases() []storeCase {
	return []storeCase{
		{"settle gives intents up and remembers them", memoryGivenUp},
		{"settle remembers removed messages", memoryTombstones},
		{"a message removed again is remembered once", memoryBuriedAgain},
		{"mailboxes are put with their records", settleMailboxes},
		{"a settlement with a memory applies completely or not at all", memoryAtomic},
		{"forget removes what is remembered of the mailbox", memoryForget},
		{"what was Trash is remembered, whatever becomes of it", memoryTrash},
		{"notes about strays come back as they were put", memoryStrays},
	}
}

func storeDoubt(s *storeRun) {
	doubted := s.mailbox(work)
	doubted.Doubt, doubted.Sampled, doubted.Stamp = state.DoubtBase, baseDate+7, state.FolderStamp{}
	ok(s.T, s.PutMailbox(s.Context(), doubted))
	other := s.mailbox("Other")
	other.Doubt = state.DoubtUIDs
	ok(s.T, s.PutMailbox(s.Context(), other))
	got, err := s.Mailboxes(s.Context())
	ok(s.T, err)
	equal(s.T, "the mailboxes", got, []state.Mailbox{other, doubted})

	doubted.Doubt = state.DoubtBase + 1
	if err := s.PutMailbox(s.Context(), doubted); err == nil {
		s.Error("a doubt that does not exist was stored")
	}
}

// lost returns a record of a message that the server lost.
func lost(mailbox string, key state.Key, since int64) state.Record {
	r := paired(mailbox, 0, key)
	r.State, r.Since = state.Lost, since
	return r
}

func storeLost(s *storeRun) {
	want := []state.Record{lost(work, "a", baseDate), uploadStuck(work, "b"), lost(work, "c", 1<<62), paired(work, 9, "d")}
	s.put(want[2], want[3], want[0], want[1])
	equal(s.T, "the records", s.records(work), want)
	got, err := s.Waiting(s.Context())
	ok(s.T, err)
	equal(s.T, "the records that wait", got, want[:3])

	bad := lost(work, "e", 0)
	if err := s.Settle(s.Context(), state.Settlement{Put: []state.Record{bad}}); err == nil {
		s.Error("a lost record without the time of its loss was stored")
	}
	bad = uploadStuck(work, "e")
	bad.Since = baseDate
	if err := s.Settle(s.Context(), state.Settlement{Put: []state.Record{bad}}); err == nil {
		s.Error("an upload that is stuck was stored with the time of a loss")
	}
}

func storeLostFound(s *storeRun) {
	s.put(paired(work, 1, "a"))
	ok(s.T, s.Settle(s.Context(), state.Settlement{
		Drop: []state.Record{paired(work, 1, "a")}, Put: []state.Record{lost(work, "a", baseDate)},
	}))
	equal(s.T, "the records after the loss", s.records(work), []state.Record{lost(work, "a", baseDate)})
	ok(s.T, s.Settle(s.Context(), state.Settlement{
		Drop: []state.Record{lost(work, "a", baseDate)}, Put: []state.Record{paired(work, 50, "a")},
	}))
	equal(s.T, "the records when it is found", s.records(work), []state.Record{paired(work, 50, "a")})
}

// lostHold returns a hold of lost messages that has no ID yet.
func lostHold(messages int, through int64) state.Hold {
	return state.Hold{
		Mailbox: work, Missing: state.Remote, Lost: messages, Through: through, Reason: "it was renumbered", Created: baseDate,
	}
}

func holdLost(s *storeRun) {
	decided := lostHold(3, baseDate)
	decided.Decision = state.Rejected
	put := s.putHolds(decided, hold(work, 4, 5))
	decided.ID = put[0].ID
	equal(s.T, "what put returned", put[0], decided)
	equal(s.T, "the holds", s.holds(), put)
}

// afterDecision approves a hold of 3 messages lost until baseDate and puts it again
// as the next cycle sees it.
func (s *storeRun) afterDecision(messages int, through int64) (was, now state.Hold) {
	approved := lostHold(3, baseDate)
	approved.Decision = state.Approved
	was = s.putHolds(approved)[0]
	now = lostHold(messages, through)
	now.ID = was.ID
	now = s.putHolds(now)[0]
	equal(s.T, "the holds", s.holds(), []state.Hold{now})
	return was, now
}

func holdMoreLost(s *storeRun) {
	if was, now := s.afterDecision(4, baseDate); now.ID == was.ID || now.Decision != state.Undecided {
		s.Errorf("hold %+v grew to %+v: an approval reaches further than what the user saw", was, now)
	}
}

func holdLostLater(s *storeRun) {
	if was, now := s.afterDecision(3, baseDate+1); now.ID == was.ID || now.Decision != state.Undecided {
		s.Errorf("hold %+v reaches to a later loss as %+v: the user has not seen it", was, now)
	}
}

func holdFewerLost(s *storeRun) {
	if was, now := s.afterDecision(2, baseDate); now.ID != was.ID || now.Decision != state.Approved {
		s.Errorf("hold %+v shrank to %+v, which needs no other decision", was, now)
	}
}

// uploading returns the intent of an upload.
func uploading(mailbox string, key state.Key) state.Intent {
	return state.Intent{
		Kind: state.IntentUpload, Mailbox: mailbox, UIDValidity: 3, UIDNext: 1<<32 - 1, Key: key, Flags: state.AllFlags,
		Date: baseDate, Content: contentOf(Mail(1)), Replaces: 8, Created: baseDate + 1,
	}
}

// givenUp returns the uploads that were given up.
func (s *storeRun) givenUp() []state.Intent {
	s.Helper()
	list, err := s.GivenUp(s.Context())
	ok(s.T, err)
	return list
}

// tombstones returns the messages that were removed.
func (s *storeRun) tombstones() []state.Tombstone {
	s.Helper()
	list, err := s.Tombstones(s.Context())
	ok(s.T, err)
	return list
}

func memoryGivenUp(s *storeRun) {
	s.mailbox("Other")
	intents := []state.Intent{uploading(work, "a"), uploading("Other", "b"), uploading(work, "c"), uploading(work, "d")}
	ok(s.T, s.Intend(s.Context(), intents))
	ok(s.T, s.Settle(s.Context(), state.Settlement{Done: []int64{intents[2].ID}, GivenUp: []int64{intents[1].ID}}))
	equal(s.T, "the intents", s.intents(), []state.Intent{intents[0], intents[3]})
	equal(s.T, "what was given up", s.givenUp(), intents[1:2])
	ok(s.T, s.Settle(s.Context(), state.Settlement{GivenUp: []int64{intents[0].ID, 12345, intents[1].ID}}))
	equal(s.T, "the intents", s.intents(), intents[3:])
	equal(s.T, "what was given up, as it was noted", s.givenUp(), intents[:2])
}

// tombstone returns the memory of a message that was removed a moment ago.
func (s *storeRun) tombstone(mailbox string, uid state.UID) state.Tombstone {
	return state.Tombstone{
		Mailbox: mailbox, UIDValidity: 1<<32 - 1, UID: uid, Remote: paired(mailbox, uid, "x").Remote, Tries: 1,
		Removed: s.now,
	}
}

func memoryTombstones(s *storeRun) {
	s.mailbox("Other")
	older := s.tombstone(work, 5)
	older.UIDValidity, older.Remote = 7, state.RemoteIdentity{}
	want := []state.Tombstone{
		s.tombstone("Other", 9), s.tombstone(work, 2), older, s.tombstone(work, 5), s.tombstone(work, 1<<32-1),
	}
	ok(s.T, s.Settle(s.Context(), state.Settlement{Buried: []state.Tombstone{want[4], want[2], want[0]}}))
	ok(s.T, s.Settle(s.Context(), state.Settlement{Buried: []state.Tombstone{want[3], want[1]}}))
	equal(s.T, "what was removed", s.tombstones(), want)
}

func memoryBuriedAgain(s *storeRun) {
	ok(s.T, s.Settle(s.Context(), state.Settlement{Buried: []state.Tombstone{s.tombstone(work, 5)}}))
	again := s.tombstone(work, 5)
	again.Tries++
	again.Remote.Size++
	ok(s.T, s.Settle(s.Context(), state.Settlement{Buried: []state.Tombstone{again}}))
	equal(s.T, "what was removed", s.tombstones(), []state.Tombstone{again})
}

func settleMailboxes(s *storeRun) {
	known := s.mailbox(work)
	known.Doubt, known.Cursor.UIDValidity = state.DoubtUIDs, 99
	fresh := known
	fresh.Name, fresh.Doubt = "Fresh", state.Believed
	ok(s.T, s.Settle(s.Context(), state.Settlement{
		Mailboxes: []state.Mailbox{known, fresh}, Put: []state.Record{paired("Fresh", 1, "a"), paired(work, 2, "b")},
	}))
	got, err := s.Mailboxes(s.Context())
	ok(s.T, err)
	equal(s.T, "the mailboxes", got, []state.Mailbox{fresh, known})
	equal(s.T, "the records", slices.Concat(s.records("Fresh"), s.records(work)),
		[]state.Record{paired("Fresh", 1, "a"), paired(work, 2, "b")})
}

func memoryAtomic(s *storeRun) {
	mailbox := s.mailbox(work)
	intents := []state.Intent{uploading(work, "i")}
	ok(s.T, s.Intend(s.Context(), intents))
	s.put(paired(work, 1, "a"))
	changed := mailbox
	changed.Doubt = state.DoubtBase
	good := state.Settlement{
		Mailboxes: []state.Mailbox{changed}, Drop: []state.Record{paired(work, 1, "a")},
		GivenUp: []int64{intents[0].ID}, Buried: []state.Tombstone{s.tombstone(work, 1)},
	}
	for name, spoil := range map[string]func(*state.Settlement){
		"a mailbox that must not be stored":  func(t *state.Settlement) { t.Mailboxes = append(t.Mailboxes, state.Mailbox{Name: "no folder"}) },
		"a removal from an unknown mailbox":  func(t *state.Settlement) { t.Buried = append(t.Buried, s.tombstone("Nowhere", 1)) },
		"a record that meets another in Put": func(t *state.Settlement) { t.Put = []state.Record{paired(work, 2, "b"), paired(work, 3, "b")} },
	} {
		bad := good
		bad.Mailboxes, bad.Buried = slices.Clone(good.Mailboxes), slices.Clone(good.Buried)
		spoil(&bad)
		if err := s.Settle(s.Context(), bad); err == nil {
			s.Errorf("%s was settled", name)
		}
		got, err := s.Mailboxes(s.Context())
		ok(s.T, err)
		equal(s.T, "the mailboxes after "+name, got, []state.Mailbox{mailbox})
		equal(s.T, "the records after "+name, s.records(work), []state.Record{paired(work, 1, "a")})
		equal(s.T, "the intents after "+name, s.intents(), intents)
		equal(s.T, "the memory after "+name, len(s.givenUp())+len(s.tombstones()), 0)
	}
	ok(s.T, s.Settle(s.Context(), good))
	equal(s.T, "the memory in the end", len(s.givenUp())+len(s.tombstones()), 2)
}

func memoryForget(s *storeRun) {
	s.mailbox("Other")
	intents := []state.Intent{uploading(work, "a"), uploading("Other", "b")}
	ok(s.T, s.Intend(s.Context(), intents))
	ok(s.T, s.Settle(s.Context(), state.Settlement{
		GivenUp: []int64{intents[0].ID, intents[1].ID},
		Buried:  []state.Tombstone{s.tombstone(work, 1), s.tombstone("Other", 1)},
	}))
	ok(s.T, s.ForgetMailbox(s.Context(), work))
	equal(s.T, "what was given up", s.givenUp(), intents[1:])
	equal(s.T, "what was removed", s.tombstones(), []state.Tombstone{s.tombstone("Other", 1)})
	s.mailbox(work)
	equal(s.T, "what is remembered when it comes back", len(s.givenUp())+len(s.tombstones()), 2)
}

func memoryTrash(s *storeRun) {
	expect := func(want string) {
		s.Helper()
		got, err := s.Trash(s.Context())
		ok(s.T, err)
		equal(s.T, "what was Trash", got, want)
	}
	expect("")
	ok(s.T, s.PutTrash(s.Context(), "Papierkorb"))
	expect("Papierkorb")
	s.mailbox("Trash")
	ok(s.T, s.PutTrash(s.Context(), "Trash"))
	ok(s.T, s.ForgetMailbox(s.Context(), "Trash"))
	expect("Trash")
}

func memoryStrays(s *storeRun) {
	notes := func() []state.StrayNote {
		list, err := s.StrayNotes(s.Context())
		ok(s.T, err)
		return list
	}
	want := []state.StrayNote{{Path: "A/cur/.x", Mark: "1 2", Cleared: true}, {Path: "B/new/\xff\n", Mark: "3"}}
	ok(s.T, s.PutStrayNotes(s.Context(), []state.StrayNote{want[1], want[0]}))
	equal(s.T, "the notes", notes(), want)
	for _, bad := range []state.StrayNote{{Path: "A"}, {Mark: "1"}} {
		if err := s.PutStrayNotes(s.Context(), []state.StrayNote{{Path: "C", Mark: "9"}, bad}); err == nil {
			s.Errorf("%+v was noted", bad)
		}
	}
	equal(s.T, "the notes after what was refused", notes(), want)
	ok(s.T, s.PutStrayNotes(s.Context(), want[:1]))
	equal(s.T, "the notes put last", notes(), want[:1])
	ok(s.T, s.PutStrayNotes(s.Context(), nil))
	equal(s.T, "the number of notes", len(notes()), 0)
}
