package cut

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"mailmoor/state"
)

// The program keeps a body in the hold area before it removes a message for good:
// once more when nobody knows whether the first removal was heard, and also when
// the message is only the rest of a move that was interrupted, or an upload that
// arrived twice. So a broken line may leave more there than an undisturbed run.
// That costs space for thirty days and is no mail lost or doubled. The scenes know
// only what an undisturbed run leaves, and compare strictly: what is there beyond
// that, and is nothing but a copy of a message that lives or is held anyway, is put
// aside before they look.

// holdings are the files in the hold area, by content.
type holdings map[state.Digest][]string

// held returns what lies in the hold area.
func (a *account) held() holdings {
	a.Helper()
	found := make(holdings)
	a.must(walk(a.States, func(rel string, entry fs.DirEntry) error {
		if !entry.Type().IsRegular() || !strings.Contains(rel, "/hold/") {
			return nil
		}
		path := filepath.Join(a.States, rel)
		data, err := os.ReadFile(path)
		found[sum(data)] = append(found[sum(data)], path)
		return err
	}))
	return found
}

// living returns the content of all messages in the tree. At rest the server has
// the same.
func (a *account) living() map[state.Digest]bool {
	a.Helper()
	found := make(map[state.Digest]bool)
	a.must(walk(a.Root, func(rel string, entry fs.DirEntry) error {
		if sub := filepath.Base(filepath.Dir(rel)); !entry.Type().IsRegular() || sub != "cur" && sub != "new" {
			return nil
		}
		data, err := os.ReadFile(filepath.Join(a.Root, rel))
		found[sum(data)] = true
		return err
	}))
	return found
}

// putAside replaces copies that are one too many by links to where they are put,
// so that what the program lists is still there and the scene does not count it.
func (c *conversation) putAside() {
	living := c.living()
	for content, paths := range c.held() {
		usual := len(c.usual[content])
		if usual == 0 && !living[content] {
			continue // the scene will say that nothing of the kind should be there
		}
		for _, path := range paths[min(usual, len(paths)):] {
			aside := filepath.Join(c.spares, filepath.Base(path))
			c.must(os.Rename(path, aside))
			c.must(os.Symlink(aside, path))
			c.spare++
		}
	}
}
