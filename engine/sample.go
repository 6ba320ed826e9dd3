package engine

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"slices"

	"mailmoor/state"
)

// A server that was restored from a backup gives UIDs once more, to other
// messages, and its counters may say nothing of it. It always loses its newest
// messages, so the highest known UIDs show it.

// sampleSize is how many known messages are looked at before anything is
// concluded from a mailbox that changed.
const sampleSize = 16

// errBroken is what is said of a mailbox whose UIDs name other messages.
func errBroken(mailbox string) error {
	return &state.Error{
		Scope: state.ScopeMailbox, Cause: state.CauseGeneration, Doing: state.Textf("check mailbox %q", mailbox),
		Err: errors.New("other messages stand under known UIDs, as after the restore of a backup"),
	}
}

// rememberDoubts stores which mailboxes this cycle has found in doubt: what showed
// it may be gone in the next run, the doubt is not.
func (e *Engine) rememberDoubts(ctx context.Context, c *cycle) error {
	for _, m := range c.input.Mailboxes {
		if m.Known == nil || m.Doubt <= m.Known.Doubt || slices.Contains(c.forget, m.Name) {
			continue
		}
		known := *m.Known
		known.Doubt = m.Doubt
		if err := e.Store.PutMailbox(ctx, known); err != nil {
			return fmt.Errorf("note that mailbox %q is in doubt: %w", m.Name, err)
		}
	}
	return nil
}

// sampleRecords returns the known messages with the highest UIDs that the delta
// does not show as gone.
func sampleRecords(seen state.SeenSet, delta state.RemoteDelta) (map[state.UID]state.Record, error) {
	sample := make(map[state.UID]state.Record)
	for r, err := range newest(seen, left(seen, delta.Gone)) {
		if err != nil {
			return nil, err
		}
		if len(sample) == sampleSize {
			break
		}
		if r.Remote.Date != 0 {
			sample[r.UID] = r
		}
	}
	return sample, nil
}

// left returns the UIDs of the known messages that are not gone.
func left(seen state.SeenSet, gone []state.Record) state.UIDSet {
	return seen.UIDs.Without(state.SeenOf(gone).UIDs)
}

// checkSample compares a sample of the known messages with what the server
// shows under their UIDs now. A message whose header and date are both another
// one's is another message. (Some servers rewrite the headers of what they are
// given, but not its date.)
func checkSample(ctx context.Context, r Remote, seen state.SeenSet, delta state.RemoteDelta) error {
	sample, err := sampleRecords(seen, delta)
	if err != nil || len(sample) == 0 {
		return err
	}
	var uids []state.UID
	for uid := range sample {
		uids = append(uids, uid)
	}
	ref := state.Ref{Mailbox: delta.Mailbox, UIDValidity: delta.Selected.UIDValidity}
	messages, err := r.Identify(ctx, ref, state.NewUIDSet(uids...))
	if err != nil {
		return err
	}
	for _, m := range messages {
		was := sample[m.UID].Remote
		if m.Identity.Header != was.Header && m.Identity.Date != was.Date {
			return errBroken(delta.Mailbox)
		}
	}
	return nil
}

// holeProblems say that nothing can be concluded from a listing, and because of which
// messages where that is known.
func holeProblems(mailbox string, unnumbered []state.Unnumbered) []state.Problem {
	if len(unnumbered) == 0 {
		return []state.Problem{{
			Scope: state.ScopeMailbox, Cause: state.CauseStale, Mailbox: mailbox,
			Text: "the server does not list all of the mailbox, or it changes all the time",
			Hint: "nothing is removed in the whole account until it is seen complete; the next run looks again",
		}}
	}
	var problems []state.Problem
	for i, m := range unnumbered {
		p := state.Problem{
			Scope: state.ScopeMessage, Cause: state.CauseStale, Mailbox: mailbox, Subject: fmt.Sprintf("message %d", m.Number),
			Text: "the server gives it the UID 0, so it cannot be told from others" + describedAs(m.Fields),
			Hint: "nothing is removed in the whole account while it has no UID; move it to another mailbox or delete it " +
				"with another program, or have the server's index rebuilt",
		}
		if left := len(unnumbered) - i; i == unnumberedMax && left > 1 {
			p.Subject = string(state.Count(left, "more message"))
			p.Text = "the server gives them the UID 0, too"
			return append(problems, p)
		}
		problems = append(problems, p)
	}
	return problems
}

// unnumberedMax is how many messages without a UID are spoken of singly.
const unnumberedMax = 5

// describedAs names a message by sender and subject.
func describedAs(fields string) state.Text {
	var parts []state.Text
	for _, name := range []string{"From", "Subject"} {
		value, err := new(mime.WordDecoder).DecodeHeader(fieldValue(fields, name))
		if err == nil && value != "" {
			parts = append(parts, state.Textf("%s %q", name, value))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + state.Join(parts, ", ")
}

// changed reports whether either side of the mailbox shows a change.
func (l *look) changed(d state.RemoteDelta) bool {
	local := l.Local != nil && len(l.Local.New)+len(l.Local.Changed)+len(l.Local.Missing) > 0
	return local || d.GoneUnknown || len(d.New)+len(d.Changed)+len(d.Gone) > 0
}
