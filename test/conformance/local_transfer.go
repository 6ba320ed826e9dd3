package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing/iotest"

	"mailmoor/state"
)

func deliverCases() []localCase {
	return []localCase{
		{"keys are never the same", keysFresh},
		{"a delivery becomes visible with commit", deliverCommit},
		{"an aborted delivery leaves nothing", deliverAbort},
		{"a body of another size is not delivered", deliverSize},
		{"a body that fails is not delivered", deliverFails},
		{"a delivery replaces no file", deliverCollision},
		{"a delivery of a hundred messages", deliverHundred},
		{"a delivery into a missing folder", deliverMissing},
		{"content is the same after a round trip", deliverRoundTrip},
		{"discard removes what a delivery left behind", discardLeftover},
		{"discard touches no delivered message", discardDelivered},
		{"discard in a folder that is gone", discardWithoutFolder},
		{"keep writes into the hold area", keepHeld},
		{"keep refuses a body of another size", keepSize},
	}
}

// begin begins a delivery into the folder.
func (l *localRun) begin() state.Delivery {
	l.Helper()
	d, err := l.Deliver(l.Context(), l.folder)
	ok(l.T, err)
	return d
}

// deliver delivers one message and returns it.
func (l *localRun) deliver(in state.Incoming) state.LocalMessage {
	l.Helper()
	d := l.begin()
	m, err := d.Add(l.NewKey(), in)
	if err != nil {
		d.Abort()
		l.Fatal(err)
	}
	ok(l.T, d.Commit())
	return m
}

func keysFresh(l *localRun) {
	seen := map[state.Key]bool{}
	for range 2000 {
		key := l.NewKey()
		if err := key.Check(); err != nil || seen[key] {
			l.Fatalf("key %q: seen before %v, error %v", key, seen[key], err)
		}
		seen[key] = true
	}
}

func deliverCommit(l *localRun) {
	d := l.begin()
	plain, flagged := l.NewKey(), l.NewKey()
	first, err := d.Add(plain, incoming(Mail(1), 0))
	ok(l.T, err)
	second, err := d.Add(flagged, incoming(Mail(2), state.Seen|state.Flagged))
	ok(l.T, err)
	l.quiet(l.scan())
	ok(l.T, d.Commit())

	want := map[state.Key]File{
		plain:   {Key: plain, New: true, Date: baseDate, Data: diskMail(1)},
		flagged: {Key: flagged, Letters: "FS", Date: baseDate, Data: diskMail(2)},
	}
	got := map[state.Key]File{}
	for _, f := range l.disk.Files(l.T, l.folder) {
		got[f.Key] = f
	}
	equal(l.T, "the files", got, want)
	equal(l.T, "the number of leftovers", l.disk.Leftovers(l.T, l.folder), 0)
	// What Add returned is what a scan sees: the records made of it are a base.
	l.quiet(l.scanOf(l.folder, state.ScanOptions{Stat: true}, recordsOf([]state.LocalMessage{first, second})...))
	equal(l.T, "the content", []state.Content{first.Content, second.Content}, []state.Content{contentOf(Mail(1)), contentOf(Mail(2))})
}

func deliverAbort(l *localRun) {
	d := l.begin()
	for i := range 3 {
		_, err := d.Add(l.NewKey(), incoming(Mail(i), 0))
		ok(l.T, err)
	}
	d.Abort()
	equal(l.T, "the number of files", len(l.disk.Files(l.T, l.folder)), 0)
	equal(l.T, "the number of leftovers", l.disk.Leftovers(l.T, l.folder), 0)
}

func deliverSize(l *localRun) {
	d := l.begin()
	short, long := incoming(Mail(1), 0), incoming(Mail(2), 0)
	short.Size++
	long.Size--
	for name, in := range map[string]state.Incoming{"too short": short, "too long": long} {
		if _, err := d.Add(l.NewKey(), in); err == nil {
			l.Errorf("a body that is %s was added", name)
		}
	}
	good := l.NewKey()
	_, err := d.Add(good, incoming(Mail(3), 0))
	ok(l.T, err)
	ok(l.T, d.Commit())
	equal(l.T, "the file", l.one(l.folder).Key, good)
}

