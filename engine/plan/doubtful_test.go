package plan

import (
	"cmp"
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"mailmoor/state"
)

// text is a message out of few, so that many are alike: two have the same header,
// or the same size, or both, and are different all the same.
type text struct {
	header  int // 0 for none that tells messages apart
	body    int
	stamped bool // by a server that changes what it is given
}

func (x text) content() state.Content {
	d := state.NewDigester()
	if x.header > 0 {
		fmt.Fprintf(d, "Message-ID: <%d@test>\r\n", x.header)
	}
	if x.stamped {
		fmt.Fprint(d, "Subject: [stamped]\r\n")
	}
	fmt.Fprintf(d, "\r\n%s\r\n", []string{"a", "b", "a longer one"}[x.body])
	return d.Sum()
}

// doubtful is a mailbox in doubt, and what nobody but the server knows of it.
type doubtful struct {
	Mailbox
	rounds bool // the server rounds sizes
	truth  map[state.UID]shown
}

// shown is a message as the server would describe it.
type shown struct {
	text text
	date int64
}

func (d *doubtful) identity(s shown) state.RemoteIdentity {
	c := s.text.content()
	id := state.RemoteIdentity{Size: c.WireSize, Date: s.date, Header: c.Header}
	if d.rounds {
		id.Size = (id.Size + 1023) / 1024 * 1024
	}
	return id
}

// someText draws a text. With distinct, those of the same header and size are
// the same.
func someText(t *rapid.T, distinct bool) text {
	x := text{header: rapid.IntRange(0, 4).Draw(t, "header"), body: rapid.IntRange(0, 2).Draw(t, "body")}
	if distinct && x.header > 0 {
		x.body = x.header % 2
	}
	return x
}

var someDate = rapid.SampledFrom([]int64{0, 100, 100, 200, 300})

// drawDoubtful draws a mailbox whose messages lie under UIDs of their own.
func drawDoubtful(t *rapid.T, name string, distinct bool) *doubtful {
	d := &doubtful{
		rounds: rapid.Bool().Draw(t, "rounds"), truth: make(map[state.UID]shown),
		Mailbox: Mailbox{
			Name: name, Folder: name, OnServer: true,
			Doubt: rapid.SampledFrom([]state.Doubt{state.DoubtUIDs, state.DoubtBase}).Draw(t, "doubt"),
			Known: &state.Mailbox{Name: name, Folder: name, Marker: "m", Cursor: state.Cursor{UIDValidity: 1}},
			Local: &state.LocalDelta{Folder: name, Statted: true},
		},
	}
	var there []shown
	uids := rapid.Permutation([]state.UID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}).Draw(t, "uids")
	for i := range rapid.IntRange(0, 9).Draw(t, "records") {
		there = append(there, d.drawRecord(t, uids[i], state.Key(fmt.Sprintf("%s%02d", name, i)), distinct)...)
	}
	for range rapid.IntRange(0, 4).Draw(t, "others") {
		there = append(there, shown{someText(t, distinct), someDate.Draw(t, "date")})
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "new files") {
		c := someText(t, distinct).content()
		d.Local.New = append(d.Local.New, state.LocalMessage{Key: state.Key(fmt.Sprintf("%snew%d", name, i)), Content: c, Date: 50})
	}
	slices.SortFunc(d.Base, func(a, b state.Record) int {
		return cmp.Or(cmp.Compare(a.UID, b.UID), cmp.Compare(a.Key, b.Key))
	})
	for _, r := range d.Base {
		if r.State == state.Paired {
			d.Paired++
		} else {
			d.Waiting = append(d.Waiting, r)
		}
	}
	d.Relisted = &state.RemoteDelta{Mailbox: name, Selected: state.Selected{
		Cursor: state.Cursor{UIDValidity: 2, UIDNext: 100, ModSeq: 7, Messages: uint32(len(there))}, Permanent: state.AllFlags,
	}}
	if len(there) > 0 {
		there = rapid.Permutation(there).Draw(t, "order")
	}
	for i, s := range there {
		uid := state.UID(2*i + 1)
		d.truth[uid] = s
		d.Relisted.New = append(d.Relisted.New, state.RemoteMessage{UID: uid, Flags: someFlags.Draw(t, "flags")})
	}
	return d
}

