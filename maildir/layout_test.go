package maildir

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
			path, err := encodePlus(test.levels, 0)
			if err != nil || path != test.path {
				t.Fatalf("encodePlus(%q) = %q, %v, want %q", test.levels, path, err, test.path)
			}
			levels, apart, err := decodePlus(path)
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

func TestDecodePlusRefusesWhatItDidNotWrite(t *testing.T) {
	for _, path := range []string{
		"", "Sent", "..", ".", ".INBOX", ".inbox.x", ".a..b", ".a.", ".a%2fb", ".a%62", ".a%", "..a", ". a", ".a/b", ".mailmoor", ".%-x",
	} {
		levels, _, err := decodePlus(path)
		if path == plusInbox {
			if err != nil || !slices.Equal(levels, []string{"INBOX"}) {
				t.Errorf("the root stands for %q, %v", levels, err)
			}
			continue
		}
		if !errors.Is(err, errNoName) {
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
		if path, err := encodePlus(levels, 0); err == nil {
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
		path, err := encodePlus(levels, 0)
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
		back, apart, err := decodePlus(path)
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

// FuzzDecodePlus starts from the other end: two directories never stand for one
// mailbox.
func FuzzDecodePlus(f *testing.F) {
	for _, seed := range []string{".", ".a.b", ".INBOX.a", ".%2E", ".%-", ".mailmoor", ".%6Dailmoor"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		levels, apart, err := decodePlus(path)
		if err != nil {
			return
		}
		if again, err := encodePlus(levels, apart); err != nil || again != path {
			t.Fatalf("%q stands for %q, which becomes %q, %v", path, levels, again, err)
		}
	})
}
