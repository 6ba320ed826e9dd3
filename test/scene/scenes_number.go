package scene

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mailmoor/state"
)

// boundAgain is what both sides hold when new numbers have been found out.
var boundAgain = []string{"INBOX/still:", "Archive/filed:", "Box/b:S", "Box/c:F", "Box/anon1:", "Box/twin:", "Box/twin:", "Box/new:"}

// renumberings are scenes in which messages get other UIDs in one generation. Dovecot
// shows all of them at once, or, when nothing has touched cur/ for a while, what
// lies in new/ alone and the rest a moment later.
func renumberings() []Scene {
	check := rebound(Want{Both: append([]string{"Box/a:"}, boundAgain...)})
	return []Scene{{
		Name: "renumbered-in-one-generation", Prepare: numbered,
		Happen: func(s *Stage) {
			s.deliver(box, "new")
			s.letters(box, "c", "F")
			s.lose(box, "dovecot-uidlist")
		},
		Check: check,
	}, {
		Name: "renumbered-bit-by-bit", Prepare: numbered,
		Happen: bitByBit(func(s *Stage) { s.letters(box, "c", "F") }),
		Check:  check,
	}, {
		Name: "moved-bit-by-bit", Prepare: holding("a"),
		Happen: bitByBit(func(s *Stage) { s.carry(box, "a", "Archive") }),
		Check:  expects(Want{Both: []string{"INBOX/still:", "Archive/filed:", "Archive/a:", "Box/new:"}}),
	}, {
		Name: "read-bit-by-bit", Prepare: holding("a"),
		Happen: bitByBit(func(s *Stage) { s.letters(box, "a", "S") }),
		Check:  expects(Want{Both: []string{"INBOX/still:", "Archive/filed:", "Box/a:S", "Box/new:"}}),
	}, {
		Name: "renumbered-in-another-order", Prepare: holding("anon1", "anon2"),
		Happen: func(s *Stage) {
			for _, path := range s.stored(box) {
				data, err := os.ReadFile(path)
				s.must(err)
				if tokenOf(data) == "anon2" { // the server goes by the names of the files
					_, rest, _ := strings.Cut(filepath.Base(path), ".")
					s.must(os.Rename(path, filepath.Join(filepath.Dir(path), "1."+rest)))
				}
			}
			s.lose(box, "dovecot-uidlist")
		},
		Check: expects(Want{Both: []string{"INBOX/still:", "Archive/filed:", "Box/anon1:", "Box/anon2:"}}),
	}}
}

// holding returns a preparation in which Box holds these messages.
func holding(tokens ...string) func(*Stage) {
	return func(s *Stage) {
		s.Helper()
		s.Server.CreateMailbox(s.User, box)
		s.deliver(box, tokens...)
		begun(s)
	}
}

// bitByBit lets something happen to Box here, and the server show new mail alone at first.
func bitByBit(change func(*Stage)) func(*Stage) {
	return func(s *Stage) {
		s.Helper()
		change(s)
		s.age(box)
		s.uids(box) // the server looks at the dates
		s.lose(box, "dovecot-uidlist")
		s.inject(box, "new")
	}
}

// generations are scenes in which UIDs come to name other messages than they did.
// Records are bound to the new UIDs without a transfer; what the server has lost
// stays in the tree and is held, for the user to decide.
func generations() []Scene {
	both := slices.Clone(boundAgain)
	lost := Want{Both: both, Local: []string{"Box/a:"}, Holds: 1}
	back := Want{Both: append([]string{"Box/a:"}, both...)}
	gone := Want{Both: both, Held: []string{"a"}}
	return []Scene{{
		Name: "replaced", Prepare: numbered, Happen: replaced, Check: rebound(lost),
	}, {
		Name: "replaced-and-rejected", Prepare: numbered, Happen: decided(replaced, state.Rejected), Check: rebound(back),
	}, {
		Name: "replaced-and-approved", Prepare: numbered, Happen: decided(replaced, state.Approved), Check: rebound(gone),
	}, {
		Name: "renumbered", Prepare: numbered,
		Happen: func(s *Stage) {
			s.deliver(box, "new")
			s.letters(box, "c", "F")
			s.lose(box, "dovecot-uidlist", "dovecot.index*")
		},
		Check: rebound(back),
	}, {
		Name: "restored-with-reused-UIDs", Prepare: restorable, Happen: restored, Check: rebound(lost.and("Box/newer:")),
	}, {
		Name: "restored-and-rejected", Prepare: restorable, Happen: decided(restored, state.Rejected), Check: rebound(back.and("Box/newer:")),
	}, {
		Name: "restored-and-approved", Prepare: restorable, Happen: decided(restored, state.Approved), Check: rebound(gone.and("Box/newer:")),
	}}
}

