package conflict

import (
	"testing"

	"pgregory.net/rapid"

	"mailmoor/state"
	"mailmoor/test/chance"
)

var anyKeyword = state.KeywordRule{Any: true}

// TestKeywords names what happens to users, case by case.
func TestKeywords(t *testing.T) {
	listed := state.KeywordRule{Listed: "old"}
	for _, test := range []struct {
		what string
		in   Keywords
		want Tags
		act  Action
	}{
		{"none", Keywords{Stored: anyKeyword}, Tags{}, Nothing},
		{"unchanged", Keywords{Base: "a", Local: "a", Remote: "a", Stored: anyKeyword}, Tags{Local: "a", Agreed: "a"}, Nothing},
		{"set on the server", Keywords{Remote: "a", Stored: anyKeyword}, Tags{Local: "a", Agreed: "a"}, SetFlags},
		{"set here", Keywords{Local: "a", Stored: anyKeyword}, Tags{Local: "a", Send: "a", Agreed: "a"}, SetFlags},
		{"set on both sides", Keywords{Local: "a", Remote: "a", Stored: anyKeyword}, Tags{Local: "a", Agreed: "a"}, Nothing},
		{"different ones", Keywords{Local: "a", Remote: "b", Stored: anyKeyword}, Tags{Local: "a b", Send: "a", Agreed: "a b"}, SetFlags},
		{"taken away on the server", Keywords{Base: "a", Local: "a", Stored: anyKeyword}, Tags{}, SetFlags},
		{"a reader dropped the letter", Keywords{Base: "a", Remote: "a", Stored: anyKeyword}, Tags{Local: "a", Agreed: "a"}, SetFlags},
		{"dropped here and taken away there", Keywords{Base: "a", Stored: anyKeyword}, Tags{}, Nothing},
		{"another spelling", Keywords{Base: "A", Local: "a", Remote: "a", Stored: anyKeyword}, Tags{Local: "A", Agreed: "a"}, Nothing},
		{"not stored there", Keywords{Local: "a", Stored: listed}, Tags{Local: "a", Own: "a"}, Nothing},
		{"listed there", Keywords{Local: "OLD", Stored: listed}, Tags{Local: "OLD", Send: "OLD", Agreed: "OLD"}, SetFlags},
		{"refused before", Keywords{Own: "a", Local: "a", Stored: listed}, Tags{Local: "a", Own: "a"}, Nothing},
		{"refused before, letter dropped", Keywords{Own: "a", Stored: listed}, Tags{Local: "a", Own: "a"}, SetFlags},
		{"stored by now", Keywords{Own: "a", Local: "a", Stored: anyKeyword}, Tags{Local: "a", Send: "a", Agreed: "a"}, SetFlags},
		{"arrived after all", Keywords{Own: "a", Local: "a", Remote: "a", Stored: anyKeyword}, Tags{Local: "a", Agreed: "a"}, Nothing},
		{"of a session only", Keywords{Remote: "a", Stored: listed}, Tags{Local: "a", Own: "a"}, SetFlags},
	} {
		d := Decide(Message{Known: true, Local: LocalSame, Remote: RemoteSame, Shared: state.AllFlags, Keywords: test.in})
		if d.Tags != test.want || d.Action != test.act {
			t.Errorf("%s: %+v and %s, want %+v and %s", test.what, d.Tags, d.Action, test.want, test.act)
		}
	}
}

// TestKeywordsShowInterest: a message that somebody tagged survives its deletion
// on the other side; one that lost a keyword does not.
func TestKeywordsShowInterest(t *testing.T) {
	for _, test := range []struct {
		what string
		m    Message
		want Action
	}{
		{"tagged here", Message{Local: LocalFlags, Remote: RemoteAbsent, Keywords: Keywords{Local: "a"}}, Upload},
		{"tagged before", Message{Local: LocalFlags, Remote: RemoteAbsent, Keywords: Keywords{Base: "a", Own: "b", Local: "a b"}}, RemoveLocal},
		{"letter dropped", Message{Local: LocalFlags, Remote: RemoteAbsent, Keywords: Keywords{Base: "a"}}, RemoveLocal},
		{"tagged there", Message{Local: LocalAbsent, Remote: RemoteFlags, Keywords: Keywords{Remote: "a"}}, Download},
		{"untagged there", Message{Local: LocalAbsent, Remote: RemoteFlags, Keywords: Keywords{Base: "a"}}, RemoveRemote},
	} {
		test.m.Known, test.m.Shared, test.m.Keywords.Stored = true, state.AllFlags, anyKeyword
		if got := Decide(test.m).Action; got != test.want {
			t.Errorf("%s: %s, want %s", test.what, got, test.want)
		}
	}
}

// TestKeywordProperties: whatever both sides show, nothing is taken from the server,
// nothing that one side added is lost, what the server took away goes, and what has
// been recorded is quiet from then on.
func TestKeywordProperties(t *testing.T) {
	set := rapid.Custom(func(t *rapid.T) state.Keywords {
		return state.NewKeywords(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d", "A"}), 0, 4).Draw(t, "names")...)
	})
	chance.Check(t, func(t *rapid.T) {
		k := Keywords{Base: set.Draw(t, "base"), Local: set.Draw(t, "local"), Remote: set.Draw(t, "remote")}
		k.Own = set.Draw(t, "own").Without(k.Base)
		k.Stored = state.KeywordRule{Any: rapid.Bool().Draw(t, "any"), Listed: set.Draw(t, "listed")}
		// What the mailbox does not store is shown as it was: see RemoteChange.
		k.Remote = k.Remote.Union(k.Base.Without(k.Stored.Of(k.Base)))
		got := tag(Message{Known: true, Local: LocalFlags, Remote: RemoteFlags, Keywords: k})

		added := k.Local.Without(k.Base).Union(k.Own)
		want := k.Remote.Union(added)
		if !got.Local.Equal(want) {
			t.Fatalf("%+v: local %q, want %q", k, got.Local, want)
		}
		if got.Send.Without(want) != "" || !got.Send.Equal(k.Stored.Of(added.Without(k.Remote))) {
			t.Fatalf("%+v: sends %q", k, got.Send)
		}
		if got.Agreed.Without(k.Remote.Union(got.Send)) != "" || !got.Agreed.Union(got.Own).Equal(got.Local) {
			t.Fatalf("%+v: records %q and %q of %q", k, got.Agreed, got.Own, got.Local)
		}
		if both := got.Agreed.Without(got.Agreed.Without(got.Own)); both != "" {
			t.Fatalf("%+v: %q is recorded twice", k, both)
		}
		// Everything settles; then a refusal of all that was sent instead.
		for _, refused := range []state.Keywords{"", got.Send} {
			next := Keywords{
				Base: got.Agreed.Without(refused), Own: got.Own.Union(refused), Local: got.Local,
				Remote: k.Remote.Union(got.Send.Without(refused)), Stored: k.Stored,
			}
			again := tag(Message{Known: true, Local: LocalSame, Remote: RemoteSame, Keywords: next})
			if !again.Local.Equal(got.Local) || refused == "" && again.Send != "" {
				t.Fatalf("%+v, %q refused: then %+v becomes %+v", k, refused, next, again)
			}
		}
	})
}
