package maildir_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailmoor/maildir"
	"mailmoor/state"
)

const uidlist, table = "dovecot-uidlist", "dovecot-keywords"

// tagged delivers a read message with keywords and returns its record.
func (f *fixture) tagged(folder string, k state.Keywords) state.Record {
	f.t.Helper()
	d, err := f.Deliver(f.t.Context(), folder)
	f.ok(err)
	in := incoming(mail, state.Seen)
	in.Keywords = k
	m, err := d.Add(f.NewKey(), in)
	f.ok(err)
	f.ok(d.Commit())
	r := record(m)
	r.Keywords = k
	return r
}

// table returns the folder's table of letters, "" without one.
func (f *fixture) table(folder string) string {
	f.t.Helper()
	text, err := os.ReadFile(f.path(folder, table))
	if !os.IsNotExist(err) {
		f.ok(err)
	}
	return string(text)
}

// TestOneTableForTheAccount: the same keyword has the same letter in all folders.
func TestOneTableForTheAccount(t *testing.T) {
	f := newFixture(t)
	other, third := f.folder("Other"), f.folder("Third")
	f.tagged(f.inbox, "b c")
	f.tagged(other, "a")
	if got := f.table(other); got != "0 b\n1 c\n2 a\n" {
		t.Errorf("the second table is %q", got)
	}
	f.ok(f.Close())
	// Another run starts from what the folders say.
	tree, err := maildir.Open(maildir.Options{Root: f.root, AccountID: account, HoldDir: f.hold})
	f.ok(err)
	f.Tree = tree
	t.Cleanup(func() { tree.Close() })
	f.tagged(third, "a d")
	if got := f.table(third); got != "0 b\n1 c\n2 a\n3 d\n" {
		t.Errorf("the third table is %q", got)
	}
	if got := f.table(f.inbox); got != "0 b\n1 c\n" {
		t.Errorf("a table was written that nobody needed: %q", got)
	}
}

// TestNoKeywordsNoTable: without keywords nothing is written, and nothing is read.
func TestNoKeywordsNoTable(t *testing.T) {
	f := newFixture(t)
	r := f.tagged(f.inbox, "")
	f.put("not a table", f.inbox, table)
	f.ok(os.Chmod(f.path(f.inbox, table), 0))
	f.scan(f.inbox, r)
	if got := f.points; strings.Contains(strings.Join(got, " "), "keywords") {
		t.Errorf("the points are %q", got)
	}
}

// TestTablesOfOthers: in a folder that a Dovecot serves, or whose table is not
// understood, letters mean what the table says, and it is never written to.
func TestTablesOfOthers(t *testing.T) {
	for name, test := range map[string]struct {
		text    string
		uidlist bool
		means   state.Keywords // of the letters a and d
		letters string         // of the keywords "mine theirs"
	}{
		"Dovecot's":          {"0 theirs\n3 other\n", true, "other theirs", "a"},
		"Dovecot's, none":    {"", true, "", ""},
		"rubbish":            {"0 theirs\nrubbish\n", false, "theirs", "a"},
		"a letter twice":     {"0 theirs\n0 other\n", false, "theirs", "a"},
		"with the 27th":      {"0 theirs\n26 more\n", false, "theirs", "ab"},
		"names of no atoms":  {"0 theirs\n3 tür\n", false, "theirs", "ab"},
		"a flag of its own":  {"0 theirs\n3 $Forwarded\n", false, "theirs", "ab"},
		"gaps":               {"3 theirs\n", false, "theirs", "ad"},
		"no line end at all": {"0 theirs", false, "theirs", "ab"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			if test.text != "" {
				f.put(test.text, f.inbox, table)
			}
			if test.uidlist {
				f.put("3 V1 N1\n", f.inbox, uidlist)
			}
			r := f.tagged(f.inbox, "mine theirs")
			name := f.names(f.path(f.inbox, "cur"))[0]
			if _, got, _ := strings.Cut(name, ":2,S"); got != test.letters {
				t.Errorf("the letters are %q, want %q", got, test.letters)
			}
			if d := f.scan(f.inbox, r); len(d.Changed) > 0 {
				t.Errorf("the scan shows %+v", d.Changed)
			}
			if got := f.table(f.inbox); (test.uidlist || !strings.Contains(got, "mine")) && got != test.text {
				t.Errorf("their table is now %q", got)
			}
			if test.letters == "ad" || strings.Contains(f.table(f.inbox), "mine") {
				return // d has got a meaning, or another one
			}
			f.put(mail+"x", f.inbox, "cur", "k:2,ad")
			if got := f.scan(f.inbox, r).New[0].Keywords; got != test.means {
				t.Errorf("the letters mean %q, want %q", got, test.means)
			}
		})
	}
}

