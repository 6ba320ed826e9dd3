package maildir

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailmoor/state"
)

func TestEncodePath(t *testing.T) {
	long := strings.Repeat("x", componentBytesMax)
	tests := []struct {
		name   string
		levels []string
		path   string
	}{
		{"plain", []string{"Archive", "2024"}, "Archive/2024"},
		{"non-ASCII", []string{"Entwürfe"}, "Entwürfe"},
		{"inbox of any case", []string{"inBox", "inBox"}, "INBOX/inBox"},
		{"separator inside a level", []string{"a/b"}, "a%2Fb"},
		{"percent", []string{"100%"}, "100%25"},
		{"parent directory", []string{"..", ".", "x"}, "%2E%2E/%2E/x"},
		{"hidden", []string{".git"}, "%2Egit"},
		{"reserved", []string{"cur", "NEW", "tmp", "news"}, "%63ur/NEW/%74mp/news"},
		{"control characters", []string{"a\x00b\x1b\u0085"}, "a%00b%1B%C2%85"},
		{"direction override", []string{"a\u202eb"}, "a%E2%80%AEb"},
		{"invalid UTF-8", []string{"a\xffb"}, "a%FFb"},
		{"outer spaces", []string{" a "}, "%20a%20"},
		{"trailing dot", []string{"etc."}, "etc%2E"},
		{"empty level", []string{"a", "", "b"}, "a/%-/b"},
		{"longest in one directory", []string{long}, long},
		{"continued", []string{long + "cur"}, long + "%+/%63ur"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path, err := encodePath(test.levels, 0, "")
			if err != nil || path != test.path {
				t.Fatalf("encodePath(%q) = %q, %v, want %q", test.levels, path, err, test.path)
			}
			levels, apart, err := decodePath(path, "")
			want := append([]string(nil), test.levels...)
			if strings.EqualFold(want[0], "inbox") {
				want[0] = "INBOX"
			}
			if diff := cmp.Diff(want, levels); err != nil || diff != "" || apart != 0 {
				t.Errorf("decodePath(%q): %v %s", path, err, diff)
			}
		})
	}
}

// TestDecodePath: what others have named is understood, too. Folders whose names mailmoor
// would have written otherwise were refused once, and their mail never travelled.
func TestDecodePath(t *testing.T) {
	long := strings.Repeat("x", 255)
	for _, test := range []struct {
		path   string
		levels []string
		apart  state.LevelSet
	}{
		{"New", []string{"New"}, 0},
		{"%4Eew", []string{"New"}, 1}, // as older versions wrote it everywhere
		{"%4EEW/Cur", []string{"NEW", "Cur"}, 1},
		{"inbox/Inbox", []string{"INBOX", "Inbox"}, 0},
		{"%69nbox", []string{"INBOX"}, 0},
		{".hidden", []string{".hidden"}, 1},
		{"etc./a ", []string{"etc.", "a "}, 3},
		{"a\tb", []string{"a\tb"}, 1},
		{"a%62", []string{"ab"}, 1},
		{"a%2fb", []string{"a%2fb"}, 1},
		{"100%", []string{"100%"}, 1},
		{"%4/%zz/%-x", []string{"%4", "%zz", "%-x"}, 7},
		{"50%+", []string{"50%+"}, 1},
		{"a%+/b", []string{"a%+", "b"}, 1},
		{"%-/%-", []string{"", ""}, 0},
		{"Entw\xfcrfe", []string{"Entw\xfcrfe"}, 1},
		{long, []string{long}, 1},
		{long + "/" + long, []string{long, long}, 3},
	} {
		levels, apart, err := decodePath(test.path, "")
		if diff := cmp.Diff(test.levels, levels); err != nil || diff != "" || apart != test.apart {
			t.Errorf("decodePath(%q): apart %b, %v %s", test.path, apart, err, diff)
		}
	}
}

func TestDecodePathRefuses(t *testing.T) {
	for _, path := range []string{
		"", "/", "a//b", "a/", ".", "../a", "a/cur", "new/a", ".mailmoor", "a/.Mailmoor.tmp", "a\x00", strings.Repeat("a/", pathDepthMax) + "a",
	} {
		if levels, _, err := decodePath(path, ""); !errors.Is(err, errNoName) {
			t.Errorf("decodePath(%q) = %q, %v, want errNoName", path, levels, err)
		}
	}
	if _, _, err := decodePath(strings.Repeat("x", componentBytesMax)+continuation, ""); !errors.Is(err, errIncomplete) {
		t.Errorf("the beginning of a level: %v, want errIncomplete", err)
	}
}

