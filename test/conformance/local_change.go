package conformance

import (
	"slices"

	"mailmoor/state"
)

func changeCases() []localCase {
	return []localCase{
		{"flags of a file in new", flagsNew},
		{"flags of a file in cur", flagsCur},
		{"letters of others stay", flagsForeign},
		{"flags that changed meanwhile are stale", flagsStale},
		{"flags of a deleted file are stale", flagsDeleted},
		{"move keeps key, content and date", moveFile},
		{"move to a folder where the key is taken", moveTaken},
		{"move of an edited file is stale", moveEdited},
		{"move to a missing folder moves nothing", moveNowhere},
		{"remove puts the file into the hold area", removeHeld},
		{"remove of an edited file is stale", removeEdited},
		{"remove of a file with other flags is stale", removeFlags},
		{"remove of a deleted file is stale", removeDeleted},
		{"remove of the same key twice keeps both", removeTwice},
	}
}

func flagsNew(l *localRun) {
	l.user.Put(l.T, l.folder, File{Key: "a", New: true, Date: baseDate, Data: diskMail(1)})
	m, err := l.SetFlags(l.Context(), l.folder, "a", 0, state.Seen|state.Answered)
	ok(l.T, err)
	equal(l.T, "the flags", m.Flags, state.Seen|state.Answered)
	equal(l.T, "the file", l.one(l.folder), File{Key: "a", Letters: "RS", Date: baseDate, Data: diskMail(1)})
}

func flagsCur(l *localRun) {
	base := l.base("a")
	m, err := l.SetFlags(l.Context(), l.folder, "a", state.Seen, 0)
	ok(l.T, err)
	equal(l.T, "the letters", l.one(l.folder).Letters, "")
	base[0].Flags = 0
	base[0].Stat = m.Stat
	l.quiet(l.scanOf(l.folder, state.ScanOptions{Stat: true}, base...))
	// Flags that are there already are no change and no error.
	_, err = l.SetFlags(l.Context(), l.folder, "a", 0, 0)
	ok(l.T, err)
	equal(l.T, "the file", l.one(l.folder), File{Key: "a", Date: baseDate, Data: diskMail(0)})
}

func flagsForeign(l *localRun) {
	l.user.Put(l.T, l.folder, File{Key: "a", Letters: "Sab", Date: baseDate, Data: diskMail(1)})
	_, err := l.SetFlags(l.Context(), l.folder, "a", state.Seen, state.Flagged|state.Trashed)
	ok(l.T, err)
	letters := []byte(l.one(l.folder).Letters)
	slices.Sort(letters)
	equal(l.T, "the letters", string(letters), "FTab")
}

func flagsStale(l *localRun) {
	l.base("a")
	l.user.SetLetters(l.T, l.folder, "a", "FS")
	_, err := l.SetFlags(l.Context(), l.folder, "a", state.Seen, 0)
	wantCause(l.T, err, state.CauseStale)
	equal(l.T, "the letters", l.one(l.folder).Letters, "FS")
}

func flagsDeleted(l *localRun) {
	l.base("a")
	l.user.Delete(l.T, l.folder, "a")
	_, err := l.SetFlags(l.Context(), l.folder, "a", state.Seen, 0)
	wantCause(l.T, err, state.CauseStale)
}

func moveFile(l *localRun) {
	base := l.base("a")
	other := l.another("Other")
	m, err := l.Move(l.Context(), l.folder, base[0], other, state.Flagged)
	ok(l.T, err)
	equal(l.T, "the key", m.Key, "a")
	equal(l.T, "the flags", m.Flags, state.Flagged)
	equal(l.T, "the file", l.one(other), File{Key: "a", Letters: "F", Date: baseDate, Data: diskMail(0)})
	equal(l.T, "the files left", len(l.disk.Files(l.T, l.folder)), 0)
	base[0].Flags, base[0].Stat = m.Flags, m.Stat
	l.quiet(l.scanOf(other, state.ScanOptions{Stat: true}, base...))
}

