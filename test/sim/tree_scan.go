package sim

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"mailmoor/state"
)

// Folders implements engine.LocalObserver.
func (t *Tree) Folders(ctx context.Context) (list []state.LocalFolder, leftOut []state.LeftOut, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, fmt.Errorf("list the folders: %w", err)
	}
	err = t.do("local.folders", "", func() error {
		for _, path := range t.paths() {
			f := t.folders[path]
			if !f.leftOut {
				list = append(list, t.local(f))
				continue
			}
			leftOut = append(leftOut, state.LeftOut{
				Problem: state.Problem{
					Scope: state.ScopeMailbox, Weight: state.WeightLasting, Subject: path, Text: "the directory's name stands for no mailbox",
				},
				Place: state.StrayPlace{Path: path, Mark: t.markOf(f)},
			})
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return list, leftOut, nil
}

// markOf is the mark of a folder that is left out.
func (t *Tree) markOf(f *folder) string {
	if !t.settled(f.stamp) {
		return ""
	}
	return fmt.Sprint(f.stamp)
}

// Strays implements engine.LocalObserver.
func (t *Tree) Strays(ctx context.Context, places []state.StrayPlace) (strays []state.Stray, err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("look at what is left out: %w", err)
	}
	err = t.do("local.strays", fmt.Sprint(len(places)), func() error {
		for _, p := range places {
			f := t.folders[p.Path]
			if f == nil {
				strays = append(strays, state.Stray{Path: p.Path})
				continue
			}
			for _, key := range keys(f.files) {
				strays = append(strays, f.files[key].stray(f.path))
			}
		}
		return nil
	})
	return strays, err
}

// stray describes a file that is not understood.
func (f *file) stray(folder string) state.Stray {
	s := state.Stray{Path: folder + "/" + string(f.key), Mark: fmt.Sprint(f.stat(), f.letters), Stat: f.stat()}
	if !f.odd {
		s.Key = f.key
	}
	if !f.unreadable {
		s.Content = f.message().Content
	}
	return s
}

// FoldsCase implements engine.LocalDisk.
func (t *Tree) FoldsCase(ctx context.Context) (bool, error) { return t.opts.FoldsCase, ctx.Err() }

// twin returns another folder that is the same one to a file system that folds case,
// or lies in the same one.
func (t *Tree) twin(path string) string {
	if !t.opts.FoldsCase {
		return ""
	}
	for _, other := range t.paths() {
		a, b := strings.Split(path, "/"), strings.Split(other, "/")
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] && state.Fold(a[i]) == state.Fold(b[i]) {
				return other
			} else if a[i] != b[i] {
				break
			}
		}
	}
	return ""
}

// local returns the folder as a listing shows it.
func (t *Tree) local(f *folder) state.LocalFolder {
	return state.LocalFolder{
		Path: f.path, Name: slices.Clone(f.name), Apart: f.apart, Marker: f.marker, Stamp: f.stamp, Settled: t.settled(f.stamp),
	}
}

// Scan implements engine.LocalObserver. Between its two looks at a folder from
// which something is missing lies the step "local.rescan".
func (t *Tree) Scan(ctx context.Context, path string, base []state.Record, o state.ScanOptions) (state.LocalDelta, error) {
	if err := ctx.Err(); err != nil {
		return state.LocalDelta{}, fmt.Errorf("scan folder %q: %w", path, err)
	}
	var d state.LocalDelta
	look := func() error {
		f, err := t.folder(path)
		if err != nil {
			return err
		}
		d = t.compare(f, base, o)
		return nil
	}
	if err := t.do("local.scan", path, look); err != nil {
		return state.LocalDelta{}, err
	}
	if len(d.Missing) == 0 {
		return d, nil
	}
	first := d
	if err := t.do("local.rescan", path, look); err != nil {
		return state.LocalDelta{}, err
	}
	d.Stamp = first.Stamp
	d.Missing = slices.DeleteFunc(d.Missing, func(r state.Record) bool {
		return !slices.ContainsFunc(first.Missing, func(m state.Record) bool { return m.Key == r.Key })
	})
	return d, nil
}

// recentSeconds is how long after its last change every scan looks at a file.
const recentSeconds = 24 * 60 * 60

// compare looks at the folder once. Like a real scan it reads a known file only
// when it is asked to look at every file, when the name or the inode has changed, or
// when the file was changed lately.
func (t *Tree) compare(f *folder, base []state.Record, o state.ScanOptions) state.LocalDelta {
	d := state.LocalDelta{Folder: f.path, Statted: o.Stat, Count: len(f.files)}
	if t.settled(f.stamp) {
		d.Stamp = f.stamp
	}
	known := map[state.Key]state.Record{}
	for _, r := range base {
		if r.Key == "" {
			continue
		}
		known[r.Key] = r
		if f.files[r.Key] == nil || f.files[r.Key].odd {
			d.Missing = append(d.Missing, r)
		}
	}
	slices.SortFunc(d.Missing, func(a, b state.Record) int { return compareKeys(a.Key, b.Key) })
	for _, key := range keys(f.files) {
		file := f.files[key]
		r, isKnown := known[key]
		tags := t.tags(file, r)
		recent := t.world.Now()-r.Stat.Mtime/nanosPerSecond < recentSeconds && r.Stat.Mtime/nanosPerSecond <= t.world.Now()+recentSeconds
		looked := !isKnown || o.Stat || recent || file.inode != r.Stat.Inode || file.flags() != r.Flags || !tags.Equal(r.AllKeywords())
		switch {
		case looked && file.unreadable, file.odd:
			text := state.Text("permission denied")
			if file.odd {
				text = "not a Maildir key"
			}
			d.Problems = append(d.Problems, state.Problem{
				Scope: state.ScopeMessage, Cause: state.CauseDisk, Weight: state.WeightLasting, Subject: f.path + "/" + string(key), Text: text,
			})
			if isKnown && !file.odd {
				d.Defective = true
				continue
			}
			d.Strays = append(d.Strays, file.stray(f.path))
		case !isKnown:
			m := file.message()
			m.Keywords = tags
			d.New = append(d.New, m)
		case looked:
			edited := !file.is(r.Stat, r.Content)
			if edited || file.stat() != r.Stat || file.flags() != r.Flags || !tags.Equal(r.AllKeywords()) {
				m := file.message()
				m.Keywords = tags
				d.Changed = append(d.Changed, state.LocalChange{Base: r, Now: m, Edited: edited})
			}
		}
	}
	return d
}

func compareKeys(a, b state.Key) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Find implements engine.LocalObserver.
func (t *Tree) Find(ctx context.Context, keys []state.Key) ([]state.FoundFile, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("look for %d files: %w", len(keys), err)
	}
	var found []state.FoundFile
	err := t.do("local.find", fmt.Sprint(len(keys)), func() error {
		for _, p := range t.paths() {
			for _, key := range keys {
				if file := t.folders[p].files[key]; file != nil {
					found = append(found, state.FoundFile{Folder: p, File: file.message()})
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}
