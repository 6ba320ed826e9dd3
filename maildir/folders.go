package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"mailmoor/state"
)

// lostAndFound is the directory that mkfs makes for fsck, where a tree has a file system
// of its own. Only root can enter it.
const lostAndFound = "lost+found"

// foldersMax bounds the number of folders of an account.
const foldersMax = 100_000

// Folders lists every folder below the root, ordered by path, and the
// directories that it left out or could not be sure of.
func (t *Tree) Folders(ctx context.Context) ([]state.LocalFolder, []state.LeftOut, error) {
	if err := t.checkRoot(); err != nil {
		return nil, nil, err
	}
	w := &folderWalk{t: t, ctx: ctx, markers: map[string]string{}}
	if err := w.directory(t.root, "", 0); err != nil {
		return nil, nil, wrap(state.ScopeAccount, err, "list the folders below %q", t.path)
	}
	slices.SortFunc(w.found, func(a, b state.LocalFolder) int { return strings.Compare(a.Path, b.Path) })
	for _, f := range w.found {
		w.copied(f)
	}
	for i := range w.leftOut {
		var err error
		if w.leftOut[i].Place.Mark, err = t.markOf(ctx, w.leftOut[i].Place); err != nil {
			return nil, nil, wrap(state.ScopeAccount, err, "look at %q", w.leftOut[i].Place.Path)
		}
	}
	return w.found, w.leftOut, nil
}

// folderWalk collects the folders of a tree.
type folderWalk struct {
	t       *Tree
	ctx     context.Context
	found   []state.LocalFolder
	markers map[string]string // marker id -> path
	leftOut []state.LeftOut
}

// leaveOut reports a directory, which is still entered. Without its folders in the
// list, what the state knows of them is suspended, not deleted.
func (w *folderWalk) leaveOut(path string, hint state.Text, format string, args ...any) {
	w.leftOut = append(w.leftOut, state.LeftOut{
		Problem: state.Problem{
			Scope: state.ScopeMailbox, Cause: state.CauseConfig, Weight: state.WeightLasting,
			Subject: path, Text: state.Textf(format, args...), Hint: hint,
		},
		Place: state.StrayPlace{Path: path},
	})
}

// leaveOutAll reports a directory that is left out with all that lies below it.
func (w *folderWalk) leaveOutAll(path string, hint state.Text, format string, args ...any) {
	w.leaveOut(path, hint, format, args...)
	w.leftOut[len(w.leftOut)-1].Place.Deep = true
}

// copied reports two folders with one marker: one is a copy of the other, and
// nothing in them says which.
func (w *folderWalk) copied(f state.LocalFolder) {
	other, twice := w.markers[f.Marker]
	if f.Marker != "" && twice {
		w.leaveOut(f.Path, "remove the file "+markerName+" from the copy", "folders %q and %q carry the same marker: one is a copy", other, f.Path)
	}
	w.markers[f.Marker] = f.Path
}

