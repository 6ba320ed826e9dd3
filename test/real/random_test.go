package real

import (
	"flag"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mailmoor/engine"
	"mailmoor/state"
	"mailmoor/test/corpus"
	"mailmoor/test/lab"
)

var (
	seedFlag   = flag.Uint64("seed", 0, "repeat the random choices of this seed")
	roundsFlag = flag.Int("rounds", 36, "how many rounds of random changes to play")
)

// newRandom returns the random source of a test, which no other test shares, and
// says how to repeat it.
func newRandom(t *testing.T) *rand.Rand {
	t.Helper()
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("repeat with -run '^%s$' -seed=%d", strings.ReplaceAll(t.Name(), "/", "$/^"), seed)
	name := fnv.New64a()
	_, _ = name.Write([]byte(t.Name()))
	return rand.New(rand.NewPCG(seed, name.Sum64()))
}

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
	// edited is true when a file was edited in this round. Outside of Drafts that
	// is seen only once a day.
	edited bool
	log    []string
}

func newWorld(a *account, random *rand.Rand) *world {
	return &world{
		account: a, random: random, owed: map[string]int{},
		busy: map[string]state.Side{}, deletions: map[string]int{}, deletedBy: map[string]state.Side{},
		revised: map[string]bool{}, wandered: map[string]bool{},
	}
}

// anchored is the token that nobody touches in each mailbox: without it a random
// deletion could empty a mailbox, which is held, as it should be.
func anchored(mailbox string) string { return "anchor of " + mailbox }

// places are the mailboxes in which the users work. Trash is where deleted
// messages go to.
var places = []string{"INBOX", "Archive", "Drafts", "Work/Büro & Co"}

// begin fills the account.
func (w *world) begin(messages int) {
	w.srv.CreateMailbox(w.user, "Work/Büro & Co")
	for _, place := range places {
		w.deliver(place, anchored(place))
		w.owed[anchored(place)]++
	}
	for range messages {
		w.arrive(state.Remote)
	}
	w.settle()
	w.check()
}

// arrive puts a new message somewhere on one side.
func (w *world) arrive(on state.Side) {
	w.Helper()
	w.count++
	m := corpus.At(corpus.Options{Seed: 7, MaxSize: 1 << 14}, w.count)
	if m.Kind == corpus.KindDuplicate {
		m.Token = fmt.Sprintf("fresh%04d", w.count)
		m.Body = body(m.Token)
	}
	m.Flags &^= state.Trashed
	if m.Date.Unix() > start {
		m.Date = time.Unix(start, 0) // Dovecot takes no message from the future
	}
	place := places[w.random.IntN(len(places))]
	w.owed[m.Token]++
	w.busy[m.Token] = on
	w.note(on, "new message in %s: %s", place, m.Token)
	if on == state.Remote {
		w.srv.Append(w.user, place, lab.IMAPFlags(m.Flags), m.Date, m.Body)
		return
	}
	name := fmt.Sprintf("cur/%d.%d.mutt:2,%s", time.Now().UnixNano(), w.count, m.Flags)
	if m.Flags == 0 {
		name, _, _ = strings.Cut(strings.Replace(name, "cur", "new", 1), ":2,")
	}
	w.putFile(place, name, lf(m.Body), m.Date.Unix())
}

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

// changeRemote lets another client do one thing on the server.
func (w *world) changeRemote() {
	w.Helper()
	place := places[w.random.IntN(len(places))]
	list := slices.DeleteFunc(w.srv.Messages(w.user, place), func(m lab.Message) bool {
		return strings.HasPrefix(tokenOf(m.Body), "anchor") || w.noExpunge && m.Flags&state.Trashed != 0
	})
	if len(list) == 0 {
		return
	}
	m := list[w.random.IntN(len(list))]
	token, uids := tokenOf(m.Body), state.NewUIDSet(m.UID)
	dest := places[w.random.IntN(len(places))]
	switch w.random.IntN(6) {
	case 0, 1, 2:
		flags := state.Flags(w.random.IntN(int(state.AllFlags)+1)) &^ state.Trashed
		w.touch(state.Remote, token)
		w.note(state.Remote, "flags of %s in %s become %q", token, place, flags)
		w.srv.StoreFlags(w.user, place, uids, lab.IMAPFlags(flags), lab.IMAPFlags(state.AllFlags&^flags))
	case 3:
		w.deletion(state.Remote, token)
		w.note(state.Remote, "delete %s from %s", token, place)
		w.srv.Expunge(w.user, place, uids)
	default:
		if dest == place {
			return
		}
		w.touch(state.Remote, token)
		w.note(state.Remote, "move %s from %s to %s", token, place, dest)
		w.srv.Move(w.user, place, uids, dest)
	}
}

