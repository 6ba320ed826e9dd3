package corpus

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestGenerateFollowsFromTheSeed(t *testing.T) {
	o := Options{Count: 300, Seed: 7, MaxSize: 20_000}
	first, second := slices.Collect(Generate(o)), slices.Collect(Generate(o))
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("the same seed gave another corpus:\n%s", diff)
	}
	o.Seed = 8
	other := slices.Collect(Generate(o))
	for i := range other {
		if bytes.Equal(first[i].Body, other[i].Body) {
			t.Errorf("message %d is the same for another seed", i)
		}
	}
}

func TestTokensAreUnique(t *testing.T) {
	bodies := map[string][]byte{}
	sharedIDs := map[string]int{}
	for _, seed := range []uint64{1, 2} {
		for m := range Generate(Options{Count: 1000, Seed: seed, MaxSize: 5000}) {
			if n := bytes.Count(m.Body, []byte(m.Token)); n != 1 {
				t.Errorf("%v: token %s stands %d times in the message", m.Kind, m.Token, n)
			}
			if got := TokenOf(m.Body); got != m.Token {
				t.Errorf("%v: TokenOf = %q, want %q", m.Kind, got, m.Token)
			}
			earlier, known := bodies[m.Token]
			switch {
			case known != (m.Kind == KindDuplicate):
				t.Errorf("%v: token %s known already: %v", m.Kind, m.Token, known)
			case known && !bytes.Equal(earlier, m.Body):
				t.Errorf("duplicate %s differs from the original", m.Token)
			}
			bodies[m.Token] = m.Body
			if m.Kind == KindSameID {
				id := field(m.Body, "Message-ID")
				sharedIDs[id]++
			}
		}
	}
	for id, n := range sharedIDs {
		if n < 2 {
			t.Errorf("Message-ID %s is not shared", id)
		}
	}
}

// field returns the value of the first header field of that name.
func field(message []byte, name string) string {
	_, rest, found := bytes.Cut(message, []byte("\r\n"+name+": "))
	if !found {
		return ""
	}
	value, _, _ := bytes.Cut(rest, []byte("\r\n"))
	return string(value)
}

func TestEachKindIsWhatItSays(t *testing.T) {
	head := func(b []byte) []byte { h, _, _ := bytes.Cut(b, []byte("\r\n\r\n")); return h }
	bare := func(b []byte) int { return bytes.Count(b, []byte("\n")) - bytes.Count(b, []byte("\r\n")) }
	checks := map[Kind]func(b []byte) bool{
		KindPlain:          func(b []byte) bool { return field(b, "Message-ID") != "" },
		KindMultipart:      func(b []byte) bool { return bytes.Contains(b, []byte("Content-Disposition: attachment")) },
		KindEightBit:       func(b []byte) bool { return !utf8.Valid(head(b)) && !utf8.Valid(b[len(head(b)):]) },
		KindLongLines:      func(b []byte) bool { return longestLine(b) > 4000 },
		KindNoMessageID:    func(b []byte) bool { return !bytes.Contains(b, []byte("Message-ID")) },
		KindDuplicate:      func([]byte) bool { return true }, // see TestTokensAreUnique
		KindSameID:         func(b []byte) bool { return strings.HasPrefix(field(b, "Message-ID"), "<shared") },
		KindHeaderOnly:     func(b []byte) bool { return !bytes.Contains(b, []byte("\r\n\r\n")) },
		KindBareLF:         func(b []byte) bool { return bare(b) > 0 },
		KindNoFinalEOL:     func(b []byte) bool { return b[len(b)-1] != '\n' },
		KindMboxFrom:       func(b []byte) bool { return bytes.HasPrefix(b, []byte("From ")) },
		KindEmptyBody:      func(b []byte) bool { return bytes.Index(b, []byte("\r\n\r\n")) == len(b)-4 },
		KindEncodedSubject: func(b []byte) bool { return strings.HasPrefix(field(b, "Subject"), "=?utf-8?") },
		KindRawSubject:     func(b []byte) bool { return strings.Contains(field(b, "Subject"), "日本") },
		KindHugeHeader:     func(b []byte) bool { return len(head(b)) >= headerHuge },
		KindBinary:         func(b []byte) bool { return bytes.ContainsAny(b, "\x01\x7f") && !utf8.Valid(b) },
	}
	seen := map[Kind]int{}
	for m := range Generate(Options{Count: 500, Seed: 3, MaxSize: 8000}) {
		seen[m.Kind]++
		if !checks[m.Kind](m.Body) {
			t.Errorf("%s is not of kind %v", m.Token, m.Kind)
		}
		if m.Kind != KindBareLF && m.Kind != KindDuplicate && bare(m.Body) > 0 {
			t.Errorf("%s, %v, has a bare LF", m.Token, m.Kind)
		}
		if bytes.IndexByte(m.Body, 0) >= 0 {
			t.Errorf("%s, %v, has a NUL byte", m.Token, m.Kind)
		}
		if year := m.Date.Year(); year < 1999 || year > 2020 {
			t.Errorf("%s has date %v", m.Token, m.Date)
		}
	}
	for kind := range kindCount {
		if seen[kind] < 2 {
			t.Errorf("%d messages of kind %v in 500", seen[kind], kind)
		}
	}
}

