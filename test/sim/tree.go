package sim

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"mailmoor/state"
)

// TreeOptions describes a tree. The zero value is one on a good file system.
type TreeOptions struct {
	// World is shared with the other fakes of the test; nil gives a new one.
	World *World
	// NeverSettled makes the tree one of a file system whose directory times
	// prove nothing.
	NeverSettled bool
	// FoldsCase makes it one of a file system that does not tell names apart
	// which differ in case only.
	FoldsCase bool
}

// settleSeconds is how old a stamp must be to prove something: a later change
// within the resolution of the file system's clock could leave it as it is.
const settleSeconds = 2

const nanosPerSecond = 1_000_000_000

// Tree is a Maildir tree; it implements engine.LocalTree. Its other methods act
// as the user and his mail readers would. Any number of goroutines may use it.
type Tree struct {
	world *World
	opts  TreeOptions

	mu        sync.Mutex
	folders   map[string]*folder
	unmounted bool
	room      state.Room
	held      map[string]*file
	// keywords are what the letters a, b, c and so on stand for.
	keywords []string
	// ticks makes every time, inode, key and marker a new one.
	ticks int64
	// changed are the effects that the engine had on the tree.
	changed []string
}

type folder struct {
	path   string
	name   []string
	apart  state.LevelSet
	marker string
	stamp  state.FolderStamp
	files  map[state.Key]*file
	tmp    map[state.Key]*file
	// leftOut is true for a folder whose name stands for no mailbox.
	leftOut bool
}

type file struct {
	key state.Key
	// letters is the whole info, our flags and the letters of others.
	letters    string
	inNew      bool
	inode      uint64
	mtime      int64 // nanoseconds
	data       []byte
	unreadable bool
	// odd is true for a file whose name no message can have; its key is only ours.
	odd bool
}

// NewTree returns a mounted tree without folders.
func NewTree(o TreeOptions) *Tree {
	if o.World == nil {
		o.World = NewWorld(0)
	}
	return &Tree{world: o.World, opts: o, folders: map[string]*folder{}, held: map[string]*file{}}
}

// tick returns a number that was never returned before.
func (t *Tree) tick() int64 {
	t.ticks++
	return t.ticks
}

// nanos returns the present time, later than any returned in the same second.
func (t *Tree) nanos() int64 { return t.world.Now()*nanosPerSecond + t.tick() }

// touch gives the folder's directories new times, as any change of an entry
// does. cur/ and new/ are not told apart.
func (t *Tree) touch(f *folder) {
	now := t.nanos()
	f.stamp.New.Mtime, f.stamp.New.Ctime = now, now
	f.stamp.Cur.Mtime, f.stamp.Cur.Ctime = now, now
}

// settled reports whether an equal stamp, read later, proves an unchanged
// folder.
func (t *Tree) settled(s state.FolderStamp) bool {
	newest := max(s.New.Mtime, s.New.Ctime, s.Cur.Mtime, s.Cur.Ctime)
	return !t.opts.NeverSettled && newest+settleSeconds*nanosPerSecond <= t.world.Now()*nanosPerSecond
}

// addFolder makes the folder's directories, without a marker.
func (t *Tree) addFolder(path string) *folder {
	f := &folder{path: path, files: map[state.Key]*file{}, tmp: map[state.Key]*file{}}
	f.name, f.apart = nameOf(path)
	f.stamp.New.Inode, f.stamp.Cur.Inode = uint64(t.tick()), uint64(t.tick())
	t.touch(f)
	t.folders[path] = f
	return f
}

// pathOf returns the path of the folder of a mailbox. Whatever could be taken
// for a separator is escaped, and every byte of the levels in apart.
func pathOf(name []string, apart state.LevelSet) string {
	levels := make([]string, len(name))
	for i, level := range name {
		if levels[i] = url.PathEscape(level); apart.Has(i) {
			levels[i] = escaped(level)
		}
	}
	return strings.Join(levels, "/")
}

func escaped(level string) string {
	var b strings.Builder
	for i := range len(level) {
		fmt.Fprintf(&b, "%%%02X", level[i])
	}
	return b.String()
}

// nameOf is the inverse of pathOf.
func nameOf(path string) (levels []string, apart state.LevelSet) {
	levels = strings.Split(path, "/")
	for i, level := range levels {
		plain, err := url.PathUnescape(level)
		if err != nil {
			continue
		}
		if levels[i] = plain; level != url.PathEscape(plain) && level == escaped(plain) {
			apart = apart.With(i)
		}
	}
	return levels, apart
}

