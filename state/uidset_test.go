package state

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mailmoor/test/chance"
)

func TestUIDSetWithout(t *testing.T) {
	chance.Check(t, func(t *rapid.T) {
		draw := func(name string) (set UIDSet) {
			for _, u := range rapid.SliceOf(rapid.Uint32Range(1, 40)).Draw(t, name) {
				set = set.Add(UID(u))
			}
			return set
		}
		a, b := draw("a"), draw("b")
		if rapid.Bool().Draw(t, "up to the last UID") {
			a = a.Add(math.MaxUint32)
		}
		rest := a.Without(b)
		if err := rest.Check(); err != nil {
			t.Fatal(err)
		}
		var want []UID
		for uid := range a.All() {
			if !b.Contains(uid) {
				want = append(want, uid)
			}
		}
		if got := slices.Collect(rest.All()); !slices.Equal(got, want) {
			t.Fatalf("%v without %v is %v, want %v", a, b, got, want)
		}
		n := rapid.IntRange(1, 50).Draw(t, "n")
		all := slices.Collect(a.All())
		if got := slices.Collect(a.Tail(n).All()); !slices.Equal(got, all[max(0, len(all)-n):]) {
			t.Fatalf("the last %d of %v are %v", n, a, got)
		}
	})
}

func TestUIDSetIsASet(t *testing.T) {
	chance.Check(t, func(t *rapid.T) {
		uids := rapid.SliceOf(rapid.Uint32Range(1, 60)).Draw(t, "uids")
		var list []UID
		var added UIDSet
		for _, u := range uids {
			list = append(list, UID(u))
			added = added.Add(UID(u))
		}
		set := NewUIDSet(list...)
		if err := set.Check(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(set, added); diff != "" && len(set)+len(added) > 0 {
			t.Fatalf("adding one by one gives another set (-at once +one by one):\n%s", diff)
		}
		slices.Sort(list)
		list = slices.Compact(list)
		if got := slices.Collect(set.All()); !slices.Equal(got, list) {
			t.Fatalf("All gives %v, want %v", got, list)
		}
		if set.Len() != len(list) {
			t.Fatalf("Len is %d, want %d", set.Len(), len(list))
		}
		for u := UID(1); u <= 61; u++ {
			if set.Contains(u) != slices.Contains(list, u) {
				t.Fatalf("Contains(%d) is %v", u, set.Contains(u))
			}
		}
		size := rapid.IntRange(1, 10).Draw(t, "size")
		var chunked []UID
		for chunk := range set.Chunks(size) {
			if n := chunk.Len(); n == 0 || n > size || chunk.Check() != nil {
				t.Fatalf("chunk %v has %d UIDs, at most %d wanted", chunk, n, size)
			}
			chunked = slices.AppendSeq(chunked, chunk.All())
		}
		if !slices.Equal(chunked, list) {
			t.Fatalf("the chunks have %v, want %v", chunked, list)
		}
	})
}

// TestUIDSetAtTheEdge: the largest UID must end loops, not wrap them.
func TestUIDSetAtTheEdge(t *testing.T) {
	set := UIDSet{{math.MaxUint32 - 1, math.MaxUint32}}
	if got := slices.Collect(set.All()); len(got) != 2 {
		t.Errorf("All gives %v", got)
	}
	if n := (UIDSet{{1, math.MaxUint32}}).Len(); n != math.MaxUint32 {
		t.Errorf("Len of all UIDs is %d", n)
	}
	if got := set.String(); got != "4294967294:4294967295" {
		t.Errorf("String is %q", got)
	}
	if got := NewUIDSet(7, 1, 2, 3).String(); got != "1:3,7" {
		t.Errorf("String is %q", got)
	}
}

func TestUIDSetCheck(t *testing.T) {
	for _, bad := range []UIDSet{{{0, 1}}, {{3, 2}}, {{1, 2}, {3, 4}}, {{5, 6}, {1, 2}}, {{1, 5}, {5, 9}}} {
		if bad.Check() == nil {
			t.Errorf("%v passed", bad)
		}
	}
}
