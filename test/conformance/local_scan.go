package conformance

import (
	"slices"
	"strings"

	"mailmoor/state"
)

func folderCases() []localCase {
	return []localCase{
		{"the room is told or not", folderRoom},
		{"folders shows what was created", foldersCreated},
		{"folder names come back as they were given", foldersOdd},
		{"a folder created twice stays the same", foldersTwice},
		{"a folder without a marker gets one", foldersMarker},
		{"folders fails without the root", foldersUnmounted},
		{"names that differ in case only are two or refused", foldersFolded},
		{"levels that are kept apart are never one", foldersApart},
	}
}

// folders lists the tree.
func (l *localRun) folders() []state.LocalFolder {
	l.Helper()
	list, _, err := l.Folders(l.Context())
	ok(l.T, err)
	if !slices.IsSortedFunc(list, func(a, b state.LocalFolder) int { return strings.Compare(a.Path, b.Path) }) {
		l.Errorf("the folders are not ordered by path: %+v", list)
	}
	return list
}

func foldersCreated(l *localRun) {
	created, err := l.CreateFolder(l.Context(), []string{"Lists", "go"}, 0)
	ok(l.T, err)
	for _, f := range l.folders() {
		if f.Path == created.Path {
			equal(l.T, "the name", f.Name, []string{"Lists", "go"})
			equal(l.T, "the marker", f.Marker, created.Marker)
			return
		}
	}
	l.Errorf("folder %q was created and is not listed", created.Path)
}

func foldersOdd(l *localRun) {
	names := [][]string{
		{"INBOX"},
		{"Entwürfe"},
		{"日本語"},
		{"a & b"},
		{"50%"},
		{"%2F"},
		{"with/slash"},
		{"cur"},
		{"new", "tmp"},
		{"above", "New"},
		{work, "Cur"},
		{"TMP", "NEW"},
		{".hidden"},
		{"."},
		{".."},
		{"~"},
		{"line\nend"},
		{"trailing "},
		{strings.Repeat("long", 60)},
		{"dot.dot"},
		{"back\\slash"},
	}
	paths := map[string][]string{l.folder: {work}}
	for _, name := range names {
		f, err := l.CreateFolder(l.Context(), name, 0)
		if err != nil {
			l.Errorf("create the folder of %q: %v", name, err)
			continue
		}
		if other, taken := paths[f.Path]; taken {
			l.Errorf("%q and %q both have folder %q", other, name, f.Path)
		}
		paths[f.Path] = name
	}
	got := map[string][]string{}
	for _, f := range l.folders() {
		if f.Marker != "" {
			got[f.Path] = f.Name
		}
	}
	equal(l.T, "the names by path", got, paths)
}

func foldersFolded(l *localRun) {
	folds, err := l.FoldsCase(l.Context())
	ok(l.T, err)
	small := l.another("case")
	f, err := l.CreateFolder(l.Context(), []string{"Case"}, 0)
	if folds {
		wantCause(l.T, err, state.CauseConfig)
	} else if ok(l.T, err); f.Path == small {
		l.Errorf("two mailboxes have folder %q", small)
	}
}

// foldersApart: folders that are kept apart are listed as such and are not made twice,
// and no two of them, or of them and one that is not kept apart, are one when folded.
func foldersApart(l *localRun) {
	folded := map[string]string{}
	want := map[string][]string{}
	apart := map[string]state.LevelSet{}
	for _, name := range []struct {
		levels []string
		apart  state.LevelSet
	}{
		{[]string{"Work"}, 0},
		{[]string{"work"}, 1},
		{[]string{"work", "a"}, 1},
		{[]string{"work", "A"}, 3},
		{[]string{"WORK"}, 1},
		{[]string{"Work", "Büro & Co"}, 0},
		{[]string{"Work", "bÜro & Co"}, 2},
	} {
		var f state.LocalFolder
		for range 2 {
			var err error
			f, err = l.CreateFolder(l.Context(), name.levels, name.apart)
			ok(l.T, err)
		}
		equal(l.T, "the levels kept apart", f.Apart, name.apart)
		if other := folded[state.Fold(f.Path)]; other != "" {
			l.Errorf("folders %q and %q are one when folded", other, f.Path)
		}
		folded[state.Fold(f.Path)] = f.Path
		want[f.Path], apart[f.Path] = name.levels, name.apart
	}
	for _, f := range l.folders() {
		equal(l.T, "the name of "+f.Path, f.Name, want[f.Path])
		equal(l.T, "the levels kept apart of "+f.Path, f.Apart, apart[f.Path])
		delete(want, f.Path)
	}
	if len(want) > 0 {
		l.Errorf("these were created and are not listed: %q", want)
	}
}

