package real

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mailmoor/engine"
	"mailmoor/state"
	"mailmoor/test/corpus"
	"mailmoor/test/lab"
)

// failures returns the problems that are news, without those that wait.
func failures(r engine.Report) []state.Problem {
	return slices.DeleteFunc(slices.Clone(r.Problems), func(p state.Problem) bool { return p.Weight == state.WeightWaiting })
}

// onlyProblem returns the only problem of a run, checked for its cause and for
// words that the user needs.
func (a *account) onlyProblem(r engine.Report, cause state.Cause, words ...string) state.Problem {
	a.Helper()
	if len(r.Problems) != 1 || r.Problems[0].Cause != cause {
		a.Fatalf("problems are %+v, want one with cause %d", r.Problems, cause)
	}
	p := r.Problems[0]
	for _, word := range words {
		if !strings.Contains(p.Mailbox+" "+p.Subject+" "+string(p.Text)+" "+string(p.Hint), word) {
			a.Errorf("problem %+v does not say %q", p, word)
		}
	}
	if p.Hint == "" {
		a.Errorf("problem %+v does not say what to do", p)
	}
	return p
}

// TestPoison: one message of a hundred cannot be read by the server, which hangs
// up in the middle of the FETCH. A client that just asks again stays stuck behind
// it for ever. Here 99 arrive and the one is tried again later.
func TestPoison(t *testing.T) {
	a := newAccount(t, newServer(t))
	var messages []corpus.Message
	for i := range 100 {
		token := fmt.Sprintf("m%03d", i)
		messages = append(messages, corpus.Message{Token: token, Date: time.Unix(start, 0), Body: body(token)})
	}
	a.srv.Load(a.user, "INBOX", messages)
	a.deliver("Archive", "other")
	stored, err := filepath.Glob(filepath.Join(a.srv.MailboxDir(a.user, "INBOX"), "cur", "*"))
	a.must(err)
	slices.Sort(stored)
	poison := stored[41]
	a.must(os.Chmod(poison, 0))
	a.onlyProblem(a.sync(), state.CauseRefused, "INBOX", "UID 42", "tried again")
	if got := a.local(); len(got["INBOX"]) != 99 || len(got["Archive"]) != 1 {
		t.Fatalf("%d and %d messages have arrived, want 99 and 1", len(got["INBOX"]), len(got["Archive"]))
	}
	a.deliver("INBOX", "new")
	for range 2 {
		report := a.sync()
		if p := failures(report); len(p) > 0 {
			t.Errorf("it was reported again before its time: %+v", p)
		}
	}
	if got := a.local(); len(got["INBOX"]) != 100 {
		t.Errorf("%d messages have arrived, want 100", len(got["INBOX"]))
	}
	// Its second chance comes too early, the third one does not.
	a.later(2 * time.Hour)
	a.onlyProblem(a.sync(), state.CauseRefused, "UID 42")
	a.must(os.Chmod(poison, 0o600))
	a.later(time.Hour)
	a.sync()
	if got := a.local(); len(got["INBOX"]) != 100 {
		t.Errorf("it was tried again before its time")
	}
	a.later(2 * time.Hour)
	a.clean()
	if got := a.same(); len(got["INBOX"]) != 101 {
		t.Errorf("%d messages have arrived, want all 101", len(got["INBOX"]))
	}
	a.idle()
}

// TestPoisonedPair: the server has a message twice and cannot read one of the two, and the
// folder has it once, as in a tree that was there before. The bodies would tell whose file
// it is; Dovecot gives not even the header of that one. The others of the mailbox go on
// meanwhile, and nothing is doubled in the end.
func TestPoisonedPair(t *testing.T) {
	a := newAccount(t, newServer(t))
	a.deliver("INBOX", "keep", "drop")
	a.clean()
	a.deliver("INBOX", "twin", "twin", "new")
	a.srv.Messages(a.user, "INBOX") // the server notes where the files are
	stored, err := filepath.Glob(filepath.Join(a.srv.MailboxDir(a.user, "INBOX"), "[cn]*", "*"))
	a.must(err)
	poison := ""
	for _, path := range stored {
		if data, err := os.ReadFile(path); err == nil && bytes.Contains(data, []byte("Subject: twin")) {
			poison = path
		}
	}
	a.must(os.Chmod(poison, 0))
	a.putFile("INBOX", "cur/1.twin:2,", lf(body("twin")), start)
	a.put("INBOX", "", "mine")
	a.drop("INBOX", "drop")
	if report := a.sync(); len(report.Problems) == 0 {
		t.Error("nothing is said of the message that cannot be read")
	}
	a.sync()
	for _, want := range []string{"INBOX/keep:", "INBOX/new:", "INBOX/mine:"} {
		if !slices.Contains(a.local().names(), want) {
			t.Errorf("the tree has %q, without %q", a.local().names(), want)
		}
	}
	a.must(os.Chmod(poison, 0o600))
	a.later(4 * time.Hour)
	a.settle()
	a.expect("INBOX/keep:", "INBOX/twin:", "INBOX/twin:", "INBOX/new:", "INBOX/mine:", "Trash/drop:")
}