// directory looks at one directory and all below it.
func (w *folderWalk) directory(d dir, path string, depth int) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	var subs []string
	maildir := map[string]unix.Stat_t{}
	err := d.each(func(name string) error {
		if foreign, err := w.foreign(d, path, name); foreign || err != nil {
			return err
		}
		st, err := d.stat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case linkToDir(d, name, st):
			w.leaveOutAll(join(path, name), "move the directory itself into the tree", "it is a symbolic link and is not followed")
		case st.Mode&unix.S_IFMT != unix.S_IFDIR:
		case reservedName(name):
			maildir[name] = st
		default:
			subs = append(subs, name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	enter, err := w.folder(d, path, maildir)
	if err != nil || !enter {
		return err
	}
	for _, name := range subs {
		if err := w.below(d, join(path, name), name, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// foreign reports whether the entry is none of a tree of this layout, and complains
// if it is a Maildir: with Maildir++ those in the root begin with a dot and hold no
// other. Elsewhere one that begins with a dot is a folder like any other, unless it is
// part of a Maildir++ tree; what else begins so is somebody else's business, with
// all that lies in it.
func (w *folderWalk) foreign(d dir, path, name string) (bool, error) {
	hidden, plus := strings.HasPrefix(name, "."), w.t.o.Layout.plus()
	if belongs := hidden == plus && (!plus || path == ""); belongs || reservedName(name) {
		return false, nil
	}
	if !hasMail(d, name) {
		return true, nil
	}
	switch {
	case !plus:
		if is, err := partOfPlus(d, name); err != nil || !is {
			return false, err
		}
		w.leaveOutAll(join(path, name), "rename it to a name without a dot", "folders of a Maildir++ tree, whose names begin with a dot, are left out with layout = %q", LayoutFS)
	case path == "":
		w.leaveOutAll(name, state.Textf("rename it to %q", "."+name), "folders whose name does not begin with a dot are left out with layout = %q", LayoutPlus)
	default:
		w.leaveOutAll(join(path, name), state.Textf("move it to %q", path+"."+strings.TrimPrefix(name, ".")),
			"folders inside folders are left out with layout = %q", LayoutPlus)
	}
	return true, nil
}

// partOfPlus reports whether the Maildir name in d, which begins with a dot, is one of a
// Maildir++ tree: those lie in the Maildir of their INBOX, or have a file that says
// so. Taken for folders of their own, all of that tree would be uploaded again.
func partOfPlus(d dir, name string) (bool, error) {
	in, err := d.isDir("cur")
	if in || err != nil {
		return in, err
	}
	_, err = d.stat(name + "/" + plusMark)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// hasMail reports whether the directory name looks like a mail folder, or a part of one.
func hasMail(d dir, name string) bool {
	_, err := d.stat(name + "/cur")
	if err != nil {
		_, err = d.stat(name + "/new")
	}
	return err == nil
}

// linkToDir reports whether name is a symbolic link to a directory: somebody may
// believe that the folders behind it are kept in step.
func linkToDir(d dir, name string, st unix.Stat_t) bool {
	if st.Mode&unix.S_IFMT != unix.S_IFLNK {
		return false
	}
	err := unix.Fstatat(d.fd(), name, &st, 0)
	return err == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "/" + name
}

// below enters a subdirectory.
func (w *folderWalk) below(parent dir, path, name string, depth int) error {
	if depth > pathDepthMax || len(path) > pathBytesMax {
		w.leaveOutAll(path, "move it up", "it lies too deep")
		return nil
	}
	d, err := parent.sub(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		defer d.close()
		err = w.directory(d, path, depth)
	}
	if errors.Is(err, fs.ErrPermission) {
		if path == lostAndFound {
			return nil
		}
		w.leaveOutAll(path, "make it readable for the user that runs mailmoor", "%v", err)
		return nil
	}
	return err
}

// folder adds the directory to the list if it is a folder, and reports whether
// what lies below it may be entered.
func (w *folderWalk) folder(d dir, path string, subs map[string]unix.Stat_t) (enter bool, err error) {
	inNew, hasNew := subs["new"]
	inCur, hasCur := subs["cur"]
	if path == "" && !w.t.o.Layout.plus() {
		if hasCur || hasNew {
			w.leaveOut(path, "move cur, new and tmp into a directory INBOX below the root", "mail that lies in the root itself is not synchronised")
		}
		return true, nil
	}
	id, enter, err := w.marker(d, path)
	if err != nil || !enter {
		return false, err
	}
	isFolder := id != "" && path != "" // the root may have been marked a moment ago
	if path == "" {
		path = plusInbox
	}
	if hasCur != hasNew || isFolder && !hasCur {
		w.leaveOut(path, "create what is missing: a folder has the directories cur, new and tmp", "it is only part of a mail folder")
		return true, nil
	}
	if !hasCur {
		return true, nil
	}
	levels, apart, err := w.t.o.Layout.decode(path, w.t.unfit())
	if err != nil {
		w.leaveOut(path, "rename the directory", "%v", err)
		return true, nil
	}
	if len(w.found) == foldersMax {
		return false, fmt.Errorf("there are more than %d folders", foldersMax)
	}
	stamp := state.FolderStamp{New: dirStamp(inNew), Cur: dirStamp(inCur)}
	sameDevice := uint64(inNew.Dev) == w.t.device && uint64(inCur.Dev) == w.t.device
	w.found = append(w.found, state.LocalFolder{
		Path: path, Name: levels, Apart: apart, Foreign: foreignName(levels), Marker: id, Stamp: stamp,
		Settled: w.t.trusted && sameDevice && settled(stamp, w.t.now()),
	})
	return true, nil
}

// marker returns the id in the marker of a directory, "" without one, and reports
// whether the directory may be a folder of this tree. That of the root, which has
// been checked, is also that of an INBOX in it.
func (w *folderWalk) marker(d dir, path string) (id string, enter bool, err error) {
	if path == "" {
		return w.t.o.AccountID, true, nil
	}
	m, err := readMarker(d)
	switch {
	case errors.Is(err, errNoMarker):
		return "", true, nil
	case errors.Is(err, errBadMarker):
		w.leaveOutAll(path, "restore the file "+markerName+" from a backup", "%v", err)
		return "", false, nil
	case err != nil:
		return "", false, err
	case m.kind == kindRoot || m.account != w.t.o.AccountID:
		w.leaveOutAll(path, "move it out of this account's tree", "it is a %s of account %s and is not entered", m.kind, m.account)
		return "", false, nil
	}
	return m.id, true, nil
}