func foldersTwice(l *localRun) {
	l.base("a")
	before := l.folders()
	again, err := l.CreateFolder(l.Context(), []string{work}, 0)
	ok(l.T, err)
	equal(l.T, "the marker", again.Marker, before[0].Marker)
	equal(l.T, "the number of folders", len(l.folders()), len(before))
	equal(l.T, "the number of files", len(l.disk.Files(l.T, l.folder)), 1)
}

// foldersMarker: what readers make is used as it is, however they write its name.
func foldersMarker(l *localRun) {
	for _, name := range []string{"ByReader", "New", "100%", "a %zz%", "outer space ", "a\tb", strings.Repeat("long", 60)} {
		path := l.user.AddFolder(l.T, name)
		i := slices.IndexFunc(l.folders(), func(f state.LocalFolder) bool { return f.Path == path })
		if i < 0 {
			l.Errorf("folder %q, which a reader made, is not listed", name)
			continue
		}
		found := l.folders()[i]
		equal(l.T, "the name of a reader's folder", found.Name, []string{name})
		equal(l.T, "the marker of a reader's folder", found.Marker, "")
		got, err := l.MarkFolder(l.Context(), path)
		ok(l.T, err)
		if got.Marker == "" || got.Path != path || !slices.Equal(got.Name, found.Name) {
			l.Errorf("folder %+v became %+v", found, got)
		}
		again, err := l.MarkFolder(l.Context(), path)
		ok(l.T, err)
		equal(l.T, "the marker the second time", again.Marker, got.Marker)
		below, err := l.CreateFolder(l.Context(), []string{name, "below"}, found.Apart)
		ok(l.T, err)
		equal(l.T, "the name of the folder below it", below.Name, []string{name, "below"})
	}
}

func foldersUnmounted(l *localRun) {
	r := l.base("a")
	l.disk.Unmount(l.T)
	if list, _, err := l.Folders(l.Context()); err == nil || state.ScopeOf(err) != state.ScopeAccount {
		l.Errorf("folders of an unmounted root: %v, error %v", list, err)
	}
	// A tree may still see the files through descriptors; what it must not see
	// is that they are missing.
	if d, err := l.Scan(l.Context(), l.folder, r, state.ScanOptions{}); err == nil && len(d.Missing) > 0 {
		l.Errorf("the scan of an unmounted root found %+v", d)
	}
	if _, err := l.CreateFolder(l.Context(), []string{"New"}, 0); err == nil {
		l.Error("a folder was created in an unmounted root")
	}
}

func scanCases() []localCase {
	return []localCase{
		{"scan of an empty folder", scanEmpty},
		{"scan of a missing folder", scanMissing},
		{"scan identifies new files", scanNew},
		{"scan is quiet when nothing happened", scanQuiet},
		{"scan sees a file that a reader renamed", scanRenamed},
		{"scan ignores letters of others", scanForeign},
		{"scan sees a file edited in place", scanEdited},
		{"scan sees another file under the name", scanReplaced},
		{"scan takes a touched file for the same message", scanTouched},
		{"scan misses a deleted file", scanDeleted},
		{"scan tells a moved file by its key", scanMoved},
		{"find looks into every folder", findFolders},
	}
}

