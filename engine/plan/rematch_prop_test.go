package plan

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mailmoor/state"
	"mailmoor/test/chance"
)

// id names a record whose UID may change.
func id(r state.Record) string {
	if r.Key != "" {
		return string(r.Key)
	}
	return fmt.Sprintf("%d of %v", r.State, r.Content.Digest)
}

// TestRematchKeepsTheBooks: whatever the records, files and messages are, each
// record ends exactly once, no UID and no key stands twice, and a file that is
// there and unedited is never without a record.
func TestRematchKeepsTheBooks(t *testing.T) {
	chance.Check(t, func(t *rapid.T) {
		in, all := drawAccount(t, false)
		read := satisfy(t, in, all)
		for name, r := range rematchings(t, Build(in), all) {
			d := all[name]
			after := settled(t, d, r)
			checkFiles(t, d, after)
			checkMessages(t, d, after, read[name])
			if c := r.Cursor; c.ModSeq != 0 || c.UIDValidity != 2 || c.UIDNext != 100 {
				t.Fatalf("the cursor is %+v, want that of the listing, without a mod-sequence", c)
			}
		}
	})
}

// settled returns the records that the mailbox has after the rematching.
func settled(t *rapid.T, d *doubtful, r Rematching) []state.Record {
	left := slices.Clone(d.Base)
	for _, drop := range r.Drop {
		i := slices.Index(left, drop)
		if i < 0 {
			t.Fatalf("record %+v is dropped twice or was not there", drop)
		}
		left = slices.Delete(left, i, i+1)
	}
	for _, rec := range left {
		if rec.State != state.UploadStuck {
			t.Fatalf("record %+v has not been matched afresh", rec)
		}
	}
	before, after := make(map[string]int), slices.Concat(left, r.Put)
	for _, rec := range d.Base {
		before[id(rec)]++
	}
	uids, keys := make(map[state.UID]bool), make(map[state.Key]bool)
	for _, rec := range after {
		if err := rec.Check(); err != nil || rec.Mailbox != d.Name {
			t.Fatalf("record %+v: %v", rec, err)
		}
		if rec.UID != 0 && uids[rec.UID] || rec.Key != "" && keys[rec.Key] {
			t.Fatalf("UID or key of %+v stands twice in %+v", rec, after)
		}
		uids[rec.UID], keys[rec.Key] = true, true
		if before[id(rec)]--; before[id(rec)] < 0 {
			t.Fatalf("record %+v comes from nowhere, or stands twice", rec)
		}
	}
	return after
}

// checkFiles checks that each file which is there has its record, or counts as new
// because nobody but the file has its content.
func checkFiles(t *rapid.T, d *doubtful, after []state.Record) {
	files := make(map[state.Key]fileNow)
	for _, c := range d.Local.Changed {
		files[c.Base.Key] = fileNow{edited: c.Edited, now: c.Now}
	}
	for _, r := range d.Local.Missing {
		files[r.Key] = fileNow{missing: true}
	}
	byKey := make(map[state.Key]state.Record)
	for _, r := range after {
		byKey[r.Key] = r
	}
	for _, r := range d.Base {
		f := files[r.Key]
		now, known := byKey[r.Key]
		switch {
		case r.Key == "" || f.missing:
		case !f.edited && !known:
			t.Fatalf("the file of %+v is there, unedited and without a record", r)
		case !f.edited && now.Content.Digest != r.Content.Digest:
			t.Fatalf("the file of %+v was given another content: %+v", r, now)
		case known && now.State == state.Paired && now.Content.Digest != r.Content.Digest && now.Content.Digest != f.now.Content.Digest:
			t.Fatalf("the file of %+v has a content that it never had: %+v", r, now)
		}
	}
}

// checkMessages checks what the records say of the server's messages.
func checkMessages(t *rapid.T, d *doubtful, after []state.Record, read state.UIDSet) {
	for _, r := range after {
		if r.UID == 0 {
			continue
		}
		s, there := d.truth[r.UID]
		if !there || d.identity(s) != r.Remote {
			t.Fatalf("%+v is not what the server shows under its UID: %+v", r, s)
		}
		if read.Contains(r.UID) && s.text.content().Digest != r.Content.Digest {
			t.Fatalf("%+v was bound to another message, whose body had been read: %+v", r, s)
		}
	}
}

// TestRematchFindsEverything: where header and size tell messages apart, or the
// bodies do, as many are found again as there are on both sides. A message that
// was missed would be doubled.
func TestRematchFindsEverything(t *testing.T) {
	chance.Check(t, func(t *rapid.T) {
		in, all := drawAccount(t, true)
		satisfy(t, in, all)
		for name, r := range rematchings(t, Build(in), all) {
			d := all[name]
			left := make(map[state.Digest]int)
			for _, s := range d.truth {
				left[s.text.content().Digest]++
			}
			for _, rec := range slices.Concat(settled(t, d, r), forgotten(r)) {
				if rec.UID != 0 {
					left[rec.Content.Digest]--
				}
			}
			for _, rec := range r.Put {
				if rec.State == state.Lost && left[rec.Content.Digest] > 0 {
					t.Fatalf("%+v counts as lost, and the server has it: %+v", rec, d.truth)
				}
			}
		}
	})
}

