package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"mailmoor/state"
)

// NewKey implements engine.LocalTransfer.
func (t *Tree) NewKey() state.Key {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.newKey()
}

func (t *Tree) newKey() state.Key {
	return state.Key(fmt.Sprintf("%d.%d_sim.example", t.world.Now(), t.tick()))
}

// Deliver implements engine.LocalTransfer.
func (t *Tree) Deliver(ctx context.Context, path string) (state.Delivery, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("deliver into folder %q: %w", path, err)
	}
	err := t.do("local.deliver", path, func() error {
		_, err := t.folder(path)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &delivery{tree: t, path: path}, nil
}

// delivery implements state.Delivery. One goroutine uses it.
type delivery struct {
	tree  *Tree
	path  string
	added []state.Key
	ended bool
}

var errEnded = errors.New("the delivery has ended")

// Add writes one message to tmp/.
func (d *delivery) Add(key state.Key, in state.Incoming) (m state.LocalMessage, err error) {
	doing := fmt.Sprintf("deliver UID %d into folder %q", in.UID, d.path)
	fail := func(err error) error {
		return &state.Error{Scope: state.ScopeMessage, Cause: state.CauseOf(err), Doing: state.Text(doing), Err: err}
	}
	if d.ended {
		return m, fail(errEnded)
	}
	if err := key.Check(); err != nil {
		return m, fail(err)
	}
	data, err := readBody(in)
	if err != nil {
		return m, fail(err)
	}
	err = d.tree.do("local.add", string(key), func() error {
		f, err := d.tree.folder(d.path)
		if err != nil {
			return err
		}
		if f.tmp[key] != nil {
			return fail(fmt.Errorf("tmp/%s exists", key))
		}
		file := d.tree.newFile(key, in, data)
		f.tmp[key] = file
		m = file.message()
		m.Keywords = in.Keywords
		d.added = append(d.added, key)
		return nil
	})
	return m, err
}

// readBody reads the whole body and compares its size with the announced one.
func readBody(in state.Incoming) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(in.Body, in.Size+1))
	if err != nil {
		return nil, fmt.Errorf("read the body: %w", err)
	}
	if int64(len(data)) != in.Size {
		return nil, fmt.Errorf("the body has not the announced %d bytes", in.Size)
	}
	return data, nil
}

// newFile returns the file of an incoming message. Without flags it belongs
// into new/.
func (t *Tree) newFile(key state.Key, in state.Incoming, wire []byte) *file {
	f := &file{key: key, inNew: true, inode: uint64(t.tick()), data: stored(wire)}
	f.setFlags(in.Flags)
	t.setKeywords(f, "", in.Keywords)
	date := in.Date
	if date == 0 {
		date = t.world.Now()
	}
	f.mtime = date * nanosPerSecond
	return f
}

// Commit renames the messages, one step each, so that a crash can leave the
// batch half visible, as a power failure can.
func (d *delivery) Commit() error {
	if d.ended {
		return &state.Error{Scope: state.ScopeMailbox, Doing: state.Textf("commit to folder %q", d.path), Err: errEnded}
	}
	d.ended = true
	for _, key := range d.added {
		err := d.tree.do("local.commit", d.path+"/"+string(key), func() error { return d.tree.reveal(d.path, key) })
		if err != nil {
			return err
		}
	}
	return nil
}

// reveal moves a file out of tmp/ without replacing any other.
func (t *Tree) reveal(path string, key state.Key) error {
	f, err := t.folder(path)
	if err != nil {
		return err
	}
	doing := fmt.Sprintf("commit %s to folder %q", key, path)
	switch {
	case f.tmp[key] == nil:
		return &state.Error{Scope: state.ScopeMailbox, Cause: state.CauseStale, Doing: state.Text(doing), Err: errors.New("the file vanished from tmp/")}
	case f.files[key] != nil:
		return &state.Error{Scope: state.ScopeMailbox, Cause: state.CauseStale, Doing: state.Text(doing), Err: errors.New("the key is taken")}
	}
	f.files[key] = f.tmp[key]
	delete(f.tmp, key)
	t.touch(f)
	t.log("deliver %s/%s", path, key)
	return nil
}

// Abort removes what is still in tmp/.
func (d *delivery) Abort() {
	if d.ended {
		return
	}
	d.ended = true
	for _, key := range d.added {
		// A failure leaves the file where it is: Discard is for those.
		_ = d.tree.Discard(context.Background(), d.path, key)
	}
}

// Discard implements engine.LocalTransfer.
func (t *Tree) Discard(_ context.Context, path string, key state.Key) error {
	return t.do("local.discard", string(key), func() error {
		if f := t.folders[path]; f != nil {
			delete(f.tmp, key)
		}
		return nil
	})
}

// Open implements engine.LocalTransfer.
func (t *Tree) Open(ctx context.Context, path string, m state.LocalMessage) (state.Upload, error) {
	if err := ctx.Err(); err != nil {
		return state.Upload{}, fmt.Errorf("open %s in folder %q: %w", m.Key, path, err)
	}
	var wire []byte
	err := t.do("local.open", path+"/"+string(m.Key), func() error {
		f, err := t.same(path, m.Key, m.Stat, m.Content)
		if err != nil {
			return err
		}
		wire = canonical(f.data)
		return nil
	})
	if err != nil {
		return state.Upload{}, err
	}
	return state.Upload{
		Key: m.Key, Flags: m.Flags, Date: m.Date, Size: int64(len(wire)),
		Open: func() (io.ReadCloser, error) {
			if err := t.step("local.read", path+"/"+string(m.Key), false); err != nil {
				return nil, err
			}
			return io.NopCloser(bytes.NewReader(wire)), nil
		},
	}, nil
}

// same returns the file when it is still the one described, else CauseStale.
func (t *Tree) same(path string, key state.Key, stat state.FileStat, content state.Content) (*file, error) {
	f, err := t.folder(path)
	if err != nil {
		return nil, err
	}
	file := f.files[key]
	if file == nil {
		return nil, stale(path, key, "the file is not there any more")
	}
	if !file.is(stat, content) {
		return nil, stale(path, key, "the file is another one now")
	}
	return file, nil
}

func stale(path string, key state.Key, reason string) error {
	return &state.Error{
		Scope: state.ScopeMessage, Cause: state.CauseStale, Doing: state.Textf("use %s in folder %q", key, path),
		Err: errors.New(reason),
	}
}

// Keep implements engine.LocalTransfer.
func (t *Tree) Keep(ctx context.Context, held state.Held, in state.Incoming) (state.Held, error) {
	doing := fmt.Sprintf("keep UID %d of mailbox %q", in.UID, held.Mailbox)
	if err := ctx.Err(); err != nil {
		return state.Held{}, fmt.Errorf("%s: %w", doing, err)
	}
	data, err := readBody(in)
	if err != nil {
		return state.Held{}, &state.Error{Scope: state.ScopeMessage, Cause: state.CauseOf(err), Doing: state.Text(doing), Err: err}
	}
	err = t.do("local.keep", held.Mailbox, func() error {
		if held.Key == "" {
			held.Key = t.newKey()
		}
		f := t.newFile(held.Key, in, data)
		held.Content = f.content()
		t.hold(&held, f)
		return nil
	})
	if err != nil {
		return state.Held{}, err
	}
	return held, nil
}

// hold puts the file into the hold area under a path that none had before.
func (t *Tree) hold(held *state.Held, f *file) {
	held.Path = fmt.Sprintf("%d/%s", t.tick(), f.key)
	held.Removed = t.world.Now()
	t.held[held.Path] = f
	t.log("hold %s", held.Path)
}
