// Package corpus generates mail for tests: messages as real mailboxes hold
// them, the ugly ones included, and trees of mailboxes. Everything follows from
// a seed: the same options give the same bytes on every machine.
package corpus

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"regexp"
	"time"

	"mailmoor/state"
)

// Sizes in bytes. They are log-normal: the median is about 6 kB, one message
// in a thousand has around a megabyte.
const (
	sizeMin        = 200
	sizeMedian     = 6000
	sizeSigma      = 1.6
	sizeMaxDefault = 4 << 20
)

// Options says what to generate.
type Options struct {
	Count int
	Seed  uint64
	// MaxSize limits the size of a message in bytes (4 MiB if 0). Kinds that
	// need more, such as a huge header, may exceed it.
	MaxSize int
}

// Message is one generated message.
type Message struct {
	// Token identifies the message among those of all seeds. It stands exactly
	// once in Body, in the Message-ID or in the text. Only a KindDuplicate
	// shares its token, with the message that it repeats byte for byte.
	Token string
	Kind  Kind
	Flags state.Flags
	// Date is the INTERNALDATE, in whole seconds, UTC.
	Date time.Time
	// Body is the whole message with CRLF line ends, those of KindBareLF
	// excepted. It never holds a NUL byte.
	Body []byte
}

// Generate yields o.Count messages. The first ones are one of each kind.
func Generate(o Options) iter.Seq[Message] {
	return func(yield func(Message) bool) {
		for i := range o.Count {
			if !yield(At(o, i)) {
				return
			}
		}
	}
}

// At returns the message that Generate yields at index i.
func At(o Options, i int) Message {
	if o.MaxSize == 0 {
		o.MaxSize = sizeMaxDefault
	}
	random := rand.New(rand.NewPCG(o.Seed, uint64(i)))
	kind := kindAt(random, i)
	if kind == KindDuplicate {
		repeated := original(o, random, i)
		m := At(o, repeated)
		m.Kind = KindDuplicate
		return m
	}
	m := Message{
		Token: fmt.Sprintf("T%06dx%08xz", i, uint32(o.Seed^o.Seed>>32)),
		Kind:  kind,
		Flags: flags(random),
		Date:  date(random),
	}
	m.Body = build(random, m, i, size(random, o.MaxSize))
	return m
}

// original returns the index of a message before i that is no duplicate
// itself. Index 0 never is one.
func original(o Options, random *rand.Rand, i int) int {
	j := random.IntN(i)
	for j > 0 && kindAt(rand.New(rand.NewPCG(o.Seed, uint64(j))), j) == KindDuplicate {
		j--
	}
	return j
}

var tokenPattern = regexp.MustCompile(`T\d{6,}x[0-9a-f]{8}z`)

// TokenOf returns the token in a message, or "" if there is none. It finds it
// whatever line ends the message has been given.
func TokenOf(message []byte) string { return string(tokenPattern.Find(message)) }

func size(random *rand.Rand, largest int) int {
	n := math.Exp(math.Log(sizeMedian) + sizeSigma*random.NormFloat64())
	return max(sizeMin, min(int(n), largest))
}

// date returns a second between 1999 and the end of 2020: not even a clock that is
// years behind has it in the future, where servers take no messages from.
func date(random *rand.Rand) time.Time {
	first := time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	last := time.Date(2020, 12, 31, 0, 0, 0, 0, time.UTC).Unix()
	return time.Unix(first+random.Int64N(last-first), 0).UTC()
}

// flags returns flags as often as people set them.
func flags(random *rand.Rand) state.Flags {
	var f state.Flags
	for _, often := range []struct {
		flag    state.Flags
		percent int
	}{
		{state.Seen, 70},
		{state.Answered, 15},
		{state.Flagged, 6},
		{state.Passed, 4},
		{state.Draft, 1},
		{state.Trashed, 1},
	} {
		if random.IntN(100) < often.percent {
			f |= often.flag
		}
	}
	return f
}
