package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"mailmoor/engine"
	"mailmoor/engine/plan"
	"mailmoor/state"
	"mailmoor/test/sim"
)

// letters returns info letters with those of the keywords.
func (f *fixture) letters(flags string, keywords ...string) string {
	for _, k := range keywords {
		flags += f.tree.Letter(k)
	}
	return flags
}

// tag gives a message on the server flags and exactly these keywords.
func (f *fixture) tag(mailbox, token string, flags state.Flags, keywords ...string) {
	f.t.Helper()
	f.server.SetFlags(mailbox, f.uid(mailbox, token), flags)
	f.server.SetKeywords(mailbox, f.uid(mailbox, token), state.NewKeywords(keywords...))
}

// mark lets a reader give a file these letters.
func (f *fixture) mark(folder, token, letters string) {
	f.t.Helper()
	f.tree.SetLetters(folder, f.key(folder, token), letters)
}

// tagging are stories about keywords.
var tagging = []scenario{
	{"keywords of new messages", func(f *fixture) {
		f.deliver("INBOX", "a", "b")
		f.tag("INBOX", "a", state.Seen, "$Label1", "work")
		f.tag("INBOX", "b", 0, "unread")
		f.tree.AddFolder("INBOX")
		f.put("INBOX", f.letters("S", "mine"), "c")
		f.clean()
		f.expect("INBOX/a:S[$Label1 work]", "INBOX/b:[unread]", "INBOX/c:S[mine]")
	}},
	{"keywords of the same message on both sides", func(f *fixture) {
		f.deliver("INBOX", "a")
		f.tag("INBOX", "a", state.Seen, "theirs", "both")
		f.tree.AddFolder("INBOX")
		f.put("INBOX", f.letters("F", "mine", "both"), "a")
		f.clean()
		f.expect("INBOX/a:FS[both mine theirs]")
	}},
	{"keywords change on both sides", func(f *fixture) {
		f.deliver("INBOX", "a", "b", "c", "d")
		for _, m := range []string{"a", "b", "c", "d"} {
			f.tag("INBOX", m, state.Seen, "old")
		}
		f.clean()
		f.tag("INBOX", "a", state.Seen, "old", "theirs")
		f.mark("INBOX", "a", f.letters("S", "old", "mine"))
		f.tag("INBOX", "b", state.Seen)
		f.mark("INBOX", "b", f.letters("FS", "old", "mine"))
		f.tag("INBOX", "c", state.Seen|state.Flagged)
		f.tag("INBOX", "d", state.Seen, "old", "same")
		f.mark("INBOX", "d", f.letters("S", "old", "same"))
		f.clean()
		f.expect("INBOX/a:S[mine old theirs]", "INBOX/b:FS[mine]", "INBOX/c:FS", "INBOX/d:S[old same]")
	}},
	{"a letter that is dropped comes back", func(f *fixture) {
		f.deliver("INBOX", "a")
		f.tag("INBOX", "a", state.Seen, "old")
		f.clean()
		f.mark("INBOX", "a", "FS")
		f.clean()
		f.expect("INBOX/a:FS[old]")
	}},
	{"an unread message is read and gets its letters", func(f *fixture) {
		f.deliver("INBOX", "a")
		f.tag("INBOX", "a", 0, "old")
		f.clean()
		f.mark("INBOX", "a", "S")
		f.clean()
		f.expect("INBOX/a:S[old]")
	}},
	{"keywords follow moves", func(f *fixture) {
		f.deliver("INBOX", "here", "there")
		f.tag("INBOX", "here", state.Seen, "old")
		f.tag("INBOX", "there", state.Seen, "old")
		f.clean()
		f.mark("INBOX", "here", f.letters("S", "old", "mine"))
		f.tree.MoveFile("INBOX", f.key("INBOX", "here"), "Archive", sim.MoveOptions{FreshKey: true})
		f.tag("INBOX", "there", state.Seen, "old", "theirs")
		f.server.Move("INBOX", f.uid("INBOX", "there"), "Archive")
		f.clean()
		f.expect("Archive/here:S[mine old]", "Archive/there:S[old theirs]")
	}},
	{"an edited message keeps its keywords", func(f *fixture) {
		f.server.CreateMailbox("Drafts", state.RoleDrafts)
		f.deliver("Drafts", "draft", "other")
		f.tag("Drafts", "draft", state.Draft, "old")
		f.clean()
		f.mark("Drafts", "draft", f.letters("D", "old", "mine"))
		f.tree.EditFile("Drafts", f.key("Drafts", "draft"), []byte(strings.ReplaceAll(string(body("draft2")), "\r\n", "\n")))
		f.clean()
		f.expect("Drafts/draft2:D[mine old]", "Drafts/other:")
	}},
	{"keywords of a mailbox that was renumbered", func(f *fixture) {
		f.deliver("INBOX", "a", "b", "c")
		for _, m := range []string{"a", "b", "c"} {
			f.tag("INBOX", m, state.Seen, "old")
		}
		f.clean()
		f.server.ResetUIDValidity("INBOX")
		f.tag("INBOX", "a", state.Seen, "theirs")
		f.mark("INBOX", "a", f.letters("S", "old", "mine"))
		f.mark("INBOX", "b", "S")
		f.clean()
		f.expect("INBOX/a:S[mine theirs]", "INBOX/b:S[old]", "INBOX/c:S[old]")
	}},
	{"a message tagged on one side outlives its deletion", func(f *fixture) {
		f.deliver("INBOX", "there", "untagged", "stay", "stay too")
		f.tag("INBOX", "untagged", state.Seen, "old")
		f.clean()
		f.tree.DeleteFile("INBOX", f.key("INBOX", "there"))
		f.tag("INBOX", "there", 0, "theirs")
		f.tree.DeleteFile("INBOX", f.key("INBOX", "untagged"))
		f.tag("INBOX", "untagged", state.Seen)
		f.clean()
		f.expect("INBOX/there:[theirs]", "INBOX/stay:", "INBOX/stay too:", "Trash/untagged:S")
	}},
}

