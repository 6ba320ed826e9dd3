package scene

// begun fills INBOX with messages that nothing happens to, and Archive, so that no
// change leaves a mailbox empty, and brings both sides in step.
func begun(s *Stage) {
	s.deliver("INBOX", "still")
	s.deliver("Archive", "filed")
	s.Rest()
}

// nothing happens.
func nothing(*Stage) {}

// expects returns a check.
func expects(want Want) func(*Stage) { return func(s *Stage) { s.Expect(want) } }

// firstRuns are scenes that begin without a state.
func firstRuns() []Scene {
	return []Scene{{
		Name: "first-sync",
		Prepare: func(s *Stage) {
			s.deliver("INBOX", "a", "anon1", "anon2", "twin", "twin")
			s.deliver("Archive", "big")
			s.flag("INBOX", "a", "FS")
		},
		Happen: nothing,
		Check: expects(Want{Both: []string{
			"INBOX/a:FS", "INBOX/anon1:", "INBOX/anon2:", "INBOX/twin:", "INBOX/twin:", "Archive/big:",
		}}),
	}, {
		Name: "first-sync-of-full-sides",
		Prepare: func(s *Stage) {
			fill(s)
			s.folder("INBOX")
			s.folder("Archive")
			for _, token := range []string{"a", "anon1", "anon2", "twin", "twin", "mine"} {
				s.put("INBOX", "S", token)
			}
			s.put("Archive", "", "filed")
		},
		Happen: nothing,
		Check: expects(Want{Both: []string{
			"INBOX/a:FS", "INBOX/anon1:S", "INBOX/anon2:S", "INBOX/twin:S", "INBOX/twin:S", "INBOX/mine:S", "INBOX/theirs:", "Archive/filed:",
		}}),
	}, {
		Name: "state-thrown-away",
		Prepare: func(s *Stage) {
			fill(s)
			s.Rest()
		},
		Happen: func(s *Stage) {
			s.forget()
			s.put("INBOX", "", "mine")
			s.letters("INBOX", "anon1", "F")
			s.drop("INBOX", "theirs") // nobody knows any more that it was there
		},
		Check: expects(Want{Both: []string{
			"INBOX/a:FS", "INBOX/anon1:F", "INBOX/anon2:", "INBOX/twin:", "INBOX/twin:", "INBOX/mine:", "INBOX/theirs:", "Archive/filed:",
		}}),
	}}
}

// fill puts messages on the server.
func fill(s *Stage) {
	s.deliver("INBOX", "a", "anon1", "anon2", "twin", "twin", "theirs")
	s.deliver("Archive", "filed")
	s.flag("INBOX", "a", "FS")
}

// transfers are scenes in which messages are new.
func transfers() []Scene {
	return []Scene{{
		Name: "upload", Prepare: begun,
		Happen: func(s *Stage) {
			s.put("INBOX", "new", "up")
			s.put("INBOX", "RS", "anon1")
			s.put("INBOX", "", "anon2")
			s.put("INBOX", "", "twin")
			s.put("INBOX", "", "twin")
			s.put("Archive", "", "big")
		},
		Check: expects(Want{Both: []string{
			"INBOX/still:", "INBOX/up:", "INBOX/anon1:RS", "INBOX/anon2:", "INBOX/twin:", "INBOX/twin:", "Archive/filed:", "Archive/big:",
		}}),
	}, {
		Name: "upload-without-UIDPLUS", Hide: []string{"UIDPLUS", "LITERAL+"}, Prepare: begun,
		Happen: func(s *Stage) {
			s.put("INBOX", "new", "up")
			s.put("INBOX", "", "anon1")
			s.put("INBOX", "", "twin")
			s.put("INBOX", "", "twin")
		},
		Check: expects(Want{Both: []string{
			"INBOX/still:", "INBOX/up:", "INBOX/anon1:", "INBOX/twin:", "INBOX/twin:", "Archive/filed:",
		}}),
	}, {
		Name: "download", Prepare: begun,
		Happen: func(s *Stage) {
			s.deliver("INBOX", "down", "anon1", "anon2", "twin", "twin")
			s.deliver("Archive", "big")
			s.flag("INBOX", "down", "S")
		},
		Check: expects(Want{Both: []string{
			"INBOX/still:", "INBOX/down:S", "INBOX/anon1:", "INBOX/anon2:", "INBOX/twin:", "INBOX/twin:", "Archive/filed:", "Archive/big:",
		}}),
	}, {
		Name: "new-on-both-sides", Prepare: begun,
		Happen: func(s *Stage) {
			s.deliver("INBOX", "theirs", "same", "anon1")
			s.put("INBOX", "S", "mine")
			s.put("INBOX", "F", "same")
			s.put("INBOX", "", "anon1")
		},
		Check: expects(Want{Both: []string{
			"INBOX/still:", "INBOX/theirs:", "INBOX/mine:S", "INBOX/same:F", "INBOX/anon1:", "Archive/filed:",
		}}),
	}}
}
