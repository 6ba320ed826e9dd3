package crash

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"mailmoor/engine"
	"mailmoor/test/chance"
	"mailmoor/test/crash/trace"
	"mailmoor/test/lab"
	"mailmoor/test/scene"
)

var (
	sceneFlag  = flag.String("scene", "", "play only this scene")
	modeFlag   = flag.String("mode", "", "disturb only in this way: "+strings.Join(modeNames(), ", "))
	atFlag     = flag.Int("at", 0, "disturb only this call")
	shareFlag  = flag.Int("share", 1, "how many points to try for each scene and mode, chosen at random; 0 for all")
	everyFlag  = flag.Int("every", 1, "of all points try every so many-th")
	fromFlag   = flag.Int("from", 1, "the first of them")
	reportFlag = flag.String("report", "", "also write the table of what was tried to this file")
	seedFlag   = flag.Uint64("seed", 0, "repeat the choices of this seed")
)

const (
	// runTimeout is how long one run may take. The program waits some seconds for
	// answers that were lost.
	runTimeout = time.Minute
	// exitTemporary is the exit code of a run that the next one goes on with. It may
	// say nothing, because nobody has to do anything.
	exitTemporary = 75
	// failuresMax ends a scene and mode in which too much goes wrong.
	failuresMax = 10
)

