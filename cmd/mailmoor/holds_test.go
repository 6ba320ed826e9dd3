package main

import (
	"strings"
	"testing"

	"mailmoor/config"
	"mailmoor/state"
)

// TestWhereApprovedRemovalsGo: the program knows, and says it.
func TestWhereApprovedRemovalsGo(t *testing.T) {
	usual := config.Account{Delete: config.DeleteTrash}
	for _, test := range []struct {
		account        config.Account
		mailbox, trash string
		want           state.Text
	}{
		{usual, "INBOX", "Papierkorb", "2 messages on the server: into Papierkorb"},
		{usual, "Trash", "Trash", "2 messages on the server: removed for good, as all that is deleted there"},
		{usual, "INBOX", "", "2 messages on the server: removed for good, as no mailbox was Trash in the last run"},
		{config.Account{Delete: config.DeleteExpunge}, "INBOX", "Trash", `2 messages on the server: removed for good, as delete = "expunge" says`},
	} {
		h := holdReport{Messages: 2, Missing: state.Local.String(), goes: goesTo(test.account, test.mailbox, test.trash)}
		if got, _ := h.outcomes(); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

// TestHoldOfLostMessages: what is said of messages that the server lost.
func TestHoldOfLostMessages(t *testing.T) {
	h := holdsOf("personal", []state.Hold{{
		ID: 7, Mailbox: "Lists", Missing: state.Remote, Lost: 3, Through: 9, Reason: "the server lost these messages; 2 of them are in Archive as well",
	}})[0]
	if h.Messages != 3 || h.Lost != 3 || h.UIDs != "" {
		t.Errorf("the hold is reported as %+v", h)
	}
	approve, reject := h.outcomes()
	notice := h.notice()
	for got, want := range map[state.Text]string{
		h.line(): "hold personal:7: Lists: 3 messages that the server lost when it was renumbered or restored; " +
			"kept in the folder, not uploaded; 2 of them are in Archive as well",
		approve:     "3 messages in the folder: into the hold area",
		reject:      "3 messages are uploaded again, but for what is in another mailbox as well",
		notice.Text: "3 messages that the server lost",
		notice.Hint: "mailmoor approve personal:7 or mailmoor reject personal:7",
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("%q does not say %q", got, want)
		}
	}
}
