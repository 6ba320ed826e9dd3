package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"mailmoor/test/lab"
)

// TestTable plays all workloads and reports them. It fails when a program does not do
// what it is measured for: the sides must be equal after each run.
func TestTable(t *testing.T) {
	lab.Require(t, "mbsync")
	srv := lab.Dovecot(t, lab.SpecialUse("Trash"))
	proxy := lab.RawFaults(t, srv)
	binary := build(t)
	about := aboutRun(t) // now: the tree may change while it runs
	var results []result
	for _, group := range grouped(workloads()) {
		t.Run(group[0].account.name, func(t *testing.T) {
			s := prepare(t, srv.On(t), proxy, group[0].account, binary)
			for _, w := range group {
				t.Run(w.key, func(t *testing.T) {
					r := s.on(t).play(w)
					t.Logf("%s\n%s", w.name, r.rows())
					results = append(results, r)
				})
			}
		})
	}
	if t.Failed() || len(results) == 0 {
		return
	}
	for name, text := range map[string]string{".md": markdown(about, filepath.Base(*reportTo), results), ".svg": chart(about, results)} {
		if *reportTo == "" {
			continue
		}
		if err := os.WriteFile(*reportTo+name, []byte(text), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// stage is an account on the server and what both programs made of it.
type stage struct {
	t        testing.TB
	srv      *lab.Server
	proxy    *lab.FaultProxy
	account  account
	programs []program
}

func (s stage) on(t testing.TB) stage {
	s.t, s.srv = t, s.srv.On(t)
	return s
}

// prepared is added to the path of what every round starts with.
const prepared = ".prepared"

// prepare fills the account and lets both programs sync it.
func prepare(t testing.TB, srv *lab.Server, proxy *lab.FaultProxy, a account, binary string) stage {
	t.Helper()
	dir := t.TempDir()
	s := stage{t, srv, proxy, a, []program{
		mbsync(t, dir, a.name, proxy.Port, srv), mailmoor(t, dir, binary, a.name, proxy.Port, srv),
	}}
	a.fill(srv)
	proxy.Behave(lab.Behaviour{})
	for _, p := range s.programs {
		s.try(p.empty())
		run(t, p.command...)
	}
	time.Sleep(*settling)
	for _, p := range s.programs {
		run(t, p.command...)
		s.try(os.Rename(p.home, p.home+prepared))
	}
	srv.AwaitSessions(0)
	s.try(replicate(srv.MailHome(a.name), srv.MailHome(a.name)+prepared))
	return s
}

func (s stage) try(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// play plays a workload and returns the medians of its rounds. All homes are made before
// the first round and stay until the last: a file system that has just removed thousands
// of files is slow for a while, and a directory has to rest until its time proves that
// nothing in it has changed.
func (s stage) play(w workload) result {
	s.t.Helper()
	home := func(p program, round int) string { return fmt.Sprintf("%s.%d", p.home, round) }
	last := *rounds
	if *profilesTo != "" {
		last++
	}
	for round := range last {
		for _, p := range s.programs {
			if w.fresh {
				s.try(p.empty())
			} else {
				s.try(replicate(p.home+prepared, p.home))
			}
			s.try(os.Rename(p.home, home(p, round)))
		}
	}
	if !w.fresh {
		time.Sleep(*settling)
	}
	costs := map[string][]cost{}
	for round := range last {
		for _, p := range s.programs {
			s.try(os.Rename(home(p, round), p.home))
			if round < *rounds {
				costs[p.name] = append(costs[p.name], s.round(w, p))
			} else if p.name == "mailmoor" {
				p.command = append(p.command, "--cpuprofile", s.profile(w))
				s.round(w, p)
			}
			s.try(os.Rename(p.home, home(p, round)))
		}
	}
	for round := range last {
		for _, p := range s.programs {
			s.try(os.RemoveAll(home(p, round)))
		}
	}
	return result{w, median(costs["mailmoor"]), median(costs["mbsync"])}
}

// profile returns the file for the profile of a workload.
func (s stage) profile(w workload) string {
	s.t.Helper()
	dir, err := filepath.Abs(*profilesTo)
	s.try(err)
	s.try(os.MkdirAll(dir, 0o700))
	return filepath.Join(dir, strings.Join([]string{s.account.name, w.key, "pprof"}, "."))
}

// round puts the server back to the start, makes the change and measures the run after it.
func (s stage) round(w workload, p program) cost {
	s.t.Helper()
	user := s.account.name
	s.srv.AwaitSessions(0)
	s.try(os.RemoveAll(s.srv.MailHome(user)))
	s.try(replicate(s.srv.MailHome(user)+prepared, s.srv.MailHome(user)))
	s.proxy.Behave(lab.Behaviour{})
	if !w.fresh {
		run(s.t, p.command...) // sees that these directories, too, are as it left them
	}
	at := site{s.t, s.srv, user, p}
	if w.change != nil {
		w.change(at)
		if *settling > 0 {
			// mbsync waits until the second is over in which a directory has changed, so
			// that it sees what changes later. Few sync as soon as that.
			time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second)))
		}
	}
	s.srv.AwaitSessions(0)
	if *settling > 0 {
		unix.Sync() // so that nobody waits for what the preparation has written
	}
	s.proxy.Behave(lab.Behaviour{RTT: w.rtt})
	before := len(s.proxy.Conns())
	c := run(s.t, p.command...)
	s.srv.AwaitSessions(0)
	c.add(s.proxy.Conns()[before:])
	if diff := cmp.Diff(at.there(), at.here()); diff != "" {
		s.t.Errorf("%s: after %s the sides differ, - is on the server, + in the tree:\n%s", w.name, p.name, diff)
	}
	return c
}
