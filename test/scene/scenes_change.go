package scene

// changes are scenes in which messages get other flags or another text.
func changes() []Scene {
	return []Scene{{
		Name: "flags",
		Prepare: func(s *Stage) {
			s.deliver("INBOX", "a", "b", "c", "anon1", "anon2")
			s.Rest()
		},
		Happen: func(s *Stage) {
			s.flag("INBOX", "a", "FS")
			s.flag("INBOX", "b", "PR")
			s.letters("INBOX", "b", "S")
			s.letters("INBOX", "anon1", "FT")
			s.flag("INBOX", "anon2", "S")
			s.letters("INBOX", "anon2", "DS")
		},
		Check: expects(Want{Both: []string{"INBOX/a:FS", "INBOX/b:PRS", "INBOX/c:", "INBOX/anon1:FT", "INBOX/anon2:DS"}}),
	}, {
		Name:    "draft-edited",
		Prepare: drafts,
		Happen: func(s *Stage) {
			s.edit("Drafts", "draft1", "draft2")
			s.flag("Drafts", "draft1", "DS")
			s.edit("Drafts", "anon1", "anon2")
		},
		Check: expects(Want{
			Both: []string{"Drafts/draft2:DS", "Drafts/anon2:", "Drafts/other:"}, Held: []string{"anon1", "draft1"},
		}),
	}, {
		Name:    "draft-edited-without-UIDPLUS",
		Hide:    []string{"UIDPLUS", "MOVE"},
		Prepare: drafts,
		Happen:  func(s *Stage) { s.edit("Drafts", "draft1", "draft2") },
		Check: expects(Want{
			Both: []string{"Drafts/draft2:D", "Drafts/anon1:", "Drafts/other:"}, Held: []string{"draft1"},
		}),
	}}
}

func drafts(s *Stage) {
	s.deliver("Drafts", "draft1", "anon1", "other")
	s.flag("Drafts", "draft1", "D")
	s.Rest()
}

// deletions are scenes in which users delete messages.
func deletions() []Scene {
	return []Scene{{
		Name:    "deleted-on-the-server",
		Prepare: deletable,
		Happen:  func(s *Stage) { s.expunge("INBOX", "a", "anon1", "twin") },
		Check: expects(Want{
			Both: []string{"INBOX/b:", "INBOX/anon2:", "INBOX/twin:"}, Held: []string{"a", "anon1", "twin"},
		}),
	}, {
		Name:    "deleted-here",
		Prepare: deletable,
		Happen:  func(s *Stage) { s.drop("INBOX", "a", "anon1", "twin") },
		Check: expects(Want{
			Both: []string{"INBOX/b:", "INBOX/anon2:", "INBOX/twin:", "Trash/a:", "Trash/anon1:", "Trash/twin:"},
		}),
	}, {
		Name:    "deleted-here-without-MOVE",
		Hide:    []string{"MOVE"},
		Prepare: deletable,
		Happen:  func(s *Stage) { s.drop("INBOX", "a", "anon1", "twin") },
		Check: expects(Want{
			Both: []string{"INBOX/b:", "INBOX/anon2:", "INBOX/twin:", "Trash/a:", "Trash/anon1:", "Trash/twin:"},
		}),
	}, {
		Name:    "deleted-here-without-UIDPLUS",
		Hide:    []string{"MOVE", "UIDPLUS", "CONDSTORE"},
		Prepare: deletable,
		Happen:  func(s *Stage) { s.drop("INBOX", "a", "twin") },
		Check: expects(Want{
			Both: []string{"INBOX/b:", "INBOX/anon1:", "INBOX/anon2:", "INBOX/twin:", "Trash/a:", "Trash/twin:"},
		}),
	}, {
		Name: "deleted-for-good",
		Prepare: func(s *Stage) {
			s.deliver("Trash", "a", "b", "c")
			s.Rest()
		},
		Happen: func(s *Stage) {
			s.drop("Trash", "a")
			s.expunge("Trash", "b")
		},
		Check: expects(Want{Both: []string{"Trash/c:"}, Held: []string{"b"}}),
	}}
}

func deletable(s *Stage) {
	s.deliver("INBOX", "a", "b", "anon1", "anon2", "twin", "twin")
	s.Rest()
}
