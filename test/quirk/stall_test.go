package quirk_test

import (
	"strings"
	"testing"
	"time"

	"mailmoor/engine/remote/wire"
	"mailmoor/state"
	"mailmoor/test/quirk"
)

// impatient makes the engine wait for a server 150 times less than usual: on a busy machine
// a line takes its time, too.
func (a *account) impatient() {
	a.config = func(c *wire.Config) { c.ProgressTimeout = 400 * time.Millisecond }
}

// TestStalled: the server keeps the line busy and gets nowhere. The run ends, says what
// it waited for and which key gives a slow server more time, and the next one makes up
// for it. It used to go on for hours.
func TestStalled(t *testing.T) {
	for _, c := range []struct {
		quirk quirk.Quirk
		words []string
	}{
		{quirk.Slow("greeting", 50*time.Millisecond), []string{"the server's answer was not complete after 2s"}},
		{quirk.Slow("AUTHENTICATE", 50*time.Millisecond), []string{"the server's answer was not complete after 2s"}},
		{quirk.Slow("LIST", 50*time.Millisecond), []string{"list the mailboxes", "bytes of an answer came in 2s", "patience"}},
		{quirk.Talking("LIST", 50*time.Millisecond), []string{"list the mailboxes", "keeps talking and has not answered a command for 12s", "patience"}},
		{quirk.Talking("SELECT", 50*time.Millisecond), []string{"open mailbox", "keeps talking and has not answered", "patience"}},
	} {
		t.Run(c.quirk.Name, func(t *testing.T) {
			t.Parallel()
			a := filled(t)
			a.clean()
			a.change()
			a.impatient()
			a.srv.Switch(c.quirk)
			_, err := a.watched()
			a.failsWith(err, state.CauseNetwork, append(c.words, "again")...)
			a.config = nil
			a.srv.Switch()
			a.settle()
			a.expect(changed()...)
		})
	}
}

// TestStalledMessage: one message never comes to its end. It is set aside, and the rest
// goes on.
func TestStalledMessage(t *testing.T) {
	t.Parallel()
	a := filled(t)
	a.clean()
	a.change()
	a.deliver("INBOX", "x", "y", "z")
	a.impatient()
	a.srv.Switch(quirk.SlowBody("INBOX", 7, 50*time.Millisecond))
	a.reports(a.sync(), wantProblem{
		state.ScopeMessage, state.CauseRefused, "INBOX",
		[]string{"UID 7", "the connection breaks at it each time", "bytes of an answer came in 2s", "the other messages are not affected"},
	})
	a.both(append(without(changed(), "INBOX/i:"), "INBOX/x:", "INBOX/y:", "INBOX/z:")...)
	a.config = nil
	a.srv.Switch()
	a.later(2 * time.Hour)
	a.settle()
	a.expect(append(changed(), "INBOX/x:", "INBOX/y:", "INBOX/z:")...)
}

// TestStalledEverywhere: no message comes to its end. The run does not try them all, one
// after the other, for as long as that takes.
func TestStalledEverywhere(t *testing.T) {
	t.Parallel()
	a := newAccount(t, quirk.Options{})
	tokens := strings.Fields("a b c d e f g h i j k l m n o p")
	var want []string
	for i, token := range tokens {
		mailbox := "INBOX"
		if i%2 == 1 {
			mailbox = "Archive"
		}
		a.deliver(mailbox, token)
		want = append(want, mailbox+"/"+token+":")
	}
	a.impatient()
	a.srv.Switch(quirk.Longer("INBOX", 5000), quirk.Longer("Archive", 5000))
	_, err := a.watched()
	a.failsWith(err, state.CauseNetwork, "not a byte moved", "patience")
	fetches := 0
	for _, c := range a.srv.Commands() {
		if strings.Contains(c, "BODY.PEEK[])") {
			fetches++
		}
	}
	if fetches > 12 {
		t.Errorf("the run waited for %d messages that did not come to their end", fetches)
	}
	a.config = nil
	a.srv.Switch()
	a.later(2 * time.Hour)
	a.settle()
	a.expect(want...)
}

// TestLonger: messages are announced as three bytes longer than they are, which swallows
// the end of the answer. That is seen at once in what comes behind, and nothing of it is
// kept.
func TestLonger(t *testing.T) {
	t.Parallel()
	a := filled(t)
	a.srv.Switch(quirk.Longer("Box", 3))
	report, err := a.watched()
	if err != nil {
		t.Fatal(err)
	}
	problem := func(uid string) wantProblem {
		return wantProblem{state.ScopeMessage, state.CauseRefused, "Box", []string{uid, "another length than it announced", "the other messages are not affected"}}
	}
	a.reports(report, problem("UID 1"), problem("UID 2"))
	a.srv.Switch()
	a.later(2 * time.Hour)
	a.settle()
	a.expect("INBOX/a:", "INBOX/b:", "INBOX/c:", "INBOX/d:F", "INBOX/e:", "INBOX/f:", "Box/g:", "Box/h:")
}

// TestInvented: a mailbox lists many more messages than it says exist. It is left alone
// with a word, the others are kept in step, and nothing grows with the list.
func TestInvented(t *testing.T) {
	t.Parallel()
	for _, messages := range []int{1000, 50_000} {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			a := filled(t)
			a.clean()
			a.change()
			a.srv.Switch(quirk.Invented("INBOX", messages))
			a.reports(a.sync(), wantProblem{state.ScopeMailbox, state.CauseOther, "INBOX", []string{
				`observe mailbox "INBOX"`, "more messages than the 5 that it says exist", "nothing is concluded",
			}})
			a.both("Box/g:S", "Box/h:FR", "Mine/k:")
			a.srv.Switch()
			a.settle()
			a.expect(changed()...)
		})
	}
}
