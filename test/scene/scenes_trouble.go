package scene

import (
	"os"
	"time"

	"mailmoor/test/lab"
)

// retry is longer than a message waits that could not be transferred a few times.
const retry = 20 * time.Hour

// troubles are scenes in which something does not work for a while, or much
// happens at once.
func troubles() []Scene {
	return []Scene{{
		Name: "over-quota", Server: []lab.Option{lab.Quota(bigBytes * 3 / 2)},
		Prepare: func(s *Stage) {
			s.deliver("INBOX", "big-old")
			begun(s)
		},
		Happen: func(s *Stage) {
			s.put("INBOX", "", "big-new")
			s.put("Archive", "", "small")
			s.deliver("INBOX", "arrives")
		},
		Check: func(s *Stage) {
			s.Expect(Want{
				Both:  []string{"INBOX/big-old:", "INBOX/still:", "INBOX/arrives:", "Archive/filed:", "Archive/small:"},
				Local: []string{"INBOX/big-new:"}, Stuck: 1,
			})
			s.expunge("INBOX", "big-old")
			s.Later(retry)
			s.Expect(Want{
				Both: []string{"INBOX/big-new:", "INBOX/still:", "INBOX/arrives:", "Archive/filed:", "Archive/small:"},
				Held: []string{"big-old"},
			})
		},
	}, {
		Name: "poison", Prepare: begun,
		Happen: func(s *Stage) {
			s.deliver("INBOX", "a", "b")
			known := s.stored("INBOX")
			s.deliver("INBOX", "poison")
			s.must(os.Chmod(s.newOf("INBOX", known), 0))
			s.deliver("INBOX", "c")
			s.deliver("Archive", "d")
		},
		Check: func(s *Stage) { checkPoison(s, "Archive/d:") },
	}, {
		Name: "all-at-once", Prepare: crowd,
		Happen: func(s *Stage) {
			s.deliver("INBOX", "in", "anon3")
			s.put("INBOX", "new", "out")
			s.flag("INBOX", "a", "F")
			s.letters("INBOX", "b", "S")
			s.drop("INBOX", "c")
			s.expunge("INBOX", "d")
			s.carry("INBOX", "anon1", "Archive")
			s.Server.Move(s.User, "INBOX", s.uids("INBOX", "anon2"), "Archive")
			s.edit("Drafts", "draft1", "draft2")
			s.folder(box)
			s.put(box, "S", "boxed")
		},
		Check: expects(Want{
			Both: []string{
				"INBOX/still:", "INBOX/in:", "INBOX/anon3:", "INBOX/out:", "INBOX/a:F", "INBOX/b:S", "Trash/c:", "Archive/filed:",
				"Archive/anon1:", "Archive/anon2:", "Drafts/draft2:", "Box/boxed:S",
			},
			Held: []string{"d", "draft1"},
		}),
	}}
}

// poisonAndMore is poison in a mailbox in which the program wants to know what
// the messages are, because there are new ones on both sides.
func poisonAndMore() []Scene {
	return []Scene{{
		Name: "poison-and-a-new-file", Prepare: begun,
		Happen: func(s *Stage) {
			s.deliver("INBOX", "a")
			known := s.stored("INBOX")
			s.deliver("INBOX", "poison")
			s.must(os.Chmod(s.newOf("INBOX", known), 0))
			s.deliver("INBOX", "b", "c")
			s.put("Archive", "", "d")
			s.put("INBOX", "", "mine")
		},
		Check: func(s *Stage) { checkPoison(s, "INBOX/mine:", "Archive/d:") },
	}}
}

func crowd(s *Stage) {
	s.deliver("INBOX", "a", "b", "c", "d", "anon1", "anon2")
	s.deliver("Drafts", "draft1")
	begun(s)
}

// checkPoison checks first that one message that the server cannot read holds up
// no other, and then that it arrives when the server can.
func checkPoison(s *Stage, more ...string) {
	s.Helper()
	both := append([]string{"INBOX/still:", "INBOX/a:", "INBOX/b:", "INBOX/c:", "Archive/filed:"}, more...)
	s.Rest()
	s.differ("the tree has other mail than it should", sorted(both), s.local().names())
	for _, path := range s.stored("INBOX") {
		s.must(os.Chmod(path, 0o600))
	}
	s.Later(retry)
	s.Expect(Want{Both: append(both, "INBOX/poison:")})
}
