package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mailmoor/test/corpus"
)

// firstRuns is how often two first runs start together.
const firstRuns = 25

// TestFirstRunsTogether starts two first runs of an account at the same time, as
// cron and a hand do. Both must end well, whoever is first, and leave one state
// and each message once.
func TestFirstRunsTogether(t *testing.T) {
	p := newProgram(t)
	p.server.Load(p.user, "INBOX", slices.Collect(corpus.Generate(corpus.Options{Count: 3})))
	state := filepath.Join(filepath.Dir(p.mail), "mailmoor")
	for range firstRuns {
		runs := make([]*exec.Cmd, 2)
		said := make([]bytes.Buffer, len(runs))
		for i := range runs {
			runs[i] = exec.Command(p.command, "sync", "--if-locked=wait")
			runs[i].Env, runs[i].Stderr = p.env, &said[i]
			if err := runs[i].Start(); err != nil {
				t.Fatal(err)
			}
		}
		firsts := 0
		for i, run := range runs {
			if code := codeOf(run.Wait()); code != 0 {
				t.Fatalf("exit code %d:\n%s", code, said[i].String())
			}
			text := said[i].String()
			if strings.HasPrefix(text, "mailmoor: personal: first run into ") {
				firsts++
				_, text, _ = strings.Cut(text, "\n")
			}
			if text != "" {
				t.Fatalf("one said:\n%s", said[i].String())
			}
		}
		if firsts != 1 {
			t.Fatalf("%d first runs", firsts)
		}
		p.expect(t, map[string]int{"INBOX": 3})
		if ids, err := filepath.Glob(filepath.Join(state, "*", "state.db")); err != nil || len(ids) != 1 {
			t.Fatalf("states %v, %v", ids, err)
		}
		p.forget(t, state)
	}
}

// forget removes the tree and the state, so that the next run is a first one.
func (p *program) forget(t *testing.T, state string) {
	t.Helper()
	ids, err := filepath.Glob(filepath.Join(state, "*", "account.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(ids, p.mail) {
		if filepath.Base(path) == "account.json" {
			path = filepath.Dir(path)
		}
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
}
