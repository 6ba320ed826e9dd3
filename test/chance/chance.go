// Package chance says what random tests draw. In CI that is always the same, so that each
// change is judged by what the one before it was judged by; whoever runs the tests
// otherwise draws anew.
package chance

import (
	"flag"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// inCI is the seed there.
const inCI = 1

// Seed returns the seed of a random test: the one given, which repeats a test, or, if
// that is 0, one to draw with.
func Seed(given uint64) uint64 {
	switch {
	case given != 0:
		return given
	case os.Getenv("CI") != "":
		return inCI
	}
	return rand.Uint64()
}

// Check checks a property, as rapid.Check does, with values that follow from the seed.
func Check(t *testing.T, property func(*rapid.T)) {
	t.Helper()
	if err := settle(); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, property)
}

// settle gives rapid its seed, unless the command line does.
var settle = sync.OnceValue(func() error {
	f := flag.Lookup("rapid.seed")
	if f.Value.String() != f.DefValue || os.Getenv("CI") == "" {
		return nil
	}
	return f.Value.Set(strconv.Itoa(inCI))
})
