package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailmoor/state"
)

// TestRoundTripOfEverything writes all that a store can hold and reads it after
// the store was opened again.
func TestRoundTripOfEverything(t *testing.T) {
	d := newDirectory(t)
	s := open(t, d, Options{Now: testNow})
	write(t, s, accountV5())
	checkAccount(t, s, accountV5())
	must(t, s.Close())
	checkAccount(t, open(t, d, Options{Now: testNow}), accountV5())
}

// TestMemoryFades follows what is remembered through time.
func TestMemoryFades(t *testing.T) {
	now := testNow()
	s := open(t, newDirectory(t), Options{Now: func() time.Time { return now }})
	write(t, s, accountV5())
	want := accountV5()
	check := func(what string, intents []state.Intent, buried []state.Tombstone) {
		t.Helper()
		gotIntents, err := s.GivenUp(t.Context())
		must(t, err)
		gotBuried, err := s.Tombstones(t.Context())
		must(t, err)
		if diff := cmp.Diff([]any{intents, buried}, []any{gotIntents, gotBuried}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	rows := func(table string) (n int) {
		must(t, s.reader.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
		return n
	}
	const day = 24 * time.Hour
	now = testNow().Add(7 * day)
	check("after seven days", want.givenUp, want.buried)
	now = now.Add(time.Second)
	check("a moment later", nil, want.buried)
	now = testNow().Add(30*day - 59*time.Second)
	check("after thirty days", nil, want.buried[1:])

	again := want.buried[1]
	again.Tries, again.Removed = 2, now.Unix()
	must(t, s.Settle(t.Context(), state.Settlement{Buried: []state.Tombstone{again}, GivenUp: []int64{want.intents[0].ID, 999}}))
	check("more is over", want.intents[:1], []state.Tombstone{again})
	if g, b := rows("given_up"), rows("tombstone"); g != 1 || b != 1 {
		t.Errorf("%d and %d rows are left, want one each", g, b)
	}
	must(t, s.ForgetMailbox(t.Context(), "Sent"))
	must(t, s.ForgetMailbox(t.Context(), "INBOX"))
	check("the mailboxes are forgotten", nil, nil)
}
