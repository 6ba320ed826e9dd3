package real

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"mailmoor/state"
	"mailmoor/test/lab"
)

// What a real server does to an account when it is restored, repaired, moved or
// broken; what isync 1.5.1 (Expunge Both) and offlineimap 8.0.0 do then, with exit
// code 0, as measured on the same server or, with a star, by their code; and the
// test that shows what becomes of it here:
//
//	V1  the store vanishes behind the same UIDVALIDITY and UIDNEXT
//	    isync empties the local mailbox
//	    TestReject, TestApprove, TestAccidentsThatEnd/the_server's_store_vanishes
//	V2  restored from a backup, UIDs given again, STATUS the same
//	    isync never fetches the new messages, and expunges one of them when an old
//	    file is deleted
//	    TestRestoredUnderTheSameStatus
//	V3  the local volume is an empty directory
//	    isync makes INBOX anew in it and deletes everything on the server
//	    TestUnmountedRoot, TestFolderWithoutMarker
//	V4  another UIDVALIDITY, other UIDs, while changes of the user are pending
//	    offlineimap says that it skips the mailbox, and deletes a message there
//	    TestRenumberedWhileChangesArePending
//	V5  the store, or cur and new of the folder, are emptied
//	    offlineimap deletes everything on the other side, both ways
//	    TestReject, TestApprove, TestAccidentsThatEnd
//	V6  dovecot-uidlist is lost: other UIDs under the same UIDVALIDITY
//	    isync deletes its copies and fetches all messages again (*)
//	    TestLostIndexes/new_UIDs
//	V7  dovecot.index* is lost: HIGHESTMODSEQ falls
//	    neither uses it; who does, and trusts it, misses all changes below its old value
//	    TestLostIndexes/HIGHESTMODSEQ_falls
//	V8  the store vanishes and comes back under other UIDs
//	    isync has emptied the local mailbox by then, and fetches all of it again (*)
//	    TestAccidentsThatEnd/the_server's_store_vanishes
//	V9  the line breaks when the server has all of an APPEND
//	    offlineimap sends it again, up to twice, and doubles the message (*); isync
//	    finds it by a field that it adds to the header (*)
//	    TestCut in test/cut (around both ends of each literal), TestCuts

// backup keeps a copy of a mailbox's store, and returns what puts it back.
func (a *account) backup(mailbox string) (restore func()) {
	a.Helper()
	dir, copied := a.srv.MailboxDir(a.user, mailbox), filepath.Join(a.TempDir(), "backup")
	a.must(exec.Command("cp", "-a", dir, copied).Run())
	return func() {
		a.Helper()
		a.must(errors.Join(os.RemoveAll(dir), exec.Command("cp", "-a", copied, dir).Run()))
	}
}

// renumber gives a mailbox another UIDVALIDITY, and its messages UIDs from 1.
func (a *account) renumber(mailbox string) {
	a.Helper()
	dir := a.srv.MailboxDir(a.user, mailbox)
	list := filepath.Join(dir, "dovecot-uidlist")
	data, err := os.ReadFile(list)
	a.must(err)
	header, _, _ := strings.Cut(string(data), "\n")
	var version, validity, next int
	var guid string
	_, err = fmt.Sscanf(header, "%d V%d N%d G%s", &version, &validity, &next, &guid)
	a.must(err)
	// Written in place, the file keeps its owner.
	a.must(os.WriteFile(list, fmt.Appendf(nil, "%d V%d N1 G%s\n", version, validity+1, guid), 0o600))
	indexes, err := filepath.Glob(filepath.Join(dir, "dovecot.index*"))
	a.must(err)
	for _, path := range indexes {
		a.must(os.Remove(path))
	}
	if got, want := a.status(mailbox, "uidvalidity"), fmt.Sprintf("%s uidvalidity=%d", mailbox, validity+1); got != want {
		a.Fatalf("the server says %q, want %q", got, want)
	}
}

// status is what the server's STATUS says.
func (a *account) status(mailbox, items string) string {
	a.Helper()
	return strings.TrimSpace(a.srv.Doveadm("mailbox", "status", "-u", a.user, items, mailbox))
}