func TestMain(m *testing.M) {
	lab.InMemory()
	code := m.Run()
	if err := scene.RemoveProgram(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func modeNames() []string {
	var names []string
	for _, m := range modes() {
		names = append(names, m.name)
	}
	return names
}

// TestCrash plays every scene with a fault at one call at a time. Scenes are played
// side by side, each on a stage of its own.
func TestCrash(t *testing.T) {
	seed := chance.Seed(*seedFlag)
	t.Logf("repeat with -seed=%d", seed)
	sum := &summary{}
	t.Cleanup(func() { sum.log(t) })
	for i, s := range scene.All() {
		if *sceneFlag != "" && *sceneFlag != s.Name {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			p := newPlay(t, s, rand.New(rand.NewPCG(seed, uint64(i))))
			for _, m := range modes() {
				if *modeFlag == "" || *modeFlag == m.name {
					t.Run(m.name, func(t *testing.T) { sum.add(p.disturb(t, m)) })
				}
			}
		})
	}
}

// play is a scene on its stage, ready to be played again and again.
type play struct {
	scene.Scene
	stage  *scene.Stage
	before *scene.Snapshot
	random *rand.Rand
	// calls is how many calls count for each mode in a run without faults.
	calls map[string]int
}

func newPlay(t *testing.T, s scene.Scene, random *rand.Rand) *play {
	t.Helper()
	p := &play{Scene: s, stage: scene.NewStage(t, s), random: random, calls: make(map[string]int)}
	s.Begin(p.stage)
	p.before = p.stage.Snapshot()
	p.stage.Disturbed = true
	p.run(p.stage, trace.Order{Counts: func(c trace.Call) bool {
		for _, m := range modes() {
			if m.counts(c, p.stage.Home) {
				p.calls[m.name]++
			}
		}
		return false
	}})
	return p
}

// disturb plays the scene with all chosen faults of a mode.
func (p *play) disturb(t *testing.T, m mode) row {
	t.Helper()
	started := time.Now()
	r := row{scene: p.Name, mode: m.name, calls: p.calls[m.name], silent: make(map[string]int)}
	for at := range p.points(r.calls) {
		var result trace.Result
		ok := t.Run(fmt.Sprintf("at=%d", at), func(t *testing.T) { p.point(p.stage.On(t), m, at, &result) })
		if result.Hit == nil {
			break // the program came to its end before that
		}
		if m.effect == trace.Fail && result.Exit == 0 {
			r.silent[result.Hit.Name]++
		}
		r.points++
		if !ok {
			r.failures++
		}
		if r.failures == failuresMax {
			t.Errorf("%d failures are enough; the rest of %s, %s was not tried", r.failures, p.Name, m.name)
			break
		}
	}
	r.took = time.Since(started)
	return r
}

// points yields the numbers of the calls to disturb, of which a run without faults
// made so many. All of them have no end: it is where a run makes no more calls.
func (p *play) points(calls int) func(func(int) bool) {
	switch {
	case *atFlag > 0:
		return slices.Values([]int{*atFlag})
	case *shareFlag > 0:
		chosen := p.random.Perm(calls)
		chosen = chosen[:min(*shareFlag, calls)]
		slices.Sort(chosen)
		return func(yield func(int) bool) {
			for _, at := range chosen {
				if !yield(at + 1) {
					return
				}
			}
		}
	}
	return func(yield func(int) bool) {
		for at := max(*fromFlag, 1); yield(at); at += max(*everyFlag, 1) {
			continue
		}
	}
}

// run restores the stage, runs the program, and waits until the server has done all
// that the program asked for.
func (p *play) run(stage *scene.Stage, order trace.Order) trace.Result {
	stage.Helper()
	stage.Restore(p.before)
	order.Timeout = runTimeout
	result, err := trace.Run(stage.Command(stage.Context(), "sync", "--quiet"), order)
	if errors.Is(err, syscall.EPERM) {
		stage.Skipf("ptrace is not allowed here: %v", err)
	}
	if err != nil {
		stage.Fatal(err)
	}
	if result.Overdue {
		stage.Errorf("the program did not come to its end in %v", runTimeout)
	}
	stage.Quiesce()
	return result
}

// point tries one point, if the program gets there. The result of the run is set
// in any case, even when a check ends the test.
func (p *play) point(stage *scene.Stage, m mode, at int, result *trace.Result) {
	stage.Helper()
	*result = p.run(stage, trace.Order{
		Effect: m.effect, Errno: m.errno, At: at,
		Counts: func(c trace.Call) bool { return m.counts(c, stage.Home) },
	})
	if result.Hit == nil {
		return
	}
	defer func() {
		if stage.Failed() {
			stage.Logf("%s at call %d: %s\nagain: go test ./test/crash -run '^TestCrash$' -scene=%s -mode=%s -at=%d\n"+
				"exit %d, signal %v, output:\n%s",
				m.name, at, result.Hit.Text, p.Name, m.name, at, result.Exit, result.Signal, result.Output)
		}
	}()
	if m.effect == trace.Fail {
		p.survived(stage, *result)
	} else if result.Signal != syscall.SIGKILL {
		stage.Errorf("the program was not killed")
	}
	p.Check(stage)
}

// survived checks what the program made of a call that failed: it did not crash,
// it said what went wrong, and when it said nothing then nothing is left to do.
func (p *play) survived(stage *scene.Stage, result trace.Result) {
	stage.Helper()
	for _, word := range []string{"panic:", "goroutine ", "fatal error:"} {
		if strings.Contains(result.Output, word) {
			stage.Errorf("the program broke down")
			return
		}
	}
	switch {
	case result.Signal != 0:
		stage.Errorf("signal %v ended the program", result.Signal)
	case result.Exit != 0 && result.Exit != exitTemporary && !names(stage, result.Output):
		stage.Errorf("the program fails and names neither file nor mailbox nor server")
	case result.Exit == 0:
		if report := stage.Sync(); report.Counts != (engine.Counts{}) {
			stage.Errorf("the program said that it was in step, and then there was more to do: %+v", report.Counts)
		}
	}
}

// names reports whether a message says what it is about.
func names(stage *scene.Stage, output string) bool {
	for _, name := range []string{stage.Home, stage.Server.Host, stage.Server.CAFile, "INBOX", "Archive", "Drafts", "Trash", "Box", "Mine", "Theirs"} {
		if strings.Contains(output, name) {
			return true
		}
	}
	return false
}

// row is what came of a scene and a mode.
type row struct {
	scene, mode             string
	calls, points, failures int
	took                    time.Duration
	// silent counts the calls that failed and of which the program said nothing.
	silent map[string]int
}

// summary collects rows of all scenes.
type summary struct {
	mu   sync.Mutex
	rows []row
}

func (s *summary) add(r row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows = append(s.rows, r)
}

func (s *summary) log(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	total := row{scene: "all"}
	for _, r := range s.rows {
		total.calls, total.points, total.failures = total.calls+r.calls, total.points+r.points, total.failures+r.failures
		total.took += r.took
	}
	fmt.Fprintf(&b, "%-36s %-12s %6s %6s %8s %9s  %s\n", "scene", "mode", "calls", "points", "failures", "time", "failed in silence")
	for _, r := range append(s.rows, total) {
		fmt.Fprintf(&b, "%-36s %-12s %6d %6d %8d %9s  %s\n", r.scene, r.mode, r.calls, r.points, r.failures,
			r.took.Round(time.Millisecond), strings.TrimPrefix(fmt.Sprint(r.silent), "map"))
	}
	t.Logf("\n%s", b.String())
	if *reportFlag != "" {
		if err := os.WriteFile(*reportFlag, []byte(b.String()), 0o600); err != nil {
			t.Error(err)
		}
	}
}
