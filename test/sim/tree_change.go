package sim

import (
	"context"
	"errors"
	"fmt"

	"mailmoor/state"
)

// CreateFolder implements engine.LocalMaker.
func (t *Tree) CreateFolder(ctx context.Context, name []string, apart state.LevelSet) (created state.LocalFolder, err error) {
	doing := fmt.Sprintf("create the folder of %q", name)
	if err := ctx.Err(); err != nil {
		return created, fmt.Errorf("%s: %w", doing, err)
	}
	if len(name) == 0 {
		return created, &state.Error{Scope: state.ScopeMailbox, Doing: state.Text(doing), Err: errors.New("it has no name")}
	}
	return t.make(doing, pathOf(name, apart))
}

// MarkFolder implements engine.LocalMaker.
func (t *Tree) MarkFolder(ctx context.Context, path string) (state.LocalFolder, error) {
	doing := fmt.Sprintf("mark folder %q", path)
	if err := ctx.Err(); err != nil {
		return state.LocalFolder{}, fmt.Errorf("%s: %w", doing, err)
	}
	return t.make(doing, path)
}

// make creates what is missing of the folder, its marker included.
func (t *Tree) make(doing, path string) (created state.LocalFolder, err error) {
	err = t.do("local.create", path, func() error {
		f := t.folders[path]
		if other := t.twin(path); other != "" {
			return &state.Error{
				Scope: state.ScopeMailbox, Cause: state.CauseConfig, Doing: state.Text(doing),
				Err: fmt.Errorf("the file system takes it for folder %q", other),
			}
		}
		if f == nil {
			f = t.addFolder(path)
		}
		if f.marker == "" {
			f.marker = fmt.Sprintf("marker-%d", t.tick())
			t.log("create %s", path)
		}
		created = t.local(f)
		return nil
	})
	if err != nil {
		return state.LocalFolder{}, err
	}
	return created, nil
}

// SetFlags implements engine.LocalChanger.
func (t *Tree) SetFlags(ctx context.Context, path string, key state.Key, expect, want state.Flags) (m state.LocalMessage, err error) {
	if err := ctx.Err(); err != nil {
		return m, fmt.Errorf("set flags of %s in folder %q: %w", key, path, err)
	}
	err = t.do("local.flags", path+"/"+string(key), func() error {
		f, err := t.folder(path)
		if err != nil {
			return err
		}
		file := f.files[key]
		switch {
		case file == nil:
			return stale(path, key, "the file is not there any more")
		case file.flags() != expect:
			return stale(path, key, fmt.Sprintf("its flags are %q, not %q", file.flags(), expect))
		}
		if want != expect {
			file.setFlags(want)
			t.touch(f)
			t.log("flags %q of %s/%s", want, path, key)
		}
		m = file.message()
		return nil
	})
	if err != nil {
		return state.LocalMessage{}, err
	}
	return m, nil
}

// SetKeywords implements engine.LocalChanger.
func (t *Tree) SetKeywords(ctx context.Context, path string, key state.Key, expect, want state.Keywords) (m state.LocalMessage, err error) {
	if err := ctx.Err(); err != nil {
		return m, fmt.Errorf("set keywords of %s in folder %q: %w", key, path, err)
	}
	err = t.do("local.keywords", path+"/"+string(key), func() error {
		f, err := t.folder(path)
		if err != nil {
			return err
		}
		file := f.files[key]
		if file == nil {
			return stale(path, key, "the file is not there any more")
		}
		before, added := file.letters, t.tagged(file).Without(expect)
		if t.setKeywords(file, expect, want); file.letters != before {
			t.touch(f)
			t.log("keywords %q of %s/%s", want, path, key)
		}
		m = file.message()
		m.Keywords = want.Union(added)
		return nil
	})
	if err != nil {
		return state.LocalMessage{}, err
	}
	return m, nil
}

// Move implements engine.LocalChanger.
func (t *Tree) Move(ctx context.Context, path string, r state.Record, dest string, want state.Flags) (m state.LocalMessage, err error) {
	if err := ctx.Err(); err != nil {
		return m, fmt.Errorf("move %s from folder %q: %w", r.Key, path, err)
	}
	err = t.do("local.move", path+"/"+string(r.Key), func() error {
		file, err := t.asRecorded(path, r)
		if err != nil {
			return err
		}
		to, err := t.folder(dest)
		if err != nil {
			return err
		}
		from := t.folders[path]
		delete(from.files, file.key)
		if to.files[file.key] != nil {
			file.key = t.newKey()
		}
		file.setFlags(want)
		to.files[file.key] = file
		t.touch(from)
		t.touch(to)
		t.log("move %s/%s to %s/%s", path, r.Key, dest, file.key)
		m = file.message()
		m.Keywords = t.tagged(file).Union(r.AllKeywords())
		return nil
	})
	if err != nil {
		return state.LocalMessage{}, err
	}
	return m, nil
}

// Sync implements engine.LocalChanger. A change of this tree survives everything.
func (t *Tree) Sync(context.Context) error { return nil }

// asRecorded returns the file of the record when content and flags are still
// those recorded.
func (t *Tree) asRecorded(path string, r state.Record) (*file, error) {
	file, err := t.same(path, r.Key, r.Stat, r.Content)
	if err != nil {
		return nil, err
	}
	if file.flags() != r.Flags {
		return nil, stale(path, r.Key, fmt.Sprintf("its flags are %q, not %q", file.flags(), r.Flags))
	}
	return file, nil
}

// Remove implements engine.LocalChanger.
func (t *Tree) Remove(ctx context.Context, path string, r state.Record, reason state.Text) (held state.Held, err error) {
	if err := ctx.Err(); err != nil {
		return held, fmt.Errorf("remove %s from folder %q: %w", r.Key, path, err)
	}
	err = t.do("local.remove", path+"/"+string(r.Key), func() error {
		file, err := t.asRecorded(path, r)
		if err != nil {
			return err
		}
		f := t.folders[path]
		delete(f.files, r.Key)
		t.touch(f)
		held = state.Held{
			Mailbox: r.Mailbox, Key: r.Key, UID: r.UID, Flags: file.flags(), Content: file.content(),
			Date: r.Remote.Date, Reason: reason,
		}
		if held.Date == 0 {
			held.Date = file.mtime / nanosPerSecond
		}
		t.hold(&held, file)
		return nil
	})
	if err != nil {
		return state.Held{}, err
	}
	return held, nil
}
