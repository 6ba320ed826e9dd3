package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"mailmoor/state"
)

// Fetch implements engine.RemoteTransfer. The set of messages is taken when it
// begins; those that vanish meanwhile are passed over.
func (c *conn) Fetch(ctx context.Context, ref state.Ref, uids state.UIDSet, each func(state.Incoming) error) error {
	doing := fmt.Sprintf("fetch UIDs %s of mailbox %q", uids, ref.Mailbox)
	leave, err := c.enter(ctx, doing)
	if err != nil {
		return err
	}
	defer leave()
	var todo []state.UID
	err = c.locked(ref, doing, func(m *mailbox) {
		for _, msg := range m.within(uids) {
			todo = append(todo, msg.UID)
		}
	})
	if err != nil {
		return err
	}
	for _, uid := range todo {
		if err := c.fetch(ctx, ref, uid, doing, each); err != nil {
			return err
		}
	}
	return nil
}

// fetch hands one message to each. An error injected by "remote.body" cuts the
// body in its middle; one injected after "remote.fetch" shows that a body which
// could be read to its end was nevertheless not whole.
func (c *conn) fetch(ctx context.Context, ref state.Ref, uid state.UID, doing string, each func(state.Incoming) error) error {
	subject := fmt.Sprintf("%s/%d", ref.Mailbox, uid)
	if err := ctx.Err(); err != nil {
		c.dead.Store(true)
		return &state.Error{Scope: state.ScopeAccount, Cause: state.CauseNetwork, Doing: state.Text(doing), Err: err}
	}
	if err := c.step("remote.fetch", subject, false, doing); err != nil {
		return err
	}
	var found *message
	told := int64(0)
	err := c.locked(ref, doing, func(m *mailbox) {
		if _, msg := m.find(uid); msg != nil {
			copied := *msg
			found, told = &copied, c.size(msg)
		}
	})
	if err != nil || found == nil {
		return err
	}
	body := &body{data: found.Body}
	cut := c.step("remote.body", subject, false, doing)
	if cut != nil {
		body.data, body.err = body.data[:len(body.data)/2], cut
	}
	err = each(state.Incoming{
		UID: uid, Flags: found.Flags, Keywords: found.Keywords, Date: found.Date, Size: int64(len(found.Body)), Told: told, Body: body,
	})
	body.err = errors.New("the body was read after its callback returned")
	body.data = nil
	switch {
	case err != nil:
		return err
	case cut != nil:
		return cut
	}
	return c.step("remote.fetch", subject, true, doing)
}

// body yields data and then err, io.EOF when that is nil.
type body struct {
	data []byte
	err  error
}

func (b *body) Read(p []byte) (int, error) {
	if len(b.data) == 0 {
		if b.err == nil {
			return 0, io.EOF
		}
		return 0, b.err
	}
	n := copy(p, b.data)
	b.data = b.data[n:]
	return n, nil
}

// Append implements engine.RemoteTransfer.
func (c *conn) Append(ctx context.Context, ref state.Ref, uploads []state.Upload) []state.Uploaded {
	doing := fmt.Sprintf("append to mailbox %q", ref.Mailbox)
	outcomes := make([]state.Uploaded, len(uploads))
	for i, u := range uploads {
		outcomes[i].Key = u.Key
	}
	leave, err := c.enter(ctx, doing)
	if err == nil {
		defer leave()
	}
	for i, u := range uploads {
		if err == nil {
			outcomes[i] = c.append(ref, u)
			if state.ScopeOf(outcomes[i].Err) >= state.ScopeAccount && outcomes[i].Err != nil {
				err = outcomes[i].Err
			}
			continue
		}
		c.afterLoss(ref, u)
		outcomes[i].Err = &state.Error{Scope: state.ScopeAccount, Cause: state.CauseUnknown, Doing: state.Text(doing), Err: err}
	}
	return outcomes
}

