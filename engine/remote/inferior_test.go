package remote

import (
	"errors"
	"strings"
	"testing"
	"time"

	"mailmoor/state"
	"mailmoor/test/lab"
)

// TestCreateBelowAFile: with mbox storage a mailbox is a file, and has none below it. Of
// "Lists/go" it was said that the server does not take the name.
func TestCreateBelowAFile(t *testing.T) {
	srv := lab.Dovecot(t, lab.Config("mail_location = mbox:~/mbox:INBOX=~/inbox"))
	a := &dovecotAccount{srv: srv, user: srv.User("u").Name}
	srv.CreateMailbox("u", "Lists")
	srv.Append("u", "Lists", nil, time.Unix(1_700_000_000, 0), []byte("Subject: x\r\n\r\nx\r\n"))
	err := a.dial(t).Create(t.Context(), "Lists/go/news")
	var e *state.Error
	if !errors.As(err, &e) || !strings.Contains(string(e.Hint), `"Lists"`) || state.ScopeOf(err) != state.ScopeMailbox {
		t.Errorf("%v, hint %q", err, e.Hint)
	}
}
