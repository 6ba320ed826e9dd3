package maildir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"golang.org/x/sys/unix"

	"mailmoor/state"
)

const (
	lettersName    = "dovecot-keywords"
	lettersTmpName = ".mailmoor.keywords"
	// uidlistName is in each folder that a Dovecot serves.
	uidlistName = "dovecot-uidlist"
	// lettersBytesMax bounds a file of letters. What is longer is not ours.
	lettersBytesMax = 64 << 10
)

// tables are the letters of the folders, as far as they were needed in this run.
// There is one table for the account: it is what the files of all folders say
// together, the first folder counting where they differ, and each file that is
// written gets all of it. So a file keeps its letters when a reader moves it.
type tables struct {
	mu      sync.Mutex
	folders map[string]lettering
	account *letters // nil until it is needed
}

// forgetLetters makes the next use of the folder's letters read them again.
func (t *Tree) forgetLetters(path string) {
	t.tables.mu.Lock()
	defer t.tables.mu.Unlock()
	delete(t.tables.folders, path)
}

// meaning returns the folder's letters, complete enough for these letters of a file
// name and for these keywords. With used it also tells which letters the keywords
// would get that have none yet.
func (t *Tree) meaning(ctx context.Context, f *folder, text string, k state.Keywords, used letterSet) (letters, error) {
	t.tables.mu.Lock()
	defer t.tables.mu.Unlock()
	_, all, err := t.assigned(ctx, f, text, k, used)
	return all, err
}

// assigned returns what the folder's file says, and that completed as meaning has it.
// The caller holds t.tables.mu.
func (t *Tree) assigned(
	ctx context.Context, f *folder, text string, k state.Keywords, used letterSet,
) (l lettering, all letters, err error) {
	if l, err = t.lettering(f); err != nil {
		return l, letters{}, err
	}
	if l.owned || l.own.explains(text) && l.own.has(k) {
		return l, l.own, nil
	}
	account, err := t.accountLetters(ctx)
	if err != nil {
		return l, letters{}, err
	}
	return l, l.assign(account, used, k), nil
}

// makeLetters is meaning for keywords that are about to be written into file names:
// their letters are in the folder's file, durably, when it returns.
func (t *Tree) makeLetters(ctx context.Context, f *folder, text string, k state.Keywords) (letters, error) {
	used, err := t.usedLetters(ctx, f)
	if err != nil {
		return letters{}, err
	}
	t.tables.mu.Lock()
	defer t.tables.mu.Unlock()
	l, all, err := t.assigned(ctx, f, text, k, used)
	if err != nil || all == l.own {
		return all, err
	}
	if err := writeLetters(f.base, all); err != nil {
		return letters{}, err
	}
	t.step("maildir: keywords written")
	t.tables.folders[f.path] = lettering{own: all}
	account := *t.tables.account // read, or nothing could have been added
	for n, name := range all {
		if account[n] == "" && account.of(name) < 0 {
			t.tables.account[n] = name
		}
	}
	return all, nil
}

// usedLetters returns the letters in the folder's file names.
func (t *Tree) usedLetters(ctx context.Context, f *folder) (letterSet, error) {
	t.mu.Lock()
	l := t.listings[f.path]
	t.mu.Unlock()
	if l != nil {
		return l.used, nil
	}
	l, err := t.list(ctx, f, orderOnce)
	if err != nil {
		return 0, err
	}
	return l.used, nil
}

// lettering returns what the folder's file says. The caller holds t.tables.mu.
func (t *Tree) lettering(f *folder) (lettering, error) {
	if l, known := t.tables.folders[f.path]; known {
		return l, nil
	}
	l, err := t.readLetters(f.base)
	if err == nil {
		t.tables.folders[f.path] = l
	}
	return l, err
}

// accountLetters returns the account's table. The caller holds t.tables.mu.
func (t *Tree) accountLetters(ctx context.Context) (letters, error) {
	if t.tables.account != nil {
		return *t.tables.account, nil
	}
	folders, _, err := t.Folders(ctx)
	if err != nil {
		return letters{}, err
	}
	var account letters
	for _, folder := range folders {
		base, err := t.openPath(folder.Path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return letters{}, wrap(state.ScopeMailbox, err, "read the keywords of folder %q", folder.Path)
		}
		l, err := t.readLetters(base)
		base.close()
		if err != nil {
			return letters{}, wrap(state.ScopeMailbox, err, "read the keywords of folder %q", folder.Path)
		}
		if !l.owned {
			account = lettering{own: account}.effective(l.own)
		}
	}
	t.tables.account = &account
	return account, nil
}

