package scene

import (
	"fmt"
	"os"
	"testing"

	"mailmoor/test/lab"
)

func TestMain(m *testing.M) {
	lab.InMemory()
	code := m.Run()
	if err := RemoveProgram(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// TestScenes plays every scene without any fault, twice: what is restored must be
// what was there.
func TestScenes(t *testing.T) {
	for _, s := range All() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			play(t, s)
		})
	}
}

func play(t *testing.T, s Scene) {
	t.Helper()
	stage := NewStage(t, s)
	s.Begin(stage)
	before := stage.Snapshot()
	s.Check(stage)
	stage.Restore(before)
	if out, err := stage.Command(t.Context(), "sync", "--quiet").CombinedOutput(); err != nil {
		t.Logf("the program ends with %v:\n%s", err, out)
	}
	stage.Quiesce()
	s.Check(stage)
}

// TestOracle spoils what the oracle must notice, one thing at a time.
func TestOracle(t *testing.T) {
	good := Want{Both: []string{"INBOX/a:", "INBOX/b:S", "Archive/filed:"}}
	for name, spoil := range map[string]func(*Stage, *Want){
		"a message too few":  func(_ *Stage, w *Want) { w.Both = append(w.Both, "INBOX/a:") },
		"a message too many": func(_ *Stage, w *Want) { w.Both = w.Both[1:] },
		"other flags":        func(_ *Stage, w *Want) { w.Both[0] += "S" },
		"other keywords":     func(_ *Stage, w *Want) { w.Both[0] += "[work]" },
		"a letter too many": func(s *Stage, _ *Want) {
			s.must(os.WriteFile(s.Root+"/INBOX/dovecot-keywords", []byte("0 work\n"), 0o600))
			s.letters("INBOX", "b", "Sa")
		},
		"an unfinished file": func(s *Stage, _ *Want) { s.must(os.WriteFile(s.Root+"/INBOX/tmp/left", nil, 0o600)) },
		"a changed text": func(s *Stage, _ *Want) {
			s.must(os.WriteFile(s.file("Archive", "filed"), []byte("Subject: x\n\nThis is [filed].\n"), 0o600))
		},
		"an unknown hold":                  func(_ *Stage, w *Want) { w.Holds = 1 },
		"an unknown file in the hold area": func(_ *Stage, w *Want) { w.Held = []string{"a"} },
		"a stuck message":                  func(_ *Stage, w *Want) { w.Stuck = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stage := NewStage(t, Scene{})
			stage.deliver("INBOX", "a", "b")
			stage.flag("INBOX", "b", "S")
			stage.deliver("Archive", "filed")
			stage.Expect(good)
			want := Want{Both: append([]string{}, good.Both...)}
			spoil(stage, &want)
			watched := &watched{TB: t}
			stage.TB = watched
			stage.Expect(want)
			if watched.errors == 0 {
				t.Error("the oracle noticed nothing")
			}
		})
	}
}

// watched counts errors instead of failing the test.
type watched struct {
	testing.TB
	errors int
}

func (w *watched) Errorf(string, ...any) { w.errors++ }
