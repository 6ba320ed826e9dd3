package maildir

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"mailmoor/state"
)

// absencePassesMax bounds how often a folder that does not come to rest is read
// again before a file that nobody saw counts as missing. Each complete read under
// a storm of renames misses about one file in a thousand.
const absencePassesMax = 4

// recentTime is how long after its last change a file is looked at in every scan, and
// not by its name alone: whoever has just written it may go on. What is older is
// found by the daily look at every file.
const recentTime = 24 * time.Hour

// Scan compares the folder with base. See engine.LocalObserver. When a reader has moved
// files with letters here, it tells other readers what they stand for; nothing else
// is written.
func (t *Tree) Scan(ctx context.Context, path string, base []state.Record, o state.ScanOptions) (state.LocalDelta, error) {
	f, err := t.openFolder(path)
	if err != nil {
		return state.LocalDelta{}, err
	}
	defer f.close()
	s := &scan{t: t, f: f, base: make(map[state.Key]int, len(base)), mailbox: path, tagged: make(map[state.Keywords]bool), seen: make(map[looks]state.Keywords)}
	s.delta = state.LocalDelta{Folder: path, Statted: o.Stat}
	if len(base) > 0 {
		s.mailbox = base[0].Mailbox
	}
	t.forgetLetters(path)
	if s.listing, err = t.list(ctx, f, orderOnce); err != nil {
		return state.LocalDelta{}, wrap(state.ScopeMailbox, err, "scan folder %q", path)
	}
	for _, step := range []func() error{
		func() error { return s.findMissing(ctx, base) },
		func() error { return s.compare(ctx, base, o.Stat) },
		func() error { return s.readNew(ctx) },
		func() error { return s.readOdd(ctx) },
		func() error { return s.explain(ctx) },
	} {
		if err := step(); err != nil {
			return state.LocalDelta{}, wrap(state.ScopeMailbox, err, "scan folder %q", path)
		}
	}
	slices.SortFunc(s.delta.Strays, func(a, b state.Stray) int { return strings.Compare(a.Path, b.Path) })
	s.delta.Count = len(s.listing.files)
	// A folder with problems is looked at again, or they would be forgotten.
	if s.listing.settled && len(s.delta.Problems) == 0 && !s.young {
		s.delta.Stamp = s.listing.stamp
	}
	t.remember(path, s.listing, true) // it belongs to everybody from here on
	return s.delta, nil
}

// scan is one comparison of a folder with its base.
type scan struct {
	t       *Tree
	f       *folder
	mailbox string
	listing *listing
	base    map[state.Key]int // index of the first record with the key
	// tagged are the sets of keywords that files have letters of, seen those of files
	// and records that look alike: there are few of them.
	tagged map[state.Keywords]bool
	seen   map[looks]state.Keywords
	// misnumbered is true when the directory has other inodes for its files than stat.
	misnumbered bool
	// young is true when a file was changed so lately that its next change could
	// leave everything as it is: another scan has to look.
	young bool
	// strayReads is how many strays have been read.
	strayReads int
	delta      state.LocalDelta
}

// problem reports one file; the scan goes on.
func (s *scan) problem(e entry, err error, hint state.Text) {
	cause, weight := state.CauseOther, state.WeightLasting
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EIO) {
		cause = state.CauseDisk
	}
	if errors.Is(err, errLeftover) {
		weight = state.WeightRemark
	}
	s.delta.Problems = append(s.delta.Problems, state.Problem{
		Scope: state.ScopeMessage, Cause: cause, Weight: weight, Mailbox: s.mailbox,
		Subject: s.f.path + "/" + e.path(), Text: plainReason(err), Hint: hint,
	})
}

// plainReason says in words what the system says of a file that is none.
func plainReason(err error) state.Text {
	switch {
	case errors.Is(err, unix.ELOOP), errors.Is(err, unix.EMLINK):
		return "it is a symbolic link and is not followed"
	case errors.Is(err, unix.ENXIO):
		return state.TextOf(errNotRegular)
	}
	return state.TextOf(err)
}

// mendTwins says what to do about two files with one key.
func (s *scan) mendTwins() state.Text {
	return state.Textf("give one of the two files another name in front of the %q", s.t.separator.mark())
}

// findMissing fills delta.Missing with the records whose file is proven absent.
func (s *scan) findMissing(ctx context.Context, base []state.Record) error {
	var missing []state.Record
	for i, r := range base {
		if _, twice := s.base[r.Key]; twice {
			continue // one file that the server shows under two UIDs
		}
		s.base[r.Key] = i
		if _, found := s.listing.files[r.Key]; !found {
			missing = append(missing, r)
		}
	}
	proven := false
	for pass := 0; pass < absencePassesMax && len(missing) > 0; pass++ {
		again, err := s.t.list(ctx, s.f, orderAgain)
		if err != nil {
			return err
		}
		s.listing.used |= again.used
		missing = slices.DeleteFunc(missing, func(r state.Record) bool {
			e, found := again.files[r.Key]
			if found {
				s.listing.files[r.Key] = e
			}
			return found
		})
		if proven = again.proven; proven {
			break
		}
	}
	if proven {
		s.delta.Missing, missing = missing, nil // no look-up can find what is not there
	}
	for _, r := range missing {
		letters, err := s.expected(ctx, r)
		if err != nil {
			return err
		}
		e, found, err := s.t.guess(s.f, r.Key, letters)
		if err != nil {
			return err
		}
		if found {
			s.listing.files[r.Key] = e
			continue
		}
		s.delta.Missing = append(s.delta.Missing, r)
	}
	if len(s.delta.Missing) > 0 {
		return s.t.checkMarked(s.f)
	}
	return nil
}

