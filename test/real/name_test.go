package real

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"mailmoor/maildir"
	"mailmoor/test/home"
	"mailmoor/test/lab"
)

// TestNames: every mailbox name becomes a folder and back, whatever stands in it,
// and no name leads out of the tree or hides a folder.
func TestNames(t *testing.T) {
	names := map[string]string{ // on the server: in the tree
		"Büro":                             "Büro",
		"Архив/仕事":                         "Архив/仕事",
		"R&D":                              "R&D",
		"100% sure":                        "100%25 sure",
		"%25":                              "%2525",
		".hidden":                          "%2Ehidden",
		"Parent/.hidden":                   "Parent/%2Ehidden",
		"cur":                              "%63ur",
		"New":                              "New",
		"a/TMP/b":                          "a/TMP/b",
		"a/cur/b":                          "a/%63ur/b",
		"two  spaces":                      "two  spaces",
		`back\slash "quoted"`:              `back\slash "quoted"`,
		"{12}":                             "{12}",
		"📬":                                "📬",
		"dot.in.name":                      "dot.in.name",
		"1/2/3/4/5/6/7/8/9":                "1/2/3/4/5/6/7/8/9",
		"long " + strings.Repeat("x", 200): "",
	}
	for _, server := range []struct {
		name, separator string
		opts            []lab.Option
		takes           func(name string) bool
	}{
		{"nested storage", "/", []lab.Option{lab.NestedStorage()}, notReserved},
		{"nested storage and another separator", "|", []lab.Option{lab.NestedStorage(), lab.Separator("|")}, notReserved},
		{"flat storage", "/", nil, notDotted},
		{"flat storage and dots as separators", ".", []lab.Option{lab.Separator(".")}, notDotted},
	} {
		t.Run(server.name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, newServer(t, server.opts...))
			created := 0
			for name := range names {
				if server.takes(name) {
					created++
					onServer := strings.ReplaceAll(name, "/", server.separator)
					a.srv.CreateMailbox(a.user, onServer)
					a.deliver(onServer, "in "+name)
				}
			}
			a.clean()
			remote, local := a.remote(), a.local()
			for mailbox, list := range remote {
				path := names[strings.ReplaceAll(mailbox, server.separator, "/")]
				if path != "" && !slices.Equal(local[path], list) {
					t.Errorf("folder %q has %v, want %v", path, local[path], list)
				}
			}
			if got, want := local.counts(), remote.counts(); len(got) != created || len(want) != created {
				t.Errorf("the tree has %v, the server %v, want %d messages", got, want, created)
			}
			a.idle()
		})
	}
}

// notReserved reports whether Dovecot takes the name with nested storage.
func notReserved(name string) bool {
	return !slices.ContainsFunc(strings.Split(strings.ToLower(name), "/"), func(level string) bool {
		return level == "cur" || level == "new" || level == "tmp"
	})
}

// notDotted reports whether Dovecot takes the name with Maildir++ storage, where
// dots separate the levels on its disk.
func notDotted(name string) bool { return !strings.Contains(name, ".") }

// TestNamedLikeOwnDirectories: a mailbox New is one like any other, from both sides, and
// below a folder that has a directory new. Such folders were refused once, with exit code 1
// in each run, and their mail never travelled. What an older version kept in %4Eew stays there.
func TestNamedLikeOwnDirectories(t *testing.T) {
	srv := newServer(t)
	for _, layout := range []maildir.Layout{maildir.LayoutFS, maildir.LayoutPlus} {
		t.Run(layout.String(), func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, srv)
			a.layout = layout
			for _, name := range []string{"New", "Work", "Work/Tmp"} {
				a.srv.CreateMailbox(a.user, name)
				a.deliver(name, "theirs")
			}
			for _, folder := range []string{"Cur", "NEW", "Work/New"} {
				a.mkfolder(folder)
				a.put(folder, "S", "mine")
			}
			a.clean()
			a.expect("Cur/mine:S", "NEW/mine:S", "New/theirs:", "Work/New/mine:S", "Work/Tmp/theirs:", "Work/theirs:")
			a.rename(a.dir("New"), a.dir("%4Eew"))
			a.rename(a.dir("Work/New"), a.dir("Work/%4Eew"))
			a.must(home.Forget(a.states))
			if c := a.clean().Counts; c.Paired != 6 || c.Downloaded+c.Uploaded+c.NewFolders+c.NewMailboxes != 0 {
				t.Errorf("with names as they were once %+v, want 6 pairs and nothing new", c)
			}
			a.srv.CreateMailbox(a.user, "Work/New/below")
			a.deliver("New", "more")
			a.deliver("Work/New/below", "new")
			a.clean()
			want := []string{
				"%4Eew/more:", "%4Eew/theirs:", "Cur/mine:S", "NEW/mine:S", "Work/%4Eew/below/new:", "Work/%4Eew/mine:S",
				"Work/Tmp/theirs:", "Work/theirs:",
			}
			if diff := gocmp.Diff(want, a.local().names()); diff != "" {
				t.Errorf("the tree (-want +got):\n%s", diff)
			}
			a.idle()
		})
	}
}

