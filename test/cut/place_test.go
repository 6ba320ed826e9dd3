package cut

import (
	"bytes"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

const (
	// headBytes is how much of each direction is cut at every byte.
	headBytes = 20_000
	// edgeBytes is how far around each end of a literal the line is cut beyond
	// that.
	edgeBytes = 2
)

// span is the bytes from first up to, and without, end.
type span struct{ first, end int }

var announcement = regexp.MustCompile(`\{(\d{1,9})\+?\}$`)

// literals returns where the literals of one direction of a conversation lie.
// What a literal contains is skipped: messages may look like announcements.
func literals(stream []byte) []span {
	var found []span
	for at := 0; ; {
		n := bytes.Index(stream[at:], []byte("\r\n"))
		if n < 0 {
			return found
		}
		match := announcement.FindSubmatch(stream[at : at+n])
		at += n + 2
		if match == nil {
			continue
		}
		size, err := strconv.Atoi(string(match[1]))
		if err != nil || at+size > len(stream) {
			continue // a text that ends in braces
		}
		found = append(found, span{at, at + size})
		at += size
	}
}

// places returns after how many bytes of a direction the line is cut: after each
// of the first headBytes, and around both ends of each literal. 0 is before the
// first byte.
func places(stream []byte) []int64 {
	var at []int64
	for n := range min(headBytes, len(stream)) {
		at = append(at, int64(n))
	}
	for _, l := range literals(stream) {
		for _, edge := range []int{l.first, l.first + 1, l.end - 1, l.end} {
			for n := max(0, edge-edgeBytes); n <= min(edge+edgeBytes, len(stream)-1); n++ {
				at = append(at, int64(n))
			}
		}
	}
	slices.Sort(at)
	return slices.Compact(at)
}

// lines returns the places at which a line or a literal begins or ends, and one in
// the middle of each: what a silence may interrupt.
func lines(stream []byte) []int64 {
	at := []int64{0}
	mark := func(s span) { at = append(at, int64(s.first), int64(s.first+s.end)/2, int64(s.end)) }
	inside := literals(stream)
	for n := 0; n < len(stream); {
		if len(inside) > 0 && n == inside[0].first {
			mark(inside[0])
			at = append(at, int64(n+1), int64(inside[0].end-1))
			n, inside = inside[0].end, inside[1:]
			continue
		}
		end := bytes.IndexByte(stream[n:], '\n') + 1
		if end == 0 {
			break
		}
		mark(span{n, n + end})
		n += end
	}
	slices.Sort(at)
	return slices.DeleteFunc(slices.Compact(at), func(n int64) bool { return n >= int64(len(stream)) })
}

// draw returns n of the things, each as likely as the others.
func draw[T any](random *rand.Rand, all []T, n int) []T {
	var drawn []T
	for _, i := range random.Perm(len(all))[:min(n, len(all))] {
		drawn = append(drawn, all[i])
	}
	return drawn
}

// every returns every k-th place, beginning with one that depends on which, so
// that loops over the same conversation share the places among them.
func every(all []int64, k, which int) []int64 {
	var some []int64
	for i := which % k; i < len(all); i += k {
		some = append(some, all[i])
	}
	return some
}

func TestPlaces(t *testing.T) {
	// The body looks like an announcement itself.
	const head, body, tail = "a APPEND x {9}\r\n", "x {5}\r\n\r\n", "\r\nb NOOP {7}\r\n"
	stream := []byte(head + body + tail)
	want := []span{{len(head), len(head) + len(body)}}
	if diff := gocmp.Diff(want, literals(stream), gocmp.AllowUnexported(span{})); diff != "" {
		t.Errorf("literals (-want +got):\n%s", diff)
	}
	if got := places(stream); len(got) != len(stream) || got[0] != 0 || got[len(got)-1] != int64(len(stream)-1) {
		t.Errorf("places of %d bytes are %v, want every one", len(stream), got)
	}
	// The line, its literal, and what follows it.
	wantLines := []int64{0, 8, 16, 17, 20, 24, 25, 26, 27, 31}
	if diff := gocmp.Diff(wantLines, lines([]byte("a APPEND x {9}\r\nx {5}\r\n\r\n\r\nb NOOP\r\n"))); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	long := slices.Concat(bytes.Repeat([]byte("0123456789\r\n"), 2000), stream)
	first := int64(len(long) - len(stream) + len(head))
	end := first + int64(len(body))
	beyond := slices.DeleteFunc(places(long), func(n int64) bool { return n < headBytes })
	wantBeyond := []int64{first - 2, first - 1, first, first + 1, first + 2, first + 3, end - 3, end - 2, end - 1, end, end + 1, end + 2}
	if diff := gocmp.Diff(wantBeyond, beyond); diff != "" {
		t.Errorf("places beyond the first bytes (-want +got):\n%s", diff)
	}
}
