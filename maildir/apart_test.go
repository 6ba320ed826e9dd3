package maildir

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mailmoor/state"
	"mailmoor/test/chance"
)

func TestKeptApart(t *testing.T) {
	long := strings.Repeat("x", componentBytesMax)
	for _, test := range []struct {
		level    string
		fs, plus string
	}{
		{"Work", "%57ork", ".%57ork"},
		{"work", "%77ork", ".%77ork"},
		{"WORK", "%57%4F%52%4B", ".%57%4F%52%4B"},
		{"büro", "%62üro", ".%62üro"},
		{"bÜro", "b%C3%9Cro", ".b%C3%9Cro"},
		{"wor\u212a", "wor%E2%84%AA", ".wor%E2%84%AA"},
		// What is escaped in any case is not enough.
		{"cur", "%63%75r", ".%63ur"},
		{"Cur", "%43ur", ".%43ur"},
		{"CUR", "%43%55%52", ".%43%55%52"},
		{"mailmoor", "%6Dailmoor", ".%6D%61ilmoor"},
		{"Mailmoor", "%4Dailmoor", ".%4D%61ilmoor"},
		{"v1.x", "%761.x", ".%761%2Ex"},
		// Without letters there is nothing that could be taken for it.
		{"2024/仕事", "2024%2F仕事", ".2024%2F仕事"},
		{"", "%-", ".%-"},
		{long + "Y", long + "%+/%59", "." + long + "%59"},
	} {
		for _, l := range []struct {
			Layout
			path string
		}{{LayoutFS, test.fs}, {LayoutPlus, test.plus}} {
			path, err := l.encode([]string{test.level}, 1, "")
			if err != nil || path != l.path {
				t.Errorf("%s: %q becomes %q, %v, want %q", l.Layout, test.level, path, err, l.path)
				continue
			}
			levels, apart, err := l.decode(path, "")
			plain, _ := l.encode([]string{test.level}, 0, "")
			if diff := cmp.Diff([]string{test.level}, levels); err != nil || diff != "" || apart.Has(0) != (plain != path) {
				t.Errorf("%s: %q stands for %q, %b, %v", l.Layout, path, levels, apart, err)
			}
		}
	}
}

// TestInboxIsNeverApart: INBOX has one folder, whatever its case and however the directory
// is written.
func TestInboxIsNeverApart(t *testing.T) {
	for _, l := range []Layout{LayoutFS, LayoutPlus} {
		for _, levels := range [][]string{{"INBOX"}, {"inbox", "x"}} {
			plain, err := l.encode(levels, 0, "")
			apart, apartErr := l.encode(levels, 1, "")
			if plain != apart || err != nil || apartErr != nil {
				t.Errorf("%s: %q is %q and %q, %v, %v", l, levels, plain, apart, err, apartErr)
			}
		}
	}
	for path, want := range map[string][]string{"%49%4E%42%4F%58": {"INBOX"}, "%69nbox/x": {"INBOX", "x"}} {
		levels, apart, err := decodePath(path, "")
		if !slices.Equal(levels, want) || apart != 0 || err != nil {
			t.Errorf("%q stands for %q, %b, %v", path, levels, apart, err)
		}
		path = "." + strings.ReplaceAll(path, "/", ".")
		levels, apart, err = decodePlus(path, "")
		if len(want) == 1 { // it is the root
			if err == nil {
				t.Errorf("%q stands for %q", path, levels)
			}
		} else if !slices.Equal(levels, want) || apart != 0 || err != nil {
			t.Errorf("%q stands for %q, %b, %v", path, levels, apart, err)
		}
	}
}

// TestAllApart: of mailboxes whose names differ in case only, one has plain levels and
// the others are kept apart. No two of their directories are one on a disk that
// folds case, and each stands for its mailbox and no other, in both layouts.
func TestAllApart(t *testing.T) {
	letter := rapid.SampledFrom([]string{
		"a", "A", "k", "K", "\u212a", "ü", "Ü", "ß", "ẞ", "σ", "ς", "Σ", "ǆ", "ǅ", "Ǆ", "%", ".", " ", "/", "仕", "1", "\xff", "\x00", ":", "?",
	})
	level := rapid.OneOf(
		rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(letter, 1, 6).Draw(t, "letters"), "") }),
		rapid.SampledFrom([]string{"cur", "new", "tmp", "mailmoor", "mailmoor.tmp", "inbox", "", ".", ".."}),
	)
	chance.Check(t, func(t *rapid.T) {
		spellings := []string{level.Draw(t, "level")}
		for i := range rapid.IntRange(1, 4).Draw(t, "spellings") {
			if other := recased(t, spellings[0], fmt.Sprint("spelling ", i)); !slices.Contains(spellings, other) {
				spellings = append(spellings, other)
			}
		}
		below := level.Draw(t, "below")
		above := rapid.SampledFrom([][]string{nil, {"top"}}).Draw(t, "above")
		if len(above) == 0 && strings.EqualFold(spellings[0], "INBOX") {
			t.Skip("INBOX has no other spelling")
		}
		unfit := rapid.SampledFrom([]string{"", unfitForWindows}).Draw(t, "unfit")
		for _, l := range []Layout{LayoutFS, LayoutPlus} {
			paths := map[string]string{} // folded -> name
			for i, spelling := range spellings {
				levels, apart := append(slices.Clone(above), spelling, below), state.LevelSet(0)
				if i > 0 && hasCase(spelling) {
					apart = apart.With(len(above))
				}
				path, err := l.encode(levels, apart, unfit)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := l.split(path); err != nil || strings.ContainsAny(path, unfit) {
					t.Fatalf("%s: our own path %q is refused: %v", l, path, err)
				}
				back, again, err := l.decode(path, unfit)
				if diff := cmp.Diff(levels, back); diff != "" || err != nil || again != apart {
					t.Fatalf("%s: %q, %b stands at %q, which is %q, %b, %v", l, levels, apart, path, back, again, err)
				}
				if other, taken := paths[state.Fold(path)]; taken {
					t.Fatalf("%s: %q and %q are one folder when folded: %q", l, other, spelling, path)
				}
				paths[state.Fold(path)] = spelling
			}
		}
	})
}

func hasCase(s string) bool { return strings.IndexFunc(s, state.HasCase) >= 0 }

// recased draws a name that differs from s in case at most.
func recased(t *rapid.T, s, label string) string {
	forms := []rune(strings.ToValidUTF8(s, "?"))
	if len(forms) == 0 || string(forms) != s {
		return s
	}
	for i, steps := range rapid.SliceOfN(rapid.IntRange(0, 3), len(forms), len(forms)).Draw(t, label) {
		for range steps {
			forms[i] = unicode.SimpleFold(forms[i])
		}
	}
	return string(forms)
}
