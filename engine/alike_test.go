package engine_test

import (
	"bytes"
	"fmt"
	"testing"

	"mailmoor/test/sim"
)

// Messages without a Message-ID may look alike and say different things, as those do
// that cron sends in one second.

// alike makes such a message. All texts are of one length.
func alike(n int) []byte {
	return fmt.Appendf(nil, "From: cron@test\r\nDate: Sun, 13 Sep 2020 12:26:40 +0000\r\nSubject: done\r\n\r\nJob %d.\r\n", n)
}

// paired checks that each record pairs a file and a message that say the same.
func (f *fixture) paired(mailbox string) {
	f.t.Helper()
	records, err := f.store.Records(f.t.Context(), mailbox)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, r := range records {
		for _, m := range f.server.Messages(mailbox) {
			for _, file := range f.tree.Files(mailbox) {
				if m.UID == r.UID && file.Key == r.Key && !bytes.Equal(m.Body, bytes.ReplaceAll(file.Data, []byte("\n"), []byte("\r\n"))) {
					f.t.Errorf("a record pairs message %q with file %q", m.Body, file.Data)
				}
			}
		}
	}
}

// TestAlikeInAnotherOrder: the server gives them other UIDs, or another client moves
// them, one after the other. Each keeps its file.
func TestAlikeInAnotherOrder(t *testing.T) {
	for _, dest := range []string{"INBOX", "Archive"} {
		t.Run(dest, func(t *testing.T) {
			f := newFixture(t, sim.ServerOptions{})
			for n := range 3 {
				f.give("INBOX", start-1000, alike(n))
			}
			f.clean()
			before := f.server.Messages("INBOX")
			for _, i := range []int{2, 0, 1} {
				f.server.Expunge("INBOX", before[i].UID)
				f.server.Append(dest, before[i])
			}
			f.nothingTwice(f.clean(), 0, 0)
			f.paired(dest)
			f.idle()
		})
	}
}

// TestAlikeAndGone: one of them is deleted on the server and another one comes. They
// are not the same because they look alike.
func TestAlikeAndGone(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	for n := range 3 {
		f.give("INBOX", start-1000, alike(n))
	}
	f.clean()
	for _, m := range f.server.Messages("INBOX")[:2] {
		f.server.Expunge("INBOX", m.UID)
	}
	f.give("INBOX", start-1000, alike(3))
	f.nothingTwice(f.clean(), 1, 0)
	f.paired("INBOX")
	if n := len(f.tree.Files("INBOX")); n != 2 {
		t.Errorf("there are %d files, want 2", n)
	}
}

// TestAlikeOnBothSides: one comes to the server and one to the folder. Each is brought
// to the other side.
func TestAlikeOnBothSides(t *testing.T) {
	f := newFixture(t, sim.ServerOptions{})
	f.deliver("INBOX", "known")
	f.clean()
	f.give("INBOX", start-1000, alike(1))
	f.tree.PutFile("INBOX", sim.File{Data: bytes.ReplaceAll(alike(2), []byte("\r\n"), []byte("\n")), Date: start - 1000})
	f.nothingTwice(f.clean(), 1, 1)
	f.paired("INBOX")
	if n, m := len(f.server.Messages("INBOX")), len(f.tree.Files("INBOX")); n != 3 || m != 3 {
		t.Errorf("there are %d messages and %d files, want 3 of each", n, m)
	}
}