// paths returns the paths of the folders in order.
func (t *Tree) paths() []string {
	paths := make([]string, 0, len(t.folders))
	for path := range t.folders {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}

// keys returns the keys of the files in order.
func keys(files map[state.Key]*file) []state.Key {
	list := make([]state.Key, 0, len(files))
	for key := range files {
		list = append(list, key)
	}
	slices.Sort(list)
	return list
}

// setFlags replaces the six letters of Maildir and keeps those of others. A
// file with flags lies in cur/.
func (f *file) setFlags(flags state.Flags) {
	letters := []byte(flags.String())
	for _, c := range []byte(f.letters) {
		if !strings.ContainsRune(state.AllFlags.String(), rune(c)) {
			letters = append(letters, c)
		}
	}
	slices.Sort(letters)
	f.letters = string(letters)
	f.inNew = f.inNew && f.letters == ""
}

// letter returns the letter of the keyword; "" when there is none left.
func (t *Tree) letter(name string) string {
	n := slices.IndexFunc(t.keywords, func(k string) bool { return strings.EqualFold(k, name) })
	if n < 0 && len(t.keywords) < lettersMax {
		t.keywords, n = append(t.keywords, name), len(t.keywords)
	}
	if n < 0 {
		return ""
	}
	return string(rune('a' + n))
}

// lettersMax is how many keywords can have a letter.
const lettersMax = 26

// tagged returns the keywords of the letters.
func (t *Tree) tagged(f *file) state.Keywords {
	var names []string
	for _, c := range f.letters {
		if n := int(c - 'a'); n >= 0 && n < len(t.keywords) {
			names = append(names, t.keywords[n])
		}
	}
	return state.NewKeywords(names...)
}

// tags returns the keywords of a file whose record is r: those of its letters, and
// those of the record that cannot have letters.
func (t *Tree) tags(f *file, r state.Record) state.Keywords {
	k := t.tagged(f)
	for _, name := range r.AllKeywords().Names() {
		if f.inNew || t.letter(name) == "" {
			k = k.Union(state.NewKeywords(name))
		}
	}
	return k
}

// setKeywords replaces the letters of the keywords expect by those of want.
func (t *Tree) setKeywords(f *file, expect, want state.Keywords) {
	if f.inNew {
		return
	}
	letters := []byte(f.letters)
	for _, name := range expect.Without(want).Names() {
		letters = bytes.ReplaceAll(letters, []byte(t.letter(name)), nil)
	}
	for _, name := range want.Names() {
		if l := t.letter(name); l != "" && !bytes.Contains(letters, []byte(l)) {
			letters = append(letters, l...)
		}
	}
	slices.Sort(letters)
	f.letters = string(letters)
}

func (f *file) flags() state.Flags { return state.ParseFlags(f.letters) }

func (f *file) stat() state.FileStat {
	return state.FileStat{Inode: f.inode, Size: int64(len(f.data)), Mtime: f.mtime}
}

func (f *file) content() state.Content {
	d := state.NewDigester()
	d.Write(f.data) // it never fails
	return d.Sum()
}

// message returns the file as a scan sees it, its content identified.
func (f *file) message() state.LocalMessage {
	return state.LocalMessage{
		Key: f.key, Flags: f.flags(), Stat: f.stat(), Content: f.content(), Date: f.mtime / nanosPerSecond,
	}
}

// is reports whether the file is still the one that stat and content describe.
// A reader that writes a file anew gives it another stat, not another content.
func (f *file) is(stat state.FileStat, content state.Content) bool {
	return f.stat() == stat || f.content().Digest == content.Digest
}

// stored returns the bytes that a message is kept as: with LF line ends where
// that loses nothing.
func stored(wire []byte) []byte {
	plain := bytes.ReplaceAll(wire, []byte("\r\n"), []byte("\n"))
	if bytes.ContainsRune(plain, '\r') || bytes.Count(plain, []byte("\n")) != bytes.Count(wire, []byte("\r\n")) {
		return bytes.Clone(wire)
	}
	return plain
}

// canonical returns the form with CRLF line ends.
func canonical(data []byte) []byte {
	out := make([]byte, 0, len(data)+len(data)/32)
	for i, c := range data {
		if c == '\n' && (i == 0 || data[i-1] != '\r') {
			out = append(out, '\r')
		}
		out = append(out, c)
	}
	return out
}

// step takes a step of the world. What it injects is a failing disk.
func (t *Tree) step(op, subject string, after bool) error {
	err := t.world.step(op, subject, after)
	var e *state.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return err
	case errors.Is(err, ErrKilled):
		return &state.Error{Scope: state.ScopeProcess, Doing: state.Text(op + " " + subject), Err: err}
	}
	return &state.Error{Scope: state.ScopeMailbox, Cause: state.CauseDisk, Doing: state.Text(op + " " + subject), Err: err}
}

// do carries out one operation between its two steps, under the tree's lock.
func (t *Tree) do(op, subject string, act func() error) error {
	if err := t.step(op, subject, false); err != nil {
		return err
	}
	if err := t.locked(op, subject, act); err != nil {
		return err
	}
	return t.step(op, subject, true)
}

func (t *Tree) locked(op, subject string, act func() error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.unmounted {
		return &state.Error{
			Scope: state.ScopeAccount, Cause: state.CauseDisk, Doing: state.Text(op + " " + subject),
			Err: errors.New("the marker of the root is missing"), Hint: "is the file system mounted?",
		}
	}
	return act()
}

// folder returns the folder of the path.
func (t *Tree) folder(path string) (*folder, error) {
	if f := t.folders[path]; f != nil {
		return f, nil
	}
	return nil, &state.Error{
		Scope: state.ScopeMailbox, Cause: state.CauseGone, Doing: state.Textf("look into folder %q", path),
		Err: errors.New("the folder does not exist"),
	}
}

// log notes an effect of the engine.
func (t *Tree) log(format string, args ...any) {
	t.changed = append(t.changed, fmt.Sprintf(format, args...))
}