func longestLine(b []byte) int {
	longest := 0
	for line := range bytes.Lines(b) {
		longest = max(longest, len(line))
	}
	return longest
}

func TestSizesAreSpread(t *testing.T) {
	var sizes []int
	for m := range Generate(Options{Count: 2000, Seed: 1}) {
		sizes = append(sizes, len(m.Body))
	}
	slices.Sort(sizes)
	if median := sizes[len(sizes)/2]; median < 3000 || median > 9000 {
		t.Errorf("median size is %d bytes", median)
	}
	if smallest, largest := sizes[0], sizes[len(sizes)-1]; smallest > 700 || largest < 500_000 {
		t.Errorf("sizes reach from %d to %d bytes", smallest, largest)
	}
}

func TestGiantHasItsSize(t *testing.T) {
	for _, size := range []int64{300, 301, 1000, 1 << 20, 50 << 20} {
		var line [2]byte
		n, err := io.Copy(tail{&line}, Giant("T000001x00000000z", size))
		if err != nil || n != size {
			t.Errorf("giant of %d bytes has %d, %v", size, n, err)
		}
		if string(line[:]) != "\r\n" {
			t.Errorf("giant of %d bytes ends in %q", size, line)
		}
	}
	message, err := io.ReadAll(Giant("T000001x00000000z", 100_000))
	if err != nil {
		t.Fatal(err)
	}
	if got := TokenOf(message); got != "T000001x00000000z" {
		t.Errorf("TokenOf(giant) = %q", got)
	}
}

// tail keeps the last two bytes written.
type tail struct{ last *[2]byte }

func (t tail) Write(p []byte) (int, error) {
	both := append(t.last[:], p...)
	copy(t.last[:], both[len(both)-2:])
	return len(p), nil
}

func TestTree(t *testing.T) {
	tree := Tree(1, 100, 5000)
	if diff := cmp.Diff(tree, Tree(1, 100, 5000)); diff != "" {
		t.Errorf("the same seed gave another tree:\n%s", diff)
	}
	if len(tree) != 100 || tree[0].Name != "INBOX" || tree[0].Messages < 2500 {
		t.Errorf("%d mailboxes, the first is %+v", len(tree), tree[0])
	}
	known, total, deepest, foreign := map[string]bool{}, 0, 0, 0
	for _, m := range tree {
		if known[m.Name] {
			t.Errorf("two mailboxes %q", m.Name)
		}
		if i := strings.LastIndexByte(m.Name, '/'); i >= 0 && !known[m.Name[:i]] {
			t.Errorf("%q comes before its parent", m.Name)
		}
		known[m.Name] = true
		total += m.Messages
		deepest = max(deepest, 1+strings.Count(m.Name, "/"))
		if strings.IndexFunc(m.Name, func(r rune) bool { return r > 127 }) >= 0 {
			foreign++
		}
	}
	if total != 5000 || deepest < 3 || foreign < 20 {
		t.Errorf("%d messages, %d levels, %d non-ASCII names", total, deepest, foreign)
	}
}
