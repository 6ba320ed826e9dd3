package plan

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mailmoor/state"
	"mailmoor/test/chance"
)

// roundsMax is how many faultless rounds may be needed until a plan is empty:
// one to act, one for what went to Trash, one for its echo, one for a hold.
const roundsMax = 5

// settleDown plans and applies until nothing is left to do.
func (m *model) settleDown(t *rapid.T) {
	for range roundsMax {
		p := Build(m.input())
		if p.Empty() && len(p.Holds) == 0 {
			return
		}
		// Operations of one phase do not depend on each other's order.
		for _, phase := range []func(Kind) bool{Kind.Creates, func(k Kind) bool { return !k.Creates() && !k.Destroys() }, Kind.Destroys} {
			shuffle(t, p.Ops, phase)
		}
		m.apply(p)
		m.approveAll()
	}
	t.Fatalf("after %d rounds there is still a plan: %+v", roundsMax, Build(m.input()))
}

// shuffle reorders the operations of a phase among themselves.
func shuffle(t *rapid.T, ops []Op, phase func(Kind) bool) {
	first := slices.IndexFunc(ops, func(o Op) bool { return phase(o.Kind) })
	if first < 0 {
		return
	}
	last := first
	for last < len(ops) && phase(ops[last].Kind) {
		last++
	}
	order := make([]int, last-first)
	for i := range order {
		order[i] = first + i
	}
	shuffled := make([]Op, 0, len(order))
	for _, i := range rapid.Permutation(order).Draw(t, "order") {
		shuffled = append(shuffled, ops[i])
	}
	copy(ops[first:], shuffled)
}

// contents returns how often each content is on each side.
func (m *model) contents() (local, remote map[int]int) {
	local, remote = make(map[int]int), make(map[int]int)
	for _, b := range m.boxes {
		for _, it := range b.local {
			local[it.content]++
		}
		for _, it := range b.remote {
			remote[it.content]++
		}
	}
	return local, remote
}

// TestConvergesAndLosesNothing: whatever two users do at once, a few rounds
// make both sides equal, and what nobody deleted is still there, once.
func TestConvergesAndLosesNothing(t *testing.T) {
	chance.Check(t, func(t *rapid.T) {
		m := newModel()
		m.perturb(t, rapid.IntRange(0, 12).Draw(t, "before"), true)
		m.settleDown(t)
		before, _ := m.contents()
		m.deleted = make(map[int]bool)
		m.perturb(t, rapid.IntRange(1, 10).Draw(t, "steps"), true)
		added, addedRemotely := m.contents()
		m.settleDown(t)

		local, remote := m.contents()
		if diff := cmp.Diff(local, remote); diff != "" {
			t.Fatalf("the sides differ (-local +remote):\n%s", diff)
		}
		for _, present := range []map[int]int{before, added, addedRemotely} {
			for content := range present {
				if !m.deleted[content] && local[content] != 1 {
					t.Fatalf("message %d, which nobody deleted, is there %d times", content, local[content])
				}
			}
		}
		for _, b := range m.boxes {
			if len(b.base) != len(b.local) || len(b.base) != len(b.remote) {
				t.Fatalf("mailbox %s has %d records for %d files and %d messages", b.name, len(b.base), len(b.local), len(b.remote))
			}
		}
	})
}

// TestDeterministic: the same input gives the same plan and is left alone.
func TestDeterministic(t *testing.T) {
	chance.Check(t, func(t *rapid.T) {
		m := newModel()
		m.perturb(t, 10, true)
		m.apply(Build(m.input()))
		m.perturb(t, 10, true)
		in := m.input()
		first, second := Build(in), Build(in)
		if diff := cmp.Diff(first, second); diff != "" {
			t.Fatalf("two plans from one input differ:\n%s", diff)
		}
		if diff := cmp.Diff(m.input(), in); diff != "" {
			t.Fatalf("planning changed its input:\n%s", diff)
		}
	})
}

// mirrored swaps the two sides of a model.
func (m *model) mirrored() *model {
	w := newModel()
	w.next = m.next
	for i, b := range m.boxes {
		keys := make(map[state.UID]state.Key)
		uids := make(map[state.Key]state.UID)
		for uid, r := range b.base {
			keys[uid], uids[r.Key] = r.Key, uid
		}
		other := w.boxes[i]
		for k, it := range b.local {
			uid, known := uids[k]
			if !known {
				uid = w.newUID()
			}
			other.remote[uid] = it
		}
		for uid, it := range b.remote {
			k, known := keys[uid]
			if !known {
				k = w.newKey()
			}
			other.local[k] = it
		}
		other.base = b.base
	}
	return w
}

// counts tells how many messages each kind of operation is about.
func counts(p Plan) map[Kind]int {
	n := make(map[Kind]int)
	for _, op := range p.Ops {
		n[op.Kind] += op.Count()
	}
	for _, h := range p.Holds {
		// A held removal counts like one that is done.
		kind := RemoveRemote
		if h.Missing == state.Remote {
			kind = RemoveLocal
		}
		n[kind] += h.UIDs.Len()
	}
	return n
}

// TestMirror: with the sides swapped, the plan is the mirror image.
func TestMirror(t *testing.T) {
	chance.Check(t, func(t *rapid.T) {
		m := newModel()
		m.perturb(t, 8, false)
		m.settleDown(t)
		m.perturb(t, 8, false)
		here, there := counts(Build(m.input())), counts(Build(m.mirrored().input()))
		for _, pair := range [][2]Kind{{Download, Upload}, {RemoveLocal, RemoveRemote}, {SetFlags, SetFlags}, {Pair, Pair}, {Forget, Forget}} {
			if here[pair[0]] != there[pair[1]] || here[pair[1]] != there[pair[0]] {
				t.Fatalf("%s/%s: %d/%d, mirrored %d/%d", pair[0], pair[1], here[pair[0]], here[pair[1]], there[pair[0]], there[pair[1]])
			}
		}
	})
}
