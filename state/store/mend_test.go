package store

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mailmoor/state"
)

// TestFalseAlarm: damage that was met once, in memory or on the way, and that the file
// does not have, costs an examination and no state.
func TestFalseAlarm(t *testing.T) {
	d := newDirectory(t)
	s := open(t, d, Options{Now: testNow})
	write(t, s, accountV5())
	s.suspect(errDamaged)
	must(t, s.Close())
	if _, found, err := readNote(s.path); !found || err != nil {
		t.Fatalf("no note is left: %v", err)
	}
	warned := 0
	s = open(t, d, Options{Now: testNow, Warn: func(error) { warned++ }})
	checkAccount(t, s, accountV5())
	if news, err := s.News(t.Context()); len(news) > 0 || err != nil || warned != 1 {
		t.Errorf("news %v, %v, %d warnings", news, err, warned)
	}
	if _, found, _ := readNote(s.path); found {
		t.Error("the note stays")
	}
}

// TestGuestsLeaveNoNotes: `status` and a dry run leave no trace.
func TestGuestsLeaveNoNotes(t *testing.T) {
	d := newDirectory(t)
	s := open(t, d, Options{})
	putMailboxes(t, s, "INBOX")
	must(t, s.Close())
	raw(t, s.path, "UPDATE mailbox SET uidnext = 5")
	for _, o := range []Options{{Guest: true}, {ReadOnly: true}} {
		guest := open(t, d, o)
		if _, err := guest.Mailboxes(t.Context()); !errors.Is(err, errDamaged) || !strings.Contains(hintOf(err), "mailmoor sync") {
			t.Errorf("damage reads as %v", err)
		}
		must(t, guest.Close())
	}
	if _, found, _ := readNote(s.path); found {
		t.Error("a guest has left a note")
	}
	must(t, os.WriteFile(s.path, []byte("rubbish"), 0o600))
	if _, err := d.Open(t.Context(), testAccount(), Options{Guest: true}); !strings.Contains(hintOf(err), "mailmoor sync") {
		t.Errorf("a guest opens rubbish: %v", err)
	}
	if got, err := os.ReadFile(s.path); err != nil || string(got) != "rubbish" {
		t.Errorf("a guest has changed the database to %q, %v", got, err)
	}
}

func hintOf(err error) string {
	if e, ok := errors.AsType[*state.Error](err); ok {
		return string(e.Hint)
	}
	return ""
}

// ruin makes the newest of three runs unreadable in the middle, and the newest copy, too.
func ruin(t *testing.T, d *Directory) {
	t.Helper()
	for i := range 3 {
		s := open(t, d, Options{Now: func() time.Time { return testNow().Add(time.Duration(i) * 25 * time.Hour) }})
		if i == 0 {
			write(t, s, accountV5())
		}
		must(t, s.Settle(t.Context(), state.Settlement{
			Put: manyRecords("INBOX", 100*(i+1), 50), Held: []state.Held{{Path: string(rune('x' + i)), Removed: 7}},
		}))
		must(t, s.Close())
	}
	path := filepath.Join(d.path, testID, databaseName)
	copies, err := dailyCopies(path, testNow().Add(99*time.Hour))
	must(t, err)
	if len(copies) != 3 {
		t.Fatalf("%d copies", len(copies))
	}
	raw(t, copies[0].path, "UPDATE record SET flags = 0 WHERE uid = 101")
	data, err := os.ReadFile(path)
	must(t, err)
	// The first pages hold the schema: no program can read that any more.
	copy(data[100:], strings.Repeat("\xff", 1500))
	must(t, os.WriteFile(path, data, 0o600))
}

// checkRestored demands the state of the second run of ruin.
func checkRestored(t *testing.T, s *Store) {
	t.Helper()
	wantDoubt(t, s, state.DoubtBase)
	records, err := s.Records(t.Context(), "INBOX")
	must(t, err)
	if got := len(records); got != 3+100 {
		t.Errorf("%d records of INBOX, want those of the second run", got)
	}
	news, err := s.News(t.Context())
	must(t, err)
	if len(news) != 1 || !strings.Contains(string(news[0].Text), "its copy of 2023-11-15 23:13 UTC") {
		t.Errorf("news: %+v", news)
	}
}

// TestNewestGoodCopy passes over a copy with a row that is not what was written.
func TestNewestGoodCopy(t *testing.T) {
	d := newDirectory(t)
	ruin(t, d)
	warned := []string{}
	s := open(t, d, Options{Warn: func(err error) { warned = append(warned, err.Error()) }})
	checkRestored(t, s)
	if !strings.Contains(strings.Join(warned, "\n"), "state-20231117T001320Z.db cannot be used") {
		t.Errorf("warnings: %q", warned)
	}
	must(t, s.Told(t.Context()))
	must(t, s.Close())
	s = open(t, d, Options{})
	if news, err := s.News(t.Context()); len(news) > 0 || err != nil {
		t.Errorf("told again: %v, %v", news, err)
	}
}

// TestDamagedAgain damages the database again and again, at the same second of the clock.
func TestDamagedAgain(t *testing.T) {
	d := newDirectory(t)
	path := filepath.Join(d.path, testID, databaseName)
	for i := range 4 {
		s := open(t, d, Options{Now: testNow})
		news, err := s.News(t.Context())
		if err != nil || len(news) != min(i, 1) {
			t.Errorf("%d: news %v, %v", i, news, err)
		}
		putMailboxes(t, s, "INBOX")
		must(t, s.Close())
		must(t, os.WriteFile(path, []byte(strings.Repeat("rubbish", i+1)), 0o600))
	}
	aside, err := filepath.Glob(filepath.Join(filepath.Dir(path), asidePrefix+"*", databaseName))
	if len(aside) != 3 || err != nil {
		t.Errorf("aside lie %v, %v", aside, err)
	}
}

