package maildir

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"strings"

	"mailmoor/state"
)

// hostBytesMax keeps the host's name from making a key too long.
const hostBytesMax = 64

// NewKey returns a key that no file has had or will have: the time, 64 random
// bits, a counter and the host, so that a broken clock or a cloned machine alone
// cannot make two equal.
func (t *Tree) NewKey() state.Key {
	return state.Key(fmt.Sprintf("%d.%s_%d.%s", t.now().Unix(), randomHex(8), t.keys.Add(1), t.host))
}

// NewID returns a random id for a marker: 128 bits in hex.
func NewID() string { return randomHex(16) }

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) // never fails: crypto/rand ends the process instead
	return hex.EncodeToString(b)
}

// hostName returns the host's name, made fit for a file name.
func hostName() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "localhost"
	}
	name = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '-' || r == '.' {
			return r
		}
		return '_'
	}, name)
	return name[:min(len(name), hostBytesMax)]
}