// TestUnreadableTable: a table that cannot be read keeps no mail from being synced, and
// is left alone.
func TestUnreadableTable(t *testing.T) {
	for name, put := range map[string]func(path string) error{
		"a directory":     func(path string) error { return os.Mkdir(path, 0o700) },
		"a symbolic link": func(path string) error { return os.Symlink("elsewhere", path) },
		"a huge file":     func(path string) error { return os.WriteFile(path, make([]byte, 100<<10), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.ok(put(f.path(f.inbox, table)))
			r := f.tagged(f.inbox, "work")
			file := f.names(f.path(f.inbox, "cur"))[0]
			if !strings.HasSuffix(file, ":2,S") {
				t.Errorf("the file is %s", file)
			}
			f.rename("INBOX/cur/"+file, "INBOX/cur/"+file+"a")
			if d := f.scan(f.inbox, r); len(d.Changed)+len(d.Missing)+len(d.Problems) > 0 {
				t.Errorf("the scan shows %+v", d)
			}
			before, err := os.Lstat(f.path(f.inbox, table))
			f.ok(err)
			_, err = f.SetKeywords(t.Context(), f.inbox, r.Key, "work", "home work")
			f.ok(err)
			if after, err := os.Lstat(f.path(f.inbox, table)); err != nil || !os.SameFile(before, after) {
				t.Errorf("it was replaced: %v", err)
			}
		})
	}
}

// TestTableFailsOnce: a table that cannot be read in one scan, for want of descriptors or
// with an I/O error, may be read in the next. Letters that stood for nothing meanwhile
// would then be news, and bring keywords back that were taken away.
func TestTableFailsOnce(t *testing.T) {
	f := newFixture(t)
	r := f.tagged(f.inbox, "home work")
	f.rename("INBOX/"+table, "INBOX/away")
	socket, err := net.Listen("unix", f.path(f.inbox, table)) // which nobody can open as a file
	f.ok(err)
	if d, err := f.Scan(t.Context(), f.inbox, []state.Record{r}, state.ScanOptions{}); err == nil {
		t.Errorf("the scan shows %+v and no error", d)
	}
	if _, err := f.SetKeywords(t.Context(), f.inbox, r.Key, "home work", "home"); err == nil {
		t.Error("the file got letters of a table that nobody has read")
	}
	f.ok(socket.Close()) // removes it
	f.rename("INBOX/away", "INBOX/"+table)
	if d := f.scan(f.inbox, r); len(d.Changed) > 0 {
		t.Errorf("the scan shows %+v", d)
	}
}

