package maildir

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailmoor/state"
)

func TestEncodePlus(t *testing.T) {
	longest := strings.Repeat("x", fileNameBytesMax-1)
	tests := []struct {
		name   string
		levels []string
		path   string
	}{
		{"plain", []string{"Archive", "2024"}, ".Archive.2024"},
		{"non-ASCII", []string{"Entwürfe"}, ".Entwürfe"},
		{"inbox of any case", []string{"inBox"}, "."},
		{"below the inbox", []string{"inBox", "inBox"}, ".INBOX.inBox"},
		{"dot inside a level", []string{"v1.2", "a.b."}, ".v1%2E2.a%2Eb%2E"},
		{"nothing but dots", []string{".", ".."}, ".%2E.%2E%2E"},
		{"slash inside a level", []string{"a/b"}, ".a%2Fb"},
		{"percent", []string{"100%"}, ".100%25"},
		{"names of a Maildir", []string{"cur", "new"}, ".cur.new"},
		{"control characters", []string{"a\x00b\x1b"}, ".a%00b%1B"},
		{"invalid UTF-8", []string{"a\xffb"}, ".a%FFb"},
		{"outer spaces", []string{" a ", "b c"}, ".%20a%20.b c"},
		{"one space", []string{" "}, ".%20"},
		{"empty level", []string{"a", "", "b"}, ".a.%-.b"},
		{"the name of the marker", []string{"mailmoor"}, ".%6Dailmoor"},
		{"and of its draft", []string{"Mailmoor", "tmp"}, ".%4Dailmoor.tmp"},
		{"longest", []string{longest}, "." + longest},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path, err := encodePlus(test.levels, 0, "")
			if err != nil || path != test.path {
				t.Fatalf("encodePlus(%q) = %q, %v, want %q", test.levels, path, err, test.path)
			}
			levels, apart, err := decodePlus(path, "")
			want := slices.Clone(test.levels)
			if strings.EqualFold(want[0], "inbox") {
				want[0] = "INBOX"
			}
			if diff := cmp.Diff(want, levels); err != nil || diff != "" || apart != 0 {
				t.Errorf("decodePlus(%q): %v %s", path, err, diff)
			}
		})
	}
}

// TestDecodePlus: what others have named is understood, too.
func TestDecodePlus(t *testing.T) {
	for _, test := range []struct {
		path   string
		levels []string
		apart  state.LevelSet
	}{
		{".", []string{"INBOX"}, 0},
		{".New.Cur", []string{"New", "Cur"}, 0},
		{".inbox.x", []string{"INBOX", "x"}, 0},
		{".a%2fb", []string{"a%2fb"}, 1},
		{".a%62.c", []string{"ab", "c"}, 1},
		{".100%.%4.%-x", []string{"100%", "%4", "%-x"}, 7},
		{". a.b ", []string{" a", "b "}, 3},
		{".a\tb", []string{"a\tb"}, 1},
		{".%-.a", []string{"", "a"}, 0},
		{".mailmoor.x", []string{"mailmoor", "x"}, 1},
	} {
		levels, apart, err := decodePlus(test.path, "")
		if diff := cmp.Diff(test.levels, levels); err != nil || diff != "" || apart != test.apart {
			t.Errorf("decodePlus(%q): apart %b, %v %s", test.path, apart, err, diff)
		}
	}
}

func TestDecodePlusRefuses(t *testing.T) {
	for _, path := range []string{"", "Sent", "..", ".INBOX", ".%69nbox", ".a..b", ".a.", "..a", ".a/b", ".mailmoor", ".Mailmoor.tmp"} {
		if levels, _, err := decodePlus(path, ""); !errors.Is(err, errNoName) {
			t.Errorf("decodePlus(%q) = %q, %v, want errNoName", path, levels, err)
		}
	}
}

func TestEncodePlusHasLimits(t *testing.T) {
	for name, levels := range map[string][]string{
		"no level":          nil,
		"too many levels":   make([]string, levelsMax+1),
		"one byte too long": {strings.Repeat("x", fileNameBytesMax)},
		"long by escapes":   {strings.Repeat(".", 100)},
		"long by levels":    {strings.Repeat("ü", 64), strings.Repeat("ü", 64)},
	} {
		if path, err := encodePlus(levels, 0, ""); err == nil {
			t.Errorf("%s: %q, want an error", name, path)
		}
	}
}

func TestSplitPlus(t *testing.T) {
	for _, path := range []string{"", "..", "...", "Sent", ".a/b", "./a", "../a", ".a\x00", "." + strings.Repeat("x", fileNameBytesMax)} {
		if parts, err := LayoutPlus.split(path); err == nil {
			t.Errorf("%q is split into %q", path, parts)
		}
	}
	for path, want := range map[string][]string{".": nil, ".a.b": {".a.b"}} {
		if parts, err := LayoutPlus.split(path); err != nil || !slices.Equal(parts, want) {
			t.Errorf("%q is split into %q, %v", path, parts, err)
		}
	}
}

func FuzzPlusNames(f *testing.F) {
	for _, seed := range []string{"INBOX", "inbox|a", "a|b", "|", "..|cur|.", "mailmoor|tmp", "\xff\x00|é.", " | a", "%-|%2E"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		levels := strings.Split(name, "|")
		path, err := encodePlus(levels, 0, "")
		if err != nil {
			if len(levels) <= levelsMax && 3*len(name)+3*len(levels) < fileNameBytesMax {
				t.Fatalf("encodePlus(%q): %v", levels, err)
			}
			return
		}
		parts, err := LayoutPlus.split(path)
		if err != nil || len(parts) > 1 || !filepath.IsLocal(path) || len(path) > fileNameBytesMax {
			t.Fatalf("our own path %q: %q, %v", path, parts, err)
		}
		if strings.EqualFold(path, markerName) || strings.EqualFold(path, markerTmpName) {
			t.Fatalf("%q is the name of a marker", path)
		}
		back, apart, err := decodePlus(path, "")
		if err != nil {
			t.Fatalf("decodePlus(%q): %v", path, err)
		}
		if strings.EqualFold(levels[0], "INBOX") {
			levels[0] = "INBOX"
		}
		if diff := cmp.Diff(levels, back); diff != "" || apart != 0 {
			t.Fatalf("by way of %q: %s", path, diff)
		}
	})
}

// FuzzDecodePlus starts from the other end: whatever is taken for a mailbox name becomes
// a directory that stands for the same one, or one that is too long.
func FuzzDecodePlus(f *testing.F) {
	for _, seed := range []string{".", ".a.b", ".INBOX.a", ".%2E", ".%-", ".mailmoor", ".%6Dailmoor", ".a%62", ". a.100%"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		levels, apart, err := decodePlus(path, "")
		if err != nil {
			return
		}
		if _, err := LayoutPlus.split(path); err != nil {
			t.Fatalf("it stands for %q, and is refused: %v", levels, err)
		}
		for _, apart := range []state.LevelSet{0, apart} {
			again, err := encodePlus(levels, apart, "")
			if err != nil {
				continue
			}
			if back, _, err := decodePlus(again, ""); err != nil || !slices.Equal(back, levels) {
				t.Fatalf("%q stands for %q, which becomes %q and then %q, %v", path, levels, again, back, err)
			}
		}
	})
}
