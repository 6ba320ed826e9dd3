package remote

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"mailmoor/state"
)

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
				{Name: "INBOX.Trash", Delimiter: '.', Status: state.Cursor{UIDValidity: 8, UIDNext: 2, Messages: 1}},
				{Name: "INBOX.Deleted Items", Delimiter: '.'},
				{Name: "INBOX.sent", Delimiter: '.'},
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

// TestListNamespaces: mailboxes of others are looked for where the server hides
// them, but only when somebody asks for them by name; the namespaces are asked for
// once.
func TestListNamespaces(t *testing.T) {
	c := scriptedAs(t, "NAMESPACE LIST-STATUS", `
		C: LIST "" "*" RETURN (STATUS (
		S: * LIST () "." INBOX
		S: * STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 7)
		S: * LIST () "." shared.seen
		S: * STATUS shared.seen (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 8)
		S: $ OK done
		C: NAMESPACE
		S: * NAMESPACE (("inbox." ".")) (("Andere Ben&APw-tzer." ".")("all*." ".")("none." ".")) (("shared." "." "X-PARAM" ("a" "b"))("" "."))
		S: $ OK done
		C: LIST "" "Andere Ben&APw-tzer.*" RETURN (STATUS (
		S: $ OK done
		C: LIST "" "shared.*" RETURN (STATUS (
		S: * LIST () "." shared.seen
		S: * STATUS shared.seen (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 8)
		S: * LIST () "." shared.hidden
		S: * STATUS shared.hidden (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 9)
		S: $ OK done`, Options{Log: zerolog.Nop(), Named: func(prefix string, delimiter rune) bool {
		return delimiter == '.' && prefix != "none."
	}})
	list, err := c.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range list {
		names = append(names, fmt.Sprint(m.Name, " ", m.Status.UIDValidity))
	}
	if want := []string{"INBOX 7", "shared.seen 8", "shared.hidden 9"}; !slices.Equal(names, want) {
		t.Errorf("listed are %q, want %q", names, want)
	}
	spaces, err := c.Namespaces(t.Context())
	want := state.Namespaces{
		Personal: []state.Namespace{{Prefix: "INBOX.", Delimiter: '.'}},
		Others:   []state.Namespace{{Prefix: "Andere Benützer.", Delimiter: '.'}, {Prefix: "all*.", Delimiter: '.'}, {Prefix: "none.", Delimiter: '.'}},
		Shared:   []state.Namespace{{Prefix: "shared.", Delimiter: '.'}, {Delimiter: '.'}},
	}
	if d := cmp.Diff(want, spaces); d != "" || err != nil {
		t.Errorf("namespaces (-want +got):\n%s%v", d, err)
	}
}

// TestNamespacesUntold: a server that knows none, or does not tell, is one without.
func TestNamespacesUntold(t *testing.T) {
	for caps, script := range map[string]string{"": "", "NAMESPACE": "C: NAMESPACE\nS: $ NO not now"} {
		c := scripted(t, caps, script)
		for range 2 {
			if spaces, err := c.Namespaces(t.Context()); err != nil || spaces.Personal != nil {
				t.Errorf("namespaces are %+v, error %v", spaces, err)
			}
		}
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