func scanEmpty(l *localRun) {
	d := l.scan()
	l.quiet(d)
	equal(l.T, "the count", d.Count, 0)
}

func scanMissing(l *localRun) {
	_, err := l.Scan(l.Context(), l.absent("Nowhere"), nil, state.ScanOptions{})
	wantCause(l.T, err, state.CauseGone)
}

func scanNew(l *localRun) {
	l.user.Put(l.T, l.folder, File{Key: "b", New: true, Date: baseDate + 1, Data: diskMail(2)})
	l.user.Put(l.T, l.folder, File{Key: "a.host,S=5", Letters: "RS", Date: baseDate, Data: Mail(1)}) // with CRLF
	d := l.scan()
	equal(l.T, "the count", d.Count, 2)
	equal(l.T, "the number of new files", len(d.New), 2)
	want := []state.LocalMessage{
		{Key: "a.host,S=5", Flags: state.Answered | state.Seen, Content: contentOf(Mail(1)), Date: baseDate},
		{Key: "b", Content: contentOf(Mail(2)), Date: baseDate + 1},
	}
	for i, size := range []int{len(Mail(1)), len(diskMail(2))} {
		stat := d.New[i].Stat
		if stat.Inode == 0 || stat.Size != int64(size) || stat.Mtime != want[i].Date*1_000_000_000 {
			l.Errorf("file %q has stat %+v", d.New[i].Key, stat)
		}
		want[i].Stat = stat
	}
	equal(l.T, "the new files", d.New, want)
}

func scanQuiet(l *localRun) {
	base := l.base("a", "b", "c")
	for _, o := range []state.ScanOptions{{}, {Stat: true}} {
		d := l.scanOf(l.folder, o, base...)
		l.quiet(d)
		equal(l.T, "the count", d.Count, 3)
		equal(l.T, "whether every file was looked at", d.Statted || !o.Stat, true)
	}
}

func scanRenamed(l *localRun) {
	l.user.Put(l.T, l.folder, File{Key: "a", New: true, Date: baseDate, Data: diskMail(1)})
	base := recordsOf(l.scan().New)
	l.user.SetLetters(l.T, l.folder, "a", "FS")
	d := l.scan(base...)
	equal(l.T, "the number of changes", len(d.Changed), 1)
	c := d.Changed[0]
	equal(l.T, "the base", c.Base, base[0])
	equal(l.T, "the flags", c.Now.Flags, state.Flagged|state.Seen)
	equal(l.T, "the stat", c.Now.Stat, base[0].Stat)
	equal(l.T, "whether it was edited", c.Edited, false)
	equal(l.T, "the others", len(d.New)+len(d.Missing), 0)
}

func scanForeign(l *localRun) {
	base := l.base("a")
	l.user.SetLetters(l.T, l.folder, "a", "Sab")
	d := l.scan(base...)
	if len(d.New)+len(d.Missing) > 0 {
		l.Errorf("the delta is %+v", d)
	}
	for _, c := range d.Changed {
		equal(l.T, "the flags", c.Now.Flags, state.Seen)
	}
}

func scanEdited(l *localRun) {
	base := l.base("a", "b")
	text := append(diskMail(0), "One more line.\n"...)
	l.user.Edit(l.T, l.folder, "a", text)
	d := l.scanOf(l.folder, state.ScanOptions{Stat: true}, base...)
	equal(l.T, "the number of changes", len(d.Changed), 1)
	c := d.Changed[0]
	equal(l.T, "whether it was edited", c.Edited, true)
	equal(l.T, "the content", c.Now.Content, contentOf(text))
	equal(l.T, "the others", len(d.New)+len(d.Missing)+len(d.Problems), 0)
}

