package cut

import (
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"mailmoor/test/chance"
	"mailmoor/test/lab"
	"mailmoor/test/scene"
)

var (
	sceneFlag  = flag.String("scene", "", "play only this scene")
	maskFlag   = flag.String("mask", "", "play only against this server, such as full or no-UIDPLUS")
	dirFlag    = flag.String("dir", "", "cut only what goes up (to the server) or down (to the client)")
	howFlag    = flag.String("how", "", "end the line only so: reset, close, fin, stall or late")
	atFlag     = flag.Int64("at", -1, "cut only after that many bytes")
	everyFlag  = flag.Int("every", 0, "cut at every `K`-th of all places instead of at some drawn at random")
	againFlag  = flag.Int("again", 0, "cut that many connections one after the other (default 1, or at random)")
	pointsFlag = flag.Int("points", 2, "how many `places` to draw for each scene, direction and ending")
	seedFlag   = flag.Uint64("seed", 0, "draw again what this seed drew")
)

// mask is a server as it could be.
type mask struct {
	name string
	hide []string
}

func masks() []mask {
	return []mask{
		{"full", nil},
		{"no-UIDPLUS", []string{"UIDPLUS"}},
		{"bare", []string{"UIDPLUS", "MOVE", "CONDSTORE", "LITERAL+"}},
	}
}

// how is a way in which a line ends, and the places at which that is tried.
type how struct {
	name   string
	action lab.Action
	places func(stream []byte) []int64
}

func endings() []how {
	return []how{
		{"reset", lab.Reset, places},
		{"close", lab.CloseNotify, places},
		{"fin", lab.Close, places},
		{"stall", lab.Stall, lines},
		{"late", lab.Late, lines},
	}
}

// tried reports whether the line can end so in that direction.
func (h how) tried(w way) bool { return h.action != lab.Late || w.direction == lab.ToServer }

// stallPatience is the patience of a run whose line goes silent. It may even be
// too short for a line that works: then the run ends early, as it would there.
const stallPatience = 150 * time.Millisecond

// way is one direction of a conversation.
type way struct {
	name      string
	direction lab.Direction
}

func ways() []way { return []way{{"up", lab.ToServer}, {"down", lab.ToClient}} }

// scenes names what is played. The other scenes need a clock that can be put
// forward, or differ from these only by what the server hides.
func scenes() []string {
	return []string{
		"upload", "download", "flags", "deleted-here", "deleted-on-the-server", "moved-here", "moved-on-the-server",
		"draft-edited", "first-sync", "new-mailboxes", "new-on-both-sides", "all-at-once",
	}
}

// doubles reports whether a cut of the conversation is known to leave two copies of
// a message, which is a limit that the documentation names: several attempts at one
// COPY arrive late, one after the other, and a server without MOVE tells nobody which
// copy belongs to which. Such cuts are played where flags ask for them, and are not
// drawn.
func (c *conversation) doubles(x cut) bool {
	return x.again > 1 && x.how.action == lab.Late && slices.Contains(c.mask.hide, "MOVE")
}

// sceneOf returns the scene of that name.
func sceneOf(t *testing.T, name string) scene.Scene {
	t.Helper()
	for _, s := range scene.All() {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("there is no scene %s", name)
	return scene.Scene{}
}

// wanted reports whether a flag asks for the name, or for nothing in particular.
func wanted(flag *string, name string) bool { return *flag == "" || *flag == name }

// cut is a place at which the line ends, how, and for how many connections.
type cut struct {
	way   way
	how   how
	at    int64
	again int
}

func (x cut) String() string {
	text := fmt.Sprintf("%s after %d bytes %s", x.how.name, x.at, x.way.name)
	if x.again > 1 {
		text += fmt.Sprintf(", %d times", x.again)
	}
	return text
}

// replay returns the command that plays a cut of the test again.
func (c *conversation) replay(test string, x cut) string {
	return fmt.Sprintf("go test ./test/cut -run '^%s$' -scene=%s -mask=%s -dir=%s -how=%s -at=%d -again=%d",
		test, c.scene.Name, c.mask.name, x.way.name, x.how.name, x.at, x.again)
}

// drawn reports whether cuts are drawn at random.
func drawn() bool { return *everyFlag == 0 && *atFlag < 0 }

// chosen returns the cuts of a conversation that the flags ask for: one place,
// every K-th place, or some drawn at random.
func (c *conversation) chosen(random *rand.Rand, endings []how) []cut {
	var cuts []cut
	for which, w := range ways() {
		for i, h := range endings {
			if !h.tried(w) || !wanted(dirFlag, w.name) || !wanted(howFlag, h.name) {
				continue
			}
			at := h.places(c.stream[w.direction])
			switch {
			case *atFlag >= 0:
				at = []int64{*atFlag}
			case *everyFlag > 0:
				at = every(at, *everyFlag, i+which)
			default:
				at = draw(random, at, *pointsFlag)
			}
			for _, n := range at {
				again := *againFlag
				if again == 0 && drawn() {
					again = 1 + random.IntN(3)
				}
				x := cut{w, h, n, max(1, again)}
				if drawn() && c.doubles(x) {
					continue
				}
				cuts = append(cuts, x)
			}
		}
	}
	return cuts
}

// newRandom returns the random source of a test and says how to repeat it.
func newRandom(t *testing.T) *rand.Rand {
	t.Helper()
	seed := chance.Seed(*seedFlag)
	t.Logf("draw again with -run '^%s$' -seed=%d", strings.ReplaceAll(t.Name(), "/", "$/^"), seed)
	name := fnv.New64a()
	_, _ = name.Write([]byte(t.Name()))
	return rand.New(rand.NewPCG(seed, name.Sum64()))
}