// TestRejectedRemovalsKeepKeywords: whichever side was emptied, what comes back has its
// keywords.
func TestRejectedRemovalsKeepKeywords(t *testing.T) {
	for side, empty := range map[string]func(*fixture){
		"server": func(f *fixture) { f.server.WipeMailbox("INBOX") },
		"tree":   func(f *fixture) { f.tree.EmptyFolder("INBOX") },
	} {
		t.Run(side, func(t *testing.T) {
			f := newFixture(t, sim.ServerOptions{})
			f.deliver("INBOX", "a", "b")
			f.tag("INBOX", "a", state.Seen, "old")
			f.clean()
			f.mark("INBOX", "a", f.letters("S", "old", "mine"))
			f.clean()
			empty(f)
			f.store.Decide(hold(t, f.sync()).ID, state.Rejected)
			f.sync()
			f.expect("INBOX/a:S[mine old]", "INBOX/b:")
		})
	}
}

// TestKeywordsInDoubt: when state and tree are not of the same time, the keywords of both
// sides add up.
func TestKeywordsInDoubt(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "b")
	f.tag("INBOX", "a", state.Seen, "old")
	f.tag("INBOX", "b", state.Seen, "old")
	f.clean()
	f.store.Doubt()
	f.tag("INBOX", "a", state.Seen)
	f.mark("INBOX", "b", f.letters("S", "mine"))
	f.clean()
	f.expect("INBOX/a:S[old]", "INBOX/b:S[mine old]")
}

// TestTaggedHereAndDeletedThere: the file goes up again, with all of its keywords.
func TestTaggedHereAndDeletedThere(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "here", "stay")
	f.tag("INBOX", "here", state.Seen, "old")
	f.clean()
	f.mark("INBOX", "here", f.letters("S", "old", "mine"))
	f.server.Expunge("INBOX", f.uid("INBOX", "here"))
	f.clean()
	f.expect("INBOX/here:S[mine old]", "INBOX/stay:")
}

// differ checks what each side has, and that a run with nothing to do does nothing and
// has nothing to say.
func (f *fixture) differ(remote, local string) {
	f.t.Helper()
	for range 2 {
		if got := strings.Join(f.remote(), " "); got != remote {
			f.t.Errorf("the server has %s, want %s", got, remote)
		}
		if got := strings.Join(f.local(), " "); got != local {
			f.t.Errorf("the tree has %s, want %s", got, local)
		}
		f.idle()
		f.clean()
	}
}

