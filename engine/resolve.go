package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

// resolveDelays are the pauses before each look for an upload whose answer was
// lost: the server may still be busy with it.
var resolveDelays = []time.Duration{0, 2 * time.Second, 3 * time.Second}

// resolveAge is after how long a server that was asked is done with an upload, or has
// lost it: as long as all looks take together.
const resolveAge = 5 * time.Second

// windowMax bounds the UIDs looked through for interrupted uploads.
const windowMax = 10_000

// resolver looks for the uploads of one mailbox whose UIDs are not known.
type resolver struct {
	*Engine
	tally   *tally
	mailbox string
	open    []unsure
	records []state.Record
	// last is true in the last look.
	last bool
	// first is how many messages are looked at before what was found is settled.
	first int
}

// resolve finds out which uploads of one mailbox have arrived, although no
// answer told where. They can only lie between the UIDNEXT noted before and the
// one now.
func (e *Engine) resolve(ctx context.Context, conn *lease, t *tally, open []unsure) error {
	v := &resolver{Engine: e, tally: t, open: open, mailbox: open[0].Mailbox, first: uploadMax}
	for n, delay := range resolveDelays {
		v.last = n == len(resolveDelays)-1
		if err := e.Wait(ctx, delay); err != nil {
			return err
		}
		if err := conn.with(ctx, func(r Remote) error { return v.look(ctx, r) }); err != nil {
			return explainGeneration(v.mailbox, err)
		}
		if len(v.open) == 0 {
			return nil
		}
	}
	return v.giveUp(ctx)
}

// revisit looks once for uploads that an earlier run has left open. Where they are so
// young that the server may still be busy with them, it gives none up and returns how
// long to wait: meanwhile there may be other things to do, and a run that waited first
// of all would do nothing else if it is ended soon, and neither would the next.
func (e *Engine) revisit(ctx context.Context, conn *lease, t *tally, open []unsure, waited int64) (time.Duration, error) {
	v := &resolver{Engine: e, tally: t, open: open, mailbox: open[0].Mailbox, first: 1}
	wait := time.Duration(0)
	for _, i := range open {
		age := time.Duration(e.now()-i.Created) * time.Second
		if i.Created <= waited || age < -resolveAge {
			continue // waited for, or of a time before the clock was set back
		}
		wait = max(wait, resolveAge-max(0, age))
	}
	v.last = wait == 0
	if err := conn.with(ctx, func(r Remote) error { return v.look(ctx, r) }); err != nil {
		return 0, explainGeneration(v.mailbox, err)
	}
	switch {
	case len(v.open) == 0:
		return 0, nil
	case !v.last:
		return wait, nil
	}
	return 0, v.giveUp(ctx)
}

// look settles those of the open uploads that the server now shows.
func (v *resolver) look(ctx context.Context, r Remote) error {
	next, err := r.Next(ctx, v.mailbox)
	if err != nil {
		return err
	}
	lowest := v.open[0].UIDNext
	for _, i := range v.open {
		lowest = min(lowest, i.UIDNext)
		if i.UIDValidity != next.UIDValidity {
			return &state.Error{
				Scope: state.ScopeMailbox, Cause: state.CauseGeneration,
				Doing: state.Textf("look for interrupted uploads in mailbox %q", v.mailbox),
				Err:   fmt.Errorf("UIDVALIDITY changed from %d to %d", i.UIDValidity, next.UIDValidity),
			}
		}
	}
	window, err := v.unpaired(ctx, lowest, next.UIDNext)
	if err != nil || len(window) == 0 {
		return err
	}
	return v.match(ctx, r, state.Ref{Mailbox: v.mailbox, UIDValidity: next.UIDValidity}, window)
}

