package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"pgregory.net/rapid"

	"mailmoor/state"
)

// model is both sides of an account and the base, with just enough behaviour
// to carry out a plan as a faultless executor would.
type model struct {
	boxes []*box
	holds []state.Hold
	// next makes UIDs, keys and contents unique.
	next int
	// deleted are the contents that a user deleted somewhere.
	deleted map[int]bool
}

// box is one mailbox with its folder.
type box struct {
	name   string
	role   state.Role
	local  map[state.Key]item
	remote map[state.UID]item
	base   map[state.UID]state.Record
}

// String keeps the log of a failed test readable.
func (b *box) String() string {
	return fmt.Sprintf("%s local %v remote %v base %d", b.name, b.local, b.remote, len(b.base))
}

// item is a message on one side.
type item struct {
	content int
	flags   state.Flags
}

func newModel() *model {
	m := &model{deleted: make(map[int]bool)}
	for _, b := range []struct {
		name string
		role state.Role
	}{{"Archive", state.RoleArchive}, {"INBOX", state.RoleInbox}, {"Trash", state.RoleTrash}} {
		m.boxes = append(m.boxes, &box{
			name: b.name, role: b.role, local: map[state.Key]item{},
			remote: map[state.UID]item{}, base: map[state.UID]state.Record{},
		})
	}
	return m
}

func (m *model) box(name string) *box {
	return m.boxes[slices.IndexFunc(m.boxes, func(b *box) bool { return b.name == name })]
}

func (m *model) unique() int {
	m.next++
	return m.next
}

func (m *model) newKey() state.Key { return state.Key(fmt.Sprintf("key%04d", m.unique())) }
func (m *model) newUID() state.UID { return state.UID(m.unique()) }

// contentOf describes a content; different numbers are different messages.
func contentOf(n int) state.Content {
	d := state.NewDigester()
	fmt.Fprintf(d, "Message-ID: <%d@test>\r\n\r\nbody\r\n", n)
	return d.Sum()
}

func identityOf(n int) state.RemoteIdentity {
	c := contentOf(n)
	return state.RemoteIdentity{Size: c.WireSize, Date: int64(n), Header: c.Header}
}

func fileOf(k state.Key, it item) state.LocalMessage {
	return state.LocalMessage{Key: k, Flags: it.flags, Content: contentOf(it.content), Date: int64(it.content)}
}

// input observes both sides completely.
func (m *model) input() Input {
	in := Input{Holds: slices.Clone(m.holds), Trash: "Trash", Limits: DefaultLimits(), Now: 1000}
	for _, b := range m.boxes {
		local := &state.LocalDelta{Folder: b.name, Count: len(b.local)}
		remote := &state.RemoteDelta{Mailbox: b.name, Selected: state.Selected{
			Cursor: state.Cursor{UIDValidity: 1}, Permanent: state.AllFlags,
		}}
		byKey := make(map[state.Key]bool)
		for _, uid := range slices.Sorted(maps.Keys(b.base)) {
			r := b.base[uid]
			byKey[r.Key] = true
			if it, there := b.local[r.Key]; !there {
				local.Missing = append(local.Missing, r)
			} else if it.flags != r.Flags {
				now := state.LocalMessage{Key: r.Key, Flags: it.flags}
				local.Changed = append(local.Changed, state.LocalChange{Base: r, Now: now})
			}
			if it, there := b.remote[uid]; !there {
				remote.Gone = append(remote.Gone, r)
			} else if it.flags != r.Flags {
				remote.Changed = append(remote.Changed, state.RemoteChange{Base: r, Flags: it.flags})
			}
		}
		for _, k := range slices.Sorted(maps.Keys(b.local)) {
			if !byKey[k] {
				local.New = append(local.New, fileOf(k, b.local[k]))
			}
		}
		for _, uid := range slices.Sorted(maps.Keys(b.remote)) {
			if _, known := b.base[uid]; !known {
				it := b.remote[uid]
				remote.New = append(remote.New, state.RemoteMessage{UID: uid, Flags: it.flags, Identity: identityOf(it.content), Content: contentOf(it.content)})
			}
		}
		in.Mailboxes = append(in.Mailboxes, Mailbox{
			Name: b.name, Folder: b.name, Role: b.role, Local: local, Remote: remote, Paired: len(b.base),
			Known: &state.Mailbox{Name: b.name, Folder: b.name},
		})
	}
	return in
}

// perturb lets a user act on one side, once for each step.
func (m *model) perturb(t *rapid.T, steps int, moves bool) {
	for range steps {
		b := rapid.SampledFrom(m.boxes).Draw(t, "mailbox")
		action := rapid.SampledFrom([]string{"new", "flag", "delete", "move"}).Draw(t, "action")
		if action == "move" && !moves {
			action = "flag"
		}
		if rapid.Bool().Draw(t, "local") {
			m.actLocally(t, b, action)
		} else {
			m.actRemotely(t, b, action)
		}
	}
}

