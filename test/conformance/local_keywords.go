package conformance

import (
	"fmt"
	"strings"

	"mailmoor/state"
)

func letterCases() []localCase {
	return []localCase{
		{"keywords of a delivered message", lettersDelivered},
		{"keywords of a message without flags wait in new", lettersNew},
		{"keywords get letters", lettersSet},
		{"letters that a reader adds are seen", lettersAdded},
		{"letters that a reader drops are seen", lettersDropped},
		{"letters added meanwhile stay", lettersMeanwhile},
		{"keywords are taken away", lettersTaken},
		{"keywords move along to another folder", lettersMove},
		{"flags leave letters alone", lettersFlags},
		{"keywords beyond the last letter are never missing", lettersMany},
		{"a removed file keeps its letters", lettersHeld},
	}
}

// tagged puts a file with these keywords into cur/ and returns its record.
func (l *localRun) tagged(key state.Key, k state.Keywords) state.Record {
	l.Helper()
	l.user.Put(l.T, l.folder, File{Key: key, Letters: "S", Date: baseDate, Data: diskMail(len(key))})
	m, err := l.SetKeywords(l.Context(), l.folder, key, "", k)
	ok(l.T, err)
	equal(l.T, "the keywords returned", m.Keywords, k)
	for _, r := range recordsOf(l.scan().New) {
		if r.Key == key {
			r.Keywords = k
			return r
		}
	}
	l.Fatalf("the file %s is not there", key)
	return state.Record{}
}

// keywords returns what the letters of a file stand for.
func (l *localRun) keywords(folder string, f File) state.Keywords {
	l.Helper()
	return l.disk.Keywords(l.T, folder, f.Letters)
}

func lettersDelivered(l *localRun) {
	d, err := l.Deliver(l.Context(), l.folder)
	ok(l.T, err)
	in := incoming(Mail(1), state.Seen)
	in.Keywords = "$Label1 work"
	m, err := d.Add("a", in)
	ok(l.T, err)
	ok(l.T, d.Commit())
	equal(l.T, "the keywords returned", m.Keywords, in.Keywords)
	equal(l.T, "the keywords of the file", l.keywords(l.folder, l.one(l.folder)), in.Keywords)
	equal(l.T, "the keywords of the scan", l.scan().New[0].Keywords, in.Keywords)
}

func lettersNew(l *localRun) {
	d, err := l.Deliver(l.Context(), l.folder)
	ok(l.T, err)
	in := incoming(Mail(1), 0)
	in.Keywords = "work"
	_, err = d.Add("a", in)
	ok(l.T, err)
	ok(l.T, d.Commit())
	equal(l.T, "the file is new", l.one(l.folder).New, true)
	r := recordsOf(l.scan().New)[0]
	r.Keywords = "work"
	l.quiet(l.scan(r))
	// A reader that opens the message makes room for letters.
	l.user.SetLetters(l.T, l.folder, "a", "S")
	changed := l.scan(r).Changed
	if len(changed) != 1 || changed[0].Now.Keywords != "" || changed[0].Now.Flags != state.Seen {
		l.Fatalf("the change is %+v", changed)
	}
	_, err = l.SetKeywords(l.Context(), l.folder, "a", "", "work")
	ok(l.T, err)
	r.Flags = state.Seen
	l.quiet(l.scan(r))
	equal(l.T, "the keywords of the file", l.keywords(l.folder, l.one(l.folder)), "work")
}

func lettersSet(l *localRun) {
	r := l.tagged("a", "$Label1 NonJunk")
	equal(l.T, "the keywords of the file", l.keywords(l.folder, l.one(l.folder)), "$Label1 NonJunk")
	l.quiet(l.scan(r))
	r.Keywords, r.LocalKeywords = "$label1", "nonjunk"
	l.quiet(l.scan(r))
	// What is there already is no change and no error.
	before := l.one(l.folder)
	_, err := l.SetKeywords(l.Context(), l.folder, "a", "", r.AllKeywords())
	ok(l.T, err)
	equal(l.T, "the file", l.one(l.folder), before)
}

