package maildir

import (
	"slices"
	"strings"
	"testing"

	"mailmoor/state"
)

func TestFileName(t *testing.T) {
	const seen, flagged = state.Seen, state.Flagged
	tests := []struct {
		name    string
		key     state.Key
		flags   state.Flags
		set     state.Flags
		renamed string // with the flags set
	}{
		{"1.a.h:2,", "1.a.h", 0, seen, "1.a.h:2,S"},
		{"1.a.h:2,FS", "1.a.h", flagged | seen, 0, "1.a.h:2,"},
		{"1.a.h:2,SF", "1.a.h", flagged | seen, seen, "1.a.h:2,S"},
		{"no-info", "no-info", 0, seen, "no-info:2,S"},
		{"1.a.h:1,exp", "1.a.h:1,exp", 0, seen, "1.a.h:1,exp:2,S"},
		{"1.a.h:3,S", "1.a.h:3,S", 0, seen, "1.a.h:3,S:2,S"},
		{"1.a.h,S=12:2,S", "1.a.h,S=12", seen, flagged, "1.a.h,S=12:2,F"},
		{"1.a.h:2,Sab", "1.a.h", seen, flagged, "1.a.h:2,Fab"},
		{"1.a.h:2,S,foo", "1.a.h", seen, flagged | seen, "1.a.h:2,FS,foo"},
		{"1.a.h:2,SX", "1.a.h", seen, 0, "1.a.h:2,X"},
		{"1.a:b.h:2,S", "1.a:b.h", seen, 0, "1.a:b.h:2,"},
		{"1.a.h:2,ü", "1.a.h", 0, seen, "1.a.h:2,Sü"},
		{"1.a.h:2,Sü", "1.a.h", seen, 0, "1.a.h:2,ü"},
		{"1.a.vm:2,:2,S", "1.a.vm", seen, flagged, "1.a.vm:2,F"},
		{"1.a.vm:2,R:2,:2,", "1.a.vm", 0, seen, "1.a.vm:2,S"},
		{"1.a.vm:2,F:2,Sa,x", "1.a.vm", seen, 0, "1.a.vm:2,a,x"},
		{"1.a.h:2,S.old", "1.a.h", seen, flagged, "1.a.h:2,F.old"},
		{"1.a.h:2,S1F", "1.a.h", seen, 0, "1.a.h:2,1F"},
		// As programs write them on disks that take no colon. All flags were lost
		// on the server when a tree was copied so.
		{"1.a.h!2,S", "1.a.h", seen, flagged, "1.a.h:2,F"},
		{"1.a.h;2,FSb", "1.a.h", flagged | seen, 0, "1.a.h:2,b"},
		{"1.a.h!2,S:2,F", "1.a.h", flagged, seen, "1.a.h:2,S"},
		{"1.a.h:2,S!2,:2,R;2,F", "1.a.h", flagged, 0, "1.a.h:2,"},
		{"1.a.h,12,;2,S", "1.a.h,12,", seen, 0, "1.a.h,12,:2,"},
		{"1.a!b;c.h", "1.a!b;c.h", 0, seen, "1.a!b;c.h:2,S"},
		{"1.a.h_2,S", "1.a.h_2,S", 0, 0, "1.a.h_2,S:2,"},
	}
	for _, test := range tests {
		n := parseFileName(test.name)
		if n.key != test.key || n.flags != test.flags {
			t.Errorf("%q: key %q, flags %q; want %q, %q", test.name, n.key, n.flags, test.key, test.flags)
		}
		if err := n.key.Check(); err != nil {
			t.Errorf("%q: %v", test.name, err)
		}
		if got := string(n.key) + n.info("", test.set); got != test.renamed {
			t.Errorf("%q with flags %q is named %q, want %q", test.name, test.set, got, test.renamed)
		}
	}
}

func FuzzFileName(f *testing.F) {
	for _, seed := range []string{
		"1.a.h:2,FS", "x", "1:2,S:2,F", "k:2,Sabz,foo,bar", "k:1,", ":2,", "k:2,\xff\xc3\xbcS", "k!2,S", "k;2,F!2,:2,S", "2,2,!2,", "k:2,!2",
	} {
		f.Add(seed, uint8(state.Seen), uint8(1))
	}
	f.Fuzz(func(t *testing.T, name string, set, by uint8) {
		n, sep := parseFileName(name), Separator(separators[by%3])
		if n.noInfo != (n.by == "") || n.noInfo && string(n.key) != name || !n.noInfo && !strings.HasPrefix(name, string(n.key)+n.by.mark()) {
			t.Fatalf("%q has the key %q, separator %q", name, n.key, n.by)
		}
		flags := state.Flags(set) & state.AllFlags
		written := string(n.key) + n.info(sep, flags)
		again := parseFileName(written)
		if again.key != n.key || again.flags != flags || again.tail != n.tail || again.by != sep {
			t.Fatalf("%q with flags %q: %+v, want %+v", name, flags, again, n)
		}
		marks := 0
		for _, by := range separators {
			marks += strings.Count(written, Separator(by).mark())
		}
		if marks != 1 {
			t.Fatalf("%q becomes %q", name, written)
		}
		before, after := []byte(n.others), []byte(again.others)
		slices.Sort(before)
		slices.Sort(after)
		if !slices.Equal(before, after) {
			t.Fatalf("%q: foreign letters %q became %q", name, n.others, again.others)
		}
	})
}
