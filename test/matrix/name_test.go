package matrix_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mailmoor/engine"
	"mailmoor/state"
	"mailmoor/test/lab"
	"mailmoor/test/matrix"
)

// makeFolder makes a folder in the tree as a mail reader would.
func (a *account) makeFolder(name string) {
	a.Helper()
	for _, sub := range []string{"cur", "new", "tmp"} {
		a.must(os.MkdirAll(filepath.Join(a.folder(name), sub), 0o700))
	}
}

// onServerAs returns the names of the account's mailboxes.
func (a *account) onServerAs() []string {
	a.Helper()
	var names []string
	for _, m := range a.srv.Mailboxes(a.user.Name) {
		names = append(names, m.Name)
	}
	return names
}

// TestNewFolder: a folder that was made beside INBOX becomes a mailbox wherever
// the server has those of the account, and its mail goes both ways; a new
// mailbox there becomes a folder beside INBOX.
func TestNewFolder(t *testing.T) {
	eachServer(t, func(t *testing.T, _ matrix.Server, srv lab.IMAP) {
		a := newAccount(t, srv)
		a.sync()
		a.makeFolder("Listen/für Go")
		a.put("Listen/für Go", "a", "S", body("a"))
		srv.CreateMailbox(a.user.Name, a.ns.Name("Papiere"))
		a.deliver("Papiere", "b")
		a.sync()
		a.sync()
		messages := srv.Messages(a.user.Name, a.ns.Name("Listen", "für Go"))
		if len(messages) != 1 || tokenOf(messages[0].Body) != "a" || messages[0].Flags != state.Seen {
			t.Errorf("the server has %+v", messages)
		}
		a.file("Papiere", "b")
		if counts := a.sync().Counts; counts != (engine.Counts{}) {
			t.Errorf("a run with nothing to do did %+v", counts)
		}
	})
}

// TestPrefix: the same on the other servers that want a prefix, and on those on
// which names without one belong to others, with the word about it.
func TestPrefix(t *testing.T) {
	t.Run("Dovecot", func(t *testing.T) {
		a := newAccount(t, lab.Dovecot(t, lab.Separator("."), lab.Config("namespace inbox {\n  prefix = INBOX.\n}")))
		a.sync()
		a.makeFolder("Lists/go")
		a.put("Lists/go", "a", "", body("a"))
		a.sync()
		if got := a.onServerAs(); !slices.Contains(got, "INBOX.Lists.go") {
			t.Errorf("the server has %q", got)
		}
		a.file("Lists/go", "a")
	})
	t.Run("Cyrus", func(t *testing.T) {
		a := newAccount(t, lab.Cyrus(t, "altnamespace: no", "unixhierarchysep: no"))
		a.deliver("Archive", "b")
		a.sync()
		a.file("INBOX/Archive", "b")
		a.makeFolder("Lists")
		a.put("Lists", "a", "", body("a"))
		report := a.run()
		if len(report.Problems) != 1 || !strings.Contains(string(report.Problems[0].Hint), `"INBOX."`) || report.Problems[0].Mailbox != "Lists" {
			t.Errorf("problems are %+v, want one that names the prefix", report.Problems)
		}
		a.must(os.Rename(a.folder("Lists"), a.folder("INBOX/Lists")))
		a.run()
		a.sync()
		if got := a.onServerAs(); !slices.Contains(got, "INBOX.Lists") {
			t.Errorf("the server has %q", got)
		}
	})
}

// sharing starts a Dovecot on which users may share mailboxes. list says whether
// LIST "" "*" shows what others share, as its setting of that name does.
func sharing(t *testing.T, list string) lab.IMAP {
	return lab.Dovecot(t, lab.Shares(list))
}

// TestNamedByPatterns: the program looks for what the server hides when its
// configuration names it, and not otherwise.
func TestNamedByPatterns(t *testing.T) {
	srv := sharing(t, "no")
	srv.User("u2")
	a := newAccount(t, srv)
	srv.CreateMailbox("u2", "Team")
	srv.Append("u2", "Team", nil, time.Unix(first, 0), body("a"))
	srv.(sharer).Share("u2", "Team", a.user.Name, "lrswipkxte")
	for _, patterns := range []string{`["*"]`, `["*", "shared/*"]`} {
		path, env := a.program("mailboxes = " + patterns)
		cmd := exec.Command(path, "sync")
		cmd.Env = env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("with %s: %v\n%s", patterns, err, out)
		}
		_, err := os.Stat(a.folder("shared/u2/Team"))
		if named := strings.Contains(patterns, "shared"); (err == nil) != named {
			t.Errorf("with %s the folder: %v", patterns, err)
		}
	}
	a.file("shared/u2/Team", "a")
}

