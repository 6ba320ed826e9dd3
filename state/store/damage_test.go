package store

import (
	"errors"
	"strings"
	"testing"

	"mailmoor/state"
)

// TestBadRows changes values behind the store's back.
func TestBadRows(t *testing.T) {
	tests := []struct{ name, statement, want string }{
		{"record: other UID", "UPDATE record SET uid = 77 WHERE key = 'a'", `UID 77, key "a"`},
		{"record: other mailbox", "UPDATE record SET mailbox = 2", `UID 1, key "a"`},
		{"record: impossible state", "UPDATE record SET state = 9 WHERE uid = 1", "state 9 does not exist"},
		{"record: no digest", "UPDATE record SET digest = NULL WHERE uid = 1", "without a digest"},
		{"record: short digest", "UPDATE record SET header = x'0102' WHERE uid = 1", "2 bytes"},
		{"record: flag", "UPDATE record SET flags = flags | 32 WHERE uid = 1", "checksum"},
		{"mailbox: cursor", "UPDATE mailbox SET uidnext = 5 WHERE name = 'INBOX'", `mailbox "INBOX"`},
		{"mailbox: name", "UPDATE mailbox SET name = 'INBOY' WHERE name = 'INBOX'", `mailbox "INBOY"`},
		{"mailbox: id", "UPDATE mailbox SET id = 9 WHERE name = 'INBOX'", `mailbox "INBOX"`},
		{"intent: key", "UPDATE intent SET key = 'a/b'", "intent 1"},
		{"intent: no mailbox", "UPDATE intent SET mailbox = 9", "read the intents"},
		{"hold: decision", "UPDATE hold SET decision = 1", "hold 1"},
		{"hold: range", "UPDATE hold_range SET last = last + 1", "hold 1"},
		{"held: key", "UPDATE held SET key = 'z'", "state.db"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newDirectory(t)
			s := open(t, d, Options{})
			putMailboxes(t, s, "INBOX", "Sent")
			must(t, s.Settle(t.Context(), state.Settlement{
				Put:  []state.Record{paired("INBOX", 1, "a")},
				Held: []state.Held{{Path: "p", Key: "k"}},
			}))
			must(t, s.Intend(t.Context(), []state.Intent{download("INBOX", 2, "b")}))
			_, err := s.PutHolds(t.Context(), []state.Hold{hold(0, "INBOX", 1)})
			must(t, err)
			must(t, s.Close())
			removeCopies(t, s.path)
			raw(t, s.path, "PRAGMA foreign_keys = 0", "PRAGMA ignore_check_constraints = 1", test.statement)

			s = open(t, d, Options{})
			_, err = readAccount(t, s)
			if err == nil || !strings.Contains(err.Error(), test.want) || !errors.Is(err, errDamaged) {
				t.Errorf("error %v, want one of damage with %q", err, test.want)
			}
			if e, ok := errors.AsType[*state.Error](err); !ok || e.Cause != state.CauseDisk || !strings.Contains(string(e.Hint), "mailmoor sync") {
				t.Errorf("error %#v does not say what to do", err)
			}
			must(t, s.Close())

			// The next opening knows of it, although the database was closed.
			s = open(t, d, Options{})
			news, err := s.News(t.Context())
			if err != nil || len(news) != 1 || !strings.Contains(string(news[0].Text), "the state was damaged") {
				t.Errorf("news %v, %v", news, err)
			}
			checkAccount(t, s, account{held: heldAfter(t, s)})
		})
	}
}

// heldAfter returns the held files that are listed.
func heldAfter(t *testing.T, s *Store) []state.Held {
	t.Helper()
	held, err := s.HeldFiles(t.Context(), 0)
	must(t, err)
	return held
}

// TestLostIndexEntries hides a record from one of the indexes.
func TestLostIndexEntries(t *testing.T) {
	for _, index := range []string{"record_by_uid", "record_by_key", "record_unpaired"} {
		d := newDirectory(t)
		s := open(t, d, Options{})
		putMailboxes(t, s, "INBOX")
		must(t, s.Settle(t.Context(), state.Settlement{Put: []state.Record{
			paired("INBOX", 1, "a"), paired("INBOX", 2, "b"), {Mailbox: "INBOX", UID: 3, State: state.DownloadStuck},
		}}))
		must(t, s.Close())
		// Swap the roots of the indexes for one of an empty table's index.
		shell(t, s.path, "CREATE TABLE tmp (mailbox, a, b); CREATE INDEX tmp_index ON tmp (mailbox, a);",
			"PRAGMA writable_schema = 1; UPDATE sqlite_schema SET rootpage = "+
				"(SELECT rootpage FROM sqlite_schema WHERE name = 'tmp_index') WHERE name = '"+index+"';")
		s, err := d.Open(t.Context(), testAccount(), Options{})
		if err == nil {
			_, err = s.Records(t.Context(), "INBOX")
			_ = s.Close()
		}
		if err == nil {
			t.Errorf("%s lost its entries: no error", index)
		}
	}
}
