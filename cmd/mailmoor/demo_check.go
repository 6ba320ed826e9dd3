package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mailmoor/state"
)

// demoTree is the demonstration's Maildir tree, looked at with nothing but the
// means of the file system, as a mail reader would.
type demoTree struct{ root string }

// demoFile is a message file.
type demoFile struct {
	path string
	demoMessage
}

// folders returns the paths of all folders below the root.
func (t demoTree) folders() ([]string, error) {
	var paths []string
	err := filepath.WalkDir(t.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || d.Name() != "cur" {
			return err
		}
		folder, err := filepath.Rel(t.root, filepath.Dir(path))
		paths = append(paths, filepath.ToSlash(folder))
		return err
	})
	slices.Sort(paths)
	return paths, err
}

// files returns the messages of a folder, ordered by name.
func (t demoTree) files(folder string) ([]demoFile, error) {
	var files []demoFile
	for _, sub := range []string{"new", "cur"} {
		dir := filepath.Join(t.root, folder, sub)
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			data, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			_, info, _ := strings.Cut(e.Name(), ":2,")
			files = append(files, demoFile{path, demoMessage{flags: state.ParseFlags(info), body: withCRLF(string(data))}})
		}
	}
	return files, nil
}

// find returns the file of the folder whose text contains the words.
func (t demoTree) find(folder, words string) (demoFile, error) {
	files, err := t.files(folder)
	if err != nil {
		return demoFile{}, err
	}
	for _, f := range files {
		if strings.Contains(f.body, words) {
			return f, nil
		}
	}
	return demoFile{}, fmt.Errorf("there is no message with %q in folder %q", words, folder)
}

// errNotEqual says that the two sides differ.
var errNotEqual = errors.New("the two sides are not equal")

// checkEqual compares every message of the server with the files, byte by byte
// and flag by flag, and returns how many messages there are.
func (t demoTree) checkEqual(server *demoClient) (int, error) {
	names, err := server.mailboxes()
	if err != nil {
		return 0, fmt.Errorf("list the mailboxes: %w", err)
	}
	folders, err := t.folders()
	if err != nil {
		return 0, fmt.Errorf("list the folders: %w", err)
	}
	slices.Sort(names)
	if !slices.Equal(names, folders) {
		return 0, fmt.Errorf("%w: mailboxes %q, folders %q", errNotEqual, names, folders)
	}
	total := 0
	for _, name := range names {
		remote, err := server.messages(name)
		if err != nil {
			return total, fmt.Errorf("read mailbox %q: %w", name, err)
		}
		files, err := t.files(name)
		if err != nil {
			return total, fmt.Errorf("read folder %q: %w", name, err)
		}
		local := make([]demoMessage, 0, len(files))
		for _, f := range files {
			local = append(local, f.demoMessage)
		}
		if !sameMessages(remote, local) {
			return total, fmt.Errorf("%w: %s in mailbox %q, %s in its folder",
				errNotEqual, describe(remote), name, describe(local))
		}
		total += len(remote)
	}
	return total, nil
}

// sameMessages compares without regard to order.
func sameMessages(a, b []demoMessage) bool {
	sorted := func(list []demoMessage) []demoMessage {
		return slices.SortedFunc(slices.Values(list), func(x, y demoMessage) int {
			return cmp.Or(strings.Compare(x.body, y.body), cmp.Compare(x.flags, y.flags))
		})
	}
	return slices.EqualFunc(sorted(a), sorted(b), func(x, y demoMessage) bool {
		return x.body == y.body && x.flags == y.flags
	})
}

// describe lists messages with their flags.
func describe(list []demoMessage) state.Text {
	texts := make([]state.Text, 0, len(list))
	for _, m := range list {
		texts = append(texts, state.Textf("%d bytes %q", len(m.body), m.flags))
	}
	return count(len(list), "message") + " (" + state.Join(texts, ", ") + ")"
}