// compare fills delta.Changed. Without stat only names are compared.
func (s *scan) compare(ctx context.Context, base []state.Record, stat bool) error {
	for i, r := range base {
		e, found := s.listing.files[r.Key]
		switch {
		case !found || s.base[r.Key] != i:
			continue
		case e.ambiguous:
			s.problem(e, errTwins, s.mendTwins())
			continue
		}
		keywords, err := s.keywords(ctx, e, r)
		if err != nil {
			return err
		}
		if !stat && e.flags == r.Flags && keywords.Equal(r.AllKeywords()) && !s.suspect(e, r) {
			continue
		}
		if err := s.compareFile(ctx, r, e, keywords); err != nil {
			return err
		}
	}
	slices.SortFunc(s.delta.Changed, func(a, b state.LocalChange) int { return cmp.Compare(a.Now.Key, b.Now.Key) })
	return nil
}

// suspect reports whether the file may be another one than the record's, or may have
// another content, though its name is the same: two files can change their names, and
// editors write a new file over the old one.
func (s *scan) suspect(e entry, r state.Record) bool {
	other := e.inode != 0 && e.inode != r.Stat.Inode && !s.misnumbered
	return other || s.changedWithin(recentTime, r.Stat.Mtime)
}

// changedWithin reports whether a file with this mtime was changed in the time d before
// now. A clock may be set back by as much; a later mtime is a date that somebody gave
// to the file.
func (s *scan) changedWithin(d time.Duration, mtime int64) bool {
	age := s.t.now().UnixNano() - mtime
	return age < int64(d) && age > -int64(d)
}

// compareFile looks at the file of one record.
func (s *scan) compareFile(ctx context.Context, r state.Record, e entry, keywords state.Keywords) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	st, found, err := s.f.statEntry(e)
	if err != nil {
		return err
	}
	if !found {
		// Renamed since it was listed. The folder's stamp differs from now on, so
		// that the next scan will look at it.
		s.delta.Statted = false
		return nil
	}
	s.misnumbered = s.misnumbered || e.inode != 0 && e.inode != st.Ino && st.Ino == r.Stat.Inode
	s.young = s.young || s.changedWithin(settleTime, st.Mtim.Nano())
	change := state.LocalChange{Base: r, Now: message(e, st)}
	change.Now.Content = r.Content
	if change.Now.Stat != r.Stat {
		change.Now, err = s.f.identify(ctx, e)
		change.Edited = err == nil && change.Now.Content.Digest != r.Content.Digest
		switch {
		case errors.Is(err, fs.ErrNotExist):
			s.delta.Statted = false
			return nil
		case unusable(err):
			s.problem(e, err, "restore the file; nothing is done with this message until then")
			s.delta.Defective = true
			return nil
		case err != nil:
			return err
		}
	}
	change.Now.Keywords = keywords
	if change.Edited || change.Now.Stat != r.Stat || change.Now.Flags != r.Flags || !keywords.Equal(r.AllKeywords()) {
		s.delta.Changed = append(s.delta.Changed, change)
	}
	return nil
}

// readNew fills delta.New with the files that no record knows.
func (s *scan) readNew(ctx context.Context) error {
	var keys []state.Key
	for key := range s.listing.files {
		if _, known := s.base[key]; !known {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		e := s.listing.files[key]
		if e.ambiguous {
			if err := s.stray(ctx, e, errTwins, s.mendTwins()); err != nil {
				return err
			}
			continue
		}
		m, err := s.f.identify(ctx, e)
		switch {
		case errors.Is(err, fs.ErrNotExist), unusable(err):
			if err := s.stray(ctx, e, err, "make it a readable mail file, or move it out of the folder"); err != nil {
				return err
			}
		case err != nil:
			return err
		default:
			s.young = s.young || s.changedWithin(settleTime, m.Stat.Mtime)
			if m.Keywords, err = s.keywords(ctx, e, state.Record{}); err != nil {
				return err
			}
			s.delta.New = append(s.delta.New, m)
		}
	}
	return nil
}

// expected returns the letters that the record's file should have.
func (s *scan) expected(ctx context.Context, r state.Record) (string, error) {
	k := r.AllKeywords()
	if k == "" {
		return "", nil
	}
	l, err := s.t.meaning(ctx, s.f, "", k, s.listing.used)
	return l.letters(k), err
}

// keywords returns those of the file of e, whose record is r: what its letters stand
// for, and of the record's those that have no letter there and so cannot be missing.
func (s *scan) keywords(ctx context.Context, e entry, r state.Record) (state.Keywords, error) {
	all := r.AllKeywords()
	if all == "" && e.letters == "" {
		return "", nil
	}
	as := looks{e.letters, e.inNew, all}
	if k, known := s.seen[as]; known {
		return k, nil
	}
	l, err := s.t.meaning(ctx, s.f, e.letters, all, s.listing.used)
	if err != nil {
		return "", err
	}
	named := l.keywords(e.letters)
	s.tagged[named] = true
	if !e.inNew {
		all = all.Without(l.keywords(l.letters(all)))
	}
	s.seen[as] = all.Union(named)
	return s.seen[as], nil
}

// looks is all that the keywords of a file depend on.
type looks struct {
	letters string
	inNew   bool
	known   state.Keywords
}

// explain makes the folder's own file say what the letters in it stand for, where so far
// only those of other folders do.
func (s *scan) explain(ctx context.Context) error {
	var all state.Keywords
	for k := range s.tagged {
		all = all.Union(k)
	}
	if all == "" || s.t.o.Peek {
		return nil
	}
	if _, err := readMarker(s.f.base); err != nil {
		return nil // a folder that is nobody's, or not what it was, is left as it is
	}
	_, err := s.t.makeLetters(ctx, s.f, "", all)
	return err
}