func moveTaken(l *localRun) {
	base := l.base("a")
	other := l.another("Other")
	l.user.Put(l.T, other, File{Key: "a", Letters: "S", Date: baseDate, Data: diskMail(50)})
	m, err := l.Move(l.Context(), l.folder, base[0], other, state.Seen)
	ok(l.T, err)
	if m.Key == "a" || m.Key.Check() != nil {
		l.Errorf("the moved file has key %q", m.Key)
	}
	got := map[state.Key]string{}
	for _, f := range l.disk.Files(l.T, other) {
		got[f.Key] = string(f.Data)
	}
	equal(l.T, "the files", got, map[state.Key]string{"a": string(diskMail(50)), m.Key: string(diskMail(0))})
}

func moveEdited(l *localRun) {
	base := l.base("a")
	other := l.another("Other")
	l.user.Edit(l.T, l.folder, "a", diskMail(77))
	_, err := l.Move(l.Context(), l.folder, base[0], other, state.Seen)
	wantCause(l.T, err, state.CauseStale)
	equal(l.T, "the content", string(l.one(l.folder).Data), string(diskMail(77)))
	equal(l.T, "the files of the other folder", len(l.disk.Files(l.T, other)), 0)
}

func moveNowhere(l *localRun) {
	base := l.base("a")
	before := l.one(l.folder)
	_, err := l.Move(l.Context(), l.folder, base[0], l.absent("Nowhere"), state.Seen)
	wantCause(l.T, err, state.CauseGone)
	equal(l.T, "the file", l.one(l.folder), before)
}

func removeHeld(l *localRun) {
	base := l.base("a", "b")
	held, err := l.Remove(l.Context(), l.folder, base[0], "it was deleted on the server")
	ok(l.T, err)
	want := state.Held{
		Path: held.Path, Mailbox: work, Key: "a", UID: base[0].UID, Flags: state.Seen, Content: base[0].Content,
		Date: baseDate, Removed: held.Removed, Reason: "it was deleted on the server",
	}
	equal(l.T, "what is known of it", held, want)
	if held.Path == "" || held.Removed == 0 {
		l.Errorf("path %q, removed %d", held.Path, held.Removed)
	}
	equal(l.T, "the content held", string(l.disk.Held(l.T, held.Path)), string(diskMail(0)))
	equal(l.T, "the file left", l.one(l.folder).Key, "b")
	equal(l.T, "the missing", l.scan(base...).Missing, base[:1])
}

func removeEdited(l *localRun) {
	base := l.base("a")
	l.user.Edit(l.T, l.folder, "a", diskMail(77))
	_, err := l.Remove(l.Context(), l.folder, base[0], "test")
	wantCause(l.T, err, state.CauseStale)
	equal(l.T, "the content", string(l.one(l.folder).Data), string(diskMail(77)))
}

func removeFlags(l *localRun) {
	base := l.base("a")
	l.user.SetLetters(l.T, l.folder, "a", "FS")
	_, err := l.Remove(l.Context(), l.folder, base[0], "test")
	wantCause(l.T, err, state.CauseStale)
	equal(l.T, "the letters", l.one(l.folder).Letters, "FS")
}

func removeDeleted(l *localRun) {
	base := l.base("a")
	l.user.Delete(l.T, l.folder, "a")
	_, err := l.Remove(l.Context(), l.folder, base[0], "test")
	wantCause(l.T, err, state.CauseStale)
}

func removeTwice(l *localRun) {
	var paths []string
	for _, number := range []int{1, 2} {
		l.user.Put(l.T, l.folder, File{Key: "a", Letters: "S", Date: baseDate, Data: diskMail(number)})
		held, err := l.Remove(l.Context(), l.folder, recordsOf(l.scan().New)[0], "test")
		ok(l.T, err)
		paths = append(paths, held.Path)
	}
	equal(l.T, "the first", string(l.disk.Held(l.T, paths[0])), string(diskMail(1)))
	equal(l.T, "the second", string(l.disk.Held(l.T, paths[1])), string(diskMail(2)))
}