// A reader or an editor wrote a new file over the old name, or two files have changed
// their names: no directory tells it but by the inodes.
func scanReplaced(l *localRun) {
	base := l.base("a", "b")
	l.user.Delete(l.T, l.folder, "a")
	l.user.Put(l.T, l.folder, File{Key: "c", Letters: "S", Date: baseDate, Data: diskMail(6)}) // takes the inode of a
	l.user.Put(l.T, l.folder, File{Key: "a", Letters: "S", Date: baseDate, Data: diskMail(7)})
	d := l.scan(base...)
	equal(l.T, "the number of changes", len(d.Changed), 1)
	equal(l.T, "whether it was edited", d.Changed[0].Edited, true)
	equal(l.T, "the content", d.Changed[0].Now.Content, contentOf(diskMail(7)))
	equal(l.T, "the new files", len(d.New), 1)
	equal(l.T, "the others", len(d.Missing)+len(d.Problems), 0)
}

func scanTouched(l *localRun) {
	base := l.base("a")
	// The same bytes again: another mtime.
	l.user.Edit(l.T, l.folder, "a", diskMail(0))
	d := l.scanOf(l.folder, state.ScanOptions{Stat: true}, base...)
	for _, c := range d.Changed {
		equal(l.T, "whether it was edited", c.Edited, false)
		equal(l.T, "the content", c.Now.Content, base[0].Content)
	}
	equal(l.T, "the others", len(d.New)+len(d.Missing)+len(d.Problems), 0)
}

func scanDeleted(l *localRun) {
	base := l.base("a", "b", "c")
	l.user.Delete(l.T, l.folder, "b")
	d := l.scan(base...)
	equal(l.T, "the missing", d.Missing, base[1:2])
	equal(l.T, "the count", d.Count, 2)
	equal(l.T, "the others", len(d.New)+len(d.Changed), 0)
}

func scanMoved(l *localRun) {
	base := l.base("a", "b")
	other := l.another("Other")
	l.user.Delete(l.T, l.folder, "a")
	l.user.Put(l.T, other, File{Key: "a", Letters: "S", Date: baseDate, Data: diskMail(0)})
	equal(l.T, "the missing", l.scan(base...).Missing, base[:1])
	d := l.scanOf(other, state.ScanOptions{})
	if len(d.New) != 1 || d.New[0].Key != "a" || d.New[0].Content != base[0].Content {
		l.Errorf("the other folder has %+v", d.New)
	}
}

func findFolders(l *localRun) {
	l.base("a")
	other := l.another("Lists", "go")
	l.user.Put(l.T, other, File{Key: "b", Letters: "F", Date: baseDate, Data: diskMail(9)})
	found, err := l.Find(l.Context(), []state.Key{"b", "nobody", "a"})
	ok(l.T, err)
	slices.SortFunc(found, func(a, b state.FoundFile) int { return strings.Compare(string(a.File.Key), string(b.File.Key)) })
	if len(found) != 2 {
		l.Fatalf("found %+v, want two files", found)
	}
	for i, want := range []struct {
		folder  string
		key     state.Key
		flags   state.Flags
		content state.Content
	}{{l.folder, "a", state.Seen, contentOf(Mail(0))}, {other, "b", state.Flagged, contentOf(Mail(9))}} {
		got := found[i]
		if got.Folder != want.folder || got.File.Key != want.key || got.File.Flags != want.flags || got.File.Content != want.content {
			l.Errorf("found %+v, want %+v", got, want)
		}
	}
	if found, err := l.Find(l.Context(), []state.Key{"nobody"}); len(found) > 0 || err != nil {
		l.Errorf("a key that no file has was found: %+v, error %v", found, err)
	}
	l.disk.Unmount(l.T)
	if found, err := l.Find(l.Context(), []state.Key{"b"}); err == nil {
		l.Errorf("find in an unmounted root: found %+v, and no error", found)
	}
}

func folderRoom(l *localRun) {
	room, err := l.Room(l.Context())
	ok(l.T, err)
	if room.Free < 0 || room.Free > room.Total {
		l.Errorf("the room is %+v", room)
	}
}
