package maildir

import (
	"context"

	"mailmoor/state"
)

// Find looks keys up in all folders and identifies the files. Each folder is read
// once or twice, however many keys are asked for. A key that several folders hold is
// found in the first of them, by path.
func (t *Tree) Find(ctx context.Context, keys []state.Key) ([]state.FoundFile, error) {
	for _, key := range keys {
		if err := key.Check(); err != nil {
			return nil, err
		}
	}
	folders, _, err := t.Folders(ctx)
	if err != nil {
		return nil, err
	}
	var all []state.FoundFile
	for _, folder := range folders {
		found, left, err := t.findIn(ctx, folder.Path, keys)
		if err != nil {
			return nil, err
		}
		for _, m := range found {
			all = append(all, state.FoundFile{Folder: folder.Path, File: m})
		}
		if keys = left; len(keys) == 0 {
			break
		}
	}
	return all, nil
}

// findIn looks keys up in one folder and returns those that are left. A key is left
// when its absence is proven by the standard that Scan sets: two complete reads and
// a direct look-up.
func (t *Tree) findIn(ctx context.Context, path string, keys []state.Key) (found []state.LocalMessage, left []state.Key, err error) {
	f, err := t.openFolder(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.close()
	shown := make(map[state.Key]bool)
	proven := false
	for _, order := range [][]bool{orderOnce, orderAgain} {
		l, err := t.list(ctx, f, order)
		if err != nil {
			return nil, nil, wrap(state.ScopeMailbox, err, "read folder %q", path)
		}
		for _, key := range keys {
			if _, is := l.files[key]; is {
				shown[key] = true
			}
		}
		proven = l.proven
		t.remember(path, l, false) // it belongs to everybody from here on
		if proven || len(shown) == len(keys) {
			break
		}
	}
	for _, key := range keys {
		there := shown[key]
		if !there && !proven {
			if _, there, err = t.guess(f, key, ""); err != nil {
				return nil, nil, wrap(state.ScopeMailbox, err, "look for %s in folder %q", key, path)
			}
		}
		var m state.LocalMessage
		if there {
			m, there, err = t.look(ctx, f, key)
		}
		switch {
		case err != nil:
			return nil, nil, err
		case there:
			found = append(found, m)
		default:
			left = append(left, key)
		}
	}
	return found, left, nil
}

// look identifies the file of a key, under whatever name it has by now.
func (t *Tree) look(ctx context.Context, f *folder, key state.Key) (state.LocalMessage, bool, error) {
	for range triesMax {
		e, found, err := t.locate(ctx, f, key)
		if err == nil && !found {
			return state.LocalMessage{}, false, nil
		}
		var m state.LocalMessage
		if err == nil {
			m, err = f.identify(ctx, e)
		}
		if renamed(err) {
			continue
		}
		return m, err == nil, wrap(state.ScopeMailbox, err, "look at %s/%s", f.path, key)
	}
	return state.LocalMessage{}, false, errRestless(state.Textf("look up %s", key))
}
