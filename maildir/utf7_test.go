package maildir

import (
	"slices"
	"testing"
)

func TestForeignName(t *testing.T) {
	for _, test := range []struct{ levels, want []string }{
		{[]string{"Entw&APw-rfe"}, []string{"Entwürfe"}},
		{[]string{"Archive", "B&APw-ro"}, []string{"Archive", "Büro"}},
		{[]string{"&U,BTFw-"}, []string{"台北"}},
		{[]string{"&2D3c7A-"}, []string{"📬"}},
		{[]string{"R&-D"}, []string{"R&D"}},
		{[]string{"Archive"}, nil},
		{[]string{"R&D"}, nil},
		{[]string{"AT&T-Mobile"}, nil},
		{[]string{"Rock&Roll-Band"}, nil},
		{[]string{"Büro&APw-"}, nil}, // both at once is neither
		{[]string{"Entw&APw-rfe", "R&D"}, nil},
		{[]string{"&AGE-"}, nil},  // an a stands for itself
		{[]string{"&2D0-"}, nil},  // half a pair
		{[]string{"&APx-"}, nil},  // bits that are left over
		{[]string{"&AP+w-"}, nil}, // bytes that are left over
	} {
		if got := foreignName(test.levels); !slices.Equal(got, test.want) {
			t.Errorf("foreignName(%q) = %q, want %q", test.levels, got, test.want)
		}
	}
}

func FuzzDecodeUTF7(f *testing.F) {
	for _, seed := range []string{"Entw&APw-rfe", "&", "&-", "&U,BTFw-x&2D3c7A-", "&AAA-"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		decoded, ok := decodeUTF7(s)
		if ok && decoded == "" && s != "" {
			t.Fatalf("%q stands for nothing", s)
		}
		if again, isAgain := decodeUTF7(decoded); ok && decoded == s && (!isAgain || again != s) {
			t.Fatalf("%q became %q", s, again)
		}
	})
}