func lettersAdded(l *localRun) {
	tagged, plain := l.tagged("a", "work"), l.tagged("bb", "")
	letters := ""
	for _, f := range l.disk.Files(l.T, l.folder) {
		letters += f.Letters
	}
	l.user.SetLetters(l.T, l.folder, "bb", strings.ReplaceAll(letters, "SS", "S"))
	changed := l.scan(tagged, plain).Changed
	if len(changed) != 1 || changed[0].Base.Key != "bb" || changed[0].Now.Keywords != "work" {
		l.Errorf("the change is %+v", changed)
	}
}

func lettersDropped(l *localRun) {
	r := l.tagged("a", "work")
	l.user.SetLetters(l.T, l.folder, "a", "S")
	changed := l.scan(r).Changed
	if len(changed) != 1 || changed[0].Now.Keywords != "" {
		l.Errorf("the change is %+v", changed)
	}
}

func lettersMeanwhile(l *localRun) {
	l.tagged("bb", "reader")
	letters := strings.TrimPrefix(l.one(l.folder).Letters, "S")
	l.user.Delete(l.T, l.folder, "bb")
	l.tagged("a", "")
	l.user.SetLetters(l.T, l.folder, "a", "S"+letters)
	m, err := l.SetKeywords(l.Context(), l.folder, "a", "", "work")
	ok(l.T, err)
	equal(l.T, "the keywords returned", m.Keywords, "reader work")
	equal(l.T, "the keywords of the file", l.keywords(l.folder, l.one(l.folder)), "reader work")
}

func lettersTaken(l *localRun) {
	r := l.tagged("a", "gone stays")
	_, err := l.SetKeywords(l.Context(), l.folder, "a", "gone stays", "stays")
	ok(l.T, err)
	equal(l.T, "the keywords of the file", l.keywords(l.folder, l.one(l.folder)), "stays")
	r.Keywords = "stays"
	l.quiet(l.scan(r))
	_, err = l.SetKeywords(l.Context(), l.folder, "b", "", "stays")
	wantCause(l.T, err, state.CauseStale)
}

func lettersMove(l *localRun) {
	r := l.tagged("a", "$Label1 work")
	other := l.another("Other")
	m, err := l.Move(l.Context(), l.folder, r, other, state.Seen|state.Flagged)
	ok(l.T, err)
	equal(l.T, "the keywords returned", m.Keywords, r.Keywords)
	equal(l.T, "the keywords of the file", l.keywords(other, l.one(other)), r.Keywords)
	r.Flags = m.Flags
	l.quiet(l.scanOf(other, state.ScanOptions{}, r))
	// A reader moves the file only.
	third := l.another("Third")
	f := l.one(other)
	l.user.Delete(l.T, other, "a")
	l.user.Put(l.T, third, f)
	equal(l.T, "the keywords there", l.scanOf(third, state.ScanOptions{}).New[0].Keywords, r.Keywords)
}

func lettersFlags(l *localRun) {
	r := l.tagged("a", "work")
	for _, flags := range []state.Flags{state.Flagged, 0} {
		_, err := l.SetFlags(l.Context(), l.folder, "a", r.Flags, flags)
		ok(l.T, err)
		equal(l.T, "the keywords of the file", l.keywords(l.folder, l.one(l.folder)), "work")
		r.Flags = flags
		l.quiet(l.scan(r))
	}
}

func lettersMany(l *localRun) {
	var names []string
	for i := range 30 {
		names = append(names, fmt.Sprintf("k%02d", i))
	}
	all := state.NewKeywords(names...)
	r := l.tagged("a", all)
	l.quiet(l.scan(r))
	equal(l.T, "the letters", len(l.one(l.folder).Letters), len("S")+26)
	changed := r
	changed.Keywords = all.Without("k29")
	l.quiet(l.scan(changed))
	changed.Keywords = all.Without("k00")
	got := l.scan(changed).Changed
	if len(got) != 1 || !got[0].Now.Keywords.Equal(all) {
		l.Errorf("the change is %+v", got)
	}
}

func lettersHeld(l *localRun) {
	r := l.tagged("a", "work")
	held, err := l.Remove(l.Context(), l.folder, r, "test")
	ok(l.T, err)
	equal(l.T, "the content held", string(l.disk.Held(l.T, held.Path)), string(diskMail(1)))
}
