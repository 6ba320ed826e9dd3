package maildir

import (
	"context"

	"mailmoor/state"
)

// Find looks a key up in all folders and identifies the file. Folders are asked in
// the order of their paths.
func (t *Tree) Find(ctx context.Context, key state.Key) (string, state.LocalMessage, bool, error) {
	folders, _, err := t.Folders(ctx)
	if err != nil {
		return "", state.LocalMessage{}, false, err
	}
	for _, folder := range folders {
		m, found, err := t.findIn(ctx, folder.Path, key)
		if err != nil || found {
			return folder.Path, m, found, err
		}
	}
	return "", state.LocalMessage{}, false, nil
}

// findIn looks a key up in one folder.
func (t *Tree) findIn(ctx context.Context, path string, key state.Key) (state.LocalMessage, bool, error) {
	f, err := t.openFolder(path)
	if err != nil {
		return state.LocalMessage{}, false, err
	}
	defer f.close()
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
		return m, err == nil, wrap(state.ScopeMailbox, err, "look at %s/%s", path, key)
	}
	return state.LocalMessage{}, false, errRestless("look up " + string(key))
}
