package quirk_test

import (
	"slices"
	"strings"
	"testing"

	"mailmoor/test/quirk"
)

// filled returns an account with some mail on the server that has not been synced.
func filled(t *testing.T) *account {
	t.Helper()
	a := newAccount(t, quirk.Options{})
	a.srv.CreateMailbox("Box")
	a.deliver("INBOX", "a", "b", "c", "d", "e", "f")
	a.srv.SetFlags("INBOX", a.uid("INBOX", "d"), `\Flagged`)
	a.deliver("Box", "g", "h")
	return a
}

// change changes mail in all ways on both sides of a filled account that is in
// step.
func (a *account) change() {
	a.Helper()
	a.letters("INBOX", "a", "S")
	a.srv.SetFlags("INBOX", a.uid("INBOX", "b"), `\Flagged`)
	a.srv.Expunge("INBOX", a.uid("INBOX", "c"))
	a.drop("INBOX", "d")
	a.srv.Move("INBOX", a.uid("INBOX", "e"), "Archive")
	a.carry("INBOX", "f", "Box")
	a.srv.SetFlags("Box", a.uid("Box", "g"), `\Seen`)
	a.letters("Box", "h", "FR")
	a.deliver("INBOX", "i")
	a.put("INBOX", "S", "j")
	a.put("Mine", "", "k")
}

// changed is what both sides have after that.
func changed() []string {
	return []string{
		"INBOX/a:S", "INBOX/b:F", "Trash/d:F", "Archive/e:", "Box/f:", "Box/g:S", "Box/h:FR", "INBOX/i:", "INBOX/j:S", "Mine/k:",
	}
}

// TestTolerated: what the server does is unusual and harms nobody. From the first
// sync on everything goes both ways without a word to the user, and when the server
// is like others again there is nothing to make up for.
func TestTolerated(t *testing.T) {
	for _, q := range []quirk.Quirk{
		quirk.Bare(),
		quirk.Old(),
		quirk.UnknownAnswers(),
		quirk.UnknownItems(),
		quirk.OddKeywords(),
		quirk.LowerCase(),
		quirk.Literals(),
		quirk.BodyFirst(),
		quirk.Drip(),
		quirk.OtherFlags(),
		quirk.FlagsBeforeContent(),
		quirk.NilDate(),
		quirk.BadDate(),
		quirk.RoundedSize(),
		quirk.ZeroSize(),
		quirk.NegativeSize(),
		quirk.AddedHeader(),
		quirk.RewrittenLines(),
		quirk.ByeInFetch(3),
		quirk.CutInFetch(3),
		quirk.StatusFirst(),
		quirk.NoStatus("Box"),
		quirk.InboxInOtherCase(),
		quirk.NoUIDNext(),
		quirk.Milliseconds(),
		quirk.SearchCapped(2),
		quirk.SilentCapabilities(),
		quirk.OtherCapabilities(),
		quirk.NoCopyUID(),
		quirk.NoAppendUID(),
		quirk.BadNames(),
	} {
		t.Run(q.Name, func(t *testing.T) {
			t.Parallel()
			t.Log("seen: " + q.Seen)
			a := filled(t)
			a.noExpunge = slices.Contains(q.Hide, "UIDPLUS")
			a.noDates = strings.Contains(q.Name, "INTERNALDATE")
			a.srv.Switch(q)
			a.clean()
			a.change()
			a.settle()
			a.expect(changed()...)
			a.mattered(q)
			a.srv.Switch()
			a.settle()
			a.expect(changed()...)
		})
	}
}

// TestPlain: a server without quirks is served as any other.
func TestPlain(t *testing.T) {
	t.Parallel()
	a := filled(t)
	a.clean()
	a.change()
	a.settle()
	a.expect(changed()...)
}

// mattered checks that the quirk has made a difference on the wire.
func (a *account) mattered(q quirk.Quirk) {
	a.Helper()
	if a.srv.Effects(q) == 0 {
		a.Errorf("%q never happened", q.Name)
	}
}