// numbered fills Box so that its UIDs do not begin with 1. Some messages come
// from the tree, so that their file names show whether they were transferred.
func numbered(s *Stage) {
	s.Server.CreateMailbox(s.User, box)
	s.deliver(box, "gap")
	s.expunge(box, "gap")
	s.deliver(box, "a", "anon1", "twin", "twin")
	begun(s)
	s.put(box, "S", "b")
	s.put(box, "", "c")
	s.Rest()
}

// replaced makes the mailbox anew, with most of its messages and in another order.
func replaced(s *Stage) {
	s.Server.DeleteMailbox(s.User, box)
	s.Server.CreateMailbox(s.User, box)
	s.deliver(box, "new", "c", "twin", "b", "anon1", "twin")
	s.flag(box, "b", "S")
	s.letters(box, "c", "F")
}

// restorable is numbered, with a backup of the server's mailbox from before its
// last message, a, came.
func restorable(s *Stage) {
	s.Server.CreateMailbox(s.User, box)
	s.deliver(box, "anon1", "twin", "twin")
	begun(s)
	s.put(box, "S", "b")
	s.put(box, "", "c")
	s.Rest()
	s.Quiesce()
	backup, err := readNode(s.Server.MailboxDir(s.User, box), "")
	s.must(err)
	s.backup = backup
	s.deliver(box, "a")
	s.Rest()
}

// restored brings the backup back, and another message gets the UID of the lost one.
// There is one more, or STATUS would prove for a day that nothing happened.
func restored(s *Stage) {
	s.Quiesce()
	s.must(s.backup.restore(s.Server.MailboxDir(s.User, box)))
	s.deliver(box, "new", "newer")
	s.letters(box, "c", "F")
}

// and returns the same with one more message on both sides.
func (w Want) and(name string) Want {
	w.Both = append(slices.Clone(w.Both), name)
	return w
}

// lose removes files in which the server keeps the numbers of messages.
func (s *Stage) lose(mailbox string, patterns ...string) {
	s.Helper()
	s.Quiesce()
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(s.Server.MailboxDir(s.User, mailbox), pattern))
		if err == nil && len(found) == 0 {
			err = errors.New("there is nothing to lose")
		}
		s.must(err)
		for _, path := range found {
			s.must(os.Remove(path))
		}
	}
}

// age makes it long ago that a message came to the mailbox or changed its flags.
func (s *Stage) age(mailbox string) {
	s.Helper()
	s.Quiesce()
	for _, sub := range []string{"new", "cur"} {
		s.must(os.Chtimes(filepath.Join(s.Server.MailboxDir(s.User, mailbox), sub), time.Time{}, time.Now().Add(-time.Hour)))
	}
}

// inject puts a message among the server's files, as a delivery agent does that knows
// nothing of the server.
func (s *Stage) inject(mailbox, token string) {
	s.Helper()
	path := filepath.Join(s.Server.MailboxDir(s.User, mailbox), "new", token)
	s.must(os.WriteFile(path, Body(token), 0o666))
	s.must(os.Chmod(path, 0o666)) // whatever the umask is
	s.must(os.Chtimes(path, time.Time{}, time.Unix(dateOf(token), 0)))
}

// rebound returns a check that also makes sure that messages kept their files.
func rebound(want Want) func(*Stage) {
	return func(s *Stage) {
		s.Helper()
		s.Expect(want)
		for _, token := range []string{"b", "c"} {
			if name := filepath.Base(s.file(box, token)); !strings.Contains(name, ".reader") {
				s.Errorf("%s was transferred again: its file is %s", token, name)
			}
		}
	}
}
