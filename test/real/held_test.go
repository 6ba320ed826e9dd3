package real

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// held returns how often each token lies in the hold area, with the state or, where
// that is on another disk, beside the tree.
func (a *account) held() map[string]int {
	a.Helper()
	n := make(map[string]int)
	count := func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && entry.Type().IsRegular() && strings.Contains(path, "hold/") {
			data, err := os.ReadFile(path)
			a.must(err)
			n[tokenOf(data)]++
		}
		return err
	}
	a.must(filepath.WalkDir(a.states, count))
	a.must(filepath.WalkDir(filepath.Join(filepath.Dir(a.root), "."+filepath.Base(a.root)+".mailmoor-hold"), count))
	return n
}
