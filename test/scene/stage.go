package scene

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"mailmoor/test/lab"
)

const accountName = "scene"

// Stage is an account on which scenes are played. Its methods fail the test when
// they cannot do what they are asked to. One goroutine uses it at a time.
type Stage struct {
	testing.TB
	Server *lab.Server
	User   string
	// Home is the home directory of the user, Root the Maildir tree, States the
	// directory of the program's state.
	Home, Root, States string
	// Hidden is true when capabilities are hidden from the program: it then
	// connects through a proxy, as do the runs of Sync.
	Hidden bool
	// Disturbed is set by a loop that kills the program.
	Disturbed bool

	host   string
	port   int
	secure bool
	// recorder stands before the server and records what Sync sends.
	recorder *lab.Proxy
	// ahead is how far the clock of Sync is ahead.
	ahead time.Duration
	// noExpunge is true for a server without UIDPLUS, on which removed messages
	// stay behind, marked deleted.
	noExpunge bool
	// serverHome is where the server keeps everything of the user.
	serverHome string
	// backup is what a scene restores later.
	backup *node
}

// NewStage returns an account in which nothing is yet, on a server as the scene needs it. The program connects without TLS and, unless the scene
// hides capabilities, without a proxy; Route changes that.
func NewStage(t testing.TB, scene Scene) *Stage {
	t.Helper()
	if _, err := os.Stat("/proc/self/task"); err != nil {
		t.Skip("the stage needs /proc to see whether the server is at rest")
	}
	options := append([]lab.Option{lab.SpecialUse("Trash", "Archive", "Drafts")}, scene.Server...)
	s := &Stage{TB: t, Server: lab.Shared(t, options...), Hidden: len(scene.Hide) > 0}
	s.Home = t.TempDir()
	s.Root, s.States = filepath.Join(s.Home, "Mail"), filepath.Join(s.Home, ".state", "mailmoor")
	user := s.Server.NewUser()
	s.User, s.serverHome = user.Name, user.Home
	s.recorder = lab.Mask(t, s.Server, scene.Hide...)
	for _, capability := range scene.Hide {
		s.noExpunge = s.noExpunge || capability == "UIDPLUS"
	}
	if s.Hidden {
		s.Route(s.recorder.Host, s.recorder.Port, true)
	} else {
		s.Route(s.Server.Host, s.Server.PlainPort, false)
	}
	return s
}

// must ends the test when err is not nil.
func (s *Stage) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// Later makes the clock of Sync go on by d.
func (s *Stage) Later(d time.Duration) { s.ahead += d }

// Quiesce waits until the server has ended all sessions of the account: it has done by
// then whatever a client that is gone had asked for.
func (s *Stage) Quiesce() { s.QuiesceTo(0) }

// QuiesceTo waits until at most n sessions of the account are left.
func (s *Stage) QuiesceTo(n int) {
	s.Helper()
	s.Server.AwaitSessionsOf(s.User, func() int { return n })
}

// On makes t the test that the stage belongs to, and returns the stage.
func (s *Stage) On(t testing.TB) *Stage {
	s.TB, s.Server = t, s.Server.On(t)
	return s
}
