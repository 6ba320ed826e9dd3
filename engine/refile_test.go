package engine_test

import (
	"bytes"
	"fmt"
	"testing"

	"mailmoor/state"
	"mailmoor/test/sim"
)

// Clients that know no MOVE bring a message to another mailbox anew, under today's date,
// and expunge it where it was. mbsync puts a field of its own into its header, too.

// refiling is how another client moves messages.
type refiling func(*fixture, sim.Message) sim.Message

var refilings = map[string]refiling{
	"the date is kept":  func(_ *fixture, m sim.Message) sim.Message { return m },
	"with today's date": redated,
	"by mbsync": func(f *fixture, m sim.Message) sim.Message {
		m = redated(f, m)
		m.Body = bytes.Replace(m.Body, []byte("\r\n\r\n"), fmt.Appendf(nil, "\r\nX-TUID: tuid%08d\r\n\r\n", f.world.Now()%1e8), 1)
		return m
	},
}

func redated(f *fixture, m sim.Message) sim.Message {
	m.Date, m.UID = f.world.Now(), 0
	return m
}

// copyOver brings messages to another mailbox and leaves them where they are.
func (f *fixture) copyOver(mailbox, dest string, how refiling, tokens ...string) {
	f.t.Helper()
	for _, want := range tokens {
		uid := f.uid(mailbox, want)
		for _, m := range f.server.Messages(mailbox) {
			if m.UID == uid {
				f.server.Append(dest, how(f, m))
			}
		}
	}
}

// refile moves messages to another mailbox.
func (f *fixture) refile(mailbox, dest string, how refiling, tokens ...string) {
	f.t.Helper()
	f.copyOver(mailbox, dest, how, tokens...)
	f.vanish(mailbox, tokens...)
}

// vanish expunges messages.
func (f *fixture) vanish(mailbox string, tokens ...string) {
	f.t.Helper()
	for _, want := range tokens {
		f.server.Expunge(mailbox, f.uid(mailbox, want))
	}
}

// sizes are servers that tell sizes in different ways.
var sizes = map[string]int64{"": 0, ", a server that is wrong about sizes": 17}

// eachRefiling runs a test for all ways of moving messages, on servers that are right and
// wrong about sizes.
func eachRefiling(t *testing.T, test func(t *testing.T, o sim.ServerOptions, how refiling)) {
	t.Helper()
	for name, how := range refilings {
		for server, off := range sizes {
			t.Run(name+server, func(t *testing.T) { test(t, sim.ServerOptions{SizeOff: off}, how) })
		}
	}
}

// TestRefiled: messages moved by another client were taken for deleted ones and new ones,
// when it gave them another date or the server told other sizes than it sent. What had
// been flagged here meanwhile was then there twice.
func TestRefiled(t *testing.T) {
	eachRefiling(t, func(t *testing.T, o sim.ServerOptions, how refiling) {
		f := newFixture(t, o)
		f.deliver("INBOX", "a", "b", "c")
		f.clean()
		f.put("INBOX", "", "mine")
		f.clean()
		f.refile("INBOX", "Archive", how, "a", "b", "mine")
		f.tree.SetLetters("INBOX", f.key("INBOX", "a"), "F")
		f.nothingTwice(f.clean(), 0, 0)
		f.expect("Archive/a:F", "Archive/b:", "Archive/mine:", "INBOX/c:")
	})
}

// TestManyRefiled: so many that they were held, and the last two of a mailbox.
func TestManyRefiled(t *testing.T) {
	eachRefiling(t, func(t *testing.T, o sim.ServerOptions, how refiling) {
		f := newFixture(t, o)
		all := tokens(150)
		f.deliver("INBOX", all...)
		f.clean()
		var want []string
		for _, token := range all {
			want = append(want, "Archive/"+token+":")
		}
		for _, some := range [][]string{all[:120], all[120:148], all[148:]} {
			f.refile("INBOX", "Archive", how, some...)
			f.nothingTwice(f.clean(), 0, 0)
		}
		f.expect(want...)
	})
}