func deliverFails(l *localRun) {
	d := l.begin()
	broken := errors.New("the connection is lost")
	in := incoming(Mail(1), 0)
	in.Body = io.MultiReader(bytes.NewReader(Mail(1)[:20]), iotest.ErrReader(broken))
	if _, err := d.Add(l.NewKey(), in); !errors.Is(err, broken) {
		l.Errorf("add returned %v, want the error of the body", err)
	}
	d.Abort()
	equal(l.T, "the number of files", len(l.disk.Files(l.T, l.folder)), 0)
}

func deliverCollision(l *localRun) {
	l.base("taken")
	before := l.one(l.folder)
	d := l.begin()
	// The flags are those of the file: the whole name is the same.
	_, err := d.Add("taken", incoming(Mail(9), state.Seen))
	if err != nil {
		d.Abort()
	} else if err = d.Commit(); err == nil {
		l.Error("a key that is taken was delivered")
	}
	equal(l.T, "the file that was there", l.one(l.folder), before)
}

func deliverHundred(l *localRun) {
	d := l.begin()
	want := map[state.Key]string{}
	for i := range 100 {
		key := l.NewKey()
		_, err := d.Add(key, incoming(Mail(i), 0))
		ok(l.T, err)
		want[key] = string(diskMail(i))
	}
	ok(l.T, d.Commit())
	got := map[state.Key]string{}
	for _, f := range l.disk.Files(l.T, l.folder) {
		got[f.Key] = string(f.Data)
	}
	equal(l.T, "the files", got, want)
}

func deliverMissing(l *localRun) {
	d, err := l.Deliver(l.Context(), l.absent("Nowhere"))
	if err == nil {
		_, err = d.Add(l.NewKey(), incoming(Mail(1), 0))
		d.Abort()
	}
	wantCause(l.T, err, state.CauseGone)
}

func deliverRoundTrip(l *localRun) {
	const header = "Message-ID: <odd@example.org>\r\n\r\n"
	bodies := oddMails()
	bodies["bare LF"] = []byte(header + "one\ntwo\r\nthree\r\n")
	bodies["bare LF late"] = []byte(header + strings.Repeat("A line of a large message.\r\n", 20_000) + "end\n")
	bodies["bare CR"] = []byte(header + "one\rtwo\r\n")
	bodies["CR at the end"] = []byte(header + "one\r")
	bodies["CR CR LF"] = []byte(header + "one\r\r\ntwo\r\n")
	bodies["only LF"] = []byte("Subject: x\n\none\ntwo\n")
	bodies["NUL bytes"] = []byte(header + "a\x00b\r\n\x00")
	bodies["one byte"] = []byte("x")
	for name, body := range bodies {
		m := l.deliver(incoming(body, state.Seen))
		equal(l.T, name+": the content", m.Content, contentOf(body))
		up, err := l.Open(l.Context(), l.folder, m)
		ok(l.T, err)
		got := l.read(up)
		equal(l.T, name+": the content uploaded", contentOf(got), contentOf(body))
		if int64(len(got)) != up.Size || up.Size != m.Content.WireSize {
			l.Errorf("%s: %d bytes came, %d were announced, %d are known", name, len(got), up.Size, m.Content.WireSize)
		}
		if !bytes.Contains(bytes.ReplaceAll(body, []byte("\r\n"), nil), []byte("\n")) && !bytes.Equal(got, body) {
			l.Errorf("%s: the bytes are not the same", name)
		}
	}
}

// read reads an upload whole.
func (l *localRun) read(up state.Upload) []byte {
	l.Helper()
	r, err := up.Open()
	ok(l.T, err)
	data, err := io.ReadAll(r)
	ok(l.T, err)
	ok(l.T, r.Close())
	return data
}