// TestRestoredUnderTheSameStatus is V2. The user deletes an old message, whose UID
// names one by now that nobody here has seen.
func TestRestoredUnderTheSameStatus(t *testing.T) {
	const items = "messages uidnext uidvalidity highestmodseq"
	a, want := fullBox(t, newServer(t), 4)
	restore := a.backup(box)
	a.deliver(box, "lost1", "lost2")
	a.clean()
	was := a.status(box, items)
	restore()
	for i, token := range []string{"other1", "other2"} {
		a.srv.Append(a.user, box, nil, time.Unix(start+3600+int64(i), 0), body(token))
	}
	if now := a.status(box, items); now != was {
		t.Fatalf("the status is %q and was %q, want the same", now, was)
	}
	a.clean() // it cannot be seen
	a.drop(box, "lost1")
	a.later(25 * time.Hour)
	h := a.onlyHold(a.sync())
	if h.Mailbox != box || h.Missing != state.Remote || h.Lost != 1 {
		t.Errorf("the hold is %+v, want one for lost2", h)
	}
	want = append(want, box+"/other1:", box+"/other2:")
	slices.Sort(want)
	if diff := gocmp.Diff(want, a.remote().names()); diff != "" {
		t.Errorf("the server's mail is not as expected (-want +got):\n%s", diff)
	}
	a.decide(h, state.Rejected)
	a.clean()
	a.expect(append(want, box+"/lost2:")...)
}

// TestRestoredSeenByADelivery: it need not take a day. Any change in the mailbox
// lets the known messages be looked at first.
func TestRestoredSeenByADelivery(t *testing.T) {
	a, want := fullBox(t, newServer(t), 4)
	restore := a.backup(box)
	a.deliver(box, "lost1", "lost2")
	a.clean()
	restore()
	for i, token := range []string{"other1", "other2", "other3"} {
		a.srv.Append(a.user, box, nil, time.Unix(start+3600+int64(i), 0), body(token))
	}
	h := a.onlyHold(a.sync())
	if h.Lost != 2 {
		t.Errorf("the hold is %+v, want one for two messages", h)
	}
	a.decide(h, state.Approved)
	a.clean()
	a.expect(append(want, box+"/other1:", box+"/other2:", box+"/other3:")...)
	if held := a.held(); held["lost1"] != 1 || held["lost2"] != 1 {
		t.Errorf("the hold area has %v, want both lost messages", held)
	}
}

// TestRenumberedWhileChangesArePending is V4, on servers with less and less to tell.
func TestRenumberedWhileChangesArePending(t *testing.T) {
	srv := newServer(t)
	for name, hide := range map[string][]string{
		"as it is": nil, "no CONDSTORE": {"CONDSTORE"}, "no UIDPLUS": {"UIDPLUS"}, "nothing but IMAP4rev1": lab.Maskable(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, srv, hide...)
			a.deliver("Drafts", "first")
			a.deliver("Drafts", "draft", "other")
			a.deliver("INBOX", "first", "delete", "move", "flag", "stay", "gone", "carried")
			a.srv.Expunge(a.user, "INBOX", a.uid("INBOX", "first")) // so that other messages get the old UIDs
			a.srv.Expunge(a.user, "Drafts", a.uid("Drafts", "first"))
			a.clean()
			a.drop("INBOX", "delete")
			a.carry("INBOX", "move", "Archive")
			a.letters("INBOX", "flag", "FS")
			a.edit("Drafts", "draft", lf(body("draft2")))
			a.put("INBOX", "S", "new here")
			a.deliver("INBOX", "new there")
			a.flag("INBOX", "stay", "R")
			a.srv.Expunge(a.user, "INBOX", a.uid("INBOX", "gone"))
			a.srv.Move(a.user, "INBOX", a.uid("INBOX", "carried"), "Archive")
			a.renumber("INBOX")
			a.renumber("Drafts")
			// What the server removed meanwhile cannot be told from what it lost.
			h := a.onlyHold(a.sync())
			if h.Lost != 1 || h.Mailbox != "INBOX" {
				t.Errorf("the hold is %+v, want one for the message that is gone", h)
			}
			a.decide(h, state.Approved)
			a.settle()
			a.expect("INBOX/flag:FS", "INBOX/stay:R", "INBOX/new here:S", "INBOX/new there:", "Archive/move:",
				"Archive/carried:", "Drafts/draft2:", "Drafts/other:", "Trash/delete:")
			if held := a.held(); held["gone"] != 1 {
				t.Errorf("the hold area has %v, want gone", held)
			}
		})
	}
}

