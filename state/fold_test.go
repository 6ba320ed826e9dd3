package state

import (
	"strings"
	"testing"
	"unicode"
)

// TestFold: names are folded alike exactly when they differ in case only.
func TestFold(t *testing.T) {
	for _, same := range [][]string{
		{"work", "Work", "WORK", "wor\u212a"}, // the last is the Kelvin sign
		{"büro", "BÜRO"},
		{"ΣΊΣΥΦΟΣ", "σίσυφος"},
		{"s", "S", "ſ"},
		{"a\xffb", "A\xffB"},
	} {
		for _, name := range same {
			if got, want := Fold(name), Fold(same[0]); got != want || !strings.EqualFold(name, same[0]) {
				t.Errorf("%q becomes %q, and %q becomes %q", name, got, same[0], want)
			}
		}
	}
	for _, plain := range []string{"work", "büro", "straße", "", "a\xffb", "\ufffd", "仕事", "1/2"} {
		if got := Fold(plain); got != plain {
			t.Errorf("%q becomes %q, though it is in lower case", plain, got)
		}
	}
	if Fold("a\xff") == Fold("a\xfe") || Fold("a\xff") == Fold("a\ufffd") {
		t.Error("bytes that are no UTF-8 are mixed up")
	}
}

// TestFoldRune: of each rune that Unicode has, all its forms have the same one, which is
// one of them.
func TestFoldRune(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		found, member := FoldRune(r), false
		for other := unicode.SimpleFold(r); ; other = unicode.SimpleFold(other) {
			if FoldRune(other) != found {
				t.Fatalf("%q has %q, and %q has %q", r, found, other, FoldRune(other))
			}
			if member = member || other == found; other == r {
				break
			}
		}
		if !member || !HasCase(r) && found != r {
			t.Fatalf("%q has %q", r, found)
		}
	}
}

// TestLevelSet: levels are in a set that were put there.
func TestLevelSet(t *testing.T) {
	var s LevelSet
	for _, i := range []int{0, 5, 63} {
		if s = s.With(i); !s.Has(i) || s.Has(i+1) || s.Has(1) {
			t.Errorf("with level %d the set is %b", i, s)
		}
	}
	if s.With(64) != s || s.Has(64) {
		t.Error("there is a level beyond the 64th")
	}
}
