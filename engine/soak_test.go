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
)

// TestSoak lets two users change both sides at random while runs are killed, cut
// off and refused at random steps. In the end both sides are equal, nothing that
// nobody deleted is missing, and nothing is there twice.
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
	keep             map[string]bool // tokens, false once somebody deleted them
	log              []string
}

func newSoak(t *testing.T, seed uint64) *soak {
	s := &soak{random: rand.New(rand.NewPCG(seed, 0)), moves: true, keep: make(map[string]bool)}
	options := []sim.ServerOptions{{}, {NoCondstore: true}, {NoUIDPlus: true}, {LandAfterLoss: true}, {NoMove: true}}
	o := options[s.random.IntN(len(options))]
	s.fileMoves = !o.NoUIDPlus
	s.moves = !o.NoUIDPlus && !o.LandAfterLoss && !o.NoMove
	s.fixture = newFixture(t, o)
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
		}
		s.disturbedRun()
	}
	for range 4 {
		s.world.Advance(100_000)
		report := s.sync()
		for _, h := range report.Holds {
			s.store.Decide(h.ID, state.Approved)
		}
	}
	s.check()
}

func (s *soak) box() string { return []string{"INBOX", "Archive"}[s.random.IntN(2)] }

func (s *soak) add(token string, remote bool) {
	s.keep[token] = true
	box := s.box()
	s.note("new %s in %s, on the server: %t", token, box, remote)
	if remote {
		s.deliver(box, token)
		return
	}
	s.tree.AddFolder(box)
	s.put(box, "", token)
}

// act lets one of the users do something.
func (s *soak) act(name string) {
	from, to := s.box(), s.box()
	files, messages := s.localIn(from), s.server.Messages(from)
	action := s.random.IntN(8)
	switch {
	case action < 2:
		s.add(name, action == 0)
	case action < 5 && len(files) > 4:
		file := files[s.random.IntN(len(files))]
		s.note("file %s of %s: action %d to %s", token(file.Data), from, action, to)
		switch {
		case action == 2:
			s.tree.DeleteFile(from, file.Key)
			s.keep[token(file.Data)] = false
		case action == 3 && s.fileMoves:
			s.tree.MoveFile(from, file.Key, to, sim.MoveOptions{FreshKey: s.random.IntN(2) == 0})
		default:
			s.tree.SetLetters(from, file.Key, []string{"S", "F", "FS", ""}[s.random.IntN(4)])
		}
	case action >= 5 && len(messages) > 4:
		m := messages[s.random.IntN(len(messages))]
		s.note("message %s of %s: action %d to %s", token(m.Body), from, action, to)
		switch {
		case action == 5:
			s.server.Expunge(from, m.UID)
			s.keep[token(m.Body)] = false
		case action == 6 && s.moves && from != to:
			s.server.Move(from, m.UID, to)
		default:
			s.server.SetFlags(from, m.UID, m.Flags^state.Seen)
		}
	}
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
	at, kind, step := 1+s.random.IntN(120), s.random.IntN(4), 0
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
		}
		return nil
	})
	_, err := s.run()
	s.note("run: %v", err)
	s.world.SetFault(nil)
	if s.world.Dead() {
		s.world.Restart()
	}
}

// check compares the two sides with each other and with what was deleted.
func (s *soak) check() {
	local, remote := s.local(), s.remote()
	if !slices.Equal(local, remote) {
		s.t.Errorf("local %q\nremote %q", local, remote)
	}
	count, trash := make(map[string]int), make(map[string]int)
	for _, m := range local {
		box, rest, _ := strings.Cut(m, "/")
		token, _, _ := strings.Cut(rest, ":")
		if box == "Trash" {
			trash[token]++
		} else {
			count[token]++
		}
	}
	for token, kept := range s.keep {
		if n := count[token]; n > 1 || kept && (n != 1 || trash[token] > 0) {
			s.t.Errorf("%s (deleted: %t) is there %d times, and %d times in Trash", token, !kept, n, trash[token])
		}
	}
}