// TestKeywordsThatAreNotStored: a server that takes no new keywords leaves those of
// the tree alone, whatever becomes of the letters, and gets them when it takes them.
func TestKeywordsThatAreNotStored(t *testing.T) {
	for _, condstore := range []bool{true, false} {
		t.Run(fmt.Sprint("CONDSTORE ", condstore), func(t *testing.T) {
			f := newFixture(t, sim.ServerOptions{NoNewKeywords: true, Keywords: "Known", NoCondstore: !condstore})
			f.deliver("INBOX", "a", "b")
			f.clean()
			f.mark("INBOX", "a", f.letters("S", "known", "mine"))
			f.put("INBOX", f.letters("S", "mine"), "c")
			f.clean()
			f.differ("INBOX/a:S[known] INBOX/b: INBOX/c:S", "INBOX/a:S[known mine] INBOX/b: INBOX/c:S[mine]")
			f.mark("INBOX", "a", "S")
			f.clean()
			f.differ("INBOX/a:S[known] INBOX/b: INBOX/c:S", "INBOX/a:S[known mine] INBOX/b: INBOX/c:S[mine]")
			f.tree.MoveFile("INBOX", f.key("INBOX", "a"), "Archive", sim.MoveOptions{})
			f.clean()
			f.differ("Archive/a:S[known] INBOX/b: INBOX/c:S", "Archive/a:S[known mine] INBOX/b: INBOX/c:S[mine]")
			f.server.Configure(func(o *sim.ServerOptions) { o.NoNewKeywords = false })
			f.mark("Archive", "a", f.letters("FS", "known", "mine"))
			f.clean()
			f.differ("Archive/a:FS[known mine] INBOX/b: INBOX/c:S", "Archive/a:FS[known mine] INBOX/b: INBOX/c:S[mine]")
		})
	}
}

// TestKeywordsThatAreRefused: what the server refuses takes nothing else with it, is
// said once, and is sent again when the message changes, or a day later.
func TestKeywordsThatAreRefused(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{RefusedKeywords: "full"})
	f.deliver("INBOX", "a")
	f.clean()
	f.mark("INBOX", "a", f.letters("S", "full", "fine"))
	f.put("INBOX", f.letters("S", "full", "fine"), "b")
	report := f.sync()
	if len(report.Problems) != 1 || report.Problems[0].Subject != "keywords full" || report.Problems[0].Hint == "" {
		t.Errorf("the problems are %+v", report.Problems)
	}
	f.differ("INBOX/a:S[fine] INBOX/b:S[fine]", "INBOX/a:S[fine full] INBOX/b:S[fine full]")
	f.server.Configure(func(o *sim.ServerOptions) { o.RefusedKeywords = "" })
	f.differ("INBOX/a:S[fine] INBOX/b:S[fine]", "INBOX/a:S[fine full] INBOX/b:S[fine full]")
	f.tag("INBOX", "a", state.Seen|state.Flagged, "fine")
	f.clean()
	f.differ("INBOX/a:FS[fine full] INBOX/b:S[fine]", "INBOX/a:FS[fine full] INBOX/b:S[fine full]")
	f.world.Advance(24 * 60 * 60)
	f.clean()
	f.expect("INBOX/a:FS[fine full]", "INBOX/b:S[fine full]")
}

// TestKeywordsOfAReadOnlyMailbox: those of its owner arrive, come and go; a letter of
// the user stays and is spoken of.
func TestKeywordsOfAReadOnlyMailbox(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a")
	f.tag("INBOX", "a", state.Seen, "theirs")
	f.clean()
	f.server.SetReadOnly("INBOX", true)
	f.tag("INBOX", "a", state.Seen, "new")
	f.clean()
	f.differ("INBOX/a:S[new]", "INBOX/a:S[new]")
	f.mark("INBOX", "a", f.letters("S", "new", "mine"))
	for range 2 {
		if report := f.sync(); len(report.Problems) != 1 || report.Problems[0].Cause != state.CauseReadOnly {
			t.Errorf("the problems are %+v", report.Problems)
		}
	}
	f.tag("INBOX", "a", state.Seen, "newer")
	f.sync()
	if got := f.local()[0]; got != "INBOX/a:S[mine newer]" {
		t.Errorf("the tree has %s", got)
	}
	f.server.SetReadOnly("INBOX", false)
	f.mark("INBOX", "a", f.letters("FS", "newer", "mine"))
	f.clean()
	f.expect("INBOX/a:FS[mine newer]")
}

