package engine

import (
	"context"
	"sync"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

// wantsRounds bounds how often missing facts are asked for. What is not known
// then lets its mailbox wait.
const wantsRounds = 3

// satisfy asks the server for what the planner would otherwise have to guess.
func (e *Engine) satisfy(ctx context.Context, c *cycle) error {
	byName := make(map[string]*plan.Mailbox)
	for i := range c.input.Mailboxes {
		byName[c.input.Mailboxes[i].Name] = &c.input.Mailboxes[i]
	}
	var mu sync.Mutex
	for range wantsRounds {
		wants := plan.Missing(c.input)
		if len(wants) == 0 {
			return nil
		}
		err := each(ctx, e.pool, wants, func(ctx context.Context, conn *lease, w plan.Wants) error {
			m := byName[w.Mailbox]
			err := conn.with(ctx, func(r Remote) error { return findOut(ctx, r, m, w) })
			if err == nil || state.ScopeOf(err) >= state.ScopeAccount {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			m.Remote, m.Relisted, m.RemoteFailed = nil, nil, true
			c.problems = append(c.problems, state.ProblemOf(m.Name, "", err))
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, w := range plan.Missing(c.input) {
		// Still not known: nothing may be concluded about this mailbox.
		m := byName[w.Mailbox]
		m.Remote, m.Relisted, m.RemoteFailed = nil, nil, true
	}
	return nil
}

// findOut fills the identities or contents of new messages in. A message that
// the server does not show any more is not new but gone.
func findOut(ctx context.Context, r Remote, m *plan.Mailbox, w plan.Wants) error {
	delta := m.Remote
	if m.Relisted != nil {
		delta = m.Relisted
	}
	ref := state.Ref{Mailbox: w.Mailbox, UIDValidity: delta.Selected.UIDValidity}
	known := make(map[state.UID]state.RemoteMessage)
	for uids := range w.Identities.Chunks(identifyMax) {
		messages, err := r.Identify(ctx, ref, uids)
		if err != nil {
			return err
		}
		for _, now := range messages {
			known[now.UID] = now
		}
	}
	contents, err := readContents(ctx, r, ref, w.Contents)
	if err != nil {
		return err
	}
	var there []state.RemoteMessage
	for _, message := range delta.New {
		now, identified := known[message.UID]
		content, read := contents[message.UID]
		switch {
		case w.Identities.Contains(message.UID) && !identified, w.Contents.Contains(message.UID) && !read:
			m.Vanished = true
			continue
		case identified:
			message.Identity = now.Identity
		case read:
			message.Content = content
		}
		there = append(there, message)
	}
	delta.New = there
	return nil
}

// readContents reads the bodies of the messages and returns what they are.
func readContents(ctx context.Context, r RemoteTransfer, ref state.Ref, uids state.UIDSet) (map[state.UID]state.Content, error) {
	contents := make(map[state.UID]state.Content)
	if len(uids) == 0 {
		return contents, nil
	}
	var last state.UID
	err := r.Fetch(ctx, ref, uids, func(in state.Incoming) error {
		d := state.NewDigester()
		if _, err := copyBody(d, in.Body); err != nil {
			return err
		}
		last = in.UID
		contents[in.UID] = d.Sum()
		return nil
	})
	if err != nil {
		delete(contents, last) // not proven to be whole
	}
	return contents, err
}