func TestEncodePathHasLimits(t *testing.T) {
	for name, levels := range map[string][]string{
		"no level":        nil,
		"too many levels": make([]string, levelsMax+1),
		"too long":        {strings.Repeat("ü", pathBytesMax)},
	} {
		if path, err := encodePath(levels, 0, ""); err == nil {
			t.Errorf("%s: %q, want an error", name, path)
		}
	}
}

// TestUnfitForWindows: on a disk that takes no colon, folders do without it, too, and
// without all else that such disks refuse.
func TestUnfitForWindows(t *testing.T) {
	levels := []string{"Re: what?", `a\b`, "<c>|\"d*\""}
	want := map[Layout]string{
		LayoutFS:   "Re%3A what%3F/a%5Cb/%3Cc%3E%7C%22d%2A%22",
		LayoutPlus: ".Re%3A what%3F.a%5Cb.%3Cc%3E%7C%22d%2A%22",
	}
	for layout, path := range want {
		got, err := layout.encode(levels, 0, unfitForWindows)
		if err != nil || got != path {
			t.Errorf("%s: %q, %v, want %q", layout, got, err, path)
		}
		back, apart, err := layout.decode(path, unfitForWindows)
		if diff := cmp.Diff(levels, back); err != nil || diff != "" || apart != 0 {
			t.Errorf("%s: apart %b, %v %s", layout, apart, err, diff)
		}
		if back, _, err := layout.decode(path, ""); err != nil || !cmp.Equal(back, levels) {
			t.Errorf("%s: on another disk it stands for %q, %v", layout, back, err)
		}
	}
}

func FuzzNames(f *testing.F) {
	for _, seed := range []string{"INBOX", "a|b", "|", "..|cur|.", strings.Repeat("%", 200), "\xff\x00|é.", strings.Repeat("ab", 150) + ".cur"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		levels := strings.Split(name, "|")
		path, err := encodePath(levels, 0, "")
		if err != nil {
			if len(levels) <= levelsMax && 3*len(name)+2*len(levels) < pathBytesMax/2 {
				t.Fatalf("encodePath(%q): %v", levels, err)
			}
			return
		}
		if !filepath.IsLocal(path) {
			t.Fatalf("%q leaves the root", path)
		}
		if _, err := splitPath(path); err != nil {
			t.Fatalf("our own path is refused: %v", err)
		}
		for part := range strings.SplitSeq(path, "/") {
			if part == "" || len(part) > 255 || part[0] == '.' || !directoryName(part) {
				t.Fatalf("%q has the part %q", path, part)
			}
		}
		back, apart, err := decodePath(path, "")
		if err != nil {
			t.Fatalf("decodePath(%q): %v", path, err)
		}
		if strings.EqualFold(levels[0], "INBOX") {
			levels[0] = "INBOX"
		}
		if diff := cmp.Diff(levels, back); diff != "" || apart != 0 {
			t.Fatalf("by way of %q: %s", path, diff)
		}
	})
}

// FuzzDecodePath starts from the other end: whatever is taken for a mailbox name becomes
// a path that stands for the same one.
func FuzzDecodePath(f *testing.F) {
	for _, seed := range []string{
		"INBOX", "a/b", "%2E", "%-", "x%+/y", "%77ork/b%C3%9Cro/%63%75r", strings.Repeat("x", componentBytesMax) + "%+/y",
		"New", "%4EEW/inbox", ".hidden", "a%", "a%62", "%-x", " a. ", strings.Repeat("%41", 80) + "%+",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		levels, apart, err := decodePath(path, "")
		if err != nil {
			return
		}
		if _, err := splitPath(path); err != nil {
			t.Fatalf("it stands for %q, and is refused: %v", levels, err)
		}
		for _, apart := range []state.LevelSet{0, apart} {
			again, err := encodePath(levels, apart, "")
			if err != nil && apart != 0 {
				continue // all escapes of a long name are too much
			}
			back, _, backErr := decodePath(again, "")
			if diff := cmp.Diff(levels, back); err != nil || backErr != nil || diff != "" {
				t.Fatalf("%q stands for %q, which becomes %q, %v, %v: %s", path, levels, again, err, backErr, diff)
			}
		}
	})
}
