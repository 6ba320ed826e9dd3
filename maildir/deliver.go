package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"mailmoor/state"
)

const (
	// syncEachMax is the largest batch of which each file is synced by itself;
	// beyond it one sync of the whole file system is cheaper.
	syncEachMax = 16
	// syncSlowAfter is how long a sync of the file system may take before other
	// programs' data is taken to be the reason.
	syncSlowAfter = 500 * time.Millisecond
	// batchMax bounds the messages of one delivery.
	batchMax = 10_000
)

// delivery writes messages to tmp/ and makes them visible together:
// written, durable, renamed, and the rename durable, in this order.
type delivery struct {
	t   *Tree
	ctx context.Context
	f   *folder
	tmp dir
	// fileSystem was opened before the first write, so that syncing it reports
	// every error since then.
	fileSystem dir
	added      []added
}

// added is a message in tmp/ under its key.
type added struct {
	key  state.Key
	to   entry
	file *os.File // open as long as the batch is small, else nil
}

// Deliver begins a batch of messages for the folder.
func (t *Tree) Deliver(ctx context.Context, path string) (state.Delivery, error) {
	if err := t.mayChange(); err != nil {
		return nil, err
	}
	f, err := t.openFolder(path)
	if err != nil {
		return nil, err
	}
	d := &delivery{t: t, ctx: ctx, f: f}
	if d.tmp, _, err = ensureDir(f.base, "tmp"); err == nil {
		d.fileSystem, err = d.tmp.again()
	}
	if err != nil {
		d.close()
		return nil, wrap(state.ScopeMailbox, err, "deliver to folder %q", path)
	}
	return d, nil
}

func (d *delivery) close() {
	for _, a := range d.added {
		if a.file != nil {
			_ = a.file.Close() // synced, or thrown away
		}
	}
	d.fileSystem.close()
	d.tmp.close()
	d.f.close()
}

// Add writes one message to tmp/.
func (d *delivery) Add(key state.Key, in state.Incoming) (state.LocalMessage, error) {
	m, err := d.add(key, in)
	return m, wrap(state.ScopeMessage, err, "write message UID %d to folder %q", in.UID, d.f.path)
}

func (d *delivery) add(key state.Key, in state.Incoming) (state.LocalMessage, error) {
	if err := key.Check(); err != nil {
		return state.LocalMessage{}, err
	}
	if len(d.added) == batchMax {
		return state.LocalMessage{}, fmt.Errorf("a batch has at most %d messages", batchMax)
	}
	file, m, err := writeMessage(d.ctx, d.tmp, string(key), in)
	if err != nil {
		return state.LocalMessage{}, err
	}
	m.Key, m.Keywords = key, in.Keywords
	to := entry{name: string(key), flags: in.Flags, planned: in.Flags, inNew: in.Flags == 0}
	if !to.inNew {
		to.name += d.t.separator.mark() + in.Flags.String()
	}
	if !to.inNew && in.Keywords != "" {
		l, err := d.t.makeLetters(d.ctx, d.f, "", in.Keywords)
		if err != nil {
			return m, errors.Join(err, file.Close(), d.tmp.unlink(string(key)))
		}
		to = to.withLetters(d.t.separator, &l, in.Keywords)
	}
	d.added = append(d.added, added{key: key, to: to, file: file})
	if len(d.added) > syncEachMax {
		err = d.closeFiles()
	}
	d.t.step("maildir: tmp file written")
	return m, err
}

// closeFiles closes the files of a batch that became large.
func (d *delivery) closeFiles() error {
	var errs []error
	for i, a := range d.added {
		if a.file != nil {
			errs = append(errs, a.file.Close())
			d.added[i].file = nil
		}
	}
	return errors.Join(errs...)
}

// Commit makes the messages durable and visible.
func (d *delivery) Commit() error {
	defer d.close()
	if len(d.added) == 0 {
		return nil
	}
	err := d.ctx.Err()
	if err == nil {
		err = d.syncFiles()
	}
	if err != nil {
		d.discard(d.added)
		return wrap(state.ScopeMailbox, err, "make %s in folder %q durable", state.Count(len(d.added), "message"), d.f.path)
	}
	d.t.step("maildir: files synced")
	for i, a := range d.added {
		if err := renameNoReplace(d.tmp, string(a.key), d.f.sub(a.to.inNew), a.to.name); err != nil {
			d.discard(d.added[i:])
			return wrap(state.ScopeMailbox, err, "deliver %s to folder %q", a.key, d.f.path)
		}
		d.t.moved(d.f, a.key, &a.to, false)
		d.t.step("maildir: file renamed")
	}
	for _, inNew := range []bool{true, false} {
		if err := d.syncDir(inNew); err != nil {
			return wrap(state.ScopeMailbox, err, "make the delivery to folder %q durable", d.f.path)
		}
	}
	d.t.step("maildir: folder synced")
	return nil
}

// syncDir syncs new/ or cur/ if the batch put something there.
func (d *delivery) syncDir(inNew bool) error {
	for _, a := range d.added {
		if a.to.inNew == inNew {
			return d.f.sub(inNew).sync()
		}
	}
	return nil
}

// Abort removes what Add wrote.
func (d *delivery) Abort() {
	d.discard(d.added)
	d.close()
}

func (d *delivery) discard(batch []added) {
	for _, a := range batch {
		if err := d.tmp.unlink(string(a.key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			d.t.o.Log.Warn().Err(err).Msg("an unfinished message stays in tmp/")
		}
	}
}

// syncFiles makes the content of the batch durable.
func (d *delivery) syncFiles() error {
	if len(d.added) > syncEachMax && !d.t.slowSync.Load() {
		begin := time.Now()
		err := syncFileSystem(d.fileSystem.f)
		if err != nil || time.Since(begin) > syncSlowAfter {
			d.t.slowSync.Store(true)
		}
		if err == nil {
			return nil
		}
		d.t.o.Log.Debug().Err(err).Msg("the file system cannot be synced as a whole")
	}
	var group errgroup.Group
	group.SetLimit(syncEachMax)
	for _, a := range d.added {
		group.Go(func() error {
			if a.file != nil {
				return syncFile(a.file)
			}
			file, err := d.tmp.open(string(a.key), unix.O_RDONLY)
			if err != nil {
				return err
			}
			return errors.Join(syncFile(file), file.Close())
		})
	}
	return group.Wait()
}

// Discard removes what an interrupted delivery of the key left behind in tmp/.
func (t *Tree) Discard(ctx context.Context, path string, key state.Key) error {
	err := errors.Join(ctx.Err(), key.Check(), t.mayChange())
	if err != nil {
		return err
	}
	base, err := t.openPath(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it has gone with its folder
	}
	if err != nil {
		return wrap(state.ScopeMailbox, err, "open folder %q", path)
	}
	defer base.close()
	tmp, err := base.sub("tmp")
	if err == nil {
		defer tmp.close()
		err = tmp.unlink(string(key))
	}
	if err == nil {
		t.step("maildir: tmp file removed")
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return wrap(state.ScopeMessage, err, "remove tmp/%s of folder %q", key, path)
}