// TestOverQuota: the account is full. The user hears of it, downloads go on, and
// the uploads are made up for when there is room again.
func TestOverQuota(t *testing.T) {
	a := newAccount(t, newServer(t, lab.Quota(300<<10)))
	a.srv.Append(a.user, "INBOX", nil, time.Unix(start, 0), large("full", 250<<10))
	a.deliver("INBOX", "a", "b")
	a.clean()
	a.putFile("INBOX", "cur/1.large:2,", lf(large("large", 100<<10)), start)
	a.deliver("Archive", "c")
	a.onlyProblem(a.sync(), state.CauseQuota, "INBOX", "free some space")
	if got := a.local().names(); !slices.Contains(got, "Archive/c:") || !slices.Contains(got, "INBOX/large:") {
		t.Errorf("the tree has %q, want the new message and the one that does not fit", got)
	}
	a.srv.Expunge(a.user, "INBOX", a.uid("INBOX", "full"))
	a.later(3 * time.Hour)
	a.clean()
	a.settle()
	a.expect("INBOX/a:", "INBOX/b:", "INBOX/large:", "Archive/c:")
}

// TestTooLarge: the server does not take a message of this size. Its neighbours
// go on, and it is not sent again in every run.
func TestTooLarge(t *testing.T) {
	a := newAccount(t, newServer(t, lab.Quota(10<<20), lab.Config("plugin {\n  quota_max_mail_size = 50k\n}")))
	a.clean()
	a.putFile("INBOX", "cur/1.small:2,", lf(body("small1")), start)
	a.putFile("INBOX", "cur/2.large:2,", lf(large("large", 100<<10)), start)
	a.putFile("INBOX", "cur/3.small:2,", lf(body("small3")), start)
	a.onlyProblem(a.sync(), state.CauseTooLarge, "INBOX", "2.large", "size")
	if got := a.remote().names(); !slices.Equal(got, []string{"INBOX/small1:", "INBOX/small3:"}) {
		t.Errorf("the server has %q, want the two small ones", got)
	}
	a.proxy.Reset()
	if p := failures(a.sync()); len(p) > 0 || len(a.proxy.Changing()) > 0 {
		t.Errorf("it was tried again at once: %+v, %+v", p, a.proxy.Changing())
	}
	a.drop("INBOX", "large")
	a.clean()
	a.expect("INBOX/small1:", "INBOX/small3:")
}

// large makes a message of about n bytes.
func large(token string, n int) []byte {
	return append(body(token), bytes.Repeat([]byte("0123456789012345678901234567890123456789\r\n"), n/42)...)
}

// TestReadOnly: a mailbox that may only be read. Local changes stay local and are
// reported; what the server changes still arrives; other mailboxes go on.
func TestReadOnly(t *testing.T) {
	a := newAccount(t, newServer(t, lab.ACL()))
	a.srv.CreateMailbox(a.user, box)
	a.deliver(box, "a", "b", "c")
	a.srv.SetACL(a.user, box, "lr")
	a.clean()
	a.letters(box, "a", "F")
	a.drop(box, "b")
	a.put(box, "", "mine")
	a.put("INBOX", "", "other")
	before := a.remote()[box]
	for range 2 {
		a.onlyProblem(a.sync(), state.CauseReadOnly, box, "local changes stay local")
	}
	if got := a.remote(); !slices.Equal(got[box], before) || len(got["INBOX"]) != 1 {
		t.Errorf("the server has %q, want Box as it was and one message in INBOX", got.names())
	}
	if got := a.local()[box]; len(got) != 3 || got[0].Flags != "F" {
		t.Errorf("the folder has %v, want the user's own changes", got)
	}
	// The right to change it comes back: the changes travel at last.
	a.srv.SetACL(a.user, box, "lrwstipekxa")
	a.settle()
	a.expect(box+"/a:F", box+"/c:", box+"/mine:", "Trash/b:", "INBOX/other:")
}
