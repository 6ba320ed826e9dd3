package cut

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mailmoor/engine"
	"mailmoor/state"
)

// What runs do after an interruption depends on nothing but what the interrupted
// one left behind: on the server, in the tree and in the store. Thousands of cuts
// leave the same behind, because between two effects it does not matter where the
// line breaks. So a loop over all places follows only those to the end that left
// behind what none before them did, and a few of the others at random.

// leftovers describes everything that a run left behind, with the names made up
// by chance left out. Equal descriptions lead to the same end.
type leftovers struct {
	*account
	text strings.Builder
	// files tells what lies in the tree under each key.
	files map[string]string
}

// describe returns the leftovers. The run has ended, and its store is still open.
func (a *account) describe(ctx context.Context, db engine.Store) (string, error) {
	a.Quiesce()
	l := &leftovers{account: a, files: make(map[string]string)}
	for _, part := range []func() error{l.tree, l.held, l.server, func() error { return l.store(ctx, db) }} {
		if err := part(); err != nil {
			return "", err
		}
	}
	return l.text.String(), nil
}

func (l *leftovers) note(format string, args ...any) { fmt.Fprintf(&l.text, format+"\n", args...) }

// sorted notes lines whose order means nothing.
func (l *leftovers) sorted(lines []string) {
	slices.Sort(lines)
	for _, line := range lines {
		l.note("%s", line)
	}
}

// tree notes all directories and files below the root.
func (l *leftovers) tree() error {
	var lines []string
	err := walk(l.Root, func(rel string, entry fs.DirEntry) error {
		if !entry.Type().IsRegular() {
			lines = append(lines, "tree "+rel)
			return nil
		}
		key, letters, _ := strings.Cut(entry.Name(), ":2,")
		if entry.Name() == ".mailmoor" {
			key = "marker"
		}
		described, err := describeFile(filepath.Join(l.Root, rel))
		described = fmt.Sprintf("%s %q %s", filepath.Dir(rel), letters, described)
		if key == "marker" {
			described = "marker " + filepath.Dir(rel)
		}
		l.files[key] = described
		lines = append(lines, "file "+described)
		return err
	})
	l.sorted(lines)
	return err
}

// held notes what lies in the hold area.
func (l *leftovers) held() error {
	var lines []string
	err := walk(l.States, func(rel string, entry fs.DirEntry) error {
		if !entry.Type().IsRegular() || !strings.Contains(rel, "/hold/") {
			return nil
		}
		described, err := describeFile(filepath.Join(l.States, rel))
		lines = append(lines, "held "+described)
		return err
	})
	l.sorted(lines)
	return err
}

// describeFile returns size, date and content of a file.
func describeFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(path)
	return fmt.Sprintf("%d %d %x", info.Size(), info.ModTime().Unix(), sum(data)), err
}

func sum(data []byte) state.Digest {
	d := state.NewDigester()
	d.Write(data)
	return d.Sum().Digest
}

// walk shows everything below a directory, if it exists, under its relative path.
func walk(root string, show func(rel string, entry fs.DirEntry) error) error {
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		return errors.Join(err, show(rel, entry))
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// server notes what Dovecot stores: each message with its UID, how far each list
// of UIDs is, and the sizes of the logs of changes, from which mod-sequences come.
func (l *leftovers) server() error {
	var lines []string
	home := l.Server.MailHome(l.User)
	uids := make(map[string]string)
	err := walk(home, func(rel string, entry fs.DirEntry) error {
		if entry.Name() != "dovecot-uidlist" {
			return nil
		}
		return readUIDs(filepath.Join(home, rel), func(name, uid string) { uids[filepath.Dir(rel)+"/"+name] = uid })
	})
	if err != nil {
		return err
	}
	err = walk(home, func(rel string, entry fs.DirEntry) error {
		dir := filepath.Dir(rel)
		switch sub := filepath.Base(dir); {
		case entry.IsDir():
			lines = append(lines, "mailbox "+rel)
		case sub == "cur" || sub == "new" || sub == "tmp":
			name, letters, _ := strings.Cut(entry.Name(), ":2,")
			described, err := describeFile(filepath.Join(home, rel))
			lines = append(lines, fmt.Sprintf("message %s %s %q %s", dir, uids[filepath.Dir(dir)+"/"+name], letters, described))
			return err
		case entry.Name() == "dovecot-uidlist":
			lines = append(lines, fmt.Sprintf("uids %s %s", dir, uids[dir+"/"]))
		case strings.HasSuffix(entry.Name(), ".index.log") || entry.Name() == "dovecot-keywords":
			info, err := entry.Info()
			if err != nil {
				return err
			}
			lines = append(lines, fmt.Sprintf("%s %d", rel, info.Size()))
		}
		return nil
	})
	l.sorted(lines)
	return err
}

// readUIDs shows the UID of each file in a list of Dovecot, and under no name its
// first line without the mailbox's own id: "3 V1795303752 N7".
func readUIDs(path string, show func(name, uid string)) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for first := true; lines.Scan(); first = false {
		if first {
			head, _, _ := strings.Cut(lines.Text(), " G")
			show("", head)
			continue
		}
		uid, name, _ := strings.Cut(lines.Text(), " :")
		show(name, uid)
	}
	return lines.Err()
}

// store notes everything that the engine can read of its state.
func (l *leftovers) store(ctx context.Context, db engine.Store) error {
	mailboxes, err := db.Mailboxes(ctx)
	if err != nil {
		return err
	}
	for _, m := range mailboxes {
		l.note("mailbox %q %q %+v scanned %v looked at %v sampled %v doubt %v",
			m.Name, m.Folder, m.Cursor, m.Stamp != state.FolderStamp{}, m.Statted != 0, m.Sampled != 0, m.Doubt)
		records, err := db.Records(ctx, m.Name)
		if err != nil {
			return err
		}
		l.records(records)
	}
	waiting, err := db.Waiting(ctx)
	if err != nil {
		return err
	}
	l.records(waiting)
	intents, err := db.Intents(ctx)
	if err != nil {
		return err
	}
	given, err := db.GivenUp(ctx)
	if err != nil {
		return err
	}
	l.intents("intent", intents)
	l.intents("given up", given)
	return l.others(ctx, db)
}

func (l *leftovers) intents(what string, intents []state.Intent) {
	var lines []string
	for _, i := range intents {
		at := l.at(i.Key)
		i.ID, i.Key, i.Created = 0, "", 0
		lines = append(lines, fmt.Sprintf("%s %s %+v", what, at, i))
	}
	l.sorted(lines)
}

func (l *leftovers) others(ctx context.Context, db engine.Store) error {
	holds, err := db.Holds(ctx)
	if err != nil {
		return err
	}
	for _, h := range holds {
		h.Created = 0
		l.note("hold %+v", h)
	}
	gone, err := db.Tombstones(ctx)
	for _, g := range gone {
		g.Removed = 0
		l.note("tombstone %+v", g)
	}
	return err
}

func (l *leftovers) records(records []state.Record) {
	var lines []string
	for _, r := range records {
		at := l.at(r.Key)
		r.Key, r.Stat.Inode = "", 0
		r.Retry.NextAt = min(r.Retry.NextAt, 1)
		r.Since = min(r.Since, 1)
		lines = append(lines, fmt.Sprintf("record %s %+v", at, r))
	}
	l.sorted(lines)
}

// at describes the file of a key, which may not be there.
func (l *leftovers) at(key state.Key) string {
	if key == "" {
		return "-"
	}
	if described, found := l.files[string(key)]; found {
		return described
	}
	return "no file"
}
