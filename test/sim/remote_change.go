package sim

import (
	"context"
	"errors"
	"fmt"

	"mailmoor/state"
)

// Create implements engine.RemoteChanger. A mailbox that exists is refused, as
// with RFC 9051, section 6.3.4.
func (c *conn) Create(ctx context.Context, name string) error {
	doing := fmt.Sprintf("create mailbox %q", name)
	leave, err := c.enter(ctx, doing)
	if err != nil {
		return err
	}
	defer leave()
	if err := c.step("remote.create", name, false, doing); err != nil {
		return err
	}
	c.server.mu.Lock()
	c.server.commands = append(c.server.commands, fmt.Sprintf("create %q", name))
	exists := c.server.mailboxes[name] != nil
	if !exists {
		c.server.addMailbox(name, state.RoleNone).subscribed = true
	}
	c.server.mu.Unlock()
	if exists {
		return &state.Error{
			Scope: state.ScopeMailbox, Cause: state.CauseRefused, Doing: state.Text(doing), Err: errors.New("the mailbox exists already"),
		}
	}
	return c.step("remote.create", name, true, doing)
}

// change runs a changing command on the messages of the set, one step each, so
// that a fault can cut it in the middle. The set is taken when it begins. to is
// the mailbox that the command writes to besides, "" when there is none.
func (c *conn) change(
	ctx context.Context, op string, ref state.Ref, uids state.UIDSet, to, log string, act func(*mailbox, *message),
) error {
	doing := fmt.Sprintf("%s of mailbox %q", log, ref.Mailbox)
	leave, err := c.enter(ctx, doing)
	if err != nil {
		return err
	}
	defer leave()
	if err := c.step(op, ref.Mailbox, false, doing); err != nil {
		return err
	}
	if err := c.writable(ref, doing); err != nil {
		return err
	}
	if to != "" {
		if err := c.writable(state.Ref{Mailbox: to}, doing); err != nil {
			return err
		}
	}
	var todo []state.UID
	err = c.locked(ref, doing, func(m *mailbox) {
		for _, msg := range m.within(uids) {
			todo = append(todo, msg.UID)
		}
		c.server.commands = append(c.server.commands, doing)
	})
	if err != nil {
		return err
	}
	for _, uid := range todo {
		err := c.locked(ref, doing, func(m *mailbox) {
			if _, msg := m.find(uid); msg != nil {
				act(m, msg)
			}
		})
		if err != nil {
			return err
		}
		if err := c.step(op, fmt.Sprintf("%s/%d", ref.Mailbox, uid), true, doing); err != nil {
			return err
		}
	}
	return nil
}

// Store implements engine.RemoteChanger.
func (c *conn) Store(ctx context.Context, ref state.Ref, uids state.UIDSet, add, remove state.Flags) (map[state.UID]state.Flags, error) {
	result := map[state.UID]state.Flags{}
	log := fmt.Sprintf("store +%s -%s on UIDs %s", add, remove, uids)
	err := c.change(ctx, "remote.store", ref, uids, "", log, func(m *mailbox, msg *message) {
		permanent := c.server.permanent()
		m.setFlags(msg, msg.Flags&^(remove&permanent)|add&permanent)
		result[msg.UID] = msg.Flags
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// AddKeywords implements engine.RemoteChanger.
func (c *conn) AddKeywords(ctx context.Context, ref state.Ref, uids state.UIDSet, add state.Keywords) (map[state.UID]state.Keywords, error) {
	result := map[state.UID]state.Keywords{}
	log := fmt.Sprintf("keywords +%s on UIDs %s", add, uids)
	err := c.change(ctx, "remote.keywords", ref, uids, "", log, func(m *mailbox, msg *message) {
		m.setKeywords(msg, msg.Keywords.Union(c.server.rule().Of(add).Without(c.server.opts.RefusedKeywords)))
		result[msg.UID] = msg.Keywords
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// Move implements engine.RemoteChanger.
func (c *conn) Move(ctx context.Context, ref state.Ref, uids state.UIDSet, dest string) (map[state.UID]state.UID, bool, error) {
	log := fmt.Sprintf("move to %q of UIDs %s", dest, uids)
	result := map[state.UID]state.UID{}
	c.server.mu.Lock()
	removed := !c.server.opts.NoMove || !c.server.opts.NoUIDPlus
	c.server.mu.Unlock()
	copied := func(_ *mailbox, msg *message) {
		if to := c.server.mailboxes[dest]; to != nil {
			result[msg.UID] = c.server.add(to, msg.Message)
		}
	}
	gone := func(m *mailbox, msg *message) {
		if _, done := result[msg.UID]; !done {
			return
		}
		if !removed {
			m.setFlags(msg, msg.Flags|state.Trashed)
		} else {
			i, _ := m.find(msg.UID)
			m.remove(i)
		}
		if c.server.opts.NoUIDPlus {
			result[msg.UID] = 0
		}
	}
	move := func(m *mailbox, msg *message) {
		copied(m, msg)
		gone(m, msg)
	}
	if c.server.opts.NoMove {
		// Copies first: a connection can break, or the process end, in between.
		if err := c.change(ctx, "remote.copy", ref, uids, dest, log, copied); err != nil {
			return nil, false, err
		}
		move = gone
	}
	err := c.change(ctx, "remote.move", ref, uids, dest, log, move)
	if err != nil {
		return nil, false, err
	}
	return result, removed, nil
}

// writable reports a mailbox that cannot be changed.
func (c *conn) writable(ref state.Ref, doing string) error {
	readOnly := false
	err := c.locked(ref, doing, func(m *mailbox) { readOnly = m.readOnly })
	if err == nil && readOnly {
		err = &state.Error{
			Scope: state.ScopeMailbox, Cause: state.CauseReadOnly, Doing: state.Text(doing),
			Err: fmt.Errorf("mailbox %q is read-only", ref.Mailbox),
		}
	}
	return err
}

// Expunge implements engine.RemoteChanger.
func (c *conn) Expunge(ctx context.Context, ref state.Ref, uids state.UIDSet) (removed bool, err error) {
	c.server.mu.Lock()
	removed = !c.server.opts.NoUIDPlus
	c.server.mu.Unlock()
	err = c.change(ctx, "remote.expunge", ref, uids, "", fmt.Sprintf("expunge UIDs %s", uids), func(m *mailbox, msg *message) {
		if !removed {
			m.setFlags(msg, msg.Flags|state.Trashed)
			return
		}
		i, _ := m.find(msg.UID)
		m.remove(i)
	})
	return removed && err == nil, err
}