// forgotten returns the records that were dropped for good. A message may have been
// found for them all the same, which then counts as new.
func forgotten(r Rematching) []state.Record {
	left := make(map[string]int)
	for _, rec := range r.Put {
		left[id(rec)]++
	}
	var gone []state.Record
	for _, rec := range r.Drop {
		if left[id(rec)]--; left[id(rec)] < 0 {
			rec.UID = max(rec.UID, 1) // a lost one may have been found
			gone = append(gone, rec)
		}
	}
	return gone
}

// TestRematchReadsNoBodyWithoutNeed: a mailbox that was renumbered, and nothing
// else, is matched by what the server says of its messages.
func TestRematchReadsNoBodyWithoutNeed(t *testing.T) {
	chance.Check(t, func(t *rapid.T) {
		d := &doubtful{truth: make(map[state.UID]shown), rounds: rapid.Bool().Draw(t, "rounds"), Mailbox: Mailbox{
			Name: "Box", Folder: "Box", OnServer: true, Doubt: state.DoubtUIDs, Known: &state.Mailbox{},
			Local: &state.LocalDelta{Folder: "Box"}, Relisted: &state.RemoteDelta{Mailbox: "Box"},
		}}
		for i := range rapid.IntRange(0, 20).Draw(t, "messages") {
			s := shown{text{header: 1 + i/2, body: i % 2}, int64(100 + i)}
			d.Base = append(d.Base, state.Record{
				Mailbox: "Box", UID: state.UID(i + 1), Key: state.Key(fmt.Sprint("k", i)), State: state.Paired,
				Content: s.text.content(), Remote: d.identity(s),
			})
			d.truth[state.UID(100-i)] = s
		}
		for _, uid := range slices.Sorted(maps.Keys(d.truth)) {
			d.Relisted.New = append(d.Relisted.New, state.RemoteMessage{UID: uid})
		}
		in, all := Input{Mailboxes: []Mailbox{d.Mailbox}, Now: 1}, map[string]*doubtful{"Box": d}
		if read := satisfy(t, in, all); len(read) > 0 {
			t.Fatalf("bodies were read: %v", read)
		}
		if r := rematchings(t, Build(in), all)["Box"]; r.Found != len(d.Base) || r.Lost != 0 {
			t.Fatalf("%s, want all %d", r, len(d.Base))
		}
	})
}

// TestNothingElseHappensToAMailboxInDoubt: in a cycle in which a mailbox is in
// doubt nothing is removed anywhere, and nothing goes to it or comes from it.
func TestNothingElseHappensToAMailboxInDoubt(t *testing.T) {
	chance.Check(t, func(t *rapid.T) {
		in, all := drawAccount(t, false)
		if rapid.Bool().Draw(t, "not listed") {
			for i := range in.Mailboxes {
				if m := &in.Mailboxes[i]; all[m.Name] != nil {
					m.Relisted, m.RemoteFailed = nil, true
				}
			}
		} else {
			satisfy(t, in, all)
		}
		p := Build(in)
		for _, op := range p.Ops {
			if op.Kind == RemoveLocal || op.Kind == RemoveRemote {
				t.Fatalf("%s although something is in doubt: %+v", op.Kind, op)
			}
			for _, name := range append(op.touches(), op.Folder, op.DestFolder) {
				if all[name] != nil && op.Kind != Rematch {
					t.Fatalf("%s in a mailbox in doubt: %+v", op.Kind, op)
				}
			}
		}
	})
}

// TestRematchIsDeterministic: the same mailbox, whatever the order in which maps
// are walked, is matched alike, and the input is left alone.
func TestRematchIsDeterministic(t *testing.T) {
	chance.Check(t, func(t *rapid.T) {
		in, all := drawAccount(t, false)
		satisfy(t, in, all)
		before := slices.Clone(in.Mailboxes)
		for i, m := range before {
			before[i].Base = slices.Clone(m.Base)
			if m.Relisted != nil {
				relisted := *m.Relisted
				relisted.New = slices.Clone(relisted.New)
				before[i].Relisted = &relisted
			}
		}
		first := Build(in)
		for range 3 {
			if again := Build(in); !reflect.DeepEqual(first, again) {
				t.Fatalf("two plans from one input differ:\n%s", gocmp.Diff(first, again))
			}
		}
		if !reflect.DeepEqual(before, in.Mailboxes) {
			t.Fatalf("planning changed its input:\n%s", gocmp.Diff(before, in.Mailboxes))
		}
	})
}
