package real

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"mailmoor/state"
	"mailmoor/test/lab"
)

// laptop is another machine of the user, which keeps its tree in step with mbsync. It
// knows no moves: a message that changes its folder there is uploaded anew, under
// today's date, and then expunged where it was.
type laptop struct {
	*account
	root, conf string
}

func newLaptop(a *account) *laptop {
	a.Helper()
	lab.Require(a.T, "mbsync")
	base := a.TempDir()
	l := &laptop{account: a, root: filepath.Join(base, "mail"), conf: filepath.Join(base, "mbsyncrc")}
	for _, dir := range []string{l.root, filepath.Join(base, "state")} {
		a.must(os.Mkdir(dir, 0o700))
	}
	a.must(os.WriteFile(l.conf, fmt.Appendf(nil, `
FSync no

IMAPStore far
Host %s
Port %d
User %s
Pass %s
SSLType None

MaildirStore near
Path %s/
Inbox %[5]s/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState %s/
`, a.srv.Host, a.srv.PlainPort, a.user, a.srv.Password, l.root, filepath.Join(base, "state")), 0o600))
	return l
}

// sync runs mbsync once.
func (l *laptop) sync() {
	l.Helper()
	if out, err := exec.CommandContext(l.Context(), "mbsync", "-q", "-c", l.conf, "all").CombinedOutput(); err != nil {
		l.Fatalf("mbsync: %v\n%s", err, out)
	}
}

// each calls do with the file of each of the messages in a folder.
func (l *laptop) each(folder string, tokens []string, do func(token, path string) error) {
	l.Helper()
	left := slices.Clone(tokens)
	for _, sub := range []string{"cur", "new"} {
		paths, err := filepath.Glob(filepath.Join(l.root, folder, sub, "*"))
		l.must(err)
		for _, path := range paths {
			data, err := os.ReadFile(path)
			l.must(err)
			if i := slices.Index(left, tokenOf(data)); i >= 0 {
				l.must(do(left[i], path))
				left = slices.Delete(left, i, i+1)
			}
		}
	}
	if len(left) > 0 {
		l.Fatalf("folder %s of the laptop lacks %v", folder, left)
	}
}

// save copies messages to another folder, as a mail reader does: under new names.
func (l *laptop) save(folder, dest string, tokens ...string) {
	l.Helper()
	l.each(folder, tokens, func(token, path string) error {
		_, letters, _ := strings.Cut(filepath.Base(path), ":2,")
		return os.Link(path, filepath.Join(l.root, dest, "cur", "refiled."+token+":2,"+letters))
	})
}

// purge removes messages.
func (l *laptop) purge(folder string, tokens ...string) {
	l.Helper()
	l.each(folder, tokens, func(_, path string) error { return os.Remove(path) })
}

// refile moves messages to another folder.
func (l *laptop) refile(folder, dest string, tokens ...string) {
	l.Helper()
	l.save(folder, dest, tokens...)
	l.purge(folder, tokens...)
}

// numbered returns the tokens of n messages.
func numbered(n int) []string {
	var tokens []string
	for i := range n {
		tokens = append(tokens, fmt.Sprintf("m%03d", i))
	}
	return tokens
}

// refiled is an account in step whose INBOX has n messages, and the laptop.
func refiled(t *testing.T, n int) (*account, *laptop, []string) {
	t.Helper()
	a := newAccount(t, newServer(t))
	tokens := numbered(n)
	a.deliver("INBOX", tokens...)
	a.deliver("Archive", "filed")
	a.clean()
	l := newLaptop(a)
	l.sync()
	return a, l, tokens
}

// settled checks that both sides have this mail, and that one more run does nothing. The
// dates are not compared: the laptop has given the server new ones.
func (l *laptop) settled(want ...string) {
	l.Helper()
	slices.Sort(want)
	for name, got := range map[string][]string{"server": l.remote().names(), "tree": l.local().names()} {
		if diff := gocmp.Diff(want, got); diff != "" {
			l.Errorf("the %s has (-want +got):\n%s", name, diff)
		}
	}
	l.idle()
}

// TestRefiledByMbsync: messages that mbsync has moved on another machine were taken for
// deleted ones and new ones. Those that had been flagged here meanwhile were uploaded
// to INBOX again, so that there were two of each.
func TestRefiledByMbsync(t *testing.T) {
	t.Parallel()
	a, l, tokens := refiled(t, 8)
	l.refile("INBOX", "Archive", tokens[:5]...)
	l.sync()
	want := []string{"Archive/filed:", "INBOX/m005:", "INBOX/m006:", "INBOX/m007:"}
	for _, token := range tokens[:5] {
		a.letters("INBOX", token, "F")
		want = append(want, "Archive/"+token+":F")
	}
	if c := a.clean().Counts; c.MovedLocal != 5 || c.Downloaded+c.Uploaded+c.RemovedLocal != 0 {
		t.Errorf("counts are %+v, want five moves", c)
	}
	l.settled(want...)
}

// TestManyRefiledByMbsync: 120 of 150 were held as deleted, and rejecting that uploaded
// them all again. The last ones of a mailbox were held as well.
func TestManyRefiledByMbsync(t *testing.T) {
	t.Parallel()
	a, l, tokens := refiled(t, 150)
	want := []string{"Archive/filed:"}
	for _, token := range tokens {
		want = append(want, "Archive/"+token+":")
	}
	for _, some := range [][]string{tokens[:120], tokens[120:148], tokens[148:]} {
		l.refile("INBOX", "Archive", some...)
		l.sync()
		if c := a.clean().Counts; c.MovedLocal != len(some) || c.Downloaded+c.Uploaded+c.RemovedLocal != 0 {
			t.Errorf("counts are %+v, want %d moves", c, len(some))
		}
	}
	l.settled(want...)
}

// TestSavedAndPurgedByMbsync: a reader on another machine saves messages elsewhere and
// purges them later, and a run comes in between. What had been flagged here was uploaded
// to INBOX again. So many were held, and rejecting that uploaded all of them again.
func TestSavedAndPurgedByMbsync(t *testing.T) {
	t.Parallel()
	a, l, tokens := refiled(t, 130)
	saved := tokens[:110]
	l.save("INBOX", "Archive", saved...)
	l.sync()
	a.clean()
	l.purge("INBOX", saved[:3]...)
	l.sync()
	a.letters("INBOX", saved[0], "F")
	if c := a.clean().Counts; c.Uploaded > 0 || c.RemovedLocal != 3 {
		t.Errorf("counts are %+v, want three files removed", c)
	}
	l.purge("INBOX", saved[3:]...)
	l.purge("INBOX", tokens[110])
	l.sync()
	h := a.onlyHold(a.sync())
	if h.UIDs.Len() != 108 || !strings.Contains(string(h.Reason), "107 of them are in Archive as well") {
		t.Errorf("the hold is %+v, want one that says where 107 of 108 are", h)
	}
	a.decide(h, state.Rejected)
	a.clean()
	want := []string{"Archive/filed:"}
	for i, token := range tokens {
		switch {
		case i == 0:
			want = append(want, "Archive/"+token+":F")
		case i < len(saved):
			want = append(want, "Archive/"+token+":")
		default:
			want = append(want, "INBOX/"+token+":")
		}
	}
	l.settled(want...)
}
