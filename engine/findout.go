package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
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
			unread, err := findOut(ctx, conn, m, w)
			mu.Lock()
			defer mu.Unlock()
			for _, uid := range slices.Sorted(maps.Keys(unread)) {
				c.problems = append(c.problems, unreadProblem(w.Mailbox, uid, unread[uid]))
			}
			if err == nil || state.ScopeOf(err) >= state.ScopeAccount {
				return err
			}
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
// the server does not show any more is not new but gone. It returns why bodies could
// not be had of messages that are there.
func findOut(ctx context.Context, conn *lease, m *plan.Mailbox, w plan.Wants) (map[state.UID]error, error) {
	delta := m.Remote
	if m.Relisted != nil {
		delta = m.Relisted
	}
	ref := state.Ref{Mailbox: w.Mailbox, UIDValidity: delta.Selected.UIDValidity}
	asking := &asking{lease: conn, ref: ref, known: make(map[state.UID]state.RemoteMessage)}
	for uids := range w.Identities.Chunks(identifyMax) {
		if err := asking.identify(ctx, uids); err != nil {
			return nil, err
		}
	}
	known := asking.known
	contents, unread, err := readBodies(ctx, conn, ref, w.Contents)
	if err != nil {
		return nil, err
	}
	var there []state.RemoteMessage
	for _, message := range delta.New {
		now, identified := known[message.UID]
		content, read := contents[message.UID]
		switch {
		case unread[message.UID] != nil:
			message.Unread = true
		case w.Identities.Contains(message.UID) && !identified, w.Contents.Contains(message.UID) && !read:
			m.Vanished = true
			continue
		case identified:
			message.Identity, message.Nameless = now.Identity, now.Nameless
		case read:
			message.Content = content
		}
		there = append(there, message)
	}
	delta.New = there
	return unread, nil
}

// unreadProblem says that what becomes of a message depends on a body that the server
// does not give.
func unreadProblem(mailbox string, uid state.UID, cause error) state.Problem {
	return state.Problem{
		Scope: state.ScopeMessage, Cause: state.CauseOf(cause), Weight: state.WeightLasting, Mailbox: mailbox,
		Subject: fmt.Sprintf("UID %d", uid), Text: "cannot be read, and may be a message that is in the folder or was moved: " + state.TextOf(cause),
		Hint: "it waits, and so do messages of the same header; the others are not affected. Other programs may be able to repair it on the server",
	}
}

// breaksMax is how many connections a look at new messages may cost.
const breaksMax = 32

// asking is a look at the identities of messages, of which one may break every
// connection that asks for it.
type asking struct {
	*lease
	ref    state.Ref
	known  map[state.UID]state.RemoteMessage
	breaks int
}

// identify asks for the messages. When the connection breaks it asks for halves of
// them, and again for halves, until only the message is left at which it breaks
// each time: that one counts as known, as one like no other. Its download will
// set it aside.
func (a *asking) identify(ctx context.Context, uids state.UIDSet) error {
	err := a.ask(ctx, uids)
	if err == nil || state.ScopeOf(err) < state.ScopeAccount || !singly(ctx, err) {
		return err
	}
	if a.breaks++; a.breaks > breaksMax {
		return err
	}
	if uids.Len() > 1 {
		for half := range uids.Chunks((uids.Len() + 1) / 2) {
			if err := a.identify(ctx, half); err != nil {
				return err
			}
		}
		return nil
	}
	err = a.ask(ctx, uids)
	if err != nil && state.ScopeOf(err) >= state.ScopeAccount && singly(ctx, err) {
		for uid := range uids.All() {
			a.known[uid] = state.RemoteMessage{UID: uid, Identity: plan.Unidentified, Nameless: true}
		}
		return nil
	}
	return err
}

func (a *asking) ask(ctx context.Context, uids state.UIDSet) error {
	return a.with(ctx, func(r Remote) error {
		messages, err := r.Identify(ctx, a.ref, uids)
		for _, now := range messages {
			// Of the header, which may have 64 KiB, only this is of use here.
			now.Nameless, now.Fields = !state.HasMessageID(now.Fields), ""
			a.known[now.UID] = now
		}
		return err
	})
}