// unpaired returns the UIDs from first up to next that no record has.
func (v *resolver) unpaired(ctx context.Context, first, next state.UID) (state.UIDSet, error) {
	var err error
	if v.records, err = v.Store.Records(ctx, v.mailbox); err != nil {
		return nil, fmt.Errorf("read records of mailbox %q: %w", v.mailbox, err)
	}
	known := make(map[state.UID]bool, len(v.records))
	for _, r := range v.records {
		known[r.UID] = true
	}
	var uids state.UIDSet
	for uid := uint64(first); uid < min(uint64(next), uint64(first)+windowMax); uid++ {
		if !known[state.UID(uid)] {
			uids = uids.Add(state.UID(uid))
		}
	}
	return uids, nil
}

// match pairs uploads with messages of the same content, as multisets: two equal uploads
// need two messages. Each part of them is settled before the next is looked at.
func (v *resolver) match(ctx context.Context, r Remote, ref state.Ref, window state.UIDSet) error {
	messages, err := r.Identify(ctx, ref, window)
	if err != nil {
		return err
	}
	headers, dates := make(map[state.Digest]bool), make(map[int64]bool)
	for _, i := range v.open {
		headers[i.Content.Header], dates[i.Date] = true, true
	}
	// What the server tells of a header need not be all of it.
	messages = slices.DeleteFunc(messages, func(m state.RemoteMessage) bool {
		return !headers[m.Identity.Header] && (m.Identity.Date == 0 || !dates[m.Identity.Date])
	})
	var left []state.RemoteMessage
	for part := range growing(messages, v.first, uploadMax) {
		found, others, err := v.same(ctx, r, ref, part)
		if err != nil {
			return err
		}
		if err := v.settleFound(ctx, r, found); err != nil {
			return err
		}
		left = append(left, others...)
	}
	return v.settleFound(ctx, r, v.rewritten(left))
}

// same returns the messages that have the content of an upload, by its intent, and the
// others. What has the very bytes of one comes first.
func (v *resolver) same(
	ctx context.Context, r Remote, ref state.Ref, messages []state.RemoteMessage,
) (found map[int64]state.RemoteMessage, others []state.RemoteMessage, err error) {
	var uids state.UIDSet
	for _, m := range messages {
		uids = uids.Add(m.UID)
	}
	contents, err := readContents(ctx, r, ref, uids)
	if err != nil {
		return nil, nil, err
	}
	found, others = make(map[int64]state.RemoteMessage), slices.Clone(messages)
	for _, equal := range []func(a, b state.Content) bool{
		func(a, b state.Content) bool { return a.Digest == b.Digest },
		state.Content.Same, // where the server stored other bytes
	} {
		others = slices.DeleteFunc(others, func(m state.RemoteMessage) bool {
			at := slices.IndexFunc(v.open, func(i unsure) bool {
				_, taken := found[i.ID]
				return !taken && m.UID >= i.UIDNext && equal(contents[m.UID], i.Content)
			})
			if at >= 0 {
				found[v.open[at].ID] = m
			}
			return at >= 0
		})
	}
	return found, others, nil
}

// settleFound settles what was found.
func (v *resolver) settleFound(ctx context.Context, r Remote, found map[int64]state.RemoteMessage) error {
	if len(found) == 0 {
		return nil
	}
	shown, err := v.tagArrived(ctx, r, found)
	if err != nil {
		return err
	}
	return v.settleArrived(ctx, found, shown)
}

// rewritten returns messages that the server may have made of uploads, by their intents:
// as many of the same header and another content as there are uploads of it. Some servers
// add a field or encode the body anew. Where an answer was lost, this is the last resort.
func (v *resolver) rewritten(messages []state.RemoteMessage) map[int64]state.RemoteMessage {
	open, shown := make(map[state.Digest][]unsure), make(map[state.Digest][]state.RemoteMessage)
	for _, i := range v.open {
		open[i.Content.Header] = append(open[i.Content.Header], i)
	}
	for _, m := range messages {
		shown[m.Identity.Header] = append(shown[m.Identity.Header], m)
	}
	found := make(map[int64]state.RemoteMessage)
	for header, open := range open {
		if header != state.HeaderDigest(nil) && len(open) == len(shown[header]) && v.mayBe(open, shown[header]) {
			for n, i := range open {
				found[i.ID] = shown[header][n]
			}
		}
	}
	return found
}

