package real

import (
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mailmoor/engine"
	"mailmoor/state"
	"mailmoor/test/chance"
	"mailmoor/test/corpus"
	"mailmoor/test/home"
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
	seed := chance.Seed(*seedFlag)
	t.Logf("repeat with -run '^%s$' -seed=%d", strings.ReplaceAll(t.Name(), "/", "$/^"), seed)
	name := fnv.New64a()
	_, _ = name.Write([]byte(t.Name()))
	return rand.New(rand.NewPCG(seed, name.Sum64()))
}

// begin fills the account.
func (w *world) begin(messages int) {
	w.srv.CreateMailbox(w.user, "Work/Büro & Co")
	for _, place := range places {
		w.deliver(place, anchored(place))
		w.owed[anchored(place)]++
	}
	// From now on each keyword has a letter.
	w.srv.StoreFlags(w.user, "INBOX", w.uid("INBOX", anchored("INBOX")), append([]string{`\Seen`}, tags...), nil)
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
	switch w.random.IntN(8) {
	case 0, 1:
		w.tag(place, m)
	case 2, 3, 4:
		flags := state.Flags(w.random.IntN(int(state.AllFlags)+1)) &^ state.Trashed
		w.touch(state.Remote, token)
		w.note(state.Remote, "flags of %s in %s become %q", token, place, flags)
		w.srv.StoreFlags(w.user, place, uids, lab.IMAPFlags(flags), lab.IMAPFlags(state.AllFlags&^flags))
	case 5:
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

// tags are the keywords that the users give.
var tags = []string{"$Label1", "NonJunk", "work"}

// tag lets another client give a message one keyword and take another from it.
func (w *world) tag(place string, m lab.Message) {
	w.Helper()
	token, give := tokenOf(m.Body), w.random.IntN(len(tags))
	take := tags[(give+1)%len(tags)]
	w.touch(state.Remote, token)
	w.note(state.Remote, "%s in %s is %s, and not %s", token, place, tags[give], take)
	w.srv.StoreFlags(w.user, place, state.NewUIDSet(m.UID), []string{tags[give]}, []string{take})
	names := append(w.named[token].Without(state.NewKeywords(take)).Names(), tags[give])
	w.named[token] = state.NewKeywords(names...)
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
	base, letters, _ := strings.Cut(filepath.Base(path), ":2,")
	flags := state.Flags(w.random.IntN(int(state.AllFlags)+1)) &^ state.Trashed
	letters = w.relabel(letters)
	cur := func(folder, key string) string {
		return filepath.Join(w.root, folder, "cur", fmt.Sprintf("%s:2,%s%s", key, flags, letters))
	}
	w.count++
	fresh := fmt.Sprintf("%d.%d.fresh", time.Now().UnixNano(), w.count)
	switch w.random.IntN(8) {
	case 0, 1:
		w.touch(state.Local, token)
		w.note(state.Local, "flags of %s in %s become %q and %q", token, place, flags, letters)
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

// relabel returns the letters of keywords that a reader leaves in a file's name: most
// leave them alone, some drop them all, which means nothing, and some give one.
func (w *world) relabel(letters string) string {
	letters = home.KeywordLetters(letters)
	switch w.random.IntN(4) {
	case 0:
		return ""
	case 1:
		if letter := string(rune('a' + w.random.IntN(len(tags)))); !strings.Contains(letters, letter) {
			sorted := []rune(letters + letter)
			slices.Sort(sorted)
			return string(sorted)
		}
	}
	return letters
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
	a.srv.StoreFlags(a.user, "INBOX", a.uid("INBOX", anchored("INBOX")), append([]string{`\Seen`}, tags...), nil)
	w.settle()
	w.count = count
	for range 3 {
		w.round(12)
	}
	if c := a.sync().Counts; c != (engine.Counts{}) {
		t.Errorf("at rest a run still did %+v", c)
	}
}