// readLetters reads the letters of a folder that lies in d. A file that we may not read
// is somebody else's affair, and stops no mail: the letters stand for nothing then. Any
// other failure may be over in the next run, in which letters that stood for nothing
// would look as if a reader had added them.
func (t *Tree) readLetters(d dir) (lettering, error) {
	l, err := lettersIn(d)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.ELOOP) {
		t.o.Log.Warn().Err(err).Msg(string(state.Textf("what the letters in the file names of folder %q stand for cannot be read", d.path())))
		return lettering{owned: true}, nil
	}
	return l, err
}

func lettersIn(d dir) (lettering, error) {
	_, err := d.stat(uidlistName)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return lettering{}, err
	}
	l := lettering{owned: err == nil}
	file, err := d.open(lettersName, unix.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return lettering{}, err
	}
	defer file.Close()
	st, err := fstat(file)
	if err != nil {
		return lettering{}, err
	}
	if !isRegular(st) || st.Size > lettersBytesMax {
		return lettering{owned: true}, nil
	}
	text, err := io.ReadAll(io.LimitReader(file, lettersBytesMax))
	if err != nil {
		return lettering{}, fmt.Errorf("read %s: %w", lettersName, err)
	}
	var whole bool
	l.own, whole = parseLetters(string(text))
	l.owned = l.owned || !whole
	return l, nil
}

// writeLetters puts the letters into the folder that lies in d, durably. Whoever looks
// sees the old file or the new one.
func writeLetters(d dir, l letters) error {
	// What a crash left under the temporary name is ours: the account is locked.
	if err := d.unlink(lettersTmpName); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := d.create(lettersTmpName)
	if err != nil {
		return err
	}
	_, err = file.WriteString(l.text())
	if err = errors.Join(err, syncFile(file), file.Close()); err == nil {
		err = d.fail("rename", lettersTmpName, retry(func() error {
			return unix.Renameat(d.fd(), lettersTmpName, d.fd(), lettersName)
		}))
	}
	if err != nil {
		return errors.Join(err, d.unlink(lettersTmpName))
	}
	return d.sync()
}

// withLetters returns the entry with these letters and those of its own that stand for
// nothing.
func (e entry) withLetters(by Separator, l *letters, k state.Keywords) entry {
	n := parseFileName(e.name)
	to := e
	to.letters = l.letters(k)
	n.others = l.meaningless(n.others) + to.letters
	to.letters = lowerCase(n.others)
	if to.letters != e.letters {
		to.name = string(n.key) + n.info(by, e.flags)
	}
	return to
}

// SetKeywords gives the file the letters of the keywords want and takes those of
// expect from it that are not in want. See engine.LocalChanger.
func (t *Tree) SetKeywords(ctx context.Context, path string, key state.Key, expect, want state.Keywords) (state.LocalMessage, error) {
	if err := t.mayChange(); err != nil {
		return state.LocalMessage{}, err
	}
	doing := state.Textf("set the keywords of %s/%s to %q", path, key, want)
	var k state.Keywords
	m, err := t.renameFile(ctx, path, key, 0, doing, func(f *folder, e entry) (entry, error) {
		k = want
		if e.inNew {
			return e, nil
		}
		l, err := t.makeLetters(ctx, f, e.letters, want)
		if err != nil {
			return e, wrap(state.ScopeMessage, err, "%s", doing)
		}
		k = want.Union(l.keywords(e.letters).Without(expect))
		return e.withLetters(t.separator, &l, k), nil
	})
	if err == nil {
		m.Keywords = k
	}
	return m, err
}

// translated returns the entry as it is when it comes from one folder into another:
// its letters stand for the same keywords there.
func (t *Tree) translated(ctx context.Context, from *folder, e entry, to *folder) (entry, state.Keywords, error) {
	if e.letters == "" {
		return e, "", nil
	}
	there, err := t.meaning(ctx, from, e.letters, "", 0)
	if err != nil {
		return e, "", err
	}
	k := there.keywords(e.letters)
	here, err := t.makeLetters(ctx, to, "", k)
	if err != nil {
		return e, "", err
	}
	n := parseFileName(e.name)
	n.others = here.meaningless(there.meaningless(n.others)) + here.letters(k)
	e.letters = lowerCase(n.others)
	e.name = string(n.key) + n.info(t.separator, e.flags)
	return e, k, nil
}