// TestStrangeLettersStay: a letter that somebody uses in a way of his own gets no other
// meaning, and stays.
func TestStrangeLettersStay(t *testing.T) {
	f := newFixture(t)
	f.put(mail, f.inbox, "cur", "k:2,Sac")
	r := record(f.scan(f.inbox).New[0])
	if k := f.scan(f.inbox).New[0].Keywords; k != "" {
		t.Errorf("the letters mean %q", k)
	}
	m, err := f.SetKeywords(t.Context(), f.inbox, "k", "", "one two")
	f.ok(err)
	if got := f.names(f.path(f.inbox, "cur"))[0]; got != "k:2,Sabcd" || f.table(f.inbox) != "1 one\n3 two\n" {
		t.Errorf("the file is %s, the table %q", got, f.table(f.inbox))
	}
	r.Keywords = m.Keywords
	if d := f.scan(f.inbox, r); len(d.Changed) > 0 {
		t.Errorf("the scan shows %+v", d.Changed)
	}
	if _, err := f.SetKeywords(t.Context(), f.inbox, "k", "one two", ""); err != nil || f.names(f.path(f.inbox, "cur"))[0] != "k:2,Sac" {
		t.Errorf("without keywords the file is %s, %v", f.names(f.path(f.inbox, "cur"))[0], err)
	}
}

// TestMoveBetweenTables: a file that goes to where other letters are used keeps its
// keywords, not its letters.
func TestMoveBetweenTables(t *testing.T) {
	f := newFixture(t)
	other := f.folder("Other")
	f.put("0 work\n1 home\n", f.inbox, table)
	f.put("0 home\n2 work\n", other, table)
	r := f.tagged(f.inbox, "home work")
	m, err := f.Move(t.Context(), f.inbox, r, other, state.Seen)
	f.ok(err)
	if got := f.names(f.path(other, "cur"))[0]; got != string(m.Key)+":2,Sac" || m.Keywords != "home work" {
		t.Errorf("the file is %s with %q", got, m.Keywords)
	}
	r.Key = m.Key
	if d := f.scan(other, r); len(d.Changed) > 0 {
		t.Errorf("the scan shows %+v", d.Changed)
	}
}

// TestReaderBringsLetters: a file that a reader moved means there what it meant here, and
// the folder's table says so from then on; not where the tree is only looked at.
func TestReaderBringsLetters(t *testing.T) {
	f := newFixture(t)
	other := f.folder("Other")
	f.tagged(f.inbox, "work")
	name := f.names(f.path(f.inbox, "cur"))[0]
	f.rename("INBOX/cur/"+name, "Other/cur/"+name)
	peek, err := maildir.Open(maildir.Options{Root: f.root, AccountID: account, HoldDir: f.hold, Peek: true})
	f.ok(err)
	defer peek.Close()
	d, err := peek.Scan(t.Context(), other, nil, state.ScanOptions{})
	f.ok(err)
	if d.New[0].Keywords != "work" || f.table(other) != "" {
		t.Errorf("a look shows %q and leaves %q", d.New[0].Keywords, f.table(other))
	}
	if got := f.scan(other).New[0].Keywords; got != "work" || f.table(other) != f.table(f.inbox) {
		t.Errorf("a scan shows %q and leaves %q", got, f.table(other))
	}
}

// TestTableSurvivesInterruption: a table half written by a killed run is nobody's.
func TestTableSurvivesInterruption(t *testing.T) {
	f := newFixture(t)
	f.put("0 wor", f.inbox, ".mailmoor.keywords")
	f.tagged(f.inbox, "home")
	if got := f.table(f.inbox); got != "0 home\n" {
		t.Errorf("the table is %q", got)
	}
	if left, _ := filepath.Glob(f.path(f.inbox, ".mailmoor.keywords*")); len(left) > 0 {
		t.Errorf("%q are left", left)
	}
}

// TestManyMessagesOneTable: a table is written once for all messages of a delivery.
func TestManyMessagesOneTable(t *testing.T) {
	f := newFixture(t)
	d, err := f.Deliver(t.Context(), f.inbox)
	f.ok(err)
	for i := range 50 {
		in := incoming(fmt.Sprint(mail, i), state.Seen)
		in.Keywords = "NonJunk work"
		_, err := d.Add(f.NewKey(), in)
		f.ok(err)
	}
	f.ok(d.Commit())
	if n := strings.Count(strings.Join(f.points, "\n"), "keywords written"); n != 1 {
		t.Errorf("the table was written %d times", n)
	}
}
