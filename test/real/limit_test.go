package real

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"mailmoor/state"
	"mailmoor/test/lab"
)

// TestNameLimits: a mailbox whose name no folder can have, and a folder whose name no
// mailbox can have, are said with every run. Nothing of them is lost, and the others
// go on. What is only long becomes a folder.
func TestNameLimits(t *testing.T) {
	deep := strings.TrimSuffix(strings.Repeat("d/", 70), "/")
	wide := strings.TrimSuffix(strings.Repeat(strings.Repeat("w", 120)+"/", 18), "/")
	escaped := strings.Repeat("%", 200) // 600 bytes once it is escaped
	nested := strings.TrimSuffix(strings.Repeat("n/", 60), "/")
	a := newAccount(t, newServer(t, lab.NestedStorage()))
	for _, name := range []string{deep, wide, escaped, nested} {
		a.srv.CreateMailbox(a.user, name)
		a.deliver(name, "in "+name)
	}
	a.deliver("INBOX", "a")
	// 190 bytes here are more than 255 in the names of the server's disk.
	long := strings.Repeat("ü", 95)
	a.mkfolder(long)
	a.put(long, "S", "local")
	for range 2 {
		report := a.sync()
		for _, want := range []string{deep, wide, long} {
			i := slices.IndexFunc(report.Problems, func(p state.Problem) bool { return p.Mailbox == want })
			if i < 0 || report.Problems[i].Hint == "" || report.Problems[i].Scope != state.ScopeMailbox {
				t.Errorf("problems are %+v, want one about mailbox %.20s..., with a hint", report.Problems, want)
			}
		}
		if len(report.Problems) != 3 {
			t.Errorf("there are %d problems, want 3: %+v", len(report.Problems), report.Problems)
		}
	}
	remote, local := a.remote().counts(), a.local().counts()
	for token, sides := range map[string][2]int{
		"a": {1, 1}, "in " + escaped: {1, 1}, "in " + nested: {1, 1},
		"in " + deep: {1, 0}, "in " + wide: {1, 0}, "local": {0, 1},
	} {
		if got := [2]int{remote[token], local[token]}; got != sides {
			t.Errorf("%.20s... is on both sides %v times, want %v", token, got, sides)
		}
	}
	a.deliver("INBOX", "b")
	a.deliver(escaped, "c")
	a.sync()
	if got := a.local().counts(); got["b"] != 1 || got["c"] != 1 {
		t.Error("the others do not go on")
	}
}

// TestDeepFolder: a folder below more directories than we follow is left out.
func TestDeepFolder(t *testing.T) {
	a := newAccount(t, newServer(t, lab.NestedStorage()))
	a.clean()
	deep := strings.TrimSuffix(strings.Repeat("d/", 70), "/")
	a.mkfolder(deep)
	a.put(deep, "", "deep")
	a.deliver("INBOX", "a")
	for range 2 {
		report := a.sync()
		if len(report.Problems) != 1 || !strings.Contains(string(report.Problems[0].Text), "too deep") || report.Problems[0].Hint == "" {
			t.Errorf("problems are %+v, want one about the deep folder", report.Problems)
		}
	}
	if got := a.local().counts(); got["a"] != 1 || got["deep"] != 1 {
		t.Errorf("the tree has %v", got)
	}
}

// TestLongFileNames: a file of a reader may have a name that leaves no room for more
// flags, or is as long as a name can be. It is a message like any other, and gets another
// name when its flags need room.
func TestLongFileNames(t *testing.T) {
	a := newAccount(t, newServer(t))
	a.deliver("INBOX", "other")
	a.mkfolder("INBOX")
	key := func(n int) string { return fmt.Sprintf("%d.%s", n, strings.Repeat("x", n-4)) }
	a.putFile("INBOX", "new/"+key(220), lf(body("room")), start)
	a.putFile("INBOX", "cur/"+key(219)+":2,S,"+strings.Repeat("y", 31), lf(body("full")), start)
	a.putFile("INBOX", "new/"+key(255), lf(body("long")), start)
	a.settle()
	a.flag("INBOX", "room", "DFPRST")
	a.flag("INBOX", "full", "FS")
	a.flag("INBOX", "long", "S")
	a.flag("INBOX", "other", "S")
	a.settle()
	a.expect("INBOX/full:FS", "INBOX/long:S", "INBOX/other:S", "INBOX/room:DFPRST")
}
