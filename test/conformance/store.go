package conformance

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"mailmoor/engine"
	"mailmoor/state"
)

// Store runs the suite of engine.Store; open is called for each subtest and
// returns an empty store.
func Store(t *testing.T, open func(t *testing.T) engine.Store) {
	for _, c := range slices.Concat(recordCases(), intentCases(), holdCases(), lostCases(), memoryCases()) {
		t.Run(c.name, func(t *testing.T) {
			s := &storeRun{T: t, Store: open(t), now: time.Now().Unix()}
			s.mailbox(work)
			c.run(s)
		})
	}
}

// storeCase is one subtest of the suite.
type storeCase struct {
	name string
	run  func(s *storeRun)
}

// storeRun is one subtest that runs. The mailbox Work is known.
type storeRun struct {
	*testing.T
	engine.Store
	// now is the time of the test, in Unix seconds: a memory fades.
	now int64
}

// mailbox makes a mailbox known and returns what was put.
func (s *storeRun) mailbox(name string) state.Mailbox {
	s.Helper()
	m := state.Mailbox{
		Name: name, Folder: "folder of " + name, Marker: "marker-" + name, Statted: baseDate,
		Cursor: state.Cursor{UIDValidity: 1<<32 - 1, UIDNext: 1<<32 - 1, ModSeq: 1<<63 - 1, Messages: 7},
		Stamp: state.FolderStamp{
			New: state.DirStamp{Inode: 1<<64 - 1, Mtime: 5, Ctime: -6}, Cur: state.DirStamp{Inode: 2, Mtime: 1 << 62, Ctime: 8},
		},
	}
	ok(s.T, s.PutMailbox(s.Context(), m))
	return m
}

// records returns the records of the mailbox.
func (s *storeRun) records(mailbox string) []state.Record {
	s.Helper()
	list, err := s.Records(s.Context(), mailbox)
	ok(s.T, err)
	s.seen(mailbox, list)
	return list
}

// seen checks that what is asked for by UID is what the whole list has.
func (s *storeRun) seen(mailbox string, list []state.Record) {
	s.Helper()
	var uids, every state.UIDSet
	var all, some []state.Record
	for _, r := range list {
		if r.UID == 0 {
			continue
		}
		uids, all = uids.Add(r.UID), append(all, r)
		if len(all)%3 == 1 {
			every, some = every.Add(r.UID), append(some, r)
		}
	}
	got, err := s.UIDs(s.Context(), mailbox)
	ok(s.T, err)
	equal(s.T, "the UIDs", got, uids)
	for _, part := range []struct {
		uids state.UIDSet
		want []state.Record
	}{
		{uids, all}, {every, some}, {state.UIDSet{{First: 1, Last: 1<<32 - 1}}, all}, {nil, nil},
	} {
		found, err := s.RecordsOf(s.Context(), mailbox, part.uids)
		ok(s.T, err)
		equal(s.T, "the records of "+part.uids.String(), found, part.want)
	}
}

// put settles records.
func (s *storeRun) put(records ...state.Record) {
	s.Helper()
	ok(s.T, s.Settle(s.Context(), state.Settlement{Put: records}))
}

// paired returns a record with every field set.
func paired(mailbox string, uid state.UID, key state.Key) state.Record {
	return state.Record{
		Mailbox: mailbox, UID: uid, Key: key, State: state.Paired, Flags: state.AllFlags,
		Stat:    state.FileStat{Inode: 1<<64 - 1, Size: 100, Mtime: baseDate * 1_000_000_000},
		Content: contentOf(Mail(int(uid))),
		Remote:  state.RemoteIdentity{Size: 120, Date: baseDate, Header: state.HeaderDigest(Mail(int(uid)))},
		Retry:   state.Retry{Count: 3, NextAt: baseDate + 60, Reason: "it was tried"},
	}
}

// uploadStuck returns a record of a file that the server refused.
func uploadStuck(mailbox string, key state.Key) state.Record {
	r := paired(mailbox, 0, key)
	r.State = state.UploadStuck
	return r
}

// withoutFile returns a record of a UID that has no file.
func withoutFile(mailbox string, uid state.UID, s state.RecordState) state.Record {
	return state.Record{Mailbox: mailbox, UID: uid, State: s, Retry: state.Retry{Count: 1, Reason: "poison"}}
}

func recordCases() []storeCase {
	return []storeCase{
		{"mailboxes come back as they were put, by name", storeMailboxes},
		{"put mailbox keeps its records", storeMailboxAgain},
		{"a mailbox that must not be stored is refused", storeBadMailbox},
		{"records come back as they were put", storeRecords},
		{"records are ordered", storeOrder},
		{"keys may hold any bytes", storeKeys},
		{"put replaces by UID or key", storeReplaces},
		{"drop goes before put", storeDropFirst},
		{"drop by key", storeDropKey},
		{"drop of what is not there", storeDropNothing},
		{"records may swap their keys", storeSwap},
		{"a key belongs to one record", storeKeyTwice},
		{"a settlement applies completely or not at all", storeAtomic},
		{"an unknown mailbox has no records", storeUnknownMailbox},
		{"the same UID and key in two mailboxes", storeTwoMailboxes},
		{"waiting returns what is not paired", storeWaiting},
		{"forget removes all of one mailbox", storeForget},
		{"settlements from many goroutines", storeConcurrent},
	}
}