func pick[K cmp.Ordered](t *rapid.T, items map[K]item) (K, bool) {
	keys := slices.Sorted(maps.Keys(items))
	if len(keys) == 0 {
		var none K
		return none, false
	}
	return rapid.SampledFrom(keys).Draw(t, "message"), true
}

var someFlags = rapid.SampledFrom([]state.Flags{0, state.Seen, state.Flagged, state.Seen | state.Answered})

func (m *model) actLocally(t *rapid.T, b *box, action string) {
	if action == "new" {
		b.local[m.newKey()] = item{m.unique(), someFlags.Draw(t, "flags")}
		return
	}
	k, ok := pick(t, b.local)
	if !ok {
		return
	}
	it := b.local[k]
	switch action {
	case "flag":
		b.local[k] = item{it.content, someFlags.Draw(t, "flags")}
	case "delete":
		delete(b.local, k)
		m.deleted[it.content] = true
	case "move":
		delete(b.local, k)
		if rapid.Bool().Draw(t, "fresh key") {
			k = m.newKey()
		}
		rapid.SampledFrom(m.boxes).Draw(t, "to").local[k] = it
	}
}

func (m *model) actRemotely(t *rapid.T, b *box, action string) {
	if action == "new" {
		b.remote[m.newUID()] = item{m.unique(), someFlags.Draw(t, "flags")}
		return
	}
	uid, ok := pick(t, b.remote)
	if !ok {
		return
	}
	it := b.remote[uid]
	switch action {
	case "flag":
		b.remote[uid] = item{it.content, someFlags.Draw(t, "flags")}
	case "delete":
		delete(b.remote, uid)
		m.deleted[it.content] = true
	case "move":
		delete(b.remote, uid)
		rapid.SampledFrom(m.boxes).Draw(t, "to").remote[m.newUID()] = it
	}
}

// apply carries out a plan without faults.
func (m *model) apply(p Plan) {
	for _, op := range p.Ops {
		m.applyOne(op)
	}
	m.holds = p.Holds
	for i := range m.holds {
		if m.holds[i].ID == 0 {
			m.holds[i].ID = int64(m.unique())
		}
	}
}

func (m *model) applyOne(op Op) {
	b := m.box(op.Mailbox)
	switch op.Kind {
	case Download:
		for uid := range op.UIDs.All() {
			it, k := b.remote[uid], m.newKey()
			b.local[k] = it
			b.agree(uid, k, it.content, it.flags)
		}
	case Upload:
		delete(b.base, op.Base.UID)
		for _, f := range op.Files {
			uid, it := m.newUID(), b.local[f.Key]
			b.remote[uid] = item{it.content, f.Flags}
			b.agree(uid, f.Key, it.content, f.Flags)
		}
	case Settle:
		content := b.remote[op.Remote.UID].content
		delete(b.base, op.Base.UID)
		b.agree(op.Remote.UID, op.Local.Key, content, op.Agreed)
	case Pair, SetFlags:
		if op.Base.Mailbox != "" {
			delete(m.box(op.Base.Mailbox).base, op.Base.UID)
		}
		m.setBoth(b, op)
	case MoveLocal:
		m.moveLocal(b, m.box(op.Dest), op)
	case MoveRemote:
		dest := m.box(op.Dest)
		delete(b.base, op.Base.UID)
		delete(b.remote, op.Remote.UID)
		op.Remote.UID = m.newUID()
		m.setBoth(dest, op)
	case RemoveLocal:
		delete(b.local, op.Local.Key)
		delete(b.base, op.Base.UID)
	case RemoveRemote:
		it := b.remote[op.Base.UID]
		delete(b.remote, op.Base.UID)
		delete(b.base, op.Base.UID)
		if !op.Final {
			m.box(op.Dest).remote[m.newUID()] = it
		}
	case Forget:
		delete(b.base, op.Base.UID)
	}
}

// setBoth brings file and message to the wanted flags and records them.
func (m *model) setBoth(b *box, op Op) {
	content := m.contentOfOp(b, op)
	b.local[op.Local.Key] = item{content, op.WantLocal}
	b.remote[op.Remote.UID] = item{content, op.WantRemote}
	b.agree(op.Remote.UID, op.Local.Key, content, op.Agreed)
}

func (m *model) contentOfOp(b *box, op Op) int {
	if it, there := b.local[op.Local.Key]; there {
		return it.content
	}
	return b.remote[op.Remote.UID].content
}

func (m *model) moveLocal(b, dest *box, op Op) {
	from := m.box(op.Folder)
	it := from.local[op.Local.Key]
	delete(from.local, op.Local.Key)
	delete(b.base, op.Base.UID)
	dest.local[op.Local.Key] = it
	m.setBoth(dest, op)
}

func (b *box) agree(uid state.UID, k state.Key, content int, flags state.Flags) {
	b.base[uid] = state.Record{
		Mailbox: b.name, UID: uid, Key: k, State: state.Paired, Flags: flags,
		Content: contentOf(content), Remote: identityOf(content),
	}
}

// approveAll is a user who agrees with everything that is held.
func (m *model) approveAll() {
	for i := range m.holds {
		m.holds[i].Decision = state.Approved
	}
}
