package quirk_test

import (
	"slices"
	"testing"
	"time"

	"mailmoor/state"
	"mailmoor/test/quirk"
)

// trouble is a quirk that stops a part of the work.
type trouble struct {
	quirk quirk.Quirk
	// more changes mail beyond what every trial changes; it is done before the quirk
	// begins.
	more func(*account)
	// problems are what the user hears of, once.
	problems []wantProblem
	// done must be on both sides although the quirk lasts.
	done []string
	// later is how much time passes between the end of the quirk and the next run.
	later time.Duration
	// want is what both sides have in the end.
	want []string
}

// TestTrouble: a server does not do what it is asked for. The user hears what
// happened to what and what to do, the rest goes on, nothing is lost or doubled, and
// when the trouble is over the rest is made up for.
func TestTrouble(t *testing.T) {
	for _, c := range troubles() {
		t.Run(c.quirk.Name, func(t *testing.T) {
			t.Parallel()
			t.Log("seen: " + c.quirk.Seen)
			a := filled(t)
			a.clean()
			a.change()
			if c.more != nil {
				c.more(a)
			}
			a.srv.Switch(c.quirk)
			a.reports(a.sync(), c.problems...)
			a.sync()
			a.both(c.done...)
			a.mattered(c.quirk)
			a.srv.Switch()
			a.later(c.later)
			a.settle()
			a.expect(c.want...)
		})
	}
}

func troubles() []trouble {
	return []trouble{{
		quirk: quirk.Poison("INBOX", 7),
		more:  func(a *account) { a.deliver("INBOX", "x", "y", "z") },
		problems: []wantProblem{{
			state.ScopeMessage, state.CauseRefused, "INBOX",
			[]string{"UID 7", "the connection breaks at it each time", "Internal error occurred", "the other messages are not affected", "it is tried again after"},
		}},
		done:  append(without(changed(), "INBOX/i:"), "INBOX/x:", "INBOX/y:", "INBOX/z:"),
		later: 2 * time.Hour,
		want:  append(changed(), "INBOX/x:", "INBOX/y:", "INBOX/z:"),
	}, {
		quirk: quirk.VanishedBody("INBOX", 7),
		problems: []wantProblem{{
			state.ScopeMessage, state.CauseOther, "INBOX",
			[]string{"UID 7", "gives no body", "the other messages are not affected", "it is tried again after"},
		}},
		done:  without(changed(), "INBOX/i:"),
		later: 2 * time.Hour,
		want:  changed(),
	}, {
		quirk:    quirk.In("INBOX", quirk.Refusing("APPEND: in use", "RFC 5530", "NO [INUSE] Mailbox is locked", 0, "APPEND")),
		problems: []wantProblem{{state.ScopeMailbox, state.CauseRefused, "INBOX", []string{"INUSE", "Mailbox is locked", "the next run tries again"}}},
		done:     without(changed(), "INBOX/j:S", "Trash/d:F"),
		want:     changed(),
	}, {
		quirk:    quirk.In("INBOX", quirk.Refusing("APPEND: over quota", "Dovecot, Cyrus", "NO [OVERQUOTA] Quota exceeded", 0, "APPEND")),
		problems: []wantProblem{{state.ScopeMailbox, state.CauseQuota, "INBOX", []string{"Quota exceeded", "free some space"}}},
		done:     without(changed(), "INBOX/j:S"),
		later:    2 * time.Hour,
		want:     changed(),
	}, {
		quirk:    quirk.In("INBOX", quirk.Refusing("APPEND: too big", "Gmail", "BAD [TOOBIG] Message too large", 0, "APPEND")),
		problems: []wantProblem{{state.ScopeMessage, state.CauseTooLarge, "INBOX", []string{"too large", "size"}}},
		done:     without(changed(), "INBOX/j:S"),
		later:    2 * time.Hour,
		want:     changed(),
	}, {
		quirk: quirk.Bounced("INBOX", "NO [TOOBIG] Message too large"),
		problems: []wantProblem{{
			state.ScopeMessage, state.CauseTooLarge, "INBOX",
			[]string{"too large", "size"},
		}},
		done:  without(changed(), "INBOX/j:S"),
		later: 2 * time.Hour,
		want:  changed(),
	}, {
		quirk:    quirk.Denied("Box"),
		problems: []wantProblem{{state.ScopeMailbox, state.CauseRefused, "Box", []string{"Permission denied"}}},
		done:     []string{"INBOX/a:S", "INBOX/b:F", "INBOX/i:", "INBOX/j:S", "Mine/k:"},
		want:     changed(),
	}, {
		quirk:    quirk.NoValidity("Box"),
		problems: []wantProblem{{state.ScopeMailbox, state.CauseOther, "Box", []string{"UIDVALIDITY", "leave it out"}}},
		done:     []string{"INBOX/a:S", "INBOX/b:F", "INBOX/i:", "INBOX/j:S", "Mine/k:"},
		want:     changed(),
	}, {
		quirk: quirk.NewValidity("Box"),
		problems: []wantProblem{{state.ScopeMailbox, state.CauseGeneration, "Box", []string{
			"UIDVALIDITY is", "the server renumbered the mailbox", "nothing is changed there",
		}}},
		done: []string{"INBOX/a:S", "INBOX/b:F", "INBOX/i:", "INBOX/j:S", "Mine/k:"},
		want: changed(),
	}, {
		quirk: quirk.IgnoredMove(),
		// What waits keeps the mailbox open, so removals there wait, too.
		problems: []wantProblem{{
			state.ScopeMailbox, state.CauseRefused, "INBOX",
			[]string{`OK to a move to "Box"`, "nothing is lost", "tries again"},
		}},
		done: []string{"INBOX/a:S", "INBOX/b:F", "INBOX/i:", "INBOX/j:S", "Mine/k:"},
		want: changed(),
	}, {
		quirk:    quirk.ReadOnly("Box"),
		problems: []wantProblem{{state.ScopeMailbox, state.CauseReadOnly, "Box", []string{"local changes stay local"}}},
		done:     []string{"INBOX/a:S", "INBOX/b:F", "INBOX/i:", "INBOX/j:S", "Mine/k:", "Box/g:S"},
		want:     changed(),
	}}
}

// without returns the list less some entries.
func without(list []string, entries ...string) []string {
	return slices.DeleteFunc(list, func(e string) bool { return slices.Contains(entries, e) })
}
