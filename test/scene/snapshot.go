package scene

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Snapshot is a state of a stage: all that the server keeps for the user, the
// tree, the program's state, and the clock.
type Snapshot struct {
	ahead time.Duration
	parts []part
}

// part is a directory that is brought back.
type part struct {
	path string
	// tree is what was there, nil when there was nothing.
	tree *node
}

// node is a file or directory as it was.
type node struct {
	info os.FileInfo
	// children are those of a directory.
	children map[string]*node
	data     []byte
	// kept is another name of the file itself, "" when a copy will do.
	kept string
}

// Snapshot notes the state of the stage. The program must not be running.
func (s *Stage) Snapshot() *Snapshot {
	s.Helper()
	s.Quiesce()
	keep := s.TempDir()
	snapshot := &Snapshot{ahead: s.ahead}
	for _, path := range []string{s.serverHome, s.Root, s.States} {
		// Records know files of the tree by their inodes, so that these must come
		// back themselves.
		kept := ""
		if path == s.Root {
			kept = keep
		}
		tree, err := readNode(path, kept)
		s.must(err)
		snapshot.parts = append(snapshot.parts, part{path, tree})
	}
	return snapshot
}

// Restore brings the state back, after all sessions of the server have ended. It
// fails the test when a message file of the tree was written to meanwhile: files
// are replaced, never changed. Only the times at which directories were changed
// are not what they were, so that the next run looks into every folder.
func (s *Stage) Restore(snapshot *Snapshot) {
	s.Helper()
	s.Quiesce()
	s.ahead = snapshot.ahead
	for _, part := range snapshot.parts {
		s.must(part.tree.restore(part.path))
	}
}

// readNode reads what is at the path. With keep, files get another name in that
// directory.
func readNode(path, keep string) (*node, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	n := &node{info: info}
	if !info.IsDir() {
		if n.data, err = os.ReadFile(path); err == nil && keep != "" {
			n.kept = filepath.Join(keep, fmt.Sprintf("%d", info.Sys().(*syscall.Stat_t).Ino))
			err = os.Link(path, n.kept)
		}
		return n, err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	n.children = make(map[string]*node, len(entries))
	for _, entry := range entries {
		if n.children[entry.Name()], err = readNode(filepath.Join(path, entry.Name()), keep); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// restore makes what is at the path equal to n.
func (n *node) restore(path string) error {
	switch {
	case n == nil:
		return os.RemoveAll(path)
	case n.info.IsDir():
		return n.restoreDir(path)
	case n.kept != "":
		return n.restoreFile(path)
	}
	if n.same(path) {
		return nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return errors.Join(os.WriteFile(path, n.data, n.info.Mode()), n.dress(path))
}

// same reports whether the file at the path cannot have changed.
func (n *node) same(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !os.SameFile(info, n.info) {
		return false
	}
	st, was := info.Sys().(*syscall.Stat_t), n.info.Sys().(*syscall.Stat_t)
	return stampOf(*st) == stampOf(*was) && st.Mode == was.Mode && st.Uid == was.Uid
}

// restoreDir keeps the directory itself where it exists.
func (n *node) restoreDir(path string) error {
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = os.Mkdir(path, n.info.Mode())
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if was := n.children[entry.Name()]; was == nil || was.info.IsDir() != entry.IsDir() {
			if err := os.RemoveAll(filepath.Join(path, entry.Name())); err != nil {
				return err
			}
		}
	}
	for name, child := range n.children {
		if err := child.restore(filepath.Join(path, name)); err != nil {
			return err
		}
	}
	return n.dress(path)
}

// restoreFile gives the file itself its name back.
func (n *node) restoreFile(path string) error {
	if info, err := os.Lstat(path); err != nil || !os.SameFile(info, n.info) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.Link(n.kept, path); err != nil {
			return err
		}
	}
	data, err := os.ReadFile(path)
	if err == nil && !bytes.Equal(data, n.data) {
		err = fmt.Errorf("%s was written to in its place", path)
	}
	return errors.Join(err, n.dress(path))
}

// dress gives the path owner, mode and date.
func (n *node) dress(path string) error {
	st := n.info.Sys().(*syscall.Stat_t)
	err := os.Chmod(path, n.info.Mode())
	if os.Geteuid() == 0 {
		err = errors.Join(err, os.Lchown(path, int(st.Uid), int(st.Gid)))
	}
	return errors.Join(err, os.Chtimes(path, time.Time{}, n.info.ModTime()))
}