// afterLoss carries out an upload whose answer nobody will read.
func (c *conn) afterLoss(ref state.Ref, u state.Upload) {
	c.server.mu.Lock()
	lands := c.server.opts.LandAfterLoss
	c.server.mu.Unlock()
	if !lands || c.server.world.Dead() {
		return
	}
	if data, err := readUpload(u); err == nil {
		_, _ = c.land(ref, u, data)
	}
}

// append uploads one message.
func (c *conn) append(ref state.Ref, u state.Upload) state.Uploaded {
	doing := fmt.Sprintf("append %s to mailbox %q", u.Key, ref.Mailbox)
	out := state.Uploaded{Key: u.Key}
	if out.Err = c.step("remote.append", ref.Mailbox, false, doing); out.Err != nil {
		return out
	}
	data, err := readUpload(u)
	if errors.Is(err, errSize) {
		// The literal was announced and cannot be ended: the connection is of
		// no use any more.
		c.dead.Store(true)
		out.Err = &state.Error{Scope: state.ScopeAccount, Cause: state.CauseUnknown, Doing: state.Text(doing), Err: err}
		return out
	}
	if err != nil {
		out.Err = &state.Error{Scope: state.ScopeMessage, Cause: state.CauseOf(err), Doing: state.Text(doing), Err: err}
		return out
	}
	if out, err = c.land(ref, u, data); err != nil {
		return state.Uploaded{Key: u.Key, Err: err}
	}
	if err := c.step("remote.append", ref.Mailbox, true, doing); err != nil {
		return state.Uploaded{Key: u.Key, Err: err}
	}
	return out
}

// errSize is the reason of an upload whose size is not the announced one.
var errSize = errors.New("the body is not as long as announced")

// readUpload reads the whole body.
func readUpload(u state.Upload) ([]byte, error) {
	r, err := u.Open()
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	if closeErr := r.Close(); err == nil {
		err = closeErr
	}
	if err != nil || int64(len(data)) != u.Size {
		return nil, fmt.Errorf("%w: %d bytes instead of %d: %w", errSize, len(data), u.Size, err)
	}
	return data, nil
}

// land is what the server does with an APPEND that reached it.
func (c *conn) land(ref state.Ref, u state.Upload, data []byte) (state.Uploaded, error) {
	doing := fmt.Sprintf("append %s to mailbox %q", u.Key, ref.Mailbox)
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commands = append(s.commands, fmt.Sprintf("append %q", ref.Mailbox))
	m, err := c.open(ref, doing)
	if err != nil {
		return state.Uploaded{}, err
	}
	refuse := func(scope state.Scope, cause state.Cause, reason string) error {
		return &state.Error{Scope: scope, Cause: cause, Doing: state.Text(doing), Err: errors.New(reason)}
	}
	switch {
	case m.readOnly:
		return state.Uploaded{}, refuse(state.ScopeMailbox, state.CauseReadOnly, "the mailbox is read-only")
	case s.opts.MessageBytesMax > 0 && u.Size > s.opts.MessageBytesMax:
		return state.Uploaded{}, refuse(state.ScopeMessage, state.CauseTooLarge, "the message is too large")
	case s.opts.QuotaBytes > 0 && s.used()+u.Size > s.opts.QuotaBytes:
		return state.Uploaded{}, refuse(state.ScopeMessage, state.CauseQuota, "the quota is used up")
	}
	body := bytes.Clone(data)
	if s.opts.Stored != nil {
		if body = s.opts.Stored(body); body == nil {
			return state.Uploaded{}, refuse(state.ScopeMessage, state.CauseRefused, "the message breaks a rule")
		}
	}
	date := u.Date
	if date == 0 {
		date = s.world.Now()
	}
	uid := s.add(m, Message{Flags: u.Flags, Date: date, Body: body})
	if s.opts.NoUIDPlus {
		uid = 0
	}
	return state.Uploaded{Key: u.Key, UID: uid, UIDValidity: m.uidValidity}, nil
}
