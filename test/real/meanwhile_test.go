package real

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mailmoor/engine"
)

// background syncs again and again until it is stopped.
type background struct {
	stop chan struct{}
	done chan error
}

func (a *account) inBackground() *background {
	b := &background{stop: make(chan struct{}), done: make(chan error, 1)}
	go func() {
		for {
			if _, err := a.run(); err != nil {
				b.done <- err
				return
			}
			select {
			case <-b.stop:
				b.done <- nil
				return
			default:
			}
		}
	}()
	return b
}

// end stops the runs and returns what was wrong with them.
func (b *background) end() error {
	close(b.stop)
	return <-b.done
}

// TestSecondClientMeanwhile: another client delivers, flags, moves and expunges
// while runs carry out what was done here. When it is quiet again, two runs later
// both sides are equal, and both users got what they wanted.
func TestSecondClientMeanwhile(t *testing.T) {
	srv := newServer(t)
	for name, hide := range map[string][]string{
		"full": nil, "no MOVE, no CONDSTORE": {"MOVE", "CONDSTORE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, srv, hide...)
			for i := range 36 {
				a.putEarly("INBOX", fmt.Sprintf("m%02d", i))
			}
			a.clean()
			for i := range 5 {
				a.letters("INBOX", fmt.Sprintf("m%02d", i), "F")
				a.carry("INBOX", fmt.Sprintf("m%02d", 5+i), "Archive")
				a.drop("INBOX", fmt.Sprintf("m%02d", 10+i))
				a.put("INBOX", "", fmt.Sprintf("here%d", i))
			}
			runs := a.inBackground()
			for i := range 5 {
				a.deliver("INBOX", fmt.Sprintf("there%d", i))
				a.doveadm("flags", "add", fmt.Sprintf("m%02d", i), `\Answered`)
				a.doveadm("move", "Archive", fmt.Sprintf("m%02d", 15+i))
				a.doveadm("expunge", "", fmt.Sprintf("m%02d", 20+i))
				// These were moved here meanwhile, or still will be.
				a.doveadm("move", "Drafts", fmt.Sprintf("m%02d", 5+i))
				a.doveadm("flags", "add", fmt.Sprintf("m%02d", 25+i), `\Seen`)
			}
			a.must(runs.end())
			for range 2 {
				a.sync()
			}
			if c := a.clean().Counts; c != (engine.Counts{}) {
				t.Errorf("the third quiet run still did %+v", c)
			}
			var want []string
			for i := range 5 {
				want = append(want,
					fmt.Sprintf("INBOX/m%02d:FR", i), fmt.Sprintf("Trash/m%02d:", 10+i), fmt.Sprintf("INBOX/here%d:", i),
					fmt.Sprintf("INBOX/there%d:", i), fmt.Sprintf("Archive/m%02d:", 15+i), fmt.Sprintf("INBOX/m%02d:S", 25+i))
			}
			both := a.same()
			for _, name := range want {
				if !slices.Contains(both.names(), name) {
					t.Errorf("%s is missing in %q", name, both.names())
				}
			}
			a.countsAfterMeanwhile(both)
		})
	}
}

// countsAfterMeanwhile checks that everything is there once, and what was expunged
// rests in the hold area. A message that two clients move at the same
// moment may end in both places: to Dovecot, too, MOVE is a copy and a removal, and
// of two moves by doveadm alone about one in six doubles the message.
func (a *account) countsAfterMeanwhile(both side) {
	a.Helper()
	counts, held := both.counts(), a.held()
	contested := map[string]bool{}
	for i := range 5 {
		moved := fmt.Sprintf("m%02d", 5+i)
		contested[moved] = true
		if n := counts[moved]; n < 1 || n > 2 {
			a.Errorf("%s was moved on both sides and is there %d times", moved, n)
		}
	}
	for token, n := range counts {
		if n != 1 && !contested[token] {
			a.Errorf("%s is there %d times", token, n)
		}
	}
	for i := range 5 {
		if gone := fmt.Sprintf("m%02d", 20+i); counts[gone] != 0 || held[gone] != 1 {
			a.Errorf("%s was expunged and is there %d times, and %d times in the hold area", gone, counts[gone], held[gone])
		}
	}
	if len(counts) != 36-5+5+5 {
		a.Errorf("there are %d messages, want 41", len(counts))
	}
}

// putEarly adds a message to a folder that may not exist yet.
func (a *account) putEarly(folder, token string) {
	a.Helper()
	a.mkfolder(folder)
	a.put(folder, "", token)
}

// doveadm lets an administrator do something to a token's message in INBOX, if it
// is there.
func (a *account) doveadm(verb, first, token string, more ...string) {
	a.Helper()
	args := []string{verb}
	if verb == "flags" {
		args = append(args, first)
		first = more[0]
	}
	args = append(args, "-u", a.user)
	if first != "" {
		args = append(args, first)
	}
	a.srv.Doveadm(append(args, "mailbox", "INBOX", "header", "message-id", token+"@test")...)
}

// TestReaderMeanwhile: a mail reader renames every file of a busy folder while
// runs go on. A scan may miss files then; none may be taken for deleted.
func TestReaderMeanwhile(t *testing.T) {
	a := newAccount(t, newServer(t))
	const count = 300
	var want []string
	messages := make([]string, count)
	for i := range count {
		messages[i] = fmt.Sprintf("m%03d", i)
		a.putEarly("INBOX", messages[i])
	}
	a.clean()
	runs := a.inBackground()
	for round := range 6 {
		for _, path := range a.files("INBOX") {
			base, _, _ := strings.Cut(filepath.Base(path), ":2,")
			letters := []string{"S", "FS", ""}[round%3]
			// The run may have renamed it a moment ago.
			_ = os.Rename(path, filepath.Join(a.root, "INBOX", "cur", base+":2,"+letters))
		}
		a.deliver("INBOX", fmt.Sprintf("new%d", round))
	}
	a.must(runs.end())
	for _, token := range messages {
		a.letters("INBOX", token, "RS")
		want = append(want, "INBOX/"+token+":RS")
	}
	a.settle()
	for round := range 6 {
		want = append(want, fmt.Sprintf("INBOX/new%d:", round))
	}
	got := slices.DeleteFunc(a.same().names(), func(name string) bool { return strings.HasPrefix(name, "INBOX/new") })
	if len(got) != count || len(a.held()) != 0 || len(a.remote()["Trash"]) != 0 {
		t.Errorf("%d of %d messages are left, %v in the hold area, %v in Trash", len(got), count, a.held(), a.remote()["Trash"])
	}
	for _, name := range got {
		if !slices.Contains(want, name) {
			t.Errorf("%s was not to be", name)
		}
	}
}
