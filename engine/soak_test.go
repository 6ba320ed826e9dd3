package engine_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"mailmoor/state"
	"mailmoor/test/sim"
)

var (
	soakSeed = flag.Uint64("soak.seed", 0, "replay this seed only")
	soakRuns = flag.Uint64("soak.runs", 1500, "how many seeds to play")
	soakHard = flag.Bool("soak.hard", false, "let the server be set back, or give other UIDs without saying so, too")
)

// TestSoak lets two users change both sides at random while runs are killed, cut
// off and refused at random steps, while the server renumbers mailboxes or is set
// back, and while the state is. In the end both sides are equal, nothing that nobody
// deleted is missing, and nothing is there twice.
//
//	go test ./engine -run Soak -soak.seed=17
func TestSoak(t *testing.T) {
	first, last := uint64(1), *soakRuns
	if *soakSeed != 0 {
		first, last = *soakSeed, *soakSeed
	}
	for seed := first; seed <= last; seed++ {
		s := newSoak(t, seed)
		s.play()
		if t.Failed() {
			t.Fatalf("seed %d; what happened:\n%s", seed, strings.Join(s.log, "\n"))
		}
	}
	t.Logf("seeds %d to %d", first, last)
}

type soak struct {
	*fixture
	random *rand.Rand
	// moves and fileMoves say where messages are moved. Where a server does not
	// say what became of a command, a second move of the same message before the
	// next run can make two of it.
	moves, fileMoves bool
	messages         map[string]*fate // by token
	halves           []half
	upheaval         upheaval
	log              []string
}

// twin is the token of which there may be several messages.
const twin = "k0"

// fate is what happened to the messages of one token, which are equal.
type fate struct {
	born    int // how many there are
	deleted int // how often somebody deleted one of them
	unseen  int // how many the server lost before they were here
	apart   int // how often it was new on both sides, in different mailboxes
	again   int // how often the user wanted it back although it was there elsewhere
}

func newSoak(t *testing.T, seed uint64) *soak {
	s := &soak{random: rand.New(rand.NewPCG(seed, 0)), moves: true, messages: make(map[string]*fate)}
	options := []sim.ServerOptions{{}, {NoCondstore: true}, {NoUIDPlus: true}, {LandAfterLoss: true}, {NoMove: true}}
	o := options[s.random.IntN(len(options))]
	s.fileMoves = !o.NoUIDPlus
	s.moves = !o.NoUIDPlus && !o.LandAfterLoss && !o.NoMove
	s.fixture = newFixture(t, o)
	s.upheaval.fresh = make(map[string]state.UID)
	s.note("server %+v", o)
	return s
}

func (s *soak) note(format string, args ...any) { s.log = append(s.log, fmt.Sprintf(format, args...)) }

func (s *soak) play() {
	for i := range 13 {
		s.add(fmt.Sprintf("k%d", i), true)
	}
	_, _ = s.run()
	for round := range 3 {
		for i := range 1 + s.random.IntN(4) {
			s.act(fmt.Sprintf("r%d.%d", round, i))
			s.upset(s.random.IntN(24))
		}
		s.foreigners()
		s.disturbedRun()
		s.finishMoves()
	}
	for range 6 {
		s.world.Advance(100_000)
		s.looked()
		report, err := s.run()
		s.note("run: %v, %d rounds, %+v, problems %+v", err, report.Rounds, report.Counts, report.Problems)
		if err != nil {
			s.t.Errorf("the run ended with %v", err)
			return
		}
		s.decide(report.Holds)
	}
	s.check()
}

// decide lets the user decide about everything that is held.
func (s *soak) decide(holds []state.Hold) {
	for _, h := range holds {
		d := state.Approved
		if h.Lost > 0 && s.random.IntN(2) == 0 {
			d = state.Rejected
		}
		s.note("hold %+v: decision %d", h, d)
		if h.Lost > 0 && d == state.Rejected {
			s.again(h)
		}
		s.store.Decide(h.ID, d)
	}
}

func (s *soak) box() string { return []string{"INBOX", "Archive"}[s.random.IntN(2)] }

// add adds a message with a date of its own.
func (s *soak) add(token string, remote bool) {
	if s.messages[token] == nil {
		s.messages[token] = &fate{}
	}
	s.messages[token].born++
	box := s.box()
	s.world.Advance(1)
	s.note("new %s in %s, on the server: %t", token, box, remote)
	if remote {
		s.give(box, s.world.Now(), body(token))
		return
	}
	s.tree.AddFolder(box)
	data := strings.ReplaceAll(string(body(token)), "\r\n", "\n")
	s.tree.PutFile(box, sim.File{Data: []byte(data), Date: s.world.Now()})
}

