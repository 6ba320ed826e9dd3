package engine

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

const (
	// NewestMax is how many of the messages that would be transferred are
	// described, for each mailbox and direction.
	NewestMax = 20
	// identifyMax is how many messages are identified at a time. Their header
	// fields are in memory together.
	identifyMax = 1000
	// headerBytesMax is how far into a file its header is looked for.
	headerBytesMax = 64 << 10
	// valueBytesMax is what is kept of the value of a header field.
	valueBytesMax = 1000
)

// Preview is a plan and what it is based on, for a dry run.
type Preview struct {
	Plan     plan.Plan
	Problems []state.Problem
	// Forgotten are mailboxes whose records would be dropped, to see them afresh.
	Forgotten []string
	// Interrupted is the number of transfers that a real run would have to
	// clear up first.
	Interrupted int
	// Transfers describe what would be downloaded and uploaded, in the order of
	// the plan, if details were asked for.
	Transfers []Transfer
}

// Transfer is the messages that would be brought to one mailbox or folder.
type Transfer struct {
	Kind    plan.Kind // plan.Download or plan.Upload
	Mailbox string
	// Messages is how many the plan has. Those of which the size is known are
	// Sized, with Bytes altogether: others may be gone from the server by now.
	Messages, Sized int
	Bytes           int64
	// Newest are the newest ones, NewestMax at most, the newest first.
	Newest []Headline
}

// Headline is what tells a person which message it is.
type Headline struct {
	UID  state.UID // 0 for a file
	Key  state.Key // empty for a message on the server
	Date int64     // INTERNALDATE or mtime in Unix seconds, 0 if the server has none
	Size int64     // with CRLF line ends
	// From and Subject are the header fields as the sender encoded them, at most
	// 1000 bytes of each.
	From, Subject string
}

// Preview observes and plans like Sync and changes nothing. With details it also
// asks the server, or reads in the files, what would be transferred.
func (e *Engine) Preview(ctx context.Context, details bool) (Preview, error) {
	intents, err := e.Store.Intents(ctx)
	if err != nil {
		return Preview{}, fmt.Errorf("read intents: %w", err)
	}
	e.retrying, e.watched = e.Retry, nil
	c, err := e.observe(ctx)
	if err != nil {
		return Preview{}, err
	}
	p := Preview{Plan: c.plan, Forgotten: c.forget, Interrupted: len(intents)}
	if details {
		err = e.describe(ctx, c, &p)
	}
	p.Problems = c.problems
	return p, err
}

// transfer is a Transfer while it is being described.
type transfer struct {
	Transfer
	ref     state.Ref
	folder  string
	ranges  []state.UIDRange
	files   []state.LocalMessage // the newest
	problem []state.Problem
}

// describe fills in the transfers of a preview. Its memory does not depend on
// the number of messages.
func (e *Engine) describe(ctx context.Context, c *cycle, p *Preview) error {
	all := transfersOf(c)
	var downloads []*transfer
	for _, t := range all {
		if t.Kind == plan.Download {
			downloads = append(downloads, t)
		}
	}
	err := each(ctx, e.pool, downloads, func(ctx context.Context, conn *lease, t *transfer) error {
		return t.told(ctx, conn.with(ctx, func(r Remote) error { return t.identify(ctx, r) }), "")
	})
	if err != nil {
		return err
	}
	for _, t := range all {
		for _, m := range t.files {
			h := Headline{Key: m.Key, Date: m.Date, Size: m.Content.WireSize}
			fields, err := e.readFields(ctx, t.folder, m)
			if err := t.told(ctx, err, t.folder+"/"+string(m.Key)); err != nil {
				return err
			}
			h.From, h.Subject = fieldValue(fields, "From"), fieldValue(fields, "Subject")
			t.Newest = append(t.Newest, h)
		}
		p.Transfers = append(p.Transfers, t.Transfer)
		c.problems = append(c.problems, t.problem...)
	}
	return nil
}

