package storm

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"mailmoor/test/chance"
	"mailmoor/test/lab"
	"mailmoor/test/scene"
)

// The small share takes half a minute. `make storm` sets the numbers of the
// full storm.
var (
	messages  = flag.Int("messages", 2000, "messages that arrive on the server")
	leaving   = flag.Int("leaving", 400, "messages that leave the tree")
	mailboxes = flag.Int("mailboxes", 4, "mailboxes that the mail fills, one after the other")
	kills     = flag.Int("kills", 15, "number of kills over which the mail comes; three quarters at least must happen")
	backlog   = flag.Int("backlog", 1000, "messages that wait at most: no more come before those are carried")
	stretch   = flag.Int("stretch", 25, "number of runs within which the program must get on")
	seed      = flag.Uint64("seed", 0, "seed of the storm, 0 for any")
)

// A run lives for a random time between these two. How long at most follows from
// the runs before: it is less after one that came to its end, and more after one
// that was killed, so that most are killed in the middle of their work.
const (
	lifeLeast = 30 * time.Millisecond
	lifeMost  = 500 * time.Millisecond
)

// runsForEach is how many runs there are for each kill at most, if none is killed.
const runsForEach = 4

// idleUsual is what a run with nothing to do takes on an account with nothing in
// it, on a machine of two cores that has no other work. Where it takes longer, lives
// are longer by as much: a busy machine is no fault of the program. On a fast one
// they are shorter, or no run would be killed.
const idleUsual = 25 * time.Millisecond

func TestMain(m *testing.M) {
	lab.InMemory()
	code := m.Run()
	if err := scene.RemoveProgram(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// storm is one account in bad weather.
type storm struct {
	*scene.Stage
	mail   *mail
	random *rand.Rand
	// killed and ended count the runs, and longest bounds the life of the next one.
	killed, ended int
	longest       time.Duration
	// lived is the time of all runs.
	lived time.Duration
	// calm is an account with nothing in it. idle is how long a run takes on it, as
	// far as the last ones tell, and slowest its highest value.
	calm          *scene.Stage
	idle, slowest time.Duration
}

// TestStorm starts the program and kills it with SIGKILL after 30 to 500 ms, and
// again, while messages arrive and leave. Each stretch of runs must get on. When
// everything is where it belongs, the program may come to rest; then each message
// must be on both sides, once, and whole.
func TestStorm(t *testing.T) {
	*seed = chance.Seed(*seed)
	t.Logf("to play this again: go test ./test/storm -messages=%d -leaving=%d -mailboxes=%d -kills=%d -backlog=%d -stretch=%d -seed=%d",
		*messages, *leaving, *mailboxes, *kills, *backlog, *stretch, *seed)
	s := newStorm(t)
	began := time.Now()
	s.rage()
	t.Logf("the storm took %v: %d runs were killed and %d ended by themselves, after %v on average; the machine was up to %.1f times slower than usual",
		time.Since(began).Round(time.Second), s.killed, s.ended,
		(s.lived / time.Duration(s.killed+s.ended)).Round(time.Millisecond), slow(s.slowest))
	s.Expect(scene.Want{Both: s.mail.want})
}

// newStorm returns an account that has run once, with empty mailboxes.
func newStorm(t testing.TB) *storm {
	s := &storm{
		Stage: scene.NewStage(t, scene.Scene{}), calm: scene.NewStage(t, scene.Scene{}), idle: idleUsual,
		random: rand.New(rand.NewPCG(*seed, 0)), longest: lifeMost,
	}
	s.calm.Rest()
	s.measure() // builds the program first
	s.idle, s.slowest = idleUsual, idleUsual
	s.Disturbed = true
	for number := 1; number < *mailboxes; number++ {
		s.Server.CreateMailbox(s.User, incoming(number))
	}
	s.Rest()
	s.mail = &mail{
		arriving: *messages, leaving: *leaving, mailboxes: *mailboxes, places: make(map[string]bool),
		server: s.Server.MailboxDir(s.User, "INBOX"), root: s.Root,
	}
	return s
}

func (s *storm) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// rage interrupts run after run until everything has arrived.
func (s *storm) rage() {
	s.Helper()
	begin := s.progress()
	for now := begin; ; {
		for range *stretch {
			s.portion(*backlog - now.waiting(s.mail))
			s.live()
			now = s.progress()
		}
		s.Logf("after %d kills: %d of %d downloaded, %d of %d uploaded, %d intents open",
			s.killed, now.downloaded, s.mail.arrived, now.uploaded, s.mail.left, now.intents)
		upToDate := now.waiting(s.mail) == 0 && now.intents == 0
		if upToDate && s.mail.arrived == s.mail.arriving && s.mail.left == s.mail.leaving {
			if s.killed < *kills*3/4 {
				s.Fatalf("all mail has come, and only %d runs were killed", s.killed)
			}
			return
		}
		if !upToDate && !now.beyond(begin) {
			s.Fatalf("%d runs got nowhere: %v before, %v after", *stretch, begin, now)
		}
		begin = now
	}
}

// portion lets the next part of the mail come, but not more than there is room for
// on either side. If nothing holds it up, all has come after the least number of
// kills. Some comes with each run: one that has nothing to do ends before it can be
// killed.
func (s *storm) portion(room int) {
	s.Helper()
	upTo := func(now, all int) int {
		few := *kills * runsForEach
		part := max(all*(s.killed+1) / *kills, now+(all+few-1)/few)
		return max(now, min(now+room, all, part))
	}
	s.must(errors.Join(
		s.mail.arrive(upTo(s.mail.arrived, s.mail.arriving)), s.mail.leave(upTo(s.mail.left, s.mail.leaving)),
	))
}

// measure brings idle up to date. One run alone tells little on a busy machine.
func (s *storm) measure() {
	s.Helper()
	began := time.Now()
	s.must(s.calm.Command(s.Context(), "sync", "--quiet").Run())
	s.idle = (3*s.idle + time.Since(began)) / 4
	s.slowest = max(s.slowest, s.idle)
}

// slow is how many times longer than usual an idle run takes.
func slow(idle time.Duration) float64 { return float64(idle) / float64(idleUsual) }

// live runs the program for a while. A run may also end by itself, but not in an
// error.
func (s *storm) live() {
	s.Helper()
	life := lifeLeast + time.Duration(s.random.Int64N(int64(s.longest-lifeLeast)))
	s.measure()
	life = time.Duration(float64(life) * slow(s.idle))
	cmd := s.Command(s.Context(), "sync", "--quiet")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	began := time.Now()
	s.must(cmd.Start())
	timer := time.AfterFunc(life, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	timer.Stop()
	s.lived += time.Since(began)
	switch cmd.ProcessState.ExitCode() {
	case -1:
		s.killed++
		s.longest = min(lifeMost, s.longest*5/4)
	case 0, 75: // in step, or mail comes faster than it is carried
		s.ended++
		s.longest = max(2*lifeLeast, s.longest*2/3)
	default:
		s.Fatalf("a run failed: %v\n%s", err, output.String())
	}
}
