package maildir

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"

	"mailmoor/state"
)

// Bounds of what is read of strays. What is beyond them may be any message.
const (
	strayReadsMax = 10_000
	strayBytesMax = 1 << 30
	// strayPlacesMax bounds the directories below one that is left out.
	strayPlacesMax = 10_000
)

// readOdd takes in the entries whose names no message can have.
func (s *scan) readOdd(ctx context.Context) error {
	for _, odd := range s.listing.odd {
		hint := state.Text("rename the file, so that its name does not begin with a dot or a colon, or move it out of the folder")
		if odd.leftover {
			hint = "remove it; if it is mail, give it another name"
		}
		if err := s.stray(ctx, odd.entry, odd.err, hint); err != nil {
			return err
		}
	}
	return nil
}

// stray takes in a file that is not understood, for the reason why.
func (s *scan) stray(ctx context.Context, e entry, why error, hint state.Text) error {
	stray := state.Stray{Path: s.f.path + "/" + e.path(), Leftover: errors.Is(why, errLeftover)}
	if n := parseFileName(e.name); n.key.Check() == nil {
		stray.Key = n.key
	}
	st, found, err := s.f.statEntry(e)
	switch {
	case unusable(err):
	case err != nil:
		return err
	case !found:
		// Gone or renamed since it was listed: the next scan has to look.
		s.young = true
		s.delta.Strays = append(s.delta.Strays, stray)
		return nil
	default:
		stray.Mark, stray.Stat = fileMark(st), fileStat(st)
	}
	s.problem(e, why, hint)
	if s.strayReads++; err == nil && s.strayReads <= strayReadsMax {
		if stray.Content, err = s.f.strayContent(ctx, e); err != nil {
			return err
		}
	}
	s.delta.Strays = append(s.delta.Strays, stray)
	return nil
}

// strayContent reads the file of e, if it can be read.
func (f *folder) strayContent(ctx context.Context, e entry) (state.Content, error) {
	m, err := f.identify(ctx, e)
	switch {
	case errors.Is(err, fs.ErrNotExist), unusable(err):
		return state.Content{}, nil
	}
	return m.Content, err
}

// fileMark returns the mark of a file, which another file, another content and any
// rename make another one.
func fileMark(st unix.Stat_t) string {
	return fmt.Sprintf("%d %d %d %d", st.Ino, st.Size, st.Mtim.Nano(), st.Ctim.Nano())
}

// markOf returns the mark of a place. It is empty when the place cannot be looked at as
// a whole, or when its directories are not of a kind, or not old enough, to prove
// anything.
func (t *Tree) markOf(ctx context.Context, p state.StrayPlace) (string, error) {
	sum, sure := sha256.New(), t.trusted
	err := t.mailBelow(ctx, p, func(path string, d dir) error {
		st, err := fstat(d.f)
		if err != nil {
			return err
		}
		stamp := dirStamp(st)
		sure = sure && uint64(st.Dev) == t.device && settled(state.FolderStamp{New: stamp, Cur: stamp}, t.now())
		_, err = fmt.Fprintf(sum, "%q %d %d %d\n", path, stamp.Inode, stamp.Mtime, stamp.Ctime)
		return err
	})
	if errors.Is(err, fs.ErrPermission) {
		// Who may not even look there has not moved anything there, either: what may
		// change that is the mode, and with it the ctime.
		return t.closedMark(p)
	}
	if err != nil || !sure {
		if errors.Is(err, errPlaces) || errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// closedMark is the mark of a directory that we may not enter.
func (t *Tree) closedMark(p state.StrayPlace) (string, error) {
	parent, name := t.root, p.Path
	if i := strings.LastIndexByte(p.Path, '/'); i >= 0 {
		var err error
		if parent, err = t.openPlace(p.Path[:i]); err != nil {
			return "", nil //nolint:nilerr // without a mark, nothing is concluded
		}
		defer parent.close()
		name = p.Path[i+1:]
	}
	st, err := parent.stat(name)
	if err != nil {
		return "", nil //nolint:nilerr // as above
	}
	return "closed " + fileMark(st), nil
}

// errStrays says that there is more than can be read in one run.
var errStrays = fmt.Errorf("more than %d files or %d bytes lie there", strayReadsMax, strayBytesMax)

// errPlaces says that a place is too large to be looked through.
var errPlaces = fmt.Errorf("more than %d directories lie there", strayPlacesMax)

// openPlace opens a directory of the tree that need not be a folder. Its last level may
// be a symbolic link: it is only looked at.
func (t *Tree) openPlace(path string) (dir, error) {
	d, err := t.root.again()
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if err != nil || part == "" {
			break
		}
		var next dir
		if next, err = d.sub(part); errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
			if i == len(parts)-1 {
				next, err = openRootDir(d.path() + "/" + part)
			}
		}
		d.close()
		d = next
	}
	return d, err
}

// mailBelow calls yield with the directories new and cur of a place, and of all
// directories below it if it is a deep one.
func (t *Tree) mailBelow(ctx context.Context, p state.StrayPlace, yield func(path string, d dir) error) error {
	d, err := t.openPlace(p.Path)
	if err != nil {
		return err
	}
	defer d.close()
	places := 0
	var enter func(d dir, path string, depth int) error
	enter = func(d dir, path string, depth int) error {
		if places++; places > strayPlacesMax || depth > pathDepthMax {
			return errPlaces
		}
		return d.each(func(name string) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			isMail := name == "cur" || name == "new"
			if is, err := d.isDir(name); err != nil || !is || !isMail && !p.Deep {
				return err
			}
			sub, err := d.sub(name)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			defer sub.close()
			if isMail {
				return yield(join(path, name), sub)
			}
			return enter(sub, join(path, name), depth+1)
		})
	}
	return enter(d, p.Path, 0)
}

// Strays reads what lies in the places. See engine.LocalObserver.
func (t *Tree) Strays(ctx context.Context, places []state.StrayPlace) ([]state.Stray, error) {
	r := strayReader{ctx: ctx, files: strayReadsMax, bytes: strayBytesMax}
	for _, p := range places {
		err := t.mailBelow(ctx, p, r.read)
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		// Somebody may know what lies there; we do not.
		r.found = append(r.found, state.Stray{Path: p.Path, Mark: p.Mark})
	}
	return r.found, nil
}

// strayReader reads the files of places, as long as it may.
type strayReader struct {
	ctx   context.Context
	files int
	bytes int64
	found []state.Stray
}

func (r *strayReader) read(path string, d dir) error {
	// Only the directory that files lie in is needed to read them.
	f := &folder{cur: d}
	return d.each(func(name string) error {
		if kindOfName(name) == nameControl {
			return nil
		}
		e := entry{name: name}
		stray := state.Stray{Path: join(path, name)}
		if n := parseFileName(name); n.key.Check() == nil {
			stray.Key = n.key
		}
		st, there, err := f.statEntry(e)
		if err != nil || !there {
			return err
		}
		stray.Mark, stray.Stat = fileMark(st), fileStat(st)
		if r.files, r.bytes = r.files-1, r.bytes-st.Size; r.files < 0 || r.bytes < 0 {
			return errStrays
		}
		if stray.Content, err = f.strayContent(r.ctx, e); err != nil {
			return err
		}
		r.found = append(r.found, stray)
		return nil
	})
}
