package state

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mailmoor/test/chance"
)

func TestKeywordNames(t *testing.T) {
	for _, good := range []string{"work", "$Label1", "NonJunk", "a.b/c-d_e:f", "[Gmail", strings.Repeat("x", keywordBytesMax)} {
		if !IsKeyword(good) {
			t.Errorf("%q is refused", good)
		}
	}
	for _, bad := range []string{
		"", " ", "a b", `\Seen`, `a\b`, "a]b", "a*", "a%", `a"`, "a(", "a)", "a{", "tür", "a\x00", "a\x7f", "$Forwarded", "$forwarded",
		strings.Repeat("x", keywordBytesMax+1),
	} {
		if IsKeyword(bad) {
			t.Errorf("%q is taken", bad)
		}
		if got := NewKeywords("ok", bad); got != "ok" {
			t.Errorf("with %q the set is %q", bad, got)
		}
	}
}

func TestKeywordsHaveOneForm(t *testing.T) {
	k := NewKeywords("work", "$a", "Work", "B", "a")
	if k != "$a a B work" {
		t.Errorf("the set is %q", k)
	}
	if err := k.Check(); err != nil {
		t.Error(err)
	}
	for _, bad := range []Keywords{"b a", "a A", "a  b", " a", "a ", "tür", `\Seen`} {
		if bad.Check() == nil {
			t.Errorf("%q passed", bad)
		}
	}
	if !k.Has("WORK") || k.Has("wor") || !k.Equal("$A A b WORK") || k.Equal("$a a B") {
		t.Error("names do not compare without their case")
	}
	if got := Keywords("Work").Union("work x").Without("X").Within("WORK"); got != "Work" {
		t.Errorf("the first spelling did not stay: %q", got)
	}
	var many []string
	for i := range 1000 {
		many = append(many, strings.Repeat("k", 90)+strings.Repeat("z", i%9)+string(rune('a'+i%26))+string(rune('a'+i/26%26)))
	}
	if k := NewKeywords(many...); k.Check() != nil || len(k) < keywordsBytesMax/2 {
		t.Errorf("of too many keywords %d bytes are kept: %v", len(k), k.Check())
	}
}

func TestKeywordRule(t *testing.T) {
	k := NewKeywords("a", "B", "c")
	for _, test := range []struct {
		rule KeywordRule
		want Keywords
	}{
		{KeywordRule{}, ""},
		{KeywordRule{Any: true}, k},
		{KeywordRule{Listed: NewKeywords("b", "d")}, "B"},
	} {
		if got := test.rule.Of(k); got != test.want {
			t.Errorf("%+v lets %q be stored, want %q", test.rule, got, test.want)
		}
	}
}

// TestKeywordsMergeAsFlagsDo draws sets of six keywords, each of which stands for
// one of the flags, and compares every operation with that on flags.
func TestKeywordsMergeAsFlagsDo(t *testing.T) {
	names := []string{"a", "B", "$c", "d-e", "F", "g"}
	keywords := func(f Flags, upper bool) Keywords {
		var list []string
		for i, name := range names {
			if upper {
				name = strings.ToUpper(name)
			}
			if f&(1<<i) != 0 {
				list = append(list, name)
			}
		}
		return NewKeywords(list...)
	}
	chance.Check(t, func(t *rapid.T) {
		var f [3]Flags
		var k [3]Keywords
		for i := range f {
			f[i] = Flags(rapid.IntRange(0, int(AllFlags)).Draw(t, "set"))
			k[i] = keywords(f[i], rapid.Bool().Draw(t, "upper"))
		}
		for what, both := range map[string]struct {
			flags Flags
			got   Keywords
		}{
			"merge":   {MergeFlags(f[0], f[1], f[2]), MergeKeywords(k[0], k[1], k[2])},
			"and":     {f[0] | f[1], k[0].Union(k[1])},
			"without": {f[0] &^ f[1], k[0].Without(k[1])},
			"within":  {f[0] & f[1], k[0].Within(k[1])},
			"rule":    {f[0] & f[1], KeywordRule{Listed: k[1]}.Of(k[0])},
		} {
			if err := both.got.Check(); err != nil || !both.got.Equal(keywords(both.flags, false)) {
				t.Fatalf("%s of %q: %q, want %q (%v)", what, k, both.got, keywords(both.flags, false), err)
			}
		}
		for i, name := range names {
			if k[0].Has(name) != (f[0]&(1<<i) != 0) {
				t.Fatalf("%q in %q: %v", name, k[0], k[0].Has(name))
			}
		}
		if list := k[0].Names(); !slices.IsSortedFunc(list, compareFold) || NewKeywords(list...) != k[0] {
			t.Fatalf("%q is made of %q", k[0], list)
		}
	})
}
