package wire

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/google/go-cmp/cmp"
)

// The tests in this file show through go-imap's own client that it survives
// what it would otherwise give the connection up over.

func TestSelectWithOddFlags(t *testing.T) {
	c, conn := client(t, "CONDSTORE", func(s *server) {
		s.ok("SELECT",
			`* FLAGS (\Answered \Seen "\\Deleted" foo] bar)`,
			"", "* VANISHED 1", "* 3 EXISTS", "* 0 RECENT",
			"* OK [uidvalidity 9] lower case",
			`* OK [PERMANENTFLAGS ( \* foo])] with a bracket`,
			"* OK [UIDNEXT 12]", "* OK [NOMODSEQ x] none", "* OK [UIDNOTSTICKY]", "* OK [READ-ONLY] no",
			"* NO [ALERT] The disk is full.", "+ who asked?",
		)
		s.ok("NOOP")
		s.drain()
	})
	data, err := c.Select("INBOX", nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	want := &imap.SelectData{
		Flags:          []imap.Flag{"\\Answered", "\\Seen", "\\Deleted", "$Unsafe-foo=5D", "bar"},
		PermanentFlags: []imap.Flag{"\\*", "$Unsafe-foo=5D"},
		NumMessages:    3, UIDNext: 12, UIDValidity: 9,
	}
	if diff := cmp.Diff(want, data); diff != "" {
		t.Errorf("selected (-want +got):\n%s", diff)
	}
	if err := c.Noop().Wait(); err != nil {
		t.Errorf("the connection did not survive: %v", err)
	}
	notes := conn.Take()
	if !notes.ReadOnly || !notes.NoModSeq || !notes.UIDNotSticky || notes.MessageLimit {
		t.Errorf("notes: %+v", notes)
	}
	if diff := cmp.Diff([]string{"The disk is full."}, notes.Alerts); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
	for _, what := range []string{"VANISHED 1", "who asked?"} {
		if !slices.ContainsFunc(notes.Repaired, func(note string) bool { return strings.Contains(note, what) }) {
			t.Errorf("%q is not among what was left out: %q", what, notes.Repaired)
		}
	}
	if again := conn.Take(); !cmp.Equal(again.Codes, []string(nil)) || again.ReadOnly {
		t.Errorf("taking the notes does not clear them: %+v", again)
	}
}

func TestListWithBadNames(t *testing.T) {
	c, conn := client(t, "LIST-STATUS", func(s *server) {
		s.ok("LIST",
			`* LIST () "/" INBOX`, `* STATUS INBOX (MESSAGES 3 XFUTURE (1 2))`,
			`* LIST () "/" "R&D"`, `* STATUS "R&D" (MESSAGES 4)`,
			"* LIST () \"/\" {4}", "a\x00bc",
			"* LIST () \"/\" \"Entw\xfcrfe\"",
			`* LIST (\HasNoChildren) "/" {12}`, `Entw&APw-rfe`, `* STATUS "Entw&APw-rfe" (MESSAGES 99999999999)`,
			`* LSUB () "/" INBOX`,
		)
		s.drain()
	})
	list, err := c.List("", "*", &imap.ListOptions{ReturnStatus: &imap.StatusOptions{NumMessages: true}}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, data := range list {
		got = append(got, data.Mailbox)
	}
	if diff := cmp.Diff([]string{"INBOX", "Entwürfe"}, got); diff != "" {
		t.Errorf("mailboxes (-want +got):\n%s", diff)
	}
	repaired := strings.Join(conn.Take().Repaired, "\n")
	for _, name := range []string{`"R&D"`, `"a\x00bc"`, `"Entw\xfcrfe"`} {
		if !strings.Contains(repaired, name) {
			t.Errorf("the name %s is not told:\n%s", name, repaired)
		}
	}
}

func TestListingWithOddItems(t *testing.T) {
	c, _ := client(t, "", func(s *server) {
		s.ok("UID FETCH 1:9",
			`* 1 FETCH (UID 1 FLAGS (\Seen a]) X-GM-MSGID 1278455344230334865)`,
			`* 2 FETCH (X-GM-THRID 1 UID 2 FLAGS () INTERNALDATE NIL)`,
			`* 3 FETCH (UID 3 INTERNALDATE "yesterday" RFC822.SIZE -1 FLAGS (\Recent))`,
			`* 4 FETCH (SNIPPET (FUZZY {5}`, `)"(x\ UID 77) UID 4 FLAGS ())`,
			`* 5 FETCH (UID`,
			`* 6 FETCH (UID 6 FLAGS ())`,
		)
		s.drain()
	})
	messages, err := c.Fetch(imap.UIDSet{{Start: 1, Stop: 9}}, &imap.FetchOptions{UID: true, Flags: true}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	got := map[imap.UID][]imap.Flag{}
	for _, m := range messages {
		got[m.UID] = m.Flags
		if m.UID == 2 && m.InternalDate.Unix() != 0 {
			t.Errorf("no date became %v", m.InternalDate)
		}
	}
	want := map[imap.UID][]imap.Flag{1: {"\\Seen", "$Unsafe-a=5D"}, 2: nil, 3: {"\\Recent"}, 4: nil, 6: nil}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("listing (-want +got):\n%s", diff)
	}
}

func TestNamesStayInModifiedUTF7(t *testing.T) {
	c, _ := client(t, "IMAP4rev2 UTF8=ACCEPT LITERAL+", func(s *server) {
		s.ok(`CREATE "Entw&APw-rfe &- R"`, "* CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL-")
		s.ok(`CREATE "&AOQ-"`)
		s.drain()
	})
	for _, name := range []string{"Entwürfe & R", "ä"} {
		if err := c.Create(name, nil).Wait(); err != nil {
			t.Errorf("create %q: %v", name, err)
		}
	}
	if c.Caps().Has(imap.CapIMAP4rev2) || c.Caps().Has(imap.CapLiteralMinus) {
		t.Errorf("go-imap sees %v", c.Caps())
	}
}

func TestSearchResultsMayBeLong(t *testing.T) {
	var b strings.Builder
	const count = 300_000 // about twice the limit of other lines
	for range count {
		b.WriteString(" 4000000")
	}
	c, _ := client(t, "", func(s *server) {
		s.ok("NOOP", fmt.Sprintf("* %d EXISTS", count))
		s.ok("UID SEARCH", "* SEARCH"+b.String())
		s.drain()
	})
	if err := c.Noop().Wait(); err != nil {
		t.Fatal(err)
	}
	data, err := c.UIDSearch(&imap.SearchCriteria{}, nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	if got := data.AllUIDs(); len(got) != 1 || got[0] != 4000000 {
		t.Errorf("found %v", got)
	}
}