func discardLeftover(l *localRun) {
	// A process that ends here leaves the file in tmp/.
	key := l.NewKey()
	_, err := l.begin().Add(key, incoming(Mail(1), 0))
	ok(l.T, err)
	equal(l.T, "the number of leftovers", l.disk.Leftovers(l.T, l.folder), 1)
	ok(l.T, l.Discard(l.Context(), l.folder, key))
	equal(l.T, "the number of leftovers", l.disk.Leftovers(l.T, l.folder), 0)
	ok(l.T, l.Discard(l.Context(), l.folder, key))
}

func discardWithoutFolder(l *localRun) {
	// Somebody removed the folder while a delivery was interrupted.
	ok(l.T, l.Discard(l.Context(), l.absent("Gone"), l.NewKey()))
}

func discardDelivered(l *localRun) {
	m := l.deliver(incoming(Mail(1), state.Seen))
	before := l.one(l.folder)
	ok(l.T, l.Discard(l.Context(), l.folder, m.Key))
	equal(l.T, "the file", l.one(l.folder), before)
}

func keepHeld(l *localRun) {
	want := state.Held{Mailbox: work, UID: 7, Flags: state.Answered, Date: baseDate, Reason: "the server expunges it"}
	first, err := l.Keep(l.Context(), want, incoming(Mail(1), state.Answered))
	ok(l.T, err)
	second, err := l.Keep(l.Context(), want, incoming(Mail(2), state.Answered))
	ok(l.T, err)
	if first.Path == "" || first.Path == second.Path {
		l.Errorf("the paths are %q and %q", first.Path, second.Path)
	}
	equal(l.T, "the content", first.Content, contentOf(Mail(1)))
	equal(l.T, "what is known of it", fmt.Sprint(first.Mailbox, first.UID, first.Flags, first.Date, first.Reason),
		fmt.Sprint(want.Mailbox, want.UID, want.Flags, want.Date, want.Reason))
	equal(l.T, "the first file", contentOf(l.disk.Held(l.T, first.Path)), contentOf(Mail(1)))
	equal(l.T, "the second file", contentOf(l.disk.Held(l.T, second.Path)), contentOf(Mail(2)))
	l.quiet(l.scan())
}

func keepSize(l *localRun) {
	short := incoming(Mail(1), 0)
	short.Size++
	if held, err := l.Keep(l.Context(), state.Held{Mailbox: work, UID: 1}, short); err == nil {
		l.Errorf("a body that is too short was kept as %+v", held)
	}
}

func uploadCases() []localCase {
	return []localCase{
		{"open yields what a scan saw", openWhole},
		{"open follows a rename by a reader", openRenamed},
		{"open of an edited file is stale", openEdited},
		{"open of a deleted file is stale", openDeleted},
	}
}

func openWhole(l *localRun) {
	l.user.Put(l.T, l.folder, File{Key: "a", Letters: "DF", Date: baseDate, Data: diskMail(1)})
	m := l.scan().New[0]
	up, err := l.Open(l.Context(), l.folder, m)
	ok(l.T, err)
	equal(l.T, "the upload", fmt.Sprintln(up.Key, up.Flags, up.Date, up.Size), fmt.Sprintln("a", "DF", baseDate, len(Mail(1))))
	equal(l.T, "the bytes", string(l.read(up)), string(Mail(1)))
}

func openRenamed(l *localRun) {
	l.user.Put(l.T, l.folder, File{Key: "a", New: true, Date: baseDate, Data: diskMail(1)})
	m := l.scan().New[0]
	l.user.SetLetters(l.T, l.folder, "a", "S")
	up, err := l.Open(l.Context(), l.folder, m)
	ok(l.T, err)
	equal(l.T, "the bytes", string(l.read(up)), string(Mail(1)))
}

func openEdited(l *localRun) {
	l.base("a")
	m := l.scan().New[0]
	l.user.Edit(l.T, l.folder, "a", diskMail(77))
	_, err := l.Open(l.Context(), l.folder, m)
	wantCause(l.T, err, state.CauseStale)
}

func openDeleted(l *localRun) {
	l.base("a")
	m := l.scan().New[0]
	l.user.Delete(l.T, l.folder, "a")
	_, err := l.Open(l.Context(), l.folder, m)
	wantCause(l.T, err, state.CauseStale)
}