// TestHeldFilesAreCarriedOver: the list of what lies in the hold area is newer in the
// damaged database than in the copy.
func TestHeldFilesAreCarriedOver(t *testing.T) {
	d := newDirectory(t)
	s := open(t, d, Options{Now: testNow})
	write(t, s, accountV5())
	must(t, s.Close())
	s = open(t, d, Options{Now: testNow})
	late := []state.Held{{Path: "late 1", Removed: 8}, {Path: "late 2", Removed: 9}}
	must(t, s.Settle(t.Context(), state.Settlement{Put: manyRecords("Sent", 50, 1), Held: late}))
	must(t, s.Close())
	raw(t, s.path, "UPDATE record SET flags = 0 WHERE uid = 50", "UPDATE held SET date = 1 WHERE path = 'late 1'")
	s = open(t, d, Options{Now: testNow})
	if _, err := s.Records(t.Context(), "Sent"); !errors.Is(err, errDamaged) {
		t.Fatalf("a damaged row reads as %v", err)
	}
	must(t, s.Close())
	s = open(t, d, Options{Now: testNow})
	got, err := readAccount(t, s)
	must(t, err)
	want := append(accountV5().held, late[1])
	if len(got.held) != 3 || got.held[0] != want[0] || got.held[1] != want[1] || got.held[2] != want[2] {
		t.Errorf("held files %+v, want %+v", got.held, want)
	}
}

const mendDirectory = "MAILMOOR_TEST_MEND"

// TestMendHelper is not a test: it is a process that kills itself at a point.
func TestMendHelper(t *testing.T) {
	if os.Getenv(mendDirectory) == "" {
		t.Skip("only for the other test")
	}
	must(t, open(t, directoryAt(t, os.Getenv(mendDirectory)), Options{Hook: func(point string) {
		if point == os.Getenv(crashPoint) {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	}}).Close())
}

// TestMendKilled kills the process that replaces a damaged database.
func TestMendKilled(t *testing.T) {
	for _, point := range []string{pointAside, pointRestored} {
		t.Run(point, func(t *testing.T) {
			d := newDirectory(t)
			ruin(t, d)
			cmd := exec.Command(os.Args[0], "-test.run=^TestMendHelper$")
			cmd.Env = append(os.Environ(), mendDirectory+"="+d.path, crashPoint+"="+point)
			if out, err := cmd.CombinedOutput(); err == nil || strings.Contains(string(out), "FAIL") {
				t.Fatalf("the other process was not killed: %v\n%s", err, out)
			}
			if accounts, err := d.Accounts(); len(accounts) != 1 || err != nil {
				t.Errorf("the account is not known any more: %v, %v", accounts, err)
			}
			s := open(t, d, Options{})
			checkRestored(t, s)
			must(t, s.Close())
			for _, name := range names(t, filepath.Dir(s.path)) {
				if strings.HasSuffix(name, noteSuffix) || strings.HasSuffix(name, ".new") || strings.HasSuffix(name, ".old") {
					t.Errorf("%s stays", name)
				}
			}
			aside, err := filepath.Glob(filepath.Join(filepath.Dir(s.path), asidePrefix+"*", "*"))
			if len(aside) != 1 || err != nil {
				t.Errorf("aside lie %v, %v", aside, err)
			}
		})
	}
}

// TestOldLogIsNotTakenForTheNewOne stops between the files of a damaged database.
func TestOldLogIsNotTakenForTheNewOne(t *testing.T) {
	v := newVictim(t, true, true)
	must(t, os.WriteFile(v.path, v.db, 0o600))
	must(t, os.WriteFile(v.path+"-wal", v.wal, 0o600))
	aside := filepath.Join(filepath.Dir(v.path), "damaged-x")
	must(t, os.Mkdir(aside, 0o700))
	must(t, os.Rename(v.path+"-wal", filepath.Join(aside, databaseName+"-wal")))
	must(t, writeNote(v.path, damageNote{Reason: "r", Aside: "damaged-x"}))
	s := open(t, v.d, Options{Now: testNow})
	wantDoubt(t, s, state.DoubtBase) // without its log it would look good, and old
}

// TestExaminedOncePerBoot: a killed program takes nothing away from the database; a
// machine that lost its power may. So every page is read again only after that.
func TestExaminedOncePerBoot(t *testing.T) {
	d := newDirectory(t)
	d.boot = "first"
	killed := func(s *Store) {
		must(t, s.PutLastRun(t.Context(), Run{Started: 1, Exit: 1}))
		s.close.Do(func() { must(t, errors.Join(s.reader.Close(), s.writer.Close())) })
	}
	s := open(t, d, Options{Now: testNow})
	putMailboxes(t, s, "INBOX")
	must(t, s.Settle(t.Context(), state.Settlement{Put: manyRecords("INBOX", 1, 500)}))
	must(t, s.Close())
	killed(open(t, d, Options{Now: testNow}))
	// A page of records, which opening the database does not read.
	data, err := os.ReadFile(s.path)
	must(t, err)
	middle := len(data) / 2 / 4096 * 4096
	copy(data[middle:], strings.Repeat("\xff", 4096))
	must(t, os.WriteFile(s.path, data, 0o600))
	for _, boot := range []string{"first", "second"} {
		d.boot = boot
		s := open(t, d, Options{Now: testNow})
		news, err := s.News(t.Context())
		must(t, err)
		if found := len(news) > 0; found != (boot != "first") {
			t.Errorf("after the boot %q: news %+v", boot, news)
		}
		killed(s)
	}
}
