package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"mailmoor/engine"
	"mailmoor/state"
	"mailmoor/test/sim"
)

// TestRetry: after the quota was raised nothing said that the next try was an hour away,
// and nothing could be done about it.
func TestRetry(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "bad")
	f.clean()
	f.put("INBOX", "", "big")
	f.deliver("INBOX", "worse")
	tries := map[string]int{}
	f.world.SetFault(func(s sim.Step) error {
		refused := s.Op == "remote.append" || s.Op == "remote.fetch" && s.Subject == "INBOX/2"
		if s.After || !refused {
			return nil
		}
		tries[s.Op]++
		return &state.Error{Scope: state.ScopeMessage, Cause: state.CauseQuota, Doing: "do it", Hint: "ask for more", Err: errors.New("NO")}
	})
	r, err := f.run()
	if err != nil || len(r.Problems) != 2 {
		t.Fatalf("%v, problems %+v", err, r.Problems)
	}
	for _, p := range r.Problems {
		if want := "; it is tried again after 2026-"; !strings.Contains(string(p.Hint), want) || !strings.Contains(string(p.Hint), "sync --retry") {
			t.Errorf("the hint %q does not say when", p.Hint)
		}
	}
	f.sync()
	before := fmt.Sprint(tries)
	f.opts = func(o *engine.Options) { o.Retry = true }
	if r := f.sync(); len(r.Problems) != 2 {
		t.Errorf("problems %+v", r.Problems)
	}
	if tries["remote.append"] < 2 || fmt.Sprint(tries) == before {
		t.Errorf("tried %v, %s before", tries, before)
	}
	once := fmt.Sprint(tries)
	f.opts = nil
	f.sync()
	if fmt.Sprint(tries) != once {
		t.Errorf("what failed again does not wait: %v, %s before", tries, once)
	}
	f.world.SetFault(nil)
	f.opts = func(o *engine.Options) { o.Retry = true }
	f.clean()
	f.expect("INBOX/bad:", "INBOX/big:", "INBOX/worse:")
}