// TestRefiledAndCopied: of several new messages that could be the one that is gone, the
// one in Trash is the last to be taken for it.
func TestRefiledAndCopied(t *testing.T) {
	eachRefiling(t, func(t *testing.T, o sim.ServerOptions, how refiling) {
		f := newFixture(t, o)
		f.server.CreateMailbox("Work", state.RoleNone)
		f.deliver("INBOX", "a", "b")
		f.clean()
		f.tree.SetLetters("INBOX", f.key("INBOX", "a"), "F")
		f.copyOver("INBOX", "Work", how, "a")
		f.copyOver("INBOX", "Trash", how, "a")
		f.vanish("INBOX", "a")
		f.nothingTwice(f.clean(), 1, 0)
		f.expect("INBOX/b:", "Trash/a:", "Work/a:F")
	})
}

// TestBroughtAnewWhereItWas: a client replaces a message by an equal one.
func TestBroughtAnewWhereItWas(t *testing.T) {
	eachRefiling(t, func(t *testing.T, o sim.ServerOptions, how refiling) {
		f := newFixture(t, o)
		f.deliver("INBOX", "a", "b")
		f.clean()
		f.tree.SetLetters("INBOX", f.key("INBOX", "a"), "F")
		f.refile("INBOX", "INBOX", how, "a", "b")
		f.nothingTwice(f.clean(), 0, 0)
		f.expect("INBOX/a:F", "INBOX/b:")
	})
}

// TestRefiledWithoutAHeader: what has none of the fields that tell messages apart is told
// by its contents.
func TestRefiledWithoutAHeader(t *testing.T) {
	eachRefiling(t, func(t *testing.T, o sim.ServerOptions, how refiling) {
		f := newFixture(t, o)
		for n := range 3 {
			f.give("INBOX", start-1000, fmt.Appendf(nil, "X-Number: %d\r\n\r\nText.\r\n", n))
		}
		f.clean()
		for _, file := range f.tree.Files("INBOX") {
			f.tree.SetLetters("INBOX", file.Key, "F")
		}
		for _, m := range f.server.Messages("INBOX")[:2] {
			f.server.Append("Archive", how(f, m))
			f.server.Expunge("INBOX", m.UID)
		}
		f.nothingTwice(f.clean(), 0, 0)
		f.expect("Archive/:F", "Archive/:F", "INBOX/:F")
	})
}

// TestAnotherOfTheSameHeader: one copy of a message is deleted, and another one, as by
// way of a list, comes. They are two messages.
func TestAnotherOfTheSameHeader(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "b")
	f.clean()
	f.vanish("INBOX", "a")
	f.give("Archive", start, append(body("a"), "-- \r\nThe list.\r\n"...))
	f.nothingTwice(f.clean(), 1, 0)
	f.expect("Archive/a:", "INBOX/b:")
	if held := f.tree.Held(); len(held) != 1 {
		t.Errorf("the hold area has %q, want the one that was deleted", held)
	}
}

// TestMoveInterruptedWithoutASize is a move on a server without MOVE that was interrupted
// between the copy and the removal, of a message of which the server has not told the
// size: its download was interrupted, too.
func TestMoveInterruptedWithoutASize(t *testing.T) {
	for name, move := range map[string]func(f *fixture, key state.Key){
		"to a folder": func(f *fixture, key state.Key) { f.tree.MoveFile("INBOX", key, "Archive", sim.MoveOptions{}) },
		"to Trash":    func(f *fixture, key state.Key) { f.tree.DeleteFile("INBOX", key) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, sim.ServerOptions{NoMove: true})
			f.deliver("INBOX", "a", "b")
			f.deliver("Archive", "filed")
			f.killed(func(s sim.Step) bool { return s.Op == "local.commit" && s.After })
			f.clean()
			move(f, f.key("INBOX", "a"))
			f.killed(func(s sim.Step) bool { return s.Op == "remote.move" && !s.After })
			f.clean()
			want := "Archive/a:"
			if name == "to Trash" {
				want = "Trash/a:"
			}
			f.expect("Archive/filed:", "INBOX/b:", want)
		})
	}
}

// TestAnotherComesWhereItGoes: an equal message comes to the mailbox to which the file was
// moved meanwhile. It is no copy that an interrupted move has left there.
func TestAnotherComesWhereItGoes(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{NoMove: true})
	f.deliver("INBOX", "a", "b")
	f.deliver("Archive", "filed")
	f.clean()
	f.tree.MoveFile("INBOX", f.key("INBOX", "a"), "Archive", sim.MoveOptions{})
	f.give("Archive", start, body("a"))
	f.nothingTwice(f.clean(), 1, 0)
	f.expect("Archive/a:", "Archive/a:", "Archive/filed:", "INBOX/b:")
}