// TestReadOnly: of a mailbox that may only be read, what others change arrives; what
// is changed here stays here and is said, and the server keeps what it has.
func TestReadOnly(t *testing.T) {
	granted := func(prefix string) func(*account, lab.IMAP, string) (string, string) {
		return func(a *account, srv lab.IMAP, other string) (mine, theirs string) {
			srv.CreateMailbox(other, "Team")
			srv.(sharer).Share(other, "Team", a.user.Name, "lr")
			return prefix + other + "/Team", "Team"
		}
	}
	cyrus := func(t *testing.T) lab.IMAP { return lab.Cyrus(t) }
	for _, test := range []struct {
		name  string
		start func(t *testing.T) lab.IMAP
		// prepare makes a mailbox and returns its names for the account and for the
		// other user, who may change it.
		prepare func(a *account, srv lab.IMAP, other string) (mine, theirs string)
	}{
		{"Dovecot", func(t *testing.T) lab.IMAP { return sharing(t, "yes") }, granted("shared/")},
		{"Cyrus", cyrus, granted("Other Users/")},
		// Cyrus says READ-WRITE here, and has no permanent flags.
		{"Cyrus, own mailbox", cyrus, func(a *account, srv lab.IMAP, other string) (mine, theirs string) {
			srv.CreateMailbox(a.user.Name, "Team")
			srv.(sharer).Share(a.user.Name, "Team", other, "lrswipkxte")
			srv.(*lab.Peer).SetACL(a.user.Name, "Team", "lr")
			return "Team", "Other Users/" + a.user.Name + "/Team"
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := test.start(t)
			other := srv.User("other").Name
			a := newAccount(t, srv)
			mine, theirs := test.prepare(a, srv, other)
			uid := srv.Append(other, theirs, nil, time.Unix(first, 0), body("a"))
			srv.Append(other, theirs, nil, time.Unix(first, 0), body("b"))
			a.sync()
			srv.StoreFlags(other, theirs, state.NewUIDSet(uid), []string{`\Flagged`}, nil)
			a.sync()
			if path := a.file(mine, "a"); !strings.HasSuffix(path, ":2,F") {
				t.Errorf("the other user's flag has not arrived: %s", path)
			}
			a.letters(mine, "b", "F")
			a.put(mine, "c", "", body("c"))
			report := a.run()
			if len(report.Problems) == 0 || report.Problems[0].Cause != state.CauseReadOnly || report.Problems[0].Mailbox != mine {
				t.Errorf("problems are %+v, want a word about the mailbox", report.Problems)
			}
			if path := a.file(mine, "b"); !strings.HasSuffix(path, ":2,F") {
				t.Errorf("the local flag was taken back: %s", path)
			}
			a.file(mine, "c")
			if got := srv.Messages(other, theirs); len(got) != 2 || got[1].Flags != 0 {
				t.Errorf("the server now has %+v", got)
			}
		})
	}
}

// TestNames: names beyond ASCII, names that differ in case only, and long ones, in
// both directions.
func TestNames(t *testing.T) {
	eachServer(t, func(t *testing.T, _ matrix.Server, srv lab.IMAP) {
		a := newAccount(t, srv)
		names := []string{"Entwürfe", "日本語 & mehr", "Case", "case", "a-b_c", strings.Repeat("long", 40)}
		for i, name := range names {
			srv.CreateMailbox(a.user.Name, a.ns.Name(name))
			srv.Append(a.user.Name, a.ns.Name(name), nil, time.Unix(first, 0), body(fmt.Sprint("m", i)))
		}
		a.sync()
		for _, name := range []string{"Größe", "Größe/ß & co"} {
			a.makeFolder(name)
			a.put(name, "x", "", body("x"+name))
		}
		a.rest()
		for i, name := range names {
			a.file(name, fmt.Sprint("m", i))
		}
		for _, mailbox := range []string{a.ns.Name("Größe"), a.ns.Name("Größe", "ß & co")} {
			if got := srv.Messages(a.user.Name, mailbox); len(got) != 1 {
				t.Errorf("mailbox %q has %d messages, want 1", mailbox, len(got))
			}
		}
		a.proxy.Reset()
		if report := a.sync(); report.Counts != (engine.Counts{}) || len(a.proxy.Changing()) != 0 {
			t.Errorf("a run with nothing to do did %+v", report.Counts)
		}
	})
}

// sharer is a server on which users may share mailboxes.
type sharer interface {
	Share(user, mailbox, with, rights string)
}

// TestOthers: mailboxes of other users and shared ones are kept in step where the
// server lists them, and where it hides them when the user names them.
func TestOthers(t *testing.T) {
	for _, test := range []struct {
		name   string
		start  func(t *testing.T) lab.IMAP
		team   string // of the other user, who calls it Team
		prefix string
		hidden bool
	}{
		{"Dovecot", func(t *testing.T) lab.IMAP { return sharing(t, "yes") }, "shared/u2/Team", "shared/", false},
		{"Dovecot, list = no", func(t *testing.T) lab.IMAP { return sharing(t, "no") }, "shared/u2/Team", "shared/", true},
		{"Cyrus", func(t *testing.T) lab.IMAP { return lab.Cyrus(t) }, "Other Users/u2/Team", "Other Users/", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := test.start(t)
			other := srv.User("u2").Name
			a := newAccount(t, srv)
			srv.CreateMailbox(other, "Team")
			srv.Append(other, "Team", nil, time.Unix(first, 0), body("a"))
			srv.(sharer).Share(other, "Team", a.user.Name, "lrswipkxte")
			a.sync()
			_, err := os.Stat(a.folder(test.team))
			if hidden := err != nil; hidden != test.hidden {
				t.Errorf("before it was named: %v", err)
			}
			a.named = []string{test.prefix}
			a.sync()
			a.file(test.team, "a")
			a.put(test.team, "b", "", body("b"))
			a.sync()
			if got := srv.Messages(other, "Team"); len(got) != 2 {
				t.Errorf("the other user has %d messages, want 2", len(got))
			}
		})
	}
}