// TestOneOfThirtyIsLost: the mailbox was restored and lacks the newest message, and
// the user says what becomes of it; or it turns up in another mailbox.
func TestOneOfThirtyIsLost(t *testing.T) {
	srv := newServer(t)
	for name, c := range map[string]struct {
		decide func(*account, state.Hold)
		want   string
		held   int
	}{
		"approved":                   {func(a *account, h state.Hold) { a.decide(h, state.Approved) }, "", 1},
		"rejected":                   {func(a *account, h state.Hold) { a.decide(h, state.Rejected) }, box + "/lost:", 0},
		"shown again in the mailbox": {func(a *account, _ state.Hold) { a.deliver(box, "lost") }, box + "/lost:", 0},
		"shown again elsewhere":      {func(a *account, _ state.Hold) { a.deliver("Archive", "lost") }, "Archive/lost:", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, want := fullBox(t, srv, 30)
			restore := a.backup(box)
			a.deliver(box, "lost")
			a.clean()
			restore()
			var h state.Hold
			for range 2 {
				h = a.onlyHold(a.sync())
				if h.Lost != 1 || h.Mailbox != box || h.Missing != state.Remote || h.Reason == "" {
					t.Fatalf("the hold is %+v, want one for the lost message", h)
				}
			}
			if got := len(a.local()[box]); got != 31 {
				t.Errorf("folder %s has %d messages, want 31", box, got)
			}
			c.decide(a, h)
			a.clean()
			if c.want != "" {
				want = append(want, c.want)
			}
			a.expect(want...)
			if got := a.held()["lost"]; got != c.held {
				t.Errorf("the hold area has the lost message %d times, want %d", got, c.held)
			}
		})
	}
}

// TestAccountMovesToAnotherServer: the mail was copied to a new server, in another
// order and among other mail. Not a message crosses the line again.
func TestAccountMovesToAnotherServer(t *testing.T) {
	from, to := newServer(t), lab.Dovecot(t, lab.SpecialUse("Trash", "Archive", "Drafts"))
	for name, hide := range map[string][]string{
		"as they are": nil, "no CONDSTORE": {"CONDSTORE"}, "no UIDPLUS": {"UIDPLUS"}, "nothing but IMAP4rev1": lab.Maskable(),
	} {
		for _, dated := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, dates kept: %t", name, dated), func(t *testing.T) {
				t.Parallel()
				a := newAccount(t, from, hide...)
				for i := range 20 {
					token := fmt.Sprintf("m%02d", i/2*2) // each is there twice
					a.srv.Append(a.user, "INBOX", []string{[]string{"", `\Seen`}[i%2]}[:i%2], time.Unix(start+int64(i/2), 0), body(token))
				}
				a.deliver("Archive", "a", "b")
				a.clean()
				a.moveTo(to, hide, dated)
				a.drop("INBOX", "m00")
				// The message that goes to Trash comes to the folder Trash.
				if c := a.clean().Counts; c.Rematched != 22 || c.Downloaded+c.RemovedRemote > 2 || c.Uploaded+c.RemovedLocal > 0 {
					t.Errorf("counts are %+v, want 22 messages found and one removed", c)
				}
				a.settle()
				remote, local := a.remote().names(), a.local().names()
				if diff := gocmp.Diff(remote, local); diff != "" || len(remote) != 22 {
					t.Errorf("%d messages, want 22; the sides differ by (-server +tree):\n%s", len(remote), diff)
				}
			})
		}
	}
}

// moveTo copies all mail of the account to another server, the newest first, and
// makes that one the account's.
func (a *account) moveTo(srv *lab.Server, hide []string, dated bool) {
	a.Helper()
	old := a.srv
	a.srv = srv.On(a.T)
	a.srv.User(a.user)
	for _, mailbox := range []string{"INBOX", "Archive"} {
		a.srv.Expunge(a.user, mailbox, state.NewUIDSet(a.srv.Append(a.user, mailbox, nil, time.Unix(start, 0), body("welcome"))))
		// Two servers number alike what they make within the same second.
		a.srv.Doveadm("mailbox", "update", "-u", a.user, "--uid-validity", "1234567890", mailbox)
		messages := old.Messages(a.user, mailbox)
		slices.Reverse(messages)
		for i, m := range messages {
			date := m.InternalDate
			if !dated {
				date = time.Unix(start+100_000+int64(i), 0)
			}
			a.srv.Append(a.user, mailbox, lab.IMAPFlags(m.Flags), date, m.Body)
		}
	}
	a.proxy = lab.Mask(a.T, a.srv, hide...)
	a.addr = a.proxy.Addr()
}
