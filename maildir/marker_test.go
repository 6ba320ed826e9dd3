package maildir

import (
	"strings"
	"testing"
)

func TestMarkerText(t *testing.T) {
	want := marker{kind: kindFolder, id: NewID(), account: NewID(), generation: 3}
	got, err := parseMarker(want.text())
	if err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	want = rootMarker("abc", 7, LayoutPlus, SeparatorSemicolon)
	if got, err := parseMarker(want.text()); err != nil || got != want || got.layout != LayoutPlus || got.separator != SeparatorSemicolon {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	// A version that knows no layouts and separators reads the marker of a tree that has none.
	if text := rootMarker("abc", 7, LayoutFS, SeparatorColon).text(); strings.Contains(text, "layout") || strings.Contains(text, "separator") {
		t.Errorf("the marker is\n%s", text)
	}
}

func TestParseMarkerIsStrict(t *testing.T) {
	good := marker{kind: kindRoot, id: "abc", account: "abc", generation: 1}.text()
	if _, err := parseMarker(good); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"empty":            "",
		"no generation":    strings.Replace(good, "generation = 1\n", "", 1),
		"generation 0":     strings.Replace(good, "= 1", "= 0", 1),
		"generation 01":    strings.Replace(good, "= 1", "= 01", 1),
		"unknown kind":     strings.Replace(good, `"root"`, `"tree"`, 1),
		"unknown key":      good + "more = 1\n",
		"key twice":        good + "id = \"abc\"\n",
		"no quotes":        strings.Replace(good, `"root"`, `root`, 1),
		"id with a slash":  strings.ReplaceAll(good, `"abc"`, `"a/c"`),
		"other account":    strings.Replace(good, `account = "abc"`, `account = "x"`, 1),
		"not a key at all": good + "hello\n",
		"unknown layout":   good + "layout = \"flat\"\n",
		"empty layout":     good + "layout = \"\"\n",
		"layout of none":   strings.ReplaceAll(good, "root", "folder") + "layout = \"maildir++\"\n",
		"other separator":  good + "info_separator = \"_\"\n",
		"no separator":     good + "info_separator = \"\"\n",
		"the usual one":    good + "info_separator = \":\"\n",
		"one of none":      strings.ReplaceAll(good, "root", "folder") + "info_separator = \"!\"\n",
	} {
		if m, err := parseMarker(text); err == nil {
			t.Errorf("%s: %+v, want an error", name, m)
		}
	}
}
