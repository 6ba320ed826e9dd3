package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"mailmoor/state"
)

// A file that is not understood must not stop all removals for ever. What was there in
// one cycle, and in a later one that misses no message is still there, just as it was,
// is none of the messages: they were all in their places while it lay there.

// strayNotesMax bounds what is noted. What is beyond it may be any missing message.
const strayNotesMax = 10_000

// clearStrays recognises what was noted in earlier cycles, and reads what else may be
// one of the messages that are missing.
func (e *Engine) clearStrays(ctx context.Context, c *cycle) error {
	var err error
	if c.notes, err = e.Store.StrayNotes(ctx); err != nil {
		return fmt.Errorf("read notes about files that are not understood: %w", err)
	}
	cleared := make(map[state.StrayNote]bool)
	for _, n := range c.notes {
		cleared[n] = n.Cleared
	}
	isCleared := func(path, mark string) bool { return cleared[state.StrayNote{Path: path, Mark: mark, Cleared: true}] }
	missing := false
	scanned := make(map[string]bool)
	for i := range c.input.Mailboxes {
		m := &c.input.Mailboxes[i]
		if m.Local == nil {
			continue
		}
		scanned[m.Folder] = true
		missing = missing || len(m.Local.Missing) > 0
		for j := range m.Local.Strays {
			s := &m.Local.Strays[j]
			s.Cleared = isCleared(s.Path, s.Mark)
			c.strays = append(c.strays, state.StrayNote{Path: s.Path, Mark: s.Mark})
		}
	}
	var unknown []state.StrayPlace
	for _, p := range c.places {
		if scanned[p.Path] && p.Path != "" && !p.Deep {
			continue // it is the folder of a mailbox
		}
		note := state.StrayNote{Path: cmp.Or(p.Path, "."), Mark: p.Mark}
		c.strays = append(c.strays, note)
		if !isCleared(note.Path, note.Mark) {
			unknown = append(unknown, p)
		}
	}
	if missing && len(unknown) > 0 {
		c.input.Strays, err = e.Local.Strays(ctx, unknown)
	}
	return err
}

// noteStrays notes what was seen, if nothing was missing in this cycle. What was noted
// in an earlier one is cleared.
func (e *Engine) noteStrays(ctx context.Context, c *cycle) error {
	for _, m := range c.input.Mailboxes {
		// A folder that was not looked at is proven to be as it was when it missed nothing.
		missing := m.Local != nil && len(m.Local.Missing) > 0
		if c.moving || m.Suspended || m.LocalFailed || m.Doubt != state.Believed || missing {
			return nil
		}
	}
	before := make(map[state.StrayNote]bool)
	for _, n := range c.notes {
		before[state.StrayNote{Path: n.Path, Mark: n.Mark}] = true
	}
	var notes []state.StrayNote
	for _, n := range c.strays {
		if n.Mark == "" {
			continue // nothing would prove that it is the same later
		}
		n.Cleared = before[n]
		notes = append(notes, n)
	}
	slices.SortFunc(notes, func(a, b state.StrayNote) int { return strings.Compare(a.Path, b.Path) })
	notes = slices.CompactFunc(notes, func(a, b state.StrayNote) bool { return a.Path == b.Path })
	notes = notes[:min(len(notes), strayNotesMax)]
	if slices.Equal(notes, c.notes) {
		return nil
	}
	if err := e.Store.PutStrayNotes(ctx, notes); err != nil {
		return fmt.Errorf("note files that are not understood: %w", err)
	}
	return nil
}
