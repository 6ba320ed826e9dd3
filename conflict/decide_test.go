package conflict

import (
	"testing"

	"mailmoor/state"
)

// both policies for the flag T: it travels, or it stays on its side.
var sharedPolicies = []state.Flags{state.AllFlags, state.AllFlags &^ state.Trashed}

// everyMessage calls visit for every combination of states and of three flags
// (one that shows interest, one that does not, and T) under both policies.
func everyMessage(visit func(Message)) {
	flags := flagSubsets(state.Flagged, state.Seen, state.Trashed)
	for _, shared := range sharedPolicies {
		for l := LocalUnknown; l <= LocalReplaced; l++ {
			for r := RemoteUnknown; r <= RemoteMoved; r++ {
				for _, base := range flags {
					for _, lf := range flags {
						for _, rf := range flags {
							for _, same := range []bool{false, true} {
								m := Message{
									Known: true, Local: l, Remote: r, Shared: shared,
									BaseFlags: base, LocalFlags: lf, RemoteFlags: rf, SameTarget: same,
								}
								if consistent(m) {
									visit(m)
								}
							}
						}
					}
				}
			}
		}
	}
}

func flagSubsets(flags ...state.Flags) []state.Flags {
	subsets := []state.Flags{0}
	for _, f := range flags {
		for _, s := range subsets {
			subsets = append(subsets, s|f)
		}
	}
	return subsets
}

// consistent reports whether the flags fit the states that name them.
func consistent(m Message) bool {
	switch {
	case m.Local == LocalNew || m.Remote == RemoteNew:
		return false
	case m.Local == LocalSame && m.LocalFlags != m.BaseFlags,
		m.Local == LocalFlags && m.LocalFlags == m.BaseFlags,
		m.fileGone() && m.LocalFlags != 0:
		return false
	case m.Remote == RemoteSame && m.RemoteFlags != m.BaseFlags,
		m.Remote == RemoteFlags && m.RemoteFlags == m.BaseFlags,
		m.Remote == RemoteDeleted && (m.RemoteFlags&state.Trashed == 0 || m.BaseFlags&state.Trashed != 0),
		m.Remote == RemoteAbsent && m.RemoteFlags != 0:
		return false
	}
	return true
}

func TestEveryCell(t *testing.T) {
	visited := 0
	everyMessage(func(m Message) {
		visited++
		checkSafety(t, m, Decide(m))
		checkFlags(t, m, Decide(m))
	})
	if visited < 10_000 {
		t.Fatalf("only %d messages were tried: the enumeration is broken", visited)
	}
}

// checkSafety states what no decision may do, whatever the table says.
func checkSafety(t *testing.T, m Message, d Decision) {
	t.Helper()
	unknown := m.Local == LocalUnknown || m.Remote == RemoteUnknown
	if unknown && d.Action != Wait {
		t.Errorf("%+v: %s although one side is unknown", m, d.Action)
	}
	switch d.Action {
	case RemoveLocal:
		if m.Remote != RemoteAbsent || m.Local == LocalEdited || m.Local == LocalMoved {
			t.Errorf("%+v: removes a file that is still wanted", m)
		}
	case RemoveRemote:
		if m.Local != LocalAbsent || m.Remote == RemoteAbsent || m.Remote == RemoteMoved {
			t.Errorf("%+v: removes a message that is still wanted", m)
		}
	case Forget:
		if !m.fileGone() || m.Remote != RemoteAbsent && m.Remote != RemoteMoved {
			t.Errorf("%+v: forgets a message that is there", m)
		}
	case Replace:
		if m.Local != LocalEdited && m.Local != LocalReplaced || m.Remote == RemoteAbsent || m.Remote == RemoteMoved {
			t.Errorf("%+v: replaces a message that has no newer version, or is not there", m)
		}
	}
}

// checkFlags states that flags merge: an unchanged side takes the other's
// change, and a second decision on the result has nothing left to do.
func checkFlags(t *testing.T, m Message, d Decision) {
	t.Helper()
	if d.Action != SetFlags && d.Action != Nothing || m.Local == LocalUnknown || m.Remote == RemoteUnknown {
		return
	}
	if d.Local&m.Shared != d.Remote&m.Shared {
		t.Errorf("%+v: the sides end with different shared flags %s and %s", m, d.Local, d.Remote)
	}
	if d.Local&^m.Shared != m.LocalFlags&^m.Shared || d.Remote&^m.Shared != m.RemoteFlags&^m.Shared {
		t.Errorf("%+v: flags that do not travel were changed", m)
	}
	after := m
	after.BaseFlags, after.LocalFlags, after.RemoteFlags = d.Local, d.Local, d.Remote
	after.Local, after.Remote = LocalSame, RemoteSame
	if d.Remote != d.Local {
		after.Remote = RemoteFlags
	}
	if again := Decide(after); again.Action != Nothing {
		t.Errorf("%+v: after %s there is still %s to do", m, d.Action, again.Action)
	}
}

// TestMirror states that flag merging does not prefer a side.
func TestMirror(t *testing.T) {
	everyMessage(func(m Message) {
		if m.Local != LocalFlags || m.Remote != RemoteFlags || (m.LocalFlags|m.RemoteFlags)&state.Trashed != 0 {
			return
		}
		mirrored := m
		mirrored.LocalFlags, mirrored.RemoteFlags = m.RemoteFlags, m.LocalFlags
		if a, b := Decide(m), Decide(mirrored); a.Local != b.Remote || a.Remote != b.Local {
			t.Errorf("%+v: %s/%s, mirrored %s/%s", m, a.Local, a.Remote, b.Local, b.Remote)
		}
	})
}

func TestUndelete(t *testing.T) {
	base := Message{
		Known: true, Remote: RemoteDeleted, Shared: state.AllFlags,
		BaseFlags: state.Seen, RemoteFlags: state.Seen | state.Trashed,
	}
	for name, c := range map[string]struct {
		local Local
		flags state.Flags
		want  state.Flags
	}{
		"untouched stays deleted":     {LocalSame, state.Seen, state.Seen | state.Trashed},
		"flagged comes back":          {LocalFlags, state.Seen | state.Flagged, state.Seen | state.Flagged},
		"marked unread comes back":    {LocalFlags, 0, 0},
		"moved comes back":            {LocalMoved, state.Seen, state.Seen},
		"edited comes back":           {LocalEdited, state.Seen, state.Seen},
		"deleted here stays deleted":  {LocalFlags, state.Seen | state.Trashed, state.Seen | state.Trashed},
		"moved, unseen, still unseen": {LocalMoved, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			m := base
			m.Local, m.LocalFlags = c.local, c.flags
			if got := Decide(m).Remote; got != c.want {
				t.Errorf("flags on the server will be %q, want %q", got, c.want)
			}
		})
	}
}