// drawRecord draws a record with its file, and what the server shows because of it.
func (d *doubtful) drawRecord(t *rapid.T, uid state.UID, key state.Key, distinct bool) []shown {
	x := someText(t, distinct)
	r := state.Record{
		Mailbox: d.Name, UID: uid, Key: key, State: state.Paired, Flags: someFlags.Draw(t, "flags"),
		Content: x.content(), Stat: state.FileStat{Inode: uint64(uid), Size: 10},
	}
	onServer := shown{x, someDate.Draw(t, "date")}
	if !distinct && rapid.IntRange(0, 4).Draw(t, "stamped") == 0 {
		onServer.text.stamped = true
	}
	r.Remote = d.identity(onServer)
	switch rapid.IntRange(0, 9).Draw(t, "state") {
	case 0:
		r.State, r.UID, r.Remote = state.UploadStuck, 0, state.RemoteIdentity{Date: onServer.date}
	case 1:
		r.State, r.Key, r.Content, r.Remote = state.DownloadStuck, "", state.Content{}, state.RemoteIdentity{}
	case 2:
		r.State, r.Key = state.Expunging, ""
		r.Flags |= state.Trashed & -state.Flags(rapid.IntRange(0, 1).Draw(t, "removed"))
	case 3:
		r.State, r.UID, r.Since = state.Lost, 0, 10
	}
	d.Base = append(d.Base, r)
	var there []shown
	if r.Key != "" {
		there = d.drawFile(t, r, distinct)
	}
	switch fate := rapid.IntRange(0, 9).Draw(t, "message"); {
	case fate < 6:
		there = append(there, onServer)
	case fate < 7:
		onServer.date += 1000
		there = append(there, onServer)
	}
	return there
}

// drawFile draws what became of the file. An edited one may be on the server.
func (d *doubtful) drawFile(t *rapid.T, r state.Record, distinct bool) []shown {
	now := state.LocalMessage{Key: r.Key, Flags: r.Flags, Stat: r.Stat, Content: r.Content}
	switch rapid.IntRange(0, 7).Draw(t, "file") {
	case 0:
		d.Local.Missing = append(d.Local.Missing, r)
	case 1:
		now.Flags ^= state.Flagged
		d.Local.Changed = append(d.Local.Changed, state.LocalChange{Base: r, Now: now})
	case 2:
		x := someText(t, distinct)
		if x.content() == r.Content {
			break
		}
		now.Content, now.Stat = x.content(), state.FileStat{Inode: now.Stat.Inode, Size: 99}
		d.Local.Changed = append(d.Local.Changed, state.LocalChange{Base: r, Now: now, Edited: true})
		if rapid.Bool().Draw(t, "uploaded") {
			return []shown{{x, someDate.Draw(t, "date")}}
		}
	}
	return nil
}

// drawAccount draws an account with some mailboxes in doubt and others that are
// not, of which both sides have changed.
func drawAccount(t *rapid.T, distinct bool) (Input, map[string]*doubtful) {
	m := newModel()
	m.perturb(t, 10, true)
	m.apply(Build(m.input()))
	m.perturb(t, 6, true)
	in := m.input()
	all := make(map[string]*doubtful)
	for _, name := range []string{"Box", "Drafts"}[:rapid.IntRange(1, 2).Draw(t, "doubtful")] {
		d := drawDoubtful(t, name, distinct)
		all[name] = d
		in.Mailboxes = append(in.Mailboxes, d.Mailbox)
	}
	slices.SortFunc(in.Mailboxes, func(a, b Mailbox) int { return cmp.Compare(a.Name, b.Name) })
	return in, all
}

// satisfy finds out what the planner wants to know, as the engine does, and
// returns which bodies had to be read.
func satisfy(t rapid.TB, in Input, all map[string]*doubtful) (read map[string]state.UIDSet) {
	read = make(map[string]state.UIDSet)
	for range 2 {
		for _, w := range Missing(in) {
			d := all[w.Mailbox]
			if d == nil {
				t.Fatalf("mailbox %s, of which everything is known, is asked for %+v", w.Mailbox, w)
			}
			for i := range d.Relisted.New {
				m := &d.Relisted.New[i]
				if w.Identities.Contains(m.UID) {
					m.Identity = d.identity(d.truth[m.UID])
				}
				if w.Contents.Contains(m.UID) {
					m.Content = d.truth[m.UID].text.content()
					read[d.Name] = read[d.Name].Add(m.UID)
				}
			}
		}
	}
	if left := Missing(in); len(left) > 0 {
		t.Fatalf("still to be found out after two rounds: %+v", left)
	}
	return read
}

// rematchings returns the outcome for each mailbox in doubt.
func rematchings(t rapid.TB, p Plan, all map[string]*doubtful) map[string]Rematching {
	found := make(map[string]Rematching)
	for _, op := range p.Ops {
		if op.Kind != Rematch {
			continue
		}
		if _, twice := found[op.Mailbox]; twice || all[op.Mailbox] == nil {
			t.Fatalf("mailbox %s is matched afresh, twice: %v", op.Mailbox, twice)
		}
		found[op.Mailbox] = *op.Rematching
	}
	if len(found) != len(all) {
		t.Fatalf("%d of %d mailboxes in doubt are matched afresh", len(found), len(all))
	}
	return found
}