func storeMailboxes(s *storeRun) {
	want := []state.Mailbox{s.mailbox("Zuletzt"), s.mailbox("INBOX"), s.mailbox("Entwürfe"), s.mailbox(work)}
	slices.SortFunc(want, func(a, b state.Mailbox) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	got, err := s.Mailboxes(s.Context())
	ok(s.T, err)
	equal(s.T, "the mailboxes", got, want)
}

func storeMailboxAgain(s *storeRun) {
	s.put(paired(work, 1, "a"))
	m := s.mailbox(work)
	m.Cursor, m.Stamp, m.Folder = state.Cursor{UIDValidity: 1}, state.FolderStamp{}, "elsewhere"
	ok(s.T, s.PutMailbox(s.Context(), m))
	got, err := s.Mailboxes(s.Context())
	ok(s.T, err)
	equal(s.T, "the mailboxes", got, []state.Mailbox{m})
	equal(s.T, "the records", s.records(work), []state.Record{paired(work, 1, "a")})
}

func storeBadMailbox(s *storeRun) {
	if err := s.PutMailbox(s.Context(), state.Mailbox{Name: "no folder"}); err == nil {
		s.Error("a mailbox without a folder was stored")
	}
	got, err := s.Mailboxes(s.Context())
	ok(s.T, err)
	equal(s.T, "the number of mailboxes", len(got), 1)
}

func storeRecords(s *storeRun) {
	want := []state.Record{
		uploadStuck(work, "stuck"),
		paired(work, 5, "key"),
		withoutFile(work, 6, state.DownloadStuck),
		withoutFile(work, 1<<32-1, state.Expunging),
	}
	s.put(want...)
	equal(s.T, "the records", s.records(work), want)
}

func storeOrder(s *storeRun) {
	s.put(
		paired(work, 1<<32-1, "d"), uploadStuck(work, "z"), paired(work, 10, "c"), paired(work, 9, "b"), uploadStuck(work, "B"),
	)
	var got []string
	for _, r := range s.records(work) {
		got = append(got, fmt.Sprintf("%d %s", r.UID, r.Key))
	}
	equal(s.T, "the order", got, []string{"0 B", "0 z", "9 b", "10 c", "4294967295 d"})
}

func storeKeys(s *storeRun) {
	for i, key := range []state.Key{"plain", "\xff\xfe not UTF-8", "a'b\"c;--", "ümlaut", "line\nend", "%s", "1.M2P3.host,S=4"} {
		want := paired(work, state.UID(i+1), key)
		s.put(want)
		got := s.records(work)
		equal(s.T, fmt.Sprintf("the record of key %q", key), got[len(got)-1], want)
	}
}

func storeReplaces(s *storeRun) {
	s.put(paired(work, 1, "a"), uploadStuck(work, "b"), withoutFile(work, 2, state.DownloadStuck))
	renamed, again, fetched := paired(work, 1, "c"), uploadStuck(work, "b"), paired(work, 2, "d")
	again.Retry.Count++
	s.put(renamed, again, fetched)
	equal(s.T, "the records", s.records(work), []state.Record{again, renamed, fetched})
}

func storeDropFirst(s *storeRun) {
	s.put(paired(work, 1, "a"), uploadStuck(work, "b"))
	// The file of UID 1 was uploaded again as UID 3, the stuck one as UID 2.
	want := []state.Record{paired(work, 2, "b"), paired(work, 3, "a")}
	ok(s.T, s.Settle(s.Context(), state.Settlement{Drop: []state.Record{paired(work, 1, "a"), uploadStuck(work, "b")}, Put: want}))
	equal(s.T, "the records", s.records(work), want)
}

func storeDropKey(s *storeRun) {
	s.put(uploadStuck(work, "a"), uploadStuck(work, "b"), paired(work, 7, "c"))
	ok(s.T, s.Settle(s.Context(), state.Settlement{Drop: []state.Record{{Mailbox: work, Key: "a"}, {Mailbox: work, UID: 7}}}))
	equal(s.T, "the records", s.records(work), []state.Record{uploadStuck(work, "b")})
}

func storeDropNothing(s *storeRun) {
	s.put(paired(work, 1, "a"))
	ok(s.T, s.Settle(s.Context(), state.Settlement{
		Drop: []state.Record{{Mailbox: work, UID: 9}, {Mailbox: work, Key: "nobody"}}, Done: []int64{12345},
	}))
	equal(s.T, "the records", s.records(work), []state.Record{paired(work, 1, "a")})
}

func storeSwap(s *storeRun) {
	s.put(paired(work, 1, "a"), paired(work, 2, "b"))
	want := []state.Record{paired(work, 1, "b"), paired(work, 2, "a")}
	s.put(want...)
	equal(s.T, "the records", s.records(work), want)
}

func storeKeyTwice(s *storeRun) {
	before := []state.Record{paired(work, 1, "a")}
	s.put(before...)
	if err := s.Settle(s.Context(), state.Settlement{Put: []state.Record{paired(work, 2, "a")}}); err == nil {
		s.Error("two records share a key")
	}
	if err := s.Settle(s.Context(), state.Settlement{Put: []state.Record{paired(work, 3, "b"), paired(work, 3, "c")}}); err == nil {
		s.Error("one settlement puts a UID twice")
	}
	equal(s.T, "the records", s.records(work), before)
}

func storeAtomic(s *storeRun) {
	before := []state.Record{paired(work, 1, "a"), paired(work, 2, "b")}
	s.put(before...)
	intents := []state.Intent{download(work, 9, "i")}
	ok(s.T, s.Intend(s.Context(), intents))
	bad := paired(work, 4, "d")
	bad.Content = state.Content{}
	for name, put := range map[string]state.Record{
		"a key that is taken": paired(work, 4, "b"), "a record that must not be stored": bad,
		"a record of an unknown mailbox": paired("Nowhere", 4, "d"),
	} {
		err := s.Settle(s.Context(), state.Settlement{
			Drop: before[:1], Put: []state.Record{paired(work, 3, "c"), put}, Done: []int64{intents[0].ID},
		})
		if err == nil {
			s.Errorf("%s was settled", name)
		}
		equal(s.T, "the records after "+name, s.records(work), before)
		equal(s.T, "the intents after "+name, s.intents(), intents)
	}
}

func storeUnknownMailbox(s *storeRun) {
	equal(s.T, "the records", s.records("Nowhere"), []state.Record(nil))
	ok(s.T, s.ForgetMailbox(s.Context(), "Nowhere"))
}

func storeTwoMailboxes(s *storeRun) {
	s.mailbox("Other")
	s.put(paired(work, 1, "a"), paired("Other", 1, "a"))
	ok(s.T, s.Settle(s.Context(), state.Settlement{Drop: []state.Record{paired(work, 1, "a")}}))
	equal(s.T, "the records", s.records(work), []state.Record(nil))
	equal(s.T, "the records of the other", s.records("Other"), []state.Record{paired("Other", 1, "a")})
}

func storeWaiting(s *storeRun) {
	s.mailbox("Other")
	s.put(
		paired(work, 1, "a"), withoutFile(work, 2, state.DownloadStuck), uploadStuck(work, "b"),
		withoutFile("Other", 3, state.Expunging), paired("Other", 4, "c"),
	)
	got, err := s.Waiting(s.Context())
	ok(s.T, err)
	slices.SortFunc(got, func(a, b state.Record) int { return int(a.UID) - int(b.UID) })
	equal(s.T, "the records", got, []state.Record{
		uploadStuck(work, "b"), withoutFile(work, 2, state.DownloadStuck), withoutFile("Other", 3, state.Expunging),
	})
}

func storeForget(s *storeRun) {
	s.mailbox("Other")
	s.put(paired(work, 1, "a"), paired("Other", 1, "a"))
	ok(s.T, s.Intend(s.Context(), []state.Intent{download(work, 2, "b"), download("Other", 2, "b")}))
	s.putHolds(hold(work, 1), hold("Other", 1))
	ok(s.T, s.ForgetMailbox(s.Context(), work))

	mailboxes, err := s.Mailboxes(s.Context())
	ok(s.T, err)
	if len(mailboxes) != 1 || mailboxes[0].Name != "Other" {
		s.Errorf("the mailboxes are %+v", mailboxes)
	}
	equal(s.T, "the records", s.records(work), []state.Record(nil))
	equal(s.T, "the records of the other", len(s.records("Other")), 1)
	if intents := s.intents(); len(intents) != 1 || intents[0].Mailbox != "Other" {
		s.Errorf("the intents are %+v", intents)
	}
	if holds := s.holds(); len(holds) != 1 || holds[0].Mailbox != "Other" {
		s.Errorf("the holds are %+v", holds)
	}
	s.mailbox(work)
	equal(s.T, "the records when it comes back", s.records(work), []state.Record(nil))
}

func storeConcurrent(s *storeRun) {
	const workers, each = 8, 10
	var wait sync.WaitGroup
	errs := make([]error, workers)
	for w := range workers {
		wait.Go(func() {
			for i := range each {
				n := w*each + i + 1
				r := paired(work, state.UID(n), state.Key(fmt.Sprint("key-", n)))
				if err := s.Settle(s.Context(), state.Settlement{Put: []state.Record{r}}); err != nil {
					errs[w] = err
				}
				if _, err := s.Records(s.Context(), work); err != nil {
					errs[w] = err
				}
			}
		})
	}
	wait.Wait()
	for _, err := range errs {
		ok(s.T, err)
	}
	equal(s.T, "the number of records", len(s.records(work)), workers*each)
}
