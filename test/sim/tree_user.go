package sim

import (
	"bytes"
	"fmt"
	"slices"

	"mailmoor/state"
)

// What the user, his mail readers and the system do to the tree, and what a
// test looks at. None of it takes a step. A folder or file that does not exist
// is a mistake in the test and panics.

// File is a message file as it lies in a folder.
type File struct {
	Key state.Key
	// Letters are those after ":2,", our flags and others.
	Letters string
	// New is true for a file in new/.
	New   bool
	Inode uint64
	Date  int64 // mtime, Unix seconds
	Data  []byte
}

// must returns the folder.
func (t *Tree) must(path string) *folder {
	f := t.folders[path]
	if f == nil {
		panic(fmt.Sprintf("the test uses folder %q, which does not exist", path))
	}
	return f
}

// must returns the file.
func (f *folder) must(key state.Key) *file {
	file := f.files[key]
	if file == nil {
		panic(fmt.Sprintf("the test uses file %q of folder %q, which does not exist", key, f.path))
	}
	return file
}

// AddFolder makes a folder without a marker, as a mail reader does.
func (t *Tree) AddFolder(path string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.folders[path] == nil {
		t.addFolder(path)
	}
}

// PutFile puts a file into the folder and returns its key, a new one where f
// has none. The time is now where f has none; the inode is always a new one.
func (t *Tree) PutFile(path string, f File) state.Key {
	t.mu.Lock()
	defer t.mu.Unlock()
	into := t.must(path)
	if f.Key == "" {
		f.Key = t.newKey()
	}
	mtime := f.Date * nanosPerSecond
	if mtime == 0 {
		mtime = t.nanos()
	}
	into.files[f.Key] = &file{
		key: f.Key, letters: f.Letters, inNew: f.New, inode: uint64(t.tick()), mtime: mtime, data: bytes.Clone(f.Data),
	}
	t.touch(into)
	return f.Key
}

// SetLetters gives the file exactly these letters and puts it into cur/.
func (t *Tree) SetLetters(path string, key state.Key, letters string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.must(path)
	file := f.must(key)
	file.letters, file.inNew = letters, false
	t.touch(f)
}

// Letter returns the letter that the keyword has in file names, which it gets if it has
// none yet.
func (t *Tree) Letter(keyword string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.letter(keyword)
}

// KeywordsOf returns the keywords that the letters of a file stand for.
func (t *Tree) KeywordsOf(f File) state.Keywords {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tagged(&file{letters: f.Letters})
}

// MoveOptions says how a reader moves a file.
type MoveOptions struct {
	// FreshKey gives it another name, as mutt does.
	FreshKey bool
	// FreshInode copies it and deletes the old one.
	FreshInode bool
}

// MoveFile moves the file to another folder and returns its key there.
func (t *Tree) MoveFile(path string, key state.Key, dest string, o MoveOptions) state.Key {
	t.mu.Lock()
	defer t.mu.Unlock()
	from, to := t.must(path), t.must(dest)
	file := from.must(key)
	delete(from.files, key)
	if o.FreshKey {
		file.key = t.newKey()
	}
	if o.FreshInode {
		file.inode, file.mtime = uint64(t.tick()), t.nanos()
	}
	to.files[file.key] = file
	t.touch(from)
	t.touch(to)
	return file.key
}

// CopyFile copies the file to another folder, under a new key, and returns it.
func (t *Tree) CopyFile(path string, key state.Key, dest string) state.Key {
	t.mu.Lock()
	f := *t.must(path).must(key)
	t.mu.Unlock()
	return t.PutFile(dest, File{Letters: f.letters, Data: f.data})
}

// DeleteFile removes the file for good.
func (t *Tree) DeleteFile(path string, key state.Key) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.must(path)
	f.must(key)
	delete(f.files, key)
	t.touch(f)
}

// EditFile replaces the content in place: key and inode stay, and so do the
// directory's times.
func (t *Tree) EditFile(path string, key state.Key, data []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	file := t.must(path).must(key)
	file.data, file.mtime = bytes.Clone(data), t.nanos()
}

// SetUnreadable makes the file one that cannot be read, or readable again.
func (t *Tree) SetUnreadable(path string, key state.Key, unreadable bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.must(path).must(key).unreadable = unreadable
}

// Misname gives the file a name that no message can have, or its own again.
func (t *Tree) Misname(path string, key state.Key, odd bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.must(path)
	f.must(key).odd = odd
	t.touch(f)
}

// LeaveOut makes the folder one whose name stands for no mailbox, or one like any other.
func (t *Tree) LeaveOut(path string, leftOut bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.must(path).leftOut = leftOut
}

// RenameFolder gives the folder another path; its marker and its files come along.
func (t *Tree) RenameFolder(path, to string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.must(path)
	delete(t.folders, path)
	f.path = to
	f.name, f.apart = nameOf(to)
	t.folders[to] = f
}

// RemoveFolder removes the folder with everything in it.
func (t *Tree) RemoveFolder(path string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.must(path)
	delete(t.folders, path)
}

// EmptyFolder removes all messages of the folder; its marker stays.
func (t *Tree) EmptyFolder(path string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.must(path)
	f.files = map[state.Key]*file{}
	t.touch(f)
}

// RemoveMarker removes the folder's marker.
func (t *Tree) RemoveMarker(path string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.must(path).marker = ""
}

// SetMounted takes the file system with the root away, or puts it back.
func (t *Tree) SetMounted(mounted bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unmounted = !mounted
}

// Paths returns the paths of all folders in order.
func (t *Tree) Paths() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.paths()
}

// Files returns copies of the folder's files, ordered by key.
func (t *Tree) Files(path string) []File {
	t.mu.Lock()
	defer t.mu.Unlock()
	return list(t.must(path).files)
}

// Leftovers returns what lies in the folder's tmp/, ordered by key.
func (t *Tree) Leftovers(path string) []File {
	t.mu.Lock()
	defer t.mu.Unlock()
	return list(t.must(path).tmp)
}

func list(files map[state.Key]*file) []File {
	var all []File
	for _, key := range keys(files) {
		all = append(all, files[key].export())
	}
	return all
}

func (f *file) export() File {
	return File{
		Key: f.key, Letters: f.letters, New: f.inNew, Inode: f.inode, Date: f.mtime / nanosPerSecond, Data: bytes.Clone(f.data),
	}
}

// Held returns the paths of the hold area in order.
func (t *Tree) Held() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	paths := make([]string, 0, len(t.held))
	for path := range t.held {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}

// HeldFile returns a file of the hold area.
func (t *Tree) HeldFile(path string) (File, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.held[path]
	if f == nil {
		return File{}, false
	}
	return f.export(), true
}

// Changes returns the effects that the engine had on the tree so far, in order.
// A run that has nothing to do adds none.
func (t *Tree) Changes() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.changed)
}