// transfersOf collects what the plan transfers, by mailbox and direction.
func transfersOf(c *cycle) []*transfer {
	generations := make(map[string]uint32)
	for _, m := range c.input.Mailboxes {
		if m.Remote != nil {
			generations[m.Name] = m.Remote.Selected.UIDValidity
		}
	}
	var all []*transfer
	for _, op := range c.plan.Ops {
		if op.Kind != plan.Download && op.Kind != plan.Upload {
			continue
		}
		i := slices.IndexFunc(all, func(t *transfer) bool { return t.Kind == op.Kind && t.Mailbox == op.Mailbox })
		if i < 0 {
			i = len(all)
			all = append(all, &transfer{
				Transfer: Transfer{Kind: op.Kind, Mailbox: op.Mailbox},
				ref:      state.Ref{Mailbox: op.Mailbox, UIDValidity: generations[op.Mailbox]}, folder: op.Folder,
			})
		}
		all[i].add(op)
	}
	return all
}

// add takes the messages of an operation in.
func (t *transfer) add(op plan.Op) {
	t.Messages += op.Count()
	t.ranges = append(t.ranges, op.UIDs...)
	for _, m := range op.Files {
		t.Sized++
		t.Bytes += m.Content.WireSize
		i, _ := slices.BinarySearchFunc(t.files, m.Date, func(m state.LocalMessage, date int64) int {
			return cmp.Compare(date, m.Date) // the newest first
		})
		if i < NewestMax {
			t.files = slices.Insert(t.files, i, m)
			t.files = t.files[:min(len(t.files), NewestMax)]
		}
	}
}

// told turns an error that does not reach beyond the mailbox into a problem.
// What changed since the plan was made is none: a run would look again.
func (t *transfer) told(ctx context.Context, err error, subject string) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil, state.CauseOf(err) == state.CauseStale:
		return nil
	case state.ScopeOf(err) >= state.ScopeAccount:
		return err
	}
	t.problem = append(t.problem, state.ProblemOf(t.Mailbox, subject, err))
	return nil
}

// identify asks the server for the messages, and keeps what is shown.
func (t *transfer) identify(ctx context.Context, r Remote) error {
	slices.SortFunc(t.ranges, func(a, b state.UIDRange) int { return cmp.Compare(a.First, b.First) })
	var all state.UIDSet
	for _, r := range t.ranges {
		all = all.AddRange(r)
	}
	for uids := range all.Chunks(identifyMax) {
		messages, err := r.Identify(ctx, t.ref, uids)
		if err != nil {
			return err
		}
		for _, m := range messages {
			t.Sized++
			t.Bytes += m.Identity.Size
		}
		slices.Reverse(messages)
		var newest []Headline
		for _, m := range messages[:min(len(messages), NewestMax)] {
			newest = append(newest, Headline{
				UID: m.UID, Date: m.Identity.Date, Size: m.Identity.Size,
				From: fieldValue(m.Fields, "From"), Subject: fieldValue(m.Fields, "Subject"),
			})
		}
		newest = append(newest, t.Newest...)
		t.Newest = newest[:min(len(newest), NewestMax)]
	}
	return nil
}

// readFields reads the identity fields from the file.
func (e *Engine) readFields(ctx context.Context, folder string, m state.LocalMessage) (string, error) {
	upload, err := e.Local.Open(ctx, folder, m)
	if err != nil {
		return "", err
	}
	r, err := upload.Open()
	if err != nil {
		return "", err
	}
	defer r.Close()
	d := state.NewDigester()
	if _, err := io.Copy(d, io.LimitReader(r, headerBytesMax)); err != nil {
		return "", err
	}
	return d.Fields(), nil
}

// fieldValue returns the value of the first header field of the name, unfolded,
// as a string of its own that keeps the rest of the header from staying.
func fieldValue(fields, name string) string {
	var value []byte
	within := false
	for line := range strings.Lines(fields) {
		if line[0] != ' ' && line[0] != '\t' {
			if within {
				break
			}
			before, after, _ := strings.Cut(line, ":")
			within = strings.EqualFold(strings.TrimRight(before, " \t"), name)
			line = after
		}
		if text := strings.TrimSpace(line); within && text != "" {
			if len(value) > 0 {
				value = append(value, ' ')
			}
			value = append(value, text...)
		}
	}
	return string(value[:min(len(value), valueBytesMax)])
}
