package plan

import (
	"slices"

	"mailmoor/conflict"
	"mailmoor/state"
)

// A file that is not understood may be any message that is missing, until something
// tells otherwise: it was there, just as it is, when none was missing; it has the inode
// or the key of one of the missing; or its content could be read, and is that of one of
// them, or of none.

// suspects is where missing messages may be. The values are the paths of strays.
type suspects struct {
	digests, headers map[state.Digest]string
	inodes           map[uint64]string
	keys             map[state.Key]string
	anything         string // a stray of which nothing is known, empty without one
}

// hasSuspects reports whether any of the strays may be a missing message.
func hasSuspects(strays []state.Stray) bool {
	return slices.ContainsFunc(strays, func(s state.Stray) bool { return !s.Cleared })
}

// suspects collects the strays of the whole account.
func (b *builder) suspects() suspects {
	s := suspects{
		digests: make(map[state.Digest]string), headers: make(map[state.Digest]string),
		inodes: make(map[uint64]string), keys: make(map[state.Key]string),
	}
	missing := b.missingFiles()
	if len(missing.keys) == 0 {
		return s
	}
	for _, stray := range b.in.Strays {
		s.add(stray, missing)
	}
	for _, v := range b.views {
		if v.Local != nil {
			for _, stray := range v.Local.Strays {
				s.add(stray, missing)
			}
		}
	}
	return s
}

// missingFiles is what the names and inodes of the missing files were.
type missingFiles struct {
	keys   map[state.Key]bool
	inodes map[uint64]bool
}

func (b *builder) missingFiles() missingFiles {
	m := missingFiles{keys: make(map[state.Key]bool), inodes: make(map[uint64]bool)}
	for _, v := range b.views {
		for _, e := range v.entries {
			if e.local == conflict.LocalAbsent {
				m.keys[e.base.Key], m.inodes[e.base.Stat.Inode] = true, true
			}
		}
	}
	return m
}

// add takes in a stray: for the message that it must be if it is any, or for all.
func (s *suspects) add(stray state.Stray, missing missingFiles) {
	if stray.Cleared {
		return
	}
	inode, key := stray.Stat.Inode, stray.Key
	known := inode != 0 && missing.inodes[inode] || key != "" && missing.keys[key]
	if inode != 0 {
		s.inodes[inode] = stray.Path
	}
	if key != "" && !stray.Leftover {
		s.keys[key] = stray.Path
	}
	switch {
	case stray.Readable():
		s.digests[stray.Content.Digest] = stray.Path
		// An edited message keeps its header; but whoever edits leaves old versions.
		if tells(stray.Content.Header) && !stray.Leftover {
			s.headers[stray.Content.Header] = stray.Path
		}
	case !known:
		s.anything = stray.Path
	}
}

// of returns where the missing message of the record may be.
func (s suspects) of(r state.Record) (path string, suspected bool) {
	for _, path := range []string{
		s.keys[r.Key], s.inodes[r.Stat.Inode], s.digests[r.Content.Digest], s.headers[r.Content.Header], s.anything,
	} {
		if path != "" {
			return path, true
		}
	}
	return "", false
}

// strayProblem says why messages that are missing are left alone.
func strayProblem(v *view, waiting int, where string) state.Problem {
	text := state.Textf("%s are missing in folder %q, and are left alone: they may be %q, which is not understood",
		state.Count(waiting, "message"), v.Folder, where)
	if waiting == 1 {
		text = state.Textf("a message is missing in folder %q, and is left alone: it may be %q, which is not understood", v.Folder, where)
	}
	return state.Problem{
		Scope: state.ScopeMailbox, Weight: state.WeightLasting, Mailbox: v.Name, Text: text,
		Hint: "give it a name that a message or a folder can have, or move it out of the mail; until then nothing is removed in this mailbox",
	}
}
