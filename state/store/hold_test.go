package store

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mailmoor/state"
	"mailmoor/test/chance"
)

func TestHolds(t *testing.T) {
	d := newDirectory(t)
	owner := open(t, d, Options{})
	putMailboxes(t, owner, "INBOX", "Work")
	put := func(holds ...state.Hold) []state.Hold {
		t.Helper()
		given, err := owner.PutHolds(t.Context(), holds)
		must(t, err)
		stored, err := owner.Holds(t.Context())
		must(t, err)
		if diff := cmp.Diff(given, stored); diff != "" {
			t.Fatalf("PutHolds returned something else than it stored (-returned +stored):\n%s", diff)
		}
		return given
	}
	inbox, work := hold(0, "INBOX", 1, 2, 3, 7), hold(0, "Work")
	work.Whole, work.Missing = true, state.Remote
	first := put(inbox, work)
	if first[0].ID == 0 || first[1].ID <= first[0].ID {
		t.Fatalf("ids %d, %d", first[0].ID, first[1].ID)
	}

	// The user decides in another process, while the owner works.
	user, err := d.Open(t.Context(), testAccount(), Options{Guest: true})
	must(t, err)
	defer user.Close()
	decided, err := user.Decide(t.Context(), first[0].ID, state.Approved)
	must(t, err)
	want := first[0]
	want.Decision = state.Approved
	if diff := cmp.Diff(want, decided); diff != "" {
		t.Errorf("decided hold (-want +got):\n%s", diff)
	}

	// The owner does not know of it. A shrunken hold keeps the decision.
	shrunk := first[0]
	shrunk.UIDs = state.NewUIDSet(1, 2, 7)
	second := put(shrunk, first[1])
	if second[0].ID != first[0].ID || second[0].Decision != state.Approved || second[1].Decision != state.Undecided {
		t.Errorf("holds after a decision: %+v", second)
	}

	// A grown one is another hold.
	grown := second[0]
	grown.UIDs = state.NewUIDSet(1, 2, 3, 7)
	third := put(grown)
	if third[0].ID <= first[1].ID || third[0].Decision != state.Undecided {
		t.Errorf("a hold that grew after its approval: %+v", third[0])
	}

	_, err = user.Decide(t.Context(), first[0].ID, state.Rejected)
	if e, ok := errors.AsType[*state.Error](err); !ok || e.Cause != state.CauseGone || !strings.Contains(string(e.Hint), "open holds: 3") {
		t.Errorf("decision on a dropped hold: %v", err)
	}
	put()
	if again := put(hold(0, "INBOX", 1)); again[0].ID <= third[0].ID {
		t.Errorf("id %d was given again after %d", again[0].ID, third[0].ID)
	}
}

func TestPutHoldsRefuses(t *testing.T) {
	s := newStore(t)
	putMailboxes(t, s, "INBOX")
	kept, err := s.PutHolds(t.Context(), []state.Hold{hold(0, "INBOX", 1)})
	must(t, err)
	noSide := hold(0, "INBOX", 1)
	noSide.Missing = 0
	crossed := hold(0, "INBOX", 1)
	crossed.UIDs = state.UIDSet{{First: 5, Last: 9}, {First: 7, Last: 12}}
	for name, bad := range map[string][]state.Hold{
		"unknown id":      {hold(99, "INBOX", 1)},
		"id named twice":  {kept[0], kept[0]},
		"unknown mailbox": {hold(0, "Nowhere", 1)},
		"no side":         {noSide},
		"crossed ranges":  {crossed},
	} {
		if _, err := s.PutHolds(t.Context(), bad); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := s.Decide(t.Context(), kept[0].ID, state.Undecided); err == nil {
		t.Error("a decision that is none was taken")
	}
	got, err := s.Holds(t.Context())
	must(t, err)
	if diff := cmp.Diff(kept, got); diff != "" {
		t.Errorf("holds after refusals (-want +got):\n%s", diff)
	}
}

// TestGrownIsNotSubset compares grown with sets of single UIDs.
func TestGrownIsNotSubset(t *testing.T) {
	uids := rapid.SliceOfN(rapid.Uint32Range(1, 12), 0, 8)
	chance.Check(t, func(t *rapid.T) {
		set := func(name string) (list []state.UID) {
			for _, u := range uids.Draw(t, name) {
				list = append(list, state.UID(u))
			}
			return list
		}
		was, now := set("was"), set("now")
		want := slices.ContainsFunc(now, func(u state.UID) bool { return !slices.Contains(was, u) })
		if got := grown(hold(1, "INBOX", was...), hold(1, "INBOX", now...)); got != want {
			t.Fatalf("grown(%v, %v) = %v, want %v", was, now, got, want)
		}
	})
}
