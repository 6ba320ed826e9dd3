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
		Name: "keywords",
		Prepare: func(s *Stage) {
			s.deliver("INBOX", "a", "b", "c", "d", "e", "f", "anon1")
			s.tag("INBOX", "a", "S", "$Label1 work todo", "")
			s.tag("INBOX", "c", "S", "work", "")
			s.tag("INBOX", "d", "S", "work", "")
			s.tag("INBOX", "e", "F", "work", "")
			s.tag("INBOX", "f", "F", "work", "")
			s.Rest()
		},
		Happen: func(s *Stage) {
			s.tag("INBOX", "a", "FS", "more", "todo")
			s.letters("INBOX", "b", s.tagged("INBOX", "S", "work"))
			s.tag("INBOX", "c", "S", "theirs", "work")
			s.letters("INBOX", "c", s.tagged("INBOX", "S", "work", "todo"))
			s.letters("INBOX", "d", "RS")
			s.carry("INBOX", "e", "Archive")
			s.tag("INBOX", "f", "FS", "theirs", "")
			s.Server.Move(s.User, "INBOX", s.uids("INBOX", "f"), "Archive")
			s.deliver("INBOX", "in")
			s.tag("INBOX", "in", "S", "fresh", "")
			s.put("INBOX", s.tagged("INBOX", "S", "work"), "out")
		},
		Check: expects(Want{Both: []string{
			"INBOX/a:FS[$Label1 more work]", "INBOX/b:S[work]", "INBOX/c:S[theirs todo]", "INBOX/d:RS[work]", "INBOX/anon1:",
			"Archive/e:F[work]", "Archive/f:FS[theirs work]", "INBOX/in:S[fresh]", "INBOX/out:S[work]",
		}}),
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
