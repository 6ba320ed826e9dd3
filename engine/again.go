package engine

import (
	"context"
	"slices"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

// Folders and mailboxes are looked at one after the other. A message that was
// moved meanwhile, from one not yet looked at to one that was, is seen in
// neither. So before an absence counts, the places are compared once more with
// what they were when they were judged; one that changed has not been seen.

// lookAgain marks the mailboxes that changed during the observation, if
// anything is absent anywhere.
func (e *Engine) lookAgain(ctx context.Context, c *cycle, listing plan.Listing) error {
	missing, gone := false, false
	for i := range c.input.Mailboxes {
		m := &c.input.Mailboxes[i]
		missing = missing || m.Local != nil && len(m.Local.Missing) > 0
		gone = gone || m.Remote != nil && len(m.Remote.Gone) > 0
	}
	if missing {
		if err := e.lookAgainLocally(ctx, c, listing); err != nil {
			return err
		}
	}
	if gone {
		return e.lookAgainRemotely(ctx, c, listing)
	}
	return nil
}

func (e *Engine) lookAgainLocally(ctx context.Context, c *cycle, listing plan.Listing) error {
	folders, leftOut, err := e.Local.Folders(ctx)
	if err != nil {
		return err
	}
	before := byPath(listing.Folders)
	changed := make(map[string]bool)
	// A file that was moved to where nobody looks belongs to no mailbox either.
	changed[""] = newPlaces(listing.LeftOut, leftOut)
	for _, f := range folders {
		was, known := before[f.Path]
		changed[f.Path] = !known || was.Stamp != f.Stamp
		// A folder that has come into being belongs to no mailbox yet; any
		// other stands for it.
		changed[""] = changed[""] || !known
	}
	for i := range c.input.Mailboxes {
		m := &c.input.Mailboxes[i]
		if changed[m.Folder] && m.Folder != "" || changed[""] {
			m.LocalFailed, c.moving = true, true
		}
	}
	return nil
}

// newPlaces reports whether there are places among those that are left out which were
// not there before, or were otherwise.
func newPlaces(before, now []state.LeftOut) bool {
	marks := make(map[string]string)
	for _, l := range before {
		marks[l.Place.Path] = l.Place.Mark
	}
	return slices.ContainsFunc(now, func(l state.LeftOut) bool {
		mark, known := marks[l.Place.Path]
		return !known || mark != "" && mark != l.Place.Mark
	})
}

func (e *Engine) lookAgainRemotely(ctx context.Context, c *cycle, listing plan.Listing) error {
	var now []state.RemoteMailbox
	err := e.pool.with(ctx, func(r Remote) (err error) {
		now, err = r.List(ctx)
		return err
	})
	if err != nil {
		return err
	}
	seen := make(map[string]state.UID)
	for _, m := range listing.Remote {
		seen[m.Name] = m.Status.UIDNext
	}
	for i := range c.input.Mailboxes {
		if m := &c.input.Mailboxes[i]; m.Remote != nil && !m.NewMailbox {
			seen[m.Name] = m.Remote.Selected.UIDNext
		}
	}
	grown := make(map[string]bool)
	for _, m := range now {
		was, known := seen[m.Name]
		grown[m.Name] = known && m.Status.UIDNext > was
		grown[""] = grown[""] || !known && !m.NoSelect
	}
	for i := range c.input.Mailboxes {
		m := &c.input.Mailboxes[i]
		if grown[m.Name] || grown[""] {
			m.RemoteFailed, c.moving = true, true
		}
	}
	return nil
}

func byPath(folders []state.LocalFolder) map[string]state.LocalFolder {
	m := make(map[string]state.LocalFolder, len(folders))
	for _, f := range folders {
		m[f.Path] = f
	}
	return m
}
