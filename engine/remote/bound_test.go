package remote

import (
	"fmt"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"

	"mailmoor/state"
)

// The tests in this file are of servers that say more than there can be. None of the
// lists that are made of their answers may grow with them.

// lines repeats a line of a script; %d in it is the number.
func lines(from, to int, line string) string {
	var b strings.Builder
	for i := from; i <= to; i++ {
		fmt.Fprintf(&b, "S: "+line+"\n", i)
	}
	return b.String()
}

// TestMoreMessagesThanExist: EXISTS 5, and then as many FETCH lines as the server likes:
// ten million made the program take 632 MB, and the run ended well.
func TestMoreMessagesThanExist(t *testing.T) {
	c := scripted(t, "", opened("5")+`
		C: UID FETCH 1:* (UID FLAGS)
		`+lines(1, 5+strayMax+1, `* 1 FETCH (UID %d FLAGS ())`))
	_, err := c.Delta(t.Context(), "Box", state.Cursor{}, state.SeenSet{})
	cause(t, err, state.CauseOther, state.ScopeMailbox)
	if want := "more messages than the 5 that it says exist"; !strings.Contains(err.Error(), want) {
		t.Errorf("error %v does not say %q", err, want)
	}
	if c.Usable() {
		t.Error("the connection is used on, and nobody knows where the answer ends")
	}
}

// TestMessagesThatCome: a mailbox grows while it is listed. What the server has said to
// exist may be listed, and a few that it has not yet said to.
func TestMessagesThatCome(t *testing.T) {
	c := scripted(t, "", opened("5")+`
		C: UID FETCH 1:* (UID FLAGS)
		`+lines(1, 5, `* 1 FETCH (UID %d FLAGS ())`)+`
		S: * 905 EXISTS
		`+lines(6, 905+strayMax, `* 1 FETCH (UID %d FLAGS ())`)+`
		S: $ OK done
		C: SELECT "Box"
		S: * 905 EXISTS
		S: * OK [UIDVALIDITY 7] x
		S: $ OK done
		C: UID FETCH 1:* (UID FLAGS)
		`+lines(1, 905, `* 1 FETCH (UID %d FLAGS ())`)+`
		S: $ OK done`)
	d, err := c.Delta(t.Context(), "Box", state.Cursor{}, state.SeenSet{})
	if err != nil || len(d.New) != 905 || d.GoneUnknown {
		t.Errorf("%d messages, unknown %v, %v", len(d.New), d.GoneUnknown, err)
	}
	if !c.Usable() {
		t.Error("the connection cannot be used any more")
	}
}

// TestEchoOfMoreMessages: the echo of a STORE is bounded like a listing.
func TestEchoOfMoreMessages(t *testing.T) {
	uids := state.UIDSet{}.AddRange(state.UIDRange{First: 1, Last: 300})
	c := scripted(t, "", opened("5")+`
		C: UID STORE 1:300 +FLAGS (\Seen)
		`+lines(1, 5+strayMax+1, `* 1 FETCH (UID %d FLAGS (\Seen))`))
	_, err := c.Store(t.Context(), box, uids, state.Seen, 0)
	cause(t, err, state.CauseOther, state.ScopeMailbox)
}

// TestKeywordsAreKeptOnce: that many messages have the same keywords costs nothing, and
// more different ones than anybody has are not kept.
func TestKeywordsAreKeptOnce(t *testing.T) {
	c := scripted(t, "", "")
	var told flagsTold
	for range 1_000_000 {
		told.kept("$Junk NonJunk")
	}
	if want := len("$Junk NonJunk"); told.bytes != want {
		t.Errorf("one set of keywords takes %d bytes, want %d", told.bytes, want)
	}
	long := strings.Repeat("x", 16<<10)
	for i := 0; c.beyond(&told) == nil; i++ {
		if told.bytes > keywordBytesMax+len(long) {
			t.Fatalf("%d bytes of keywords are kept", told.bytes)
		}
		told.kept(state.Keywords(fmt.Sprintf("%s%d", long, i)))
	}
}

// TestMoreMailboxesThanThereCanBe: the list ends with its connection.
func TestMoreMailboxesThanThereCanBe(t *testing.T) {
	for name, script := range map[string]string{
		"many":      lines(0, mailboxesMax, `* LIST () "/" m%d`),
		"long ones": lines(0, mailboxBytesMax/900_000, `* LIST () "/" `+strings.Repeat("m", 900_000)+`%d`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := scripted(t, "", `
				C: LIST "" "*"
				`+script)
			_, err := c.List(t.Context())
			cause(t, err, state.CauseOther, state.ScopeAccount)
			if c.Usable() {
				t.Error("the connection is used on")
			}
		})
	}
}

// TestSecondContent: what comes twice in one response is not a second message.
func TestSecondContent(t *testing.T) {
	c := scripted(t, "", opened("1")+`
		C: UID FETCH 1 (UID
		S: * 1 FETCH (UID 1 FLAGS () INTERNALDATE "09-Sep-2001 01:46:40 +0000" BODY[] {3}
		S: one BODY[] {3}
		S: two)
		S: $ OK done`)
	var got []arrivals
	if err := c.Fetch(t.Context(), box, state.NewUIDSet(1), collect(&got)); err != nil || len(got) != 1 || got[0].Body != "one" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestUnnumbered: messages with the UID 0 make a listing incomplete. They are named by
// what somebody can find them by.
func TestUnnumbered(t *testing.T) {
	c := scripted(t, "", opened("3")+`
		C: UID FETCH 1:* (UID FLAGS)
		S: * 1 FETCH (UID 4 FLAGS ())
		S: * 2 FETCH (UID 0 FLAGS ())
		S: * 3 FETCH (UID 9 FLAGS ())
		S: $ OK done
		C: FETCH 1:3 (UID FLAGS)
		S: * 1 FETCH (UID 4 FLAGS ())
		S: * 2 FETCH (UID 0 FLAGS ())
		S: * 3 FETCH (UID 9 FLAGS ())
		S: $ OK done
		C: FETCH 2 (BODY.PEEK[HEADER.FIELDS
		S: * 2 FETCH (UID 0 BODY[HEADER.FIELDS (Message-ID)] "Subject: lost")
		S: $ OK done`)
	d, err := c.Delta(t.Context(), "Box", state.Cursor{}, state.SeenSet{})
	if err != nil {
		t.Fatal(err)
	}
	if len(d.New) != 2 || !d.GoneUnknown || len(d.Unnumbered) != 1 || d.Unnumbered[0].Number != 2 ||
		!strings.Contains(d.Unnumbered[0].Fields, "Subject: lost") {
		t.Errorf("the delta is %+v", d)
	}
}

// TestBoundsReachTheLibrary: the library keeps a set for all that it has seen of an
// answer. Two bytes in an answer can name four thousand million messages.
func TestBoundsReachTheLibrary(t *testing.T) {
	for _, set := range []imap.NumSet{
		imap.UIDSet{{Start: 1, Stop: 4_294_967_295}}, imap.UIDSet{{Start: 3, Stop: 0}}, imap.UIDSet{{Start: 0, Stop: 0}},
	} {
		if uids, ok := uidsFrom(set, 5); ok {
			t.Errorf("%v is taken for %v in a mailbox of 5 messages", set, uids)
		}
	}
}
