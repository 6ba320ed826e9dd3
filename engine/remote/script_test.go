package remote

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailmoor/state"
)

// box is the generation of the mailbox that opened opens.
var box = state.Ref{Mailbox: "Box", UIDValidity: 7}

// opened is the part of a script in which the mailbox Box is opened.
func opened(exists string) string {
	return `
		C: SELECT "Box"
		S: * ` + exists + ` EXISTS
		S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
		S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft)] x
		S: * OK [UIDVALIDITY 7] x
		S: * OK [UIDNEXT 100] x
		S: $ OK [READ-WRITE] done
		`
}

func TestList(t *testing.T) {
	status := func(n uint32) state.Cursor { return state.Cursor{UIDValidity: n, UIDNext: 2, ModSeq: 3, Messages: 1} }
	tests := []struct {
		name   string
		caps   string
		script string
		want   []state.RemoteMailbox
	}{
		{
			name: "everything in one answer", caps: "LIST-EXTENDED LIST-STATUS SPECIAL-USE CONDSTORE",
			script: `
				C: LIST "" "*" RETURN (STATUS (
				S: * LIST (\HasNoChildren) "/" inbox
				S: * STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 7 HIGHESTMODSEQ 3)
				S: * LIST (\Noselect \HasChildren) "/" "Entw&APw-rfe"
				S: * LIST (\Trash) "/" "inbox/Papierkorb"
				S: * STATUS "inbox/Papierkorb" (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 8 HIGHESTMODSEQ 3)
				S: * LIST (\NonExistent) NIL Trash
				S: $ OK done`,
			want: []state.RemoteMailbox{
				{Name: "INBOX", Delimiter: '/', Role: state.RoleInbox, Status: status(7)},
				{Name: "Entwürfe", Delimiter: '/', NoSelect: true},
				{Name: "INBOX/Papierkorb", Delimiter: '/', Role: state.RoleTrash, Status: status(8)},
				{Name: "Trash", NoSelect: true},
			},
		},
		{
			name: "no extension at all",
			script: `
				C: LIST "" "*"
				S: * LIST () "." INBOX
				S: * LIST () "." INBOX.Trash
				S: * LIST () "." "INBOX.Deleted Items"
				S: * LIST () "." INBOX.sent
				S: * LIST () "." INBOX.Sub.Drafts
				S: $ OK done
				C: STATUS INBOX (
				S: * STATUS inbox (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 7)
				S: $ OK done
				C: STATUS "INBOX.Trash" (
				S: * STATUS INBOX.Trash (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 8)
				S: $ OK done
				C: STATUS "INBOX.Deleted Items" (
				S: $ NO not allowed
				C: STATUS "INBOX.sent" (
				S: * STATUS Inbox.Sent (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 9)
				S: $ OK done
				C: STATUS "INBOX.Sub.Drafts" (
				S: $ OK done`,
			want: []state.RemoteMailbox{
				{Name: "INBOX", Delimiter: '.', Role: state.RoleInbox, Status: state.Cursor{UIDValidity: 7, UIDNext: 2, Messages: 1}},
				{Name: "INBOX.Trash", Delimiter: '.', Role: state.RoleTrash, Status: state.Cursor{UIDValidity: 8, UIDNext: 2, Messages: 1}},
				{Name: "INBOX.Deleted Items", Delimiter: '.'},
				{Name: "INBOX.sent", Delimiter: '.', Role: state.RoleSent},
				{Name: "INBOX.Sub.Drafts", Delimiter: '.'},
			},
		},
		{
			name: "all lists, then all status", caps: "LIST-STATUS CONDSTORE",
			script: `
				C: LIST "" "*" RETURN (STATUS (
				S: * LIST () "/" INBOX
				S: * LIST () "/" A
				S: * STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 7 HIGHESTMODSEQ 3)
				S: * STATUS A (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 8 HIGHESTMODSEQ 3)
				S: $ OK done
				C: STATUS INBOX (
				S: * STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 7 HIGHESTMODSEQ 3)
				S: $ OK done`,
			want: []state.RemoteMailbox{
				{Name: "INBOX", Delimiter: '/', Role: state.RoleInbox, Status: status(7)},
				{Name: "A", Delimiter: '/', Status: status(8)},
			},
		},
		{
			name: "a name that cannot be decoded is left out", caps: "LIST-STATUS",
			script: `
				C: LIST "" "*"
				S: * LIST () "/" INBOX
				S: * STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 7 HIGHESTMODSEQ 3)
				S: * LIST () "/" "R&D"
				S: $ OK done`,
			want: []state.RemoteMailbox{{Name: "INBOX", Delimiter: '/', Role: state.RoleInbox, Status: status(7)}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := scripted(t, tt.caps, tt.script).List(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestListRefuses(t *testing.T) {
	tests := []struct{ name, script string }{
		{"a list without INBOX", `
			C: LIST "" "*"
			S: * LIST () "/" Trash
			S: $ OK done`},
		{"an empty list", `
			C: LIST "" "*"
			S: $ OK done`},
		{"a list with a name twice", `
			C: LIST "" "*"
			S: * LIST () "/" INBOX
			S: * LIST () "/" Inbox/a
			S: * LIST () "/" INBOX/a
			S: $ OK done`},
		{"a list that breaks off", `
			C: LIST "" "*"
			S: * LIST () "/" INBOX
			close`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := scripted(t, "", tt.script).List(t.Context())
			if err == nil || state.ScopeOf(err) != state.ScopeAccount {
				t.Errorf("error %v", err)
			}
		})
	}
	t.Run("a list that ends in NO", func(t *testing.T) {
		_, err := scripted(t, "", `
			C: LIST "" "*"
			S: * LIST () "/" INBOX
			S: $ NO [UNAVAILABLE] come back later`).List(t.Context())
		if state.CauseOf(err) != state.CauseNetwork {
			t.Errorf("error %v", err)
		}
	})
}

func TestIdentify(t *testing.T) {
	const header = `BODY[HEADER.FIELDS (DATE FROM MESSAGE-ID SUBJECT TO)]`
	c := scripted(t, "", opened("4")+`
		C: UID FETCH 1:4 (UID
		S: * 1 FETCH (UID 1 FLAGS ())
		S: * 1 FETCH (UID 1 FLAGS (\Seen) RFC822.SIZE 40 INTERNALDATE "09-Sep-2001 01:46:40 +0000" `+header+` "Subject: a")
		S: * 2 FETCH (UID 2 FLAGS (\Draft) RFC822.SIZE 50 INTERNALDATE NIL `+header+` {12}
		S: Subject: b
		S: )
		S: * 3 FETCH (UID 3 FLAGS () RFC822.SIZE 1 `+header+` NIL)
		S: $ OK done
		C: UID FETCH 1,3:4 (UID FLAGS)
		S: * 1 FETCH (UID 1 FLAGS (\Seen))
		S: $ OK done
		C: UID FETCH 1 (UID
		S: * 1 FETCH (`+header+` "Subject: a" UID 1 FLAGS (\Seen))
		S: * 1 FETCH (UID 1 FLAGS (\Seen) RFC822.SIZE 40 INTERNALDATE "09-Sep-2001 01:46:40 +0000" `+header+` "Subject: a")
		S: $ OK done`)
	got, err := c.Identify(t.Context(), box, state.NewUIDSet(1, 2, 3, 4))
	if err != nil {
		t.Fatal(err)
	}
	want := []state.RemoteMessage{
		{UID: 1, Flags: state.Seen, Identity: state.RemoteIdentity{Size: 40, Date: 1_000_000_000, Header: state.HeaderDigest([]byte("Subject: a"))}},
		{UID: 2, Flags: state.Draft, Identity: state.RemoteIdentity{Size: 50, Header: state.HeaderDigest([]byte("Subject: b\r\n"))}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestIdentifyNeverLeavesOutWhatIsThere(t *testing.T) {
	c := scripted(t, "", opened("1")+`
		C: UID FETCH 1 (UID
		S: $ OK done
		C: UID FETCH 1 (UID FLAGS)
		S: * 1 FETCH (UID 1 FLAGS ())
		S: $ OK done
		C: UID FETCH 1 (UID
		S: * 1 FETCH (UID 1 FLAGS ())
		S: $ OK done`)
	_, err := c.Identify(t.Context(), box, state.NewUIDSet(1))
	cause(t, err, state.CauseOther, state.ScopeMessage)
}

// arrivals are what Fetch hands out.
type arrivals struct {
	UID   state.UID
	Flags state.Flags
	Date  int64
	Body  string
}

func collect(list *[]arrivals) func(state.Incoming) error {
	return func(in state.Incoming) error {
		body, err := io.ReadAll(in.Body)
		*list = append(*list, arrivals{in.UID, in.Flags, in.Date, string(body)})
		return err
	}
}

func TestFetch(t *testing.T) {
	const date = `INTERNALDATE "09-Sep-2001 01:46:40 +0000"`
	tests := []struct {
		name   string
		script string
		want   []arrivals
	}{
		{
			name: "a body that is NIL is no message",
			script: `
				C: UID FETCH 1:3 (UID
				S: * 3 FETCH (UID 3 FLAGS () ` + date + ` BODY[] "three")
				S: * 1 FETCH (UID 1 FLAGS (\Seen) ` + date + ` BODY[] {3}
				S: one)
				S: * 2 FETCH (UID 2 FLAGS () ` + date + ` BODY[] NIL)
				S: $ OK [EXPUNGEISSUED] done`,
			want: []arrivals{{3, 0, 1_000_000_000, "three"}, {1, state.Seen, 1_000_000_000, "one"}},
		},
		{
			name: "an empty message is one",
			script: `
				C: UID FETCH 1:3 (UID
				S: * 1 FETCH (UID 1 FLAGS () ` + date + ` BODY[] {0}
				S: )
				S: * 2 FETCH (UID 2 FLAGS () ` + date + ` BODY[] "")
				S: $ OK done`,
			want: []arrivals{{1, 0, 1_000_000_000, ""}, {2, 0, 1_000_000_000, ""}},
		},
		{
			name: "an unasked response takes the place of the answer",
			script: `
				C: UID FETCH 1:3 (UID
				S: * 2 FETCH (UID 2 FLAGS (\Flagged))
				S: * 2 FETCH (UID 2 FLAGS () ` + date + ` BODY[] "two")
				S: $ OK done
				C: UID FETCH 2 (UID
				S: * 2 FETCH (UID 2 FLAGS (\Flagged) ` + date + `)
				S: $ OK done
				C: UID FETCH 2 (UID BODY.PEEK[])
				S: * 2 FETCH (UID 2 BODY[] "two")
				S: $ OK done`,
			want: []arrivals{{2, state.Flagged, 1_000_000_000, "two"}},
		},
		{
			name: "a server that sends the body first",
			script: `
				C: UID FETCH 1:3 (UID
				S: * 1 FETCH (UID 1 BODY[] "one" FLAGS (\Seen) ` + date + `)
				S: * 2 FETCH (UID 2 FLAGS () BODY[] "two" ` + date + `)
				S: $ OK done
				C: UID FETCH 1 (UID
				S: * 1 FETCH (UID 1 FLAGS (\Seen) ` + date + `)
				S: $ OK done
				C: UID FETCH 1 (UID BODY.PEEK[])
				S: * 1 FETCH (UID 1 BODY[] "one")
				S: $ OK done
				C: UID FETCH 2 (UID
				S: * 2 FETCH (UID 2 FLAGS () ` + date + `)
				S: $ OK done
				C: UID FETCH 2 (UID BODY.PEEK[])
				S: $ OK done`,
			want: []arrivals{{1, state.Seen, 1_000_000_000, "one"}},
		},
		{
			name: "a message without a date",
			script: `
				C: UID FETCH 1:3 (UID
				S: * 1 FETCH (UID 1 FLAGS () INTERNALDATE NIL BODY[] "one")
				S: $ OK done`,
			want: []arrivals{{1, 0, 0, "one"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := scripted(t, "", opened("3")+tt.script)
			var got []arrivals
			if err := c.Fetch(t.Context(), box, state.NewUIDSet(1, 2, 3), collect(&got)); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestFetchNamesTheMessageThatBrokeIt(t *testing.T) {
	const head = `FLAGS () INTERNALDATE "09-Sep-2001 01:46:40 +0000" BODY[]`
	tests := []struct {
		name, script string
		bodies       int
	}{
		{"within a body", `S: * 2 FETCH (UID 2 ` + head + ` {100}
			S: too short
			close`, 2},
		{"instead of a body", `S: * 2 FETCH (UID 2)
			S: * BYE FETCH failed: Internal error
			close`, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := scripted(t, "", opened("3")+`
				C: UID FETCH 1:3 (UID
				S: * 1 FETCH (UID 1 `+head+` "one")
				`+tt.script)
			var got []arrivals
			err := c.Fetch(t.Context(), box, state.NewUIDSet(1, 2, 3), func(in state.Incoming) error {
				// The error of the body gets lost here: Fetch must tell it.
				_ = collect(&got)(in)
				return nil
			})
			cause(t, err, state.CauseNetwork, state.ScopeAccount)
			if err != nil && !strings.Contains(err.Error(), "UID 2 of") {
				t.Errorf("%q does not name UID 2", err)
			}
			if len(got) != tt.bodies {
				t.Errorf("%d bodies were handed out, want %d", len(got), tt.bodies)
			}
			if err := c.Fetch(t.Context(), box, state.NewUIDSet(1), collect(&got)); state.ScopeOf(err) != state.ScopeAccount {
				t.Errorf("the connection is still in use: %v", err)
			}
		})
	}
}

func TestFetchEndsWithTheErrorOfEach(t *testing.T) {
	full := errors.New("no room")
	long := strings.Repeat("x", 10_000)
	c := scripted(t, "", opened("3")+`
		C: UID FETCH 1:3 (UID
		S: * 1 FETCH (UID 1 FLAGS () INTERNALDATE NIL BODY[] {10000}
		S: `+long+`)
		S: * 2 FETCH (UID 2 FLAGS () INTERNALDATE NIL BODY[] "two")
		S: $ OK done
		C: UID FETCH 3 (UID
		S: * 3 FETCH (UID 3 FLAGS () INTERNALDATE NIL BODY[] "three")
		S: $ OK done`)
	calls := 0
	err := c.Fetch(t.Context(), box, state.NewUIDSet(1, 2, 3), func(in state.Incoming) error {
		calls++
		return full
	})
	if !errors.Is(err, full) || calls != 1 {
		t.Errorf("%d calls, error %v", calls, err)
	}
	var got []arrivals
	if err := c.Fetch(t.Context(), box, state.NewUIDSet(3), collect(&got)); err != nil || len(got) != 1 {
		t.Errorf("the connection cannot go on: %v, %v", got, err)
	}
}

// TestFetchGivesUpALongAnswer: nobody waits for megabytes that nobody wants.
func TestFetchGivesUpALongAnswer(t *testing.T) {
	full := errors.New("no room")
	c := scripted(t, "", opened("1")+`
		C: UID FETCH 1 (UID
		S: * 1 FETCH (UID 1 FLAGS () INTERNALDATE NIL BODY[] {60000000}
		S: the rest never comes`)
	err := c.Fetch(t.Context(), box, state.NewUIDSet(1), func(state.Incoming) error { return full })
	if !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
	_, err = c.List(t.Context())
	cause(t, err, state.CauseNetwork, state.ScopeAccount)
}
