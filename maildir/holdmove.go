package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"mailmoor/state"
)

// holdByRename moves the file. If another one took its name since it was checked,
// that one is put back.
func (t *Tree) holdByRename(from dir, name string, want unix.Stat_t, to dir, newName string) (string, error) {
	newName, err := renameFree(from, name, to, newName)
	if err != nil {
		return "", err
	}
	st, err := to.stat(newName)
	if err == nil && fileStat(st) != fileStat(want) {
		err = errors.Join(stale(state.Textf("remove %s", name), "the file was exchanged for another one"), renameNoReplace(to, newName, from, name))
	}
	if err == nil {
		err = t.unsynced.renamed(from, to)
	}
	return newName, err
}

// holdByCopy is for a hold area on another file system: copy, sync, verify, and
// only then remove the file.
func (t *Tree) holdByCopy(ctx context.Context, f *folder, e entry, want state.Content, to dir, name string) (string, error) {
	file, st, err := f.openMessage(e)
	if err != nil {
		return "", err
	}
	defer file.Close()
	key := parseFileName(e.name).key
	tmp := "." + string(key[:min(len(key), heldKeyBytesMax)]) + ".tmp"
	if err := copyVerified(ctx, file, to, tmp, st, want); err != nil {
		return "", err
	}
	name, err = renameFree(to, tmp, to, name)
	if err == nil {
		err = to.sync()
	}
	if err != nil {
		return "", err
	}
	t.step("maildir: file copied to the hold area")
	return name, f.takeAway(e, st)
}

// copyVerified copies an open message to the new file name, durably, and compares
// what arrived with what was expected.
func copyVerified(ctx context.Context, from *os.File, to dir, name string, st unix.Stat_t, want state.Content) (err error) {
	// What a crash left under this name is ours.
	if err := to.unlink(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	out, err := to.create(name)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, out.Close()); err != nil {
			err = errors.Join(err, to.unlink(name))
		}
	}()
	if _, err := out.ReadFrom(contextReader{ctx, from}); err != nil {
		return err
	}
	if err := to.setMtime(name, date(st)); err != nil {
		return err
	}
	if err := syncFile(out); err != nil {
		return err
	}
	if _, err := out.Seek(0, 0); err != nil {
		return err
	}
	content, err := contentOf(ctx, out, st.Size)
	if err == nil && content.Digest != want.Digest {
		err = fmt.Errorf("the copy in the hold area is not equal to the file: %w", errChanging)
	}
	return err
}

// takeAway removes a file that has been copied. It first takes the file out of
// everybody's sight, so that what is unlinked is surely what was copied.
func (f *folder) takeAway(e entry, want unix.Stat_t) error {
	tmp, _, err := ensureDir(f.base, "tmp")
	if err != nil {
		return err
	}
	defer tmp.close()
	from, name := f.sub(e.inNew), string(parseFileName(e.name).key)
	if err := renameNoReplace(from, e.name, tmp, name); err != nil {
		return err
	}
	st, err := tmp.stat(name)
	if err == nil && fileStat(st) != fileStat(want) {
		return errors.Join(stale(state.Textf("remove %s", e.name), "the file was exchanged for another one"), renameNoReplace(tmp, name, from, e.name))
	}
	if err == nil {
		err = tmp.unlink(name)
	}
	if err == nil {
		err = from.sync()
	}
	return err
}