// changeLocal lets a mail reader do one thing in the tree.
func (w *world) changeLocal() {
	w.Helper()
	place := places[w.random.IntN(len(places))]
	files := slices.DeleteFunc(w.files(place), func(path string) bool { return strings.HasPrefix(w.tokenAt(path), "anchor") })
	if len(files) == 0 {
		return
	}
	path := files[w.random.IntN(len(files))]
	token := w.tokenAt(path)
	dest := places[w.random.IntN(len(places))]
	base, _, _ := strings.Cut(filepath.Base(path), ":2,")
	flags := state.Flags(w.random.IntN(int(state.AllFlags)+1)) &^ state.Trashed
	cur := func(folder, key string) string {
		return filepath.Join(w.root, folder, "cur", fmt.Sprintf("%s:2,%s", key, flags))
	}
	w.count++
	fresh := fmt.Sprintf("%d.%d.fresh", time.Now().UnixNano(), w.count)
	switch w.random.IntN(8) {
	case 0, 1:
		w.touch(state.Local, token)
		w.note(state.Local, "flags of %s in %s become %q", token, place, flags)
		w.rename(path, cur(place, base))
	case 2:
		w.deletion(state.Local, token)
		w.note(state.Local, "delete %s from %s", token, place)
		w.must(os.Remove(path))
	case 3:
		w.touch(state.Local, token)
		w.wandered[token] = true
		w.note(state.Local, "move %s from %s to %s", token, place, dest)
		w.rename(path, cur(dest, base))
	case 4:
		w.touch(state.Local, token)
		w.wandered[token] = true
		w.note(state.Local, "write %s from %s anew into %s", token, place, dest)
		w.copyFile(path, cur(dest, fresh))
		w.must(os.Remove(path))
	case 5:
		w.touch(state.Local, token)
		w.owed[token]++
		w.note(state.Local, "copy %s from %s to %s", token, place, dest)
		w.copyFile(path, cur(dest, fresh))
	case 6:
		w.touch(state.Local, token)
		w.note(state.Local, "edit %s in %s", token, place)
		w.edited, w.revised[token] = true, true
		w.copyFile(path, path, fmt.Sprintf("\nedited %d\n", w.count))
	default:
		w.touch(state.Local, token)
		w.wandered[token] = true
		w.note(state.Local, "give %s in %s another name", token, place)
		w.rename(path, cur(place, fresh))
	}
}

func (w *world) tokenAt(path string) string {
	w.Helper()
	data, err := os.ReadFile(path)
	w.must(err)
	return tokenOf(data)
}

// copyFile copies a file to a new inode, as readers do, with more at its end. The
// date stays: that of an edited message is the server's, and not compared.
func (w *world) copyFile(from, to string, more ...string) {
	w.Helper()
	data, err := os.ReadFile(from)
	w.must(err)
	info, err := os.Stat(from)
	w.must(err)
	tmp := w.shelf("copy")
	w.must(os.WriteFile(tmp, append(data, strings.Join(more, "")...), 0o600))
	w.must(os.Chtimes(tmp, time.Time{}, info.ModTime()))
	w.rename(tmp, to)
}

// round lets both sides do up to n things each, and then syncs and checks.
func (w *world) round(n int) {
	w.Helper()
	w.before = maps.Clone(w.owed)
	clear(w.busy)
	clear(w.deletions)
	clear(w.deletedBy)
	clear(w.revised)
	clear(w.wandered)
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

// TestRandomLife: whatever two users do at the same time, both sides end equal,
// and what nobody deleted is there exactly as often as it should be.
func TestRandomLife(t *testing.T) {
	srv := newServer(t)
	for name, hide := range map[string][]string{
		"full": nil, "no CONDSTORE, MOVE, LITERAL+": {"CONDSTORE", "MOVE", "LITERAL+", "ESEARCH"},
		"no UIDPLUS": {"UIDPLUS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(newAccount(t, srv, hide...), newRandom(t))
			w.begin(25)
			rounds := *roundsFlag / 3
			if testing.Short() {
				rounds = min(rounds, 4)
			}
			for range rounds {
				w.round(6)
			}
		})
	}
}

// TestTwoFullSides: two sides with the same 2,000 messages are paired, not
// doubled, equal ones included. After that the account is like any other.
func TestTwoFullSides(t *testing.T) {
	count := 2000
	if testing.Short() {
		count = 300
	}
	a := newAccount(t, newServer(t))
	w := newWorld(a, newRandom(t))
	messages := slices.Collect(corpus.Generate(corpus.Options{Count: count, Seed: 3, MaxSize: 1 << 15}))
	a.mkfolder("INBOX")
	for i := range messages {
		m := &messages[i]
		m.Flags &^= state.Trashed
		w.owed[m.Token]++
		name := fmt.Sprintf("cur/%d.%d.old:2,%s", m.Date.Unix(), i, m.Flags)
		a.putFile("INBOX", name, lf(m.Body), m.Date.Unix())
	}
	a.srv.Load(a.user, "INBOX", messages)
	report := a.clean()
	if c := report.Counts; c.Paired != count || c.Downloaded+c.Uploaded != 0 {
		t.Errorf("counts are %+v, want %d pairs and nothing transferred", c, count)
	}
	w.check()
	a.idle()
	for _, place := range places {
		if place != "INBOX" && place != "Archive" && place != "Drafts" {
			a.srv.CreateMailbox(a.user, place)
		}
		a.deliver(place, anchored(place))
		w.owed[anchored(place)]++
	}
	w.settle()
	w.count = count
	for range 3 {
		w.round(12)
	}
	if c := a.sync().Counts; c != (engine.Counts{}) {
		t.Errorf("at rest a run still did %+v", c)
	}
}
