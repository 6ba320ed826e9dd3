package cut

import (
	"testing"

	"mailmoor/test/lab"
)

// handshakeBytes is more than the handshake of TLS takes in either direction.
const handshakeBytes = 3000

// TestHandshake: the line breaks below TLS, in the middle of its handshake or of a
// record. To the user it is a network that is away, never a certificate that cannot
// be trusted. Nothing has happened in most of these runs, and all the next ones do
// what is to be done.
func TestHandshake(t *testing.T) {
	t.Parallel()
	random := newRandom(t)
	head := func(stream []byte) []int64 { return places(stream[:min(handshakeBytes, len(stream))]) }
	var below []how
	for _, h := range endings() {
		// An orderly end of TLS is nothing that happens below it.
		if h.places = head; h.action != lab.CloseNotify {
			below = append(below, h)
		}
	}
	c := listen(t, sceneOf(t, "deleted-on-the-server"), masks()[0], lab.RawFaults)
	c.play(t, c.chosen(random, below), random)
}
