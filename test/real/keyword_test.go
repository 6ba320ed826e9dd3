package real

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mailmoor/engine"
	"mailmoor/state"
)

// keywordFile reads the folder's table of letters.
func (a *account) keywordFile(folder string) string {
	a.Helper()
	data, err := os.ReadFile(a.dir(folder, "dovecot-keywords"))
	a.must(err)
	return string(data)
}

// keywords returns the keywords of a message on the server.
func (a *account) keywords(mailbox, token string) state.Keywords {
	a.Helper()
	for _, m := range a.srv.Messages(a.user, mailbox) {
		if tokenOf(m.Body) == token {
			return state.NewKeywords(m.Keywords...)
		}
	}
	a.Fatalf("mailbox %s holds no %s", mailbox, token)
	return ""
}

// ends checks how the name of a message's file ends.
func (a *account) ends(folder, token, end string) {
	a.Helper()
	if path := a.file(folder, token); !strings.HasSuffix(path, end) {
		a.Errorf("the file of %s is %s, want it to end in %s", token, filepath.Base(path), end)
	}
}

// still checks that a run with nothing to do changes nothing.
func (a *account) still() {
	a.Helper()
	before := a.snapshot()
	if c := a.clean().Counts; c != (engine.Counts{}) {
		a.Errorf("a run with nothing to do did %+v", c)
	}
	a.unchanged(before)
}

// TestKeywordsTravel: a keyword that an administrator sets becomes a letter with a line
// in dovecot-keywords; a letter that a reader sets becomes a keyword on the server.
func TestKeywordsTravel(t *testing.T) {
	srv := newServer(t)
	for name, hide := range map[string][]string{"full": nil, "no CONDSTORE": {"CONDSTORE"}} {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t, srv, hide...)
			a.deliver("INBOX", "a", "b", "unread")
			a.flag("INBOX", "a", "S")
			a.flag("INBOX", "b", "S")
			a.clean()
			if _, err := os.Stat(a.dir("INBOX", "dovecot-keywords")); err == nil {
				a.Error("there are no keywords, and a file of them")
			}
			a.doveadm("flags", "add", "a", "work")
			a.doveadm("flags", "add", "a", "$Label1")
			a.doveadm("flags", "add", "unread", "work")
			a.clean()
			if got := a.keywordFile("INBOX"); got != "0 $Label1\n1 work\n" {
				a.Errorf("the table is %q", got)
			}
			a.ends("INBOX", "a", ":2,Sab")
			a.still()

			a.letters("INBOX", "b", "Sb")
			a.letters("INBOX", "unread", "")
			a.clean()
			if got := a.keywords("INBOX", "b"); got != "work" {
				a.Errorf("the server has %q", got)
			}
			a.ends("INBOX", "unread", ":2,b")
			a.still()

			a.doveadm("flags", "remove", "a", "work")
			a.carry("INBOX", "b", "Archive")
			a.clean()
			a.ends("INBOX", "a", ":2,Sa")
			a.ends("Archive", "b", ":2,Sb")
			if got := a.keywords("Archive", "b"); got != "work" || a.keywordFile("Archive") != a.keywordFile("INBOX") {
				a.Errorf("in the archive it has %q, with the table %q", got, a.keywordFile("Archive"))
			}
			a.still()
		})
	}
}

// TestDovecotReadsOurLetters: the tree is good for a Dovecot as it is.
func TestDovecotReadsOurLetters(t *testing.T) {
	a := newAccount(t, newServer(t))
	a.deliver("INBOX", "a", "b")
	a.flag("INBOX", "a", "S")
	a.doveadm("flags", "add", "a", "work")
	a.doveadm("flags", "add", "a", "NonJunk")
	a.clean()
	home := a.srv.MailHome(a.srv.User("reader").Name)
	a.must(os.MkdirAll(filepath.Dir(home), 0o777))
	a.must(os.CopyFS(home, os.DirFS(filepath.Join(a.root, "INBOX"))))
	for _, m := range a.srv.Messages("reader", "INBOX") {
		if got := state.NewKeywords(m.Keywords...); tokenOf(m.Body) == "a" && got != "NonJunk work" {
			t.Errorf("it reads %q", got)
		}
	}
}

// TestForeignTable: where a Dovecot serves the folder, its letters count and its file is
// left alone.
func TestForeignTable(t *testing.T) {
	a := newAccount(t, newServer(t))
	a.deliver("INBOX", "a", "b")
	a.flag("INBOX", "a", "S")
	a.clean()
	const table = "0 theirs\n3 work\n"
	a.must(os.WriteFile(a.dir("INBOX", "dovecot-uidlist"), []byte("3 V1 N1\n"), 0o600))
	a.must(os.WriteFile(a.dir("INBOX", "dovecot-keywords"), []byte(table), 0o600))
	a.letters("INBOX", "b", "Sad")
	a.doveadm("flags", "add", "a", "work")
	a.doveadm("flags", "add", "a", "unknown")
	a.clean()
	if got := a.keywords("INBOX", "b"); got != "theirs work" {
		t.Errorf("the server has %q", got)
	}
	a.ends("INBOX", "a", ":2,Sd")
	if got := a.keywordFile("INBOX"); got != table {
		t.Errorf("their table is now %q", got)
	}
	a.still()
	if got := a.keywords("INBOX", "a"); got != "unknown work" {
		t.Errorf("the server has %q", got)
	}
}

// TestRefusedKeyword: Dovecot refuses names of more than 50 bytes. The message keeps
// such a keyword here, others travel, and it is spoken of once.
func TestRefusedKeyword(t *testing.T) {
	a := newAccount(t, newServer(t))
	a.deliver("INBOX", "a")
	a.clean()
	long := strings.Repeat("long", 15)
	a.must(os.WriteFile(a.dir("INBOX", "dovecot-keywords"), []byte("0 "+long+"\n1 fine\n"), 0o600))
	a.letters("INBOX", "a", "Sab")
	report := a.sync()
	if !slices.ContainsFunc(report.Problems, func(p state.Problem) bool { return p.Subject == "keywords "+long && p.Hint != "" }) {
		t.Errorf("the problems are %+v", report.Problems)
	}
	if got := a.keywords("INBOX", "a"); got != "fine" {
		t.Errorf("the server has %q", got)
	}
	a.still()
	a.letters("INBOX", "a", "S")
	a.sync()
	a.ends("INBOX", "a", ":2,Sab")
	a.still()
}
