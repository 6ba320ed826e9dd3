package conformance

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"mailmoor/engine"
	"mailmoor/state"
)

// File is a message file as a mail reader sees it.
type File struct {
	Key state.Key
	// Letters are those after ":2,".
	Letters string
	// New is true for a file in new/.
	New  bool
	Date int64 // mtime, Unix seconds
	Data []byte
}

// User is the user with his mail readers, independent of the code under test.
// The methods end the test when they cannot do their work.
type User interface {
	// Put writes a file that did not exist.
	Put(t *testing.T, folder string, f File)
	// SetLetters renames the file into cur/ with these letters.
	SetLetters(t *testing.T, folder string, key state.Key, letters string)
	// Edit replaces the content in place.
	Edit(t *testing.T, folder string, key state.Key, data []byte)
	// Delete removes the file.
	Delete(t *testing.T, folder string, key state.Key)
	// AddFolder makes the folder of a mailbox, without a marker, and returns its
	// path.
	AddFolder(t *testing.T, name string) (path string)
}

// Disk is what the tree lies on.
type Disk interface {
	// Files returns the files of new/ and cur/ ordered by key.
	Files(t *testing.T, folder string) []File
	// Leftovers returns the number of files in tmp/.
	Leftovers(t *testing.T, folder string) int
	// Held returns the content of a file in the hold area.
	Held(t *testing.T, path string) []byte
	// Keywords returns what letters in the folder's file names stand for.
	Keywords(t *testing.T, folder, letters string) state.Keywords
	// Unmount takes the content of the root away, its marker included.
	Unmount(t *testing.T)
}

// LocalFixture is a tree without folders.
type LocalFixture struct {
	Tree engine.LocalTree
	User User
	Disk Disk
}

// localCase is one subtest of the suite.
type localCase struct {
	name string
	run  func(l *localRun)
}

// Local runs the suite of engine.LocalTree; open is called for each subtest.
func Local(t *testing.T, open func(t *testing.T) LocalFixture) {
	for _, c := range slices.Concat(folderCases(), scanCases(), deliverCases(), uploadCases(), changeCases(), letterCases()) {
		t.Run(c.name, func(t *testing.T) {
			f := open(t)
			l := &localRun{T: t, LocalTree: f.Tree, user: f.User, disk: f.Disk}
			folder, err := l.CreateFolder(t.Context(), []string{work}, 0)
			ok(t, err)
			l.folder = folder.Path
			c.run(l)
		})
	}
}

// localRun is one subtest that runs, on a tree with one empty folder.
type localRun struct {
	*testing.T
	engine.LocalTree
	user   User
	disk   Disk
	folder string
}

// diskMail returns a message as it lies on the disk, with LF line ends.
func diskMail(number int) []byte { return bytes.ReplaceAll(Mail(number), []byte("\r\n"), []byte("\n")) }

// scanOf scans a folder against the base.
func (l *localRun) scanOf(folder string, o state.ScanOptions, base ...state.Record) state.LocalDelta {
	l.Helper()
	d, err := l.Scan(l.Context(), folder, base, o)
	ok(l.T, err)
	ok(l.T, d.Check())
	if d.Folder != folder {
		l.Errorf("the delta is of folder %q", d.Folder)
	}
	return d
}

// scan scans the folder by names only.
func (l *localRun) scan(base ...state.Record) state.LocalDelta {
	l.Helper()
	return l.scanOf(l.folder, state.ScanOptions{}, base...)
}

// base puts files with the keys into cur/ and returns their records, by key.
func (l *localRun) base(keys ...state.Key) []state.Record {
	l.Helper()
	for i, key := range keys {
		l.user.Put(l.T, l.folder, File{Key: key, Letters: "S", Date: baseDate, Data: diskMail(i)})
	}
	return recordsOf(l.scan().New)
}

// recordsOf returns the records of messages that have been paired.
func recordsOf(messages []state.LocalMessage) []state.Record {
	records := make([]state.Record, len(messages))
	for i, m := range messages {
		records[i] = state.Record{
			Mailbox: work, UID: state.UID(i + 1), Key: m.Key, State: state.Paired, Flags: m.Flags, Stat: m.Stat,
			Content: m.Content, Remote: state.RemoteIdentity{Date: baseDate},
		}
	}
	return records
}

// quiet fails the test when the delta shows anything.
func (l *localRun) quiet(d state.LocalDelta) {
	l.Helper()
	if len(d.New)+len(d.Changed)+len(d.Missing)+len(d.Problems) > 0 {
		l.Errorf("the delta is %+v, want nothing in it", d)
	}
}

// one returns the only file of the folder.
func (l *localRun) one(folder string) File {
	l.Helper()
	files := l.disk.Files(l.T, folder)
	if len(files) != 1 {
		l.Fatalf("folder %q holds %d files, want one", folder, len(files))
	}
	return files[0]
}

// another creates a second folder.
func (l *localRun) another(name ...string) string {
	l.Helper()
	f, err := l.CreateFolder(l.Context(), name, 0)
	ok(l.T, err)
	return f.Path
}

// absent returns the path that the folder of a mailbox of one level would have.
func (l *localRun) absent(name string) string { return strings.Replace(l.folder, work, name, 1) }

// incoming returns a message as the server sends it.
func incoming(body []byte, flags state.Flags) state.Incoming {
	return state.Incoming{UID: 1, Flags: flags, Date: baseDate, Size: int64(len(body)), Body: bytes.NewReader(body)}
}