// TestKeywordsInOneDirection: with pull a letter of the user stays a change that waits,
// with push one of the server.
func TestKeywordsInOneDirection(t *testing.T) {
	for d, sides := range map[plan.Direction][2]string{
		plan.Pull: {"INBOX/a:S[old theirs]", "INBOX/a:S[mine old theirs]"},
		plan.Push: {"INBOX/a:S[mine old theirs]", "INBOX/a:S[mine old]"},
	} {
		f := newFixture(t, sim.ServerOptions{})
		f.deliver("INBOX", "a")
		f.tag("INBOX", "a", state.Seen, "old")
		f.clean()
		f.tag("INBOX", "a", state.Seen, "old", "theirs")
		f.mark("INBOX", "a", f.letters("S", "old", "mine"))
		f.opts = func(o *engine.Options) { o.Direction = d }
		f.stays(sides[0:1], sides[1:2])
		f.opts = nil
		f.clean()
		f.expect("INBOX/a:S[mine old theirs]")
	}
}

// TestOwnKeywordsComeBack: a message that the user gets back has the keywords that only
// this side knew.
func TestOwnKeywordsComeBack(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{NoNewKeywords: true})
	f.deliver("INBOX", "a", "b", "c")
	f.clean()
	f.mark("INBOX", "a", f.letters("S", "mine"))
	f.clean()
	f.tree.DeleteFile("INBOX", f.key("INBOX", "a"))
	f.server.SetFlags("INBOX", f.uid("INBOX", "a"), state.Seen|state.Flagged)
	f.clean()
	f.differ("INBOX/a:FS INBOX/b: INBOX/c:", "INBOX/a:FS[mine] INBOX/b: INBOX/c:")
}

// TestMoreKeywordsThanLetters: the state keeps those for which there is no letter,
// through changes, moves and uploads.
func TestMoreKeywordsThanLetters(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "b")
	var names []string
	for i := range 30 {
		names = append(names, fmt.Sprintf("k%02d", i))
	}
	all := "[" + strings.Join(names, " ") + "]"
	shown := "[" + strings.Join(names[:26], " ") + "]"
	f.tag("INBOX", "a", state.Seen, names...)
	f.clean()
	f.differ("INBOX/a:S"+all+" INBOX/b:", "INBOX/a:S"+shown+" INBOX/b:")
	f.tree.MoveFile("INBOX", f.key("INBOX", "a"), "Archive", sim.MoveOptions{})
	f.clean()
	f.differ("Archive/a:S"+all+" INBOX/b:", "Archive/a:S"+shown+" INBOX/b:")
	f.mark("Archive", "a", "FS")
	f.server.Expunge("Archive", f.uid("Archive", "a"))
	f.clean()
	f.differ("Archive/a:FS"+all+" INBOX/b:", "Archive/a:FS"+shown+" INBOX/b:")
}

// TestKeywordsAfterAnUpgrade: records that a program wrote before it knew of keywords
// tell none. The first run asks for all of them, although nothing seems to have changed.
func TestKeywordsAfterAnUpgrade(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "b")
	f.server.SetFlags("INBOX", f.uid("INBOX", "a"), state.Seen)
	f.clean()
	f.clean()
	f.tag("INBOX", "a", state.Seen, "old")
	mailboxes, err := f.store.Mailboxes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mailboxes {
		if !m.Tagged {
			t.Errorf("mailbox %s is not tagged", m.Name)
		}
		m.Tagged, m.Cursor = false, f.server.Cursor(m.Name)
		if err := f.store.PutMailbox(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	f.clean()
	f.expect("INBOX/a:S[old]", "INBOX/b:")
}

// TestNoKeywordsCostNothing: without keywords not one command of either side is about
// them.
func TestNoKeywordsCostNothing(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "a", "b")
	f.tree.AddFolder("INBOX")
	f.put("INBOX", "S", "c")
	f.world.SetFault(func(s sim.Step) error {
		if strings.HasSuffix(s.Op, ".keywords") {
			t.Errorf("step %+v", s)
		}
		return nil
	})
	f.clean()
	f.server.SetFlags("INBOX", f.uid("INBOX", "a"), state.Seen)
	f.mark("INBOX", "b", "F")
	f.tree.MoveFile("INBOX", f.key("INBOX", "c"), "Archive", sim.MoveOptions{})
	f.clean()
	f.expect("Archive/c:S", "INBOX/a:S", "INBOX/b:F")
}
