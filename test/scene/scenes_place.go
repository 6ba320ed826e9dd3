package scene

import (
	"mailmoor/state"
)

// box is a mailbox beside those that every server has.
const box = "Box"

// moves are scenes in which messages change their place.
func moves() []Scene {
	moved := Want{Both: []string{
		"INBOX/b:", "INBOX/anon2:", "INBOX/twin:", "Archive/filed:", "Archive/a:", "Archive/anon1:", "Archive/twin:",
	}}
	here := func(s *Stage) {
		s.carry("INBOX", "a", "Archive")
		s.carry("INBOX", "anon1", "Archive")
		s.carry("INBOX", "twin", "Archive")
	}
	return []Scene{{
		Name: "moved-on-the-server", Prepare: movable,
		Happen: func(s *Stage) {
			s.Server.Move(s.User, "INBOX", s.uids("INBOX", "a", "anon1", "twin"), "Archive")
		},
		Check: expects(moved),
	}, {
		Name: "moved-here", Prepare: movable, Happen: here, Check: expects(moved),
	}, {
		Name: "moved-here-without-MOVE", Hide: []string{"MOVE"}, Prepare: movable, Happen: here, Check: expects(moved),
	}, {
		Name: "moved-here-without-UIDPLUS", Hide: []string{"MOVE", "UIDPLUS"}, Prepare: movable, Happen: here, Check: expects(moved),
	}, {
		Name: "moved-apart", Prepare: movable,
		Happen: func(s *Stage) {
			// The server's place counts.
			s.carry("INBOX", "a", "Archive")
			s.Server.Move(s.User, "INBOX", s.uids("INBOX", "a", "b"), "Drafts")
			s.carry("INBOX", "anon1", "Drafts")
			s.flag("INBOX", "anon1", "F")
		},
		Check: expects(Want{Both: []string{
			"INBOX/anon2:", "INBOX/twin:", "INBOX/twin:", "Archive/filed:", "Drafts/a:", "Drafts/b:", "Drafts/anon1:F",
		}}),
	}}
}

func movable(s *Stage) {
	s.deliver("INBOX", "a", "b", "anon1", "anon2", "twin", "twin")
	s.deliver("Archive", "filed")
	s.Rest()
}

// mailboxes are scenes about mailboxes and folders as a whole.
func mailboxes() []Scene {
	return []Scene{{
		Name: "new-mailboxes", Prepare: begun,
		Happen: func(s *Stage) {
			s.Server.CreateMailbox(s.User, "Theirs/2026")
			s.deliver("Theirs/2026", "a", "anon1")
			s.folder("Mine")
			s.folder("Mine/Büro")
			s.put("Mine", "new", "b")
			s.put("Mine/Büro", "S", "c")
		},
		Check: expects(Want{Both: []string{
			"INBOX/still:", "Archive/filed:", "Theirs/2026/a:", "Theirs/2026/anon1:", "Mine/b:", "Mine/Büro/c:S",
		}}),
	}}
}

// decisions are scenes in which removals were held and the user has decided.
func decisions() []Scene {
	both := []string{"INBOX/still:", "Archive/filed:", "Box/a:", "Box/b:S", "Box/anon1:"}
	return []Scene{{
		Name: "held", Prepare: boxed, Happen: func(s *Stage) { s.empty(box) },
		Check: expects(Want{Both: both[:2], Remote: both[2:], Holds: 1}),
	}, {
		Name: "emptied-here-and-approved", Prepare: boxed,
		Happen: decided(func(s *Stage) { s.empty(box) }, state.Approved),
		Check:  expects(Want{Both: []string{"INBOX/still:", "Archive/filed:", "Trash/a:", "Trash/b:S", "Trash/anon1:"}}),
	}, {
		Name: "emptied-here-and-rejected", Prepare: boxed,
		Happen: decided(func(s *Stage) { s.empty(box) }, state.Rejected),
		Check:  expects(Want{Both: both}),
	}, {
		Name: "wiped-on-the-server-and-approved", Prepare: boxed,
		Happen: decided(func(s *Stage) { s.Server.WipeStore(s.User, box) }, state.Approved),
		Check:  expects(Want{Both: both[:2], Held: []string{"a", "anon1", "b"}}),
	}, {
		Name: "wiped-on-the-server-and-rejected", Prepare: boxed,
		Happen: decided(func(s *Stage) { s.Server.WipeStore(s.User, box) }, state.Rejected),
		Check:  expects(Want{Both: both}),
	}, {
		Name: "mailbox-deleted-and-rejected", Prepare: boxed,
		Happen: decided(func(s *Stage) { s.Server.DeleteMailbox(s.User, box) }, state.Rejected),
		Check:  expects(Want{Both: both}),
	}}
}

func boxed(s *Stage) {
	s.Server.CreateMailbox(s.User, box)
	s.deliver(box, "a", "b", "anon1")
	s.flag(box, "b", "S")
	begun(s)
}

// decided returns what happens when an accident was held and decided on.
func decided(accident func(*Stage), d state.Decision) func(*Stage) {
	return func(s *Stage) {
		accident(s)
		s.Sync()
		s.Decide(d)
	}
}
