package real

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"time"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

// bothSides is what a token's users add up to when both sides touched it.
const bothSides = state.Local | state.Remote

// world plays the users of an account on both sides and keeps the books on what
// must come of it.
type world struct {
	*account
	random *rand.Rand
	// owed is how many copies of each token there should be on each side.
	// before is how many there were when the round began.
	owed, before map[string]int
	// busy and deletions are who touched a token in this round, and how many
	// copies of it were deleted, and by whom.
	busy      map[string]state.Side
	deletions map[string]int
	deletedBy map[string]state.Side
	count     int
	// revised and wandered are the messages that were edited in this round, and those
	// whose file was put elsewhere. One that is both cannot be told from a new one.
	revised, wandered map[string]bool
	// named are the keywords that the messages must have: those that somebody on the
	// server gave in this round, and nobody took again.
	named map[string]state.Keywords
	// edited is true when a file was edited in this round. Outside of Drafts that
	// is seen only once a day.
	edited bool
	log    []string
}

func newWorld(a *account, random *rand.Rand) *world {
	return &world{
		account: a, random: random, owed: map[string]int{},
		busy: map[string]state.Side{}, deletions: map[string]int{}, deletedBy: map[string]state.Side{},
		revised: map[string]bool{}, wandered: map[string]bool{}, named: map[string]state.Keywords{},
	}
}

// anchored is the token that nobody touches in each mailbox: without it a random
// deletion could empty a mailbox, which is held, as it should be.
func anchored(mailbox string) string { return "anchor of " + mailbox }

// places are the mailboxes in which the users work. Trash is where deleted
// messages go to.
var places = []string{"INBOX", "Archive", "Drafts", "Work/Büro & Co"}

func (w *world) note(on state.Side, format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf("%s: ", on)+fmt.Sprintf(format, args...))
}

// touch notes that a side does something to a message.
func (w *world) touch(on state.Side, token string) { w.busy[token] |= on }

// deletion notes that a side deletes one copy of a message.
func (w *world) deletion(on state.Side, token string) {
	w.touch(on, token)
	w.deletions[token]++
	w.deletedBy[token] |= on
}

// round lets both sides do up to n things each, and then syncs and checks.
func (w *world) round(n int) {
	w.Helper()
	w.before = maps.Clone(w.owed)
	// The server shows all that the last round brought to it, so that whatever is
	// absent was deleted.
	w.later((plan.ShownWithin + 1) * time.Second)
	clear(w.busy)
	clear(w.deletions)
	clear(w.deletedBy)
	clear(w.revised)
	clear(w.wandered)
	clear(w.named)
	w.log = nil
	for range w.random.IntN(n + 1) {
		if w.random.IntN(3) == 0 {
			w.arrive(state.Local)
		}
		w.changeLocal()
	}
	for range w.random.IntN(n + 1) {
		if w.random.IntN(3) == 0 {
			w.arrive(state.Remote)
		}
		w.changeRemote()
	}
	w.settle()
	for range 2 {
		// An edited message that is moved meanwhile is looked at twice.
		if w.edited {
			w.later(25 * time.Hour)
			w.settle()
		}
	}
	w.edited = false
	w.check()
}

// check compares both sides with each other and with the books, and closes the
// books of the round.
func (w *world) check() {
	w.Helper()
	both := w.same()
	held := w.held()
	trash := side{"Trash": both["Trash"]}.counts()
	delete(both, "Trash")
	counts := both.counts()
	for token, owed := range w.owed {
		least, most := max(0, owed-w.deletions[token]), owed
		if w.busy[token] != bothSides {
			most = least // nobody's change can have brought a copy back
		}
		if w.busy[token] == bothSides && w.revised[token] && w.wandered[token] {
			// The new version is a new message, and the old one is still wanted: the
			// other side changed it.
			most++
		}
		n := counts[token]
		if n < least || n > most {
			w.Errorf("%s is there %d times, want %d to %d", token, n, least, most)
		}
		// What both sides deleted, nobody keeps.
		if n < w.before[token] && w.deletedBy[token] != bothSides && trash[token]+held[token] == 0 {
			w.Errorf("%s was deleted and is neither in Trash nor in the hold area", token)
		}
		if n == 1 && w.before[token] == 1 && w.deletions[token] == 0 && !w.revised[token] {
			w.bears(both, token)
		}
		w.owed[token] = n
		delete(counts, token)
	}
	for token, n := range counts {
		w.Errorf("%s is there %d times and nobody knows why", token, n)
	}
	if w.Failed() {
		w.Fatalf("what the users did in this round:\n%s", strings.Join(w.log, "\n"))
	}
}

// bears checks that a message that is there once has the keywords that it was given.
func (w *world) bears(mail side, token string) {
	w.Helper()
	for _, list := range mail {
		for _, m := range list {
			if missing := w.named[token].Without(m.Keywords); m.Token == token && m.Flags != "" && missing != "" {
				w.Errorf("%s has the keywords %q, and not %q", token, m.Keywords, missing)
			}
		}
	}
}