// mayBe reports whether the messages can be the uploads, one for one.
func (v *resolver) mayBe(open []unsure, messages []state.RemoteMessage) bool {
	for n, i := range open {
		if messages[n].UID < i.UIDNext || !i.accepted && !v.last {
			return false
		}
	}
	return true
}

// settleArrived records uploads that were found on the server, where they show
// these keywords.
func (v *resolver) settleArrived(ctx context.Context, found map[int64]state.RemoteMessage, shown map[state.UID]state.Keywords) error {
	var s state.Settlement
	var open []unsure
	bytes := int64(0)
	for _, i := range v.open {
		m, ok := found[i.ID]
		if !ok {
			open = append(open, i)
			continue
		}
		arrived := uploadedRecord(i.Intent, m.UID, state.FileStat{}, shown[m.UID])
		arrived.LocalFlags = arrived.Flags &^ m.Flags &^ state.Trashed
		arrived.Remote = m.Identity
		s.Drop = append(s.Drop, state.Record{Mailbox: i.Mailbox, Key: i.Key})
		s.Put = append(s.Put, arrived)
		s.Done = append(s.Done, i.ID)
		bytes += i.Content.WireSize
		if old := v.replaced(i); old.State != 0 {
			// The plan retires the old version if it is still there.
			s.Put = append(s.Put, retired(old))
		}
	}
	if err := v.settle(ctx, v.tally, s); err != nil {
		return fmt.Errorf("uploads that were found: %w", err)
	}
	v.open = open
	v.tally.did(plan.Upload, "", s.Put...)
	v.tally.add(func(c *Counts) { c.Uploaded += len(s.Done); c.BytesUp += bytes })
	return nil
}

// replaced returns the record of the version that the upload supersedes.
func (v *resolver) replaced(i unsure) state.Record {
	for _, r := range v.records {
		if i.Replaces != 0 && r.UID == i.Replaces {
			return r
		}
	}
	return state.Record{}
}

// giveUp ends the intents of uploads that cannot be found. One whose answer was
// lost has not arrived: the next plan uploads the file again, and the store
// remembers it in case it does arrive after all. One that the
// server accepted may be anywhere; it waits, or there could be endless copies.
func (v *resolver) giveUp(ctx context.Context) error {
	var s state.Settlement
	for _, i := range v.open {
		if !i.accepted {
			s.GivenUp = append(s.GivenUp, i.ID)
			continue
		}
		s.Done = append(s.Done, i.ID)
		r := v.stuck(i, "the server accepted the message, and does not show it")
		v.tally.problem(state.Problem{
			Scope: state.ScopeMessage, Cause: state.CauseUnknown, Mailbox: v.mailbox, Subject: string(i.Key),
			Text: r.Retry.Reason, Hint: "look for it on the server; the file stays where it is; " + nextTry(r.Retry),
		})
		s.Put = append(s.Put, r)
	}
	if err := v.settle(ctx, v.tally, s); err != nil {
		return fmt.Errorf("uploads that did not arrive: %w", err)
	}
	return nil
}

// stuck returns the record of an upload that waits for another attempt. A
// message that was edited stays paired with its older version.
func (v *resolver) stuck(i unsure, reason state.Text) state.Record {
	if old := v.replaced(i); old.State == state.Paired && old.Content.Digest != i.Content.Digest {
		old.Retry = nextRetry(old.Retry, v.now(), reason)
		return old
	}
	var before state.Retry
	for _, r := range v.records {
		if r.State == state.UploadStuck && r.Key == i.Key {
			before = r.Retry
		}
	}
	return stuckRecord(i.Intent, before, v.now(), reason)
}