// act lets one of the users do something.
func (s *soak) act(name string) {
	from, to := s.box(), s.box()
	files, messages := s.localIn(from), s.server.Messages(from)
	action := s.random.IntN(8)
	switch {
	case action < 2:
		if action == 0 && s.random.IntN(4) == 0 {
			name = twin // one of each side would be a pair
		}
		s.add(name, action == 0)
	case action < 5 && len(files) > 4:
		file := files[s.random.IntN(len(files))]
		s.note("file %s of %s: action %d to %s", token(file.Data), from, action, to)
		switch {
		case action == 2:
			s.tree.DeleteFile(from, file.Key)
			s.messages[token(file.Data)].deleted++
		case action == 3 && s.fileMoves && !s.twice(token(file.Data)):
			s.tree.MoveFile(from, file.Key, to, sim.MoveOptions{FreshKey: s.random.IntN(2) == 0})
		default:
			letters := []string{"S", "F", "FS", ""}[s.random.IntN(4)]
			s.tree.SetLetters(from, file.Key, s.letters(letters, s.keywords().Names()...))
		}
	case action >= 5 && len(messages) > 4:
		m := messages[s.random.IntN(len(messages))]
		s.note("message %s of %s: action %d to %s", token(m.Body), from, action, to)
		switch {
		case action == 5 && s.upheaval.tells(from, m.UID):
			s.server.Expunge(from, m.UID)
			s.messages[token(m.Body)].deleted++
		case action == 6 && s.moves && from != to && s.upheaval.tells(from, m.UID) && !s.announced(m.Body):
			s.moveThere(from, m, to)
		case action == 7 && s.random.IntN(2) == 0:
			s.server.SetKeywords(from, m.UID, s.keywords())
		default:
			s.server.SetFlags(from, m.UID, m.Flags^state.Seen)
		}
	}
}

// keywords draws some keywords.
func (s *soak) keywords() state.Keywords {
	var drawn []string
	for _, name := range []string{"$Label1", "todo", "Work"} {
		if s.random.IntN(3) == 0 {
			drawn = append(drawn, name)
		}
	}
	return state.NewKeywords(drawn...)
}

// localIn returns the files of a folder, if it exists.
func (s *soak) localIn(folder string) []sim.File {
	if !slices.Contains(s.tree.Paths(), folder) {
		return nil
	}
	return s.tree.Files(folder)
}

// disturbedRun runs once, with something going wrong at a random step.
func (s *soak) disturbedRun() {
	at, kind, step := 1+s.random.IntN(120), s.random.IntN(5), 0
	s.world.SetFault(func(where sim.Step) error {
		if step++; step != at {
			return nil
		}
		s.note("fault %d at %+v", kind, where)
		switch {
		case kind == 0:
			return sim.ErrKilled
		case kind == 1:
			return errors.New("connection reset")
		case kind == 2 && strings.HasPrefix(where.Op, "remote.") && !where.After && where.Op != "remote.list" && where.Op != "remote.connect":
			return refusal(where.Op)
		case kind == 3:
			// A server that gives other UIDs without saying so was down meanwhile, and
			// nobody changes the state of a running program.
			s.upset([]int{0, 2, 4}[s.random.IntN(3)])
		}
		return nil
	})
	_, err := s.run()
	s.note("run: %v", err)
	s.world.SetFault(nil)
	if s.world.Dead() {
		s.world.Restart()
	} else if err == nil && step >= at {
		s.upheaval.noticed(kind)
	}
}

// check compares the two sides with each other.
func (s *soak) check() {
	local, remote := s.local(), s.remote()
	if !slices.Equal(local, remote) {
		s.t.Errorf("local %q\nremote %q", local, remote)
	}
	for _, side := range [][]string{s.local(), s.remote()} {
		s.checkSide(side)
	}
}

// checkSide compares what is on a side with what became of each message.
func (s *soak) checkSide(side []string) {
	count, trash := make(map[string]int), make(map[string]int)
	for _, m := range side {
		box, rest, _ := strings.Cut(m, "/")
		token, _, _ := strings.Cut(rest, ":")
		if box == "Trash" {
			trash[token]++
		} else {
			count[token]++
		}
	}
	lost := s.heldAsLost()
	for token, f := range s.messages {
		// What was deleted may have been brought back: by a change that shows that
		// somebody wants it, by a server that was set back, by a base in doubt.
		least := f.born - f.deleted - f.unseen
		if n := count[token]; n > f.born+f.apart+f.again || n+lost[token] < least || f.deleted == 0 && trash[token] > 0 {
			s.t.Errorf("%s %+v is there %d times, %d times in Trash and %d times held as lost", token, *f, n, trash[token], lost[token])
		}
	}
}