// TestNamedByOthers: a folder whose name mailmoor would have written otherwise has its
// mailbox, and keeps its name. What has no mailbox on any server is said.
func TestNamedByOthers(t *testing.T) {
	a := newAccount(t, newServer(t, lab.NestedStorage()))
	a.mkfolder("Inbox")
	a.deliver("INBOX", "x")
	a.srv.CreateMailbox(a.user, "INBOX/below")
	a.deliver("INBOX/below", "y")
	folders := []string{".hidden", "100%", "etc.", "outer space ", strings.Repeat("l", 240)}
	want := []string{"INBOX/below/y:", "INBOX/x:"}
	for _, folder := range folders {
		a.mkfolder(folder)
		a.put(folder, "S", "in it")
		want = append(want, folder+"/in it:S")
	}
	for _, folder := range []string{"Entw\xfcrfe", "a\tb"} {
		a.mkfolder(folder)
		a.put(folder, "", "z")
	}
	for range 2 {
		problems := a.sync().Problems
		if len(problems) != 2 || !strings.Contains(string(problems[0].Text), "UTF-8") || !strings.Contains(string(problems[1].Text), "Control characters") ||
			!strings.Contains(string(problems[0].Hint+problems[1].Hint), "rename the folder") {
			t.Fatalf("problems are %+v, want one about the name that is not in UTF-8, and one about what the server does not take", problems)
		}
	}
	slices.Sort(want)
	if diff := gocmp.Diff(want, a.remote().names()); diff != "" {
		t.Errorf("the server (-want +got):\n%s", diff)
	}
	a.rename(a.dir("Entw\xfcrfe"), a.dir("Entwürfe"))
	a.rename(a.dir("a\tb"), a.dir("a b"))
	a.clean()
	for _, folder := range append(folders, "Inbox/below", "Inbox", "Entwürfe", "a b") {
		if len(a.local()[folder]) != 1 {
			t.Errorf("folder %q has %v", folder, a.local()[folder])
		}
	}
	a.idle()
}

// TestDotSeparator: on a server that separates levels by dots, a folder inside a
// folder is one, and a dot in a folder's name is a thing that cannot be.
func TestDotSeparator(t *testing.T) {
	a := newAccount(t, newServer(t, lab.Separator(".")))
	a.srv.CreateMailbox(a.user, "Work.2026")
	a.deliver("Work.2026", "a")
	a.clean()
	a.mkfolder("Mine/deep/deeper")
	a.put("Mine/deep/deeper", "", "b")
	a.mkfolder("has.dot")
	a.put("has.dot", "", "c")
	for range 2 {
		report := a.sync()
		if len(report.Problems) != 1 || !strings.Contains(string(report.Problems[0].Text), `"has.dot"`) || report.Problems[0].Hint == "" {
			t.Fatalf("problems are %+v, want one about has.dot", report.Problems)
		}
	}
	want := []string{"Mine.deep.deeper/b:", "Work.2026/a:"}
	if got := a.remote().names(); !slices.Equal(got, want) {
		t.Errorf("the server has %q, want %q", got, want)
	}
	if got := a.local().names(); !slices.Equal(got, []string{"Mine/deep/deeper/b:", "Work/2026/a:", "has.dot/c:"}) {
		t.Errorf("the tree has %q", got)
	}
	a.rename(filepath.Join(a.root, "has.dot"), filepath.Join(a.root, "hasnodot"))
	a.clean()
	if got := a.remote().names(); !slices.Contains(got, "hasnodot/c:") {
		t.Errorf("the server has %q, want the renamed folder", got)
	}
	a.idle()
}

// TestNestedFolder: a folder made here appears on the server, with those above
// it that hold no mail, and is subscribed to.
func TestNestedFolder(t *testing.T) {
	a := newAccount(t, newServer(t, lab.NestedStorage()))
	a.clean()
	a.mkfolder("Lists/Go/Büro & Co")
	a.put("Lists/Go/Büro & Co", "S", "a")
	a.clean()
	a.deliver("Lists/Go/Büro & Co", "b")
	a.clean()
	got := a.same().names()
	if want := []string{"Lists/Go/Büro & Co/a:S", "Lists/Go/Büro & Co/b:"}; !slices.Equal(got, want) {
		t.Errorf("both sides have %q, want %q", got, want)
	}
	subscribed := a.srv.Doveadm("mailbox", "list", "-s", "-u", a.user)
	if !strings.Contains(subscribed, "Lists/Go/") {
		t.Errorf("only these are subscribed to: %s", subscribed)
	}
	a.idle()
}

// TestRenamedMailbox: a mailbox renamed on the server is a mailbox that is gone
// and a new one. Nothing is removed before somebody has said so.
func TestRenamedMailbox(t *testing.T) {
	a, _ := fullBox(t, newServer(t), 3)
	a.srv.RenameMailbox(a.user, box, "Renamed")
	hold := a.onlyHold(a.sync())
	if !hold.Whole || hold.Mailbox != box {
		t.Errorf("the hold is %+v, want one of the whole mailbox", hold)
	}
	a.sync()
	local := a.local()
	if len(local["Renamed"]) != 3 || len(local[box]) != 3 {
		t.Errorf("the tree has %q, want the messages in the old and the new folder", local.names())
	}
	a.must(os.RemoveAll(filepath.Join(a.root, box)))
	a.clean()
	a.expect("INBOX/other:", "Renamed/m00:S", "Renamed/m01:", "Renamed/m02:")
}
