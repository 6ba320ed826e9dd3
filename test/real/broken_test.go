package real

import (
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"mailmoor/engine"
	"mailmoor/engine/remote/wire"
	"mailmoor/state"
	"mailmoor/test/corpus"
	"mailmoor/test/lab"
)

var cutsFlag = flag.Int("cuts", 60, "how often to break the line in all")

// work is a run that is to be interrupted: what is there before it, and what both
// sides must have in the end.
type work struct {
	name    string
	prepare func(*account) (want []string)
}

var works = []work{
	{"first sync", func(a *account) []string {
		var want []string
		messages := slices.Collect(corpus.Generate(corpus.Options{Count: 30, Seed: 5, MaxSize: 1 << 13}))
		for i := range messages {
			messages[i].Flags &^= state.Trashed
			want = append(want, fmt.Sprintf("INBOX/%s:%s", messages[i].Token, messages[i].Flags))
		}
		a.srv.Load(a.user, "INBOX", messages)
		a.mkfolder("Mine")
		a.put("Mine", "S", "mine")
		return append(want, "Mine/mine:S")
	}},
	{"upload of a batch", func(a *account) []string {
		a.clean()
		var want []string
		for i := range 50 {
			// Some are equal: each must arrive as often as it is here.
			token := fmt.Sprintf("m%02d", i/2*2)
			a.putFile("INBOX", fmt.Sprintf("cur/%d.x:2,F", i), lf(body(token)), start+int64(i))
			want = append(want, "INBOX/"+token+":F")
		}
		return want
	}},
	{"changes of all kinds", func(a *account) []string {
		a.deliver("INBOX", "flag", "move", "delete", "stay", "FLAG", "MOVE", "DELETE", "STAY")
		a.deliver("Drafts", "draft", "stay")
		a.clean()
		a.letters("INBOX", "flag", "FS")
		a.carry("INBOX", "move", "Archive")
		a.drop("INBOX", "delete")
		a.put("INBOX", "", "new")
		a.edit("Drafts", "draft", lf(body("draft2")))
		a.flag("INBOX", "FLAG", "FS")
		a.srv.Move(a.user, "INBOX", a.uid("INBOX", "MOVE"), "Archive")
		a.srv.Expunge(a.user, "INBOX", a.uid("INBOX", "DELETE"))
		a.deliver("INBOX", "NEW")
		return []string{
			"INBOX/flag:FS", "Archive/move:", "Trash/delete:", "INBOX/new:", "Drafts/draft2:", "Drafts/stay:",
			"INBOX/FLAG:FS", "Archive/MOVE:", "INBOX/NEW:", "INBOX/stay:", "INBOX/STAY:",
		}
	}},
}

// badLine puts a bad line in front of the server for the runs from now on.
func (a *account) badLine() *lab.FaultProxy {
	a.Helper()
	line := lab.Faults(a, a.proxy)
	a.addr = line.Addr()
	return line
}

// measure returns what passes a connection in a run that is not interrupted.
func (w work) measure(t *testing.T, srv *lab.Server, hide []string) lab.Traffic {
	t.Helper()
	a := newAccount(t, srv, hide...)
	a.options = func(o *engine.Options) { o.Connections = 1 }
	want := w.prepare(a)
	line := a.badLine()
	a.clean()
	traffic := line.Conns()[0]
	a.settle()
	a.expect(want...)
	return traffic
}

// TestCuts: the connection breaks at any byte in either direction. The next runs
// finish the work: nothing is lost and nothing doubled, not even where the server
// does not tell the UID of what it has taken.
func TestCuts(t *testing.T) {
	srv := newServer(t)
	servers := map[string][]string{"UIDPLUS": nil, "no UIDPLUS": {"UIDPLUS"}, "no LITERAL+, no MOVE": {"LITERAL+", "MOVE"}}
	each := max(1, *cutsFlag/len(servers)/len(works))
	if testing.Short() {
		each = 1
	}
	for server, hide := range servers {
		for _, w := range works {
			t.Run(server+"/"+w.name, func(t *testing.T) {
				t.Parallel()
				random := newRandom(t)
				whole := w.measure(t, srv, hide)
				for i := range each {
					// Each direction is half of the places, whatever its share.
					fault := lab.Fault{Direction: lab.ToServer, After: random.Int64N(whole.ToServer), Action: lab.Action(random.IntN(3))}
					if i%2 == 1 {
						fault = lab.Fault{Direction: lab.ToClient, After: random.Int64N(whole.ToClient), Action: lab.Action(random.IntN(4))}
					}
					t.Run(fmt.Sprintf("cut %d", i), func(t *testing.T) { w.cut(t, srv, hide, fault) })
				}
			})
		}
	}
}

// cut does the work with an interruption and then without.
func (w work) cut(t *testing.T, srv *lab.Server, hide []string, fault lab.Fault) {
	t.Helper()
	a := newAccount(t, srv, hide...)
	a.options = func(o *engine.Options) { o.Connections = 1 }
	want := w.prepare(a)
	a.config = func(c *wire.Config) { c.ProgressTimeout = 2 * time.Second }
	line := a.badLine()
	line.Script(func(conn int) lab.Behaviour {
		if conn > 0 {
			return lab.Behaviour{}
		}
		return lab.Behaviour{Faults: []lab.Fault{fault}}
	})
	_, err := a.run()
	t.Logf("after %+v the run said: %v", fault, err)
	a.finish()
	a.later(3 * time.Hour) // whatever was set aside is due
	a.settle()
	a.expect(want...)
}

// TestStall: the line stays up and nothing moves any more, or next to nothing. The run
// ends by its own doing, and the next one finishes the work. On a line that dripped it
// went on for hours.
func TestStall(t *testing.T) {
	srv := newServer(t)
	for name, action := range map[string]lab.Action{"silent": lab.Stall, "dripping": lab.Drip} {
		for _, w := range works {
			t.Run(name+"/"+w.name, func(t *testing.T) {
				t.Parallel()
				w.stall(t, srv, action)
			})
		}
	}
}

// stall does the work on a line that comes to a standstill, and then on a good one.
func (w work) stall(t *testing.T, srv *lab.Server, action lab.Action) {
	t.Helper()
	random := newRandom(t)
	whole := w.measure(t, srv, nil)
	a := newAccount(t, srv)
	a.options = func(o *engine.Options) { o.Connections = 1 }
	want := w.prepare(a)
	// Whatever is slower than this only ends the run earlier.
	a.config = func(c *wire.Config) { c.ProgressTimeout, c.ConnectTimeout = 300*time.Millisecond, time.Second }
	line := a.badLine()
	fault := lab.Fault{Direction: lab.ToClient, After: random.Int64N(whole.ToClient), Action: action}
	line.Behave(lab.Behaviour{Faults: []lab.Fault{fault}})
	before := a.remote()
	report, err := a.run()
	switch {
	case err == nil && action == lab.Stall && len(report.Problems) == 0 && !report.Quiet:
		t.Errorf("no connection got beyond %+v; the run ended early and had nothing to say: %+v", fault, report)
	case err != nil && (state.CauseOf(err) != state.CauseNetwork || state.ScopeOf(err) != state.ScopeAccount):
		t.Errorf("error is %v, want one of the network", err)
	}
	if w.name == "first sync" {
		if diff := gocmp.Diff(before["INBOX"], a.remote()["INBOX"]); diff != "" {
			t.Errorf("the server's INBOX changed (-before +after):\n%s", diff)
		}
	}
	line.Behave(lab.Behaviour{})
	a.config = nil
	a.finish()
	a.later(3 * time.Hour)
	a.settle()
	a.expect(want...)
}
