package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

const (
	// downloadMax is how many messages are announced in one transaction.
	downloadMax = 500
	// flushBytes and flushAfter bound what an interruption makes us fetch again.
	flushBytes = 8 << 20
	flushAfter = time.Second
	// failuresMax is how many single messages in a row may fail before it is the
	// server or the network, not the messages. They have been set aside by then,
	// so that the next run gets past them.
	failuresMax = 3
)

// download brings messages to the folder.
func (x *executor) download(ctx context.Context, conn *lease, b batch) error {
	for _, op := range b.ops {
		for uids := range op.UIDs.ChunksBy(func() int { return x.pace.most(downloadMax) }) {
			d := &downloading{executor: x, target: b.target, op: op}
			err := conn.with(ctx, func(r Remote) error { return d.fetch(ctx, r, uids) })
			if err == nil {
				if err := x.fetchMissed(ctx, conn, d.op, b.target, d.left(uids)); err != nil {
					return err
				}
				continue
			}
			if !singly(ctx, err) {
				return err
			}
			// One poisonous message must not stop the others: fetch what is
			// left one by one.
			if err := x.downloadSingly(ctx, conn, d.op, b.target, d.left(uids)); err != nil {
				return err
			}
		}
	}
	return nil
}

// fetchMissed fetches those messages once more that the server left out although
// they are there. One that has no body again is set aside.
func (x *executor) fetchMissed(ctx context.Context, conn *lease, op plan.Op, t *target, uids state.UIDSet) error {
	if len(uids) == 0 {
		return nil
	}
	return conn.with(ctx, func(r Remote) error {
		there, err := r.Identify(ctx, t.ref(), uids)
		if err != nil {
			return err
		}
		for _, m := range there {
			d := &downloading{executor: x, target: t, op: op}
			one := state.NewUIDSet(m.UID)
			if err := d.fetch(ctx, r, one); err != nil {
				return err
			}
			if len(d.left(one)) == 0 {
				continue
			}
			if err := d.setAside(ctx, m.UID, errNoBody); err != nil {
				return err
			}
		}
		return nil
	})
}

var errNoBody = errors.New("the server shows the message and gives no body")

// singly reports whether an error of a transfer may be due to one of its
// messages, so that the others can be had one by one: the connection broke while
// it was used, or the server refused.
func singly(ctx context.Context, err error) bool {
	if ctx.Err() != nil || errors.Is(err, errLocal) || errors.Is(err, errConnect) {
		return false
	}
	switch scope := state.ScopeOf(err); state.CauseOf(err) {
	case state.CauseGeneration, state.CauseReadOnly:
		return false
	case state.CauseGone:
		return scope == state.ScopeMessage
	default:
		return scope <= state.ScopeAccount
	}
}

// errLocal marks errors of the folder or the store, for which the server and
// its messages are not to blame.
var errLocal = errors.New("local side")

func localError(err error) error { return fmt.Errorf("%w: %w", errLocal, err) }

// downloadSingly fetches messages one at a time and sets aside those that fail
// again. It stops when it is likely that none can be had now.
func (x *executor) downloadSingly(ctx context.Context, conn *lease, op plan.Op, t *target, uids state.UIDSet) error {
	failures := 0
	for uid := range uids.All() {
		d := &downloading{executor: x, target: t, op: op}
		err := x.fetchOne(ctx, conn, d, uid)
		if err == nil {
			failures = 0
			continue
		}
		if !singly(ctx, err) {
			return err
		}
		if err := d.setAside(ctx, uid, err); err != nil {
			return err
		}
		if failures++; failures == failuresMax {
			return fmt.Errorf("download from mailbox %q: %s in a row cannot be fetched: %w", t.Name, state.Count(failures, "message"), err)
		}
	}
	return nil
}

// fetchOne fetches one message.
func (x *executor) fetchOne(ctx context.Context, conn *lease, d *downloading, uid state.UID) error {
	one := state.NewUIDSet(uid)
	return conn.persist(ctx, d.target.Name, uid, func(r Remote) error { return d.fetch(ctx, r, one) })
}

// persist does something with one message. A connection that breaks proves nothing against
// the message: it takes the blame only when two new connections, which worked
// until then, break at it as well, and another one still works.
func (l *lease) persist(ctx context.Context, mailbox string, uid state.UID, work func(Remote) error) error {
	works := func(r Remote) error {
		if _, err := r.Next(ctx, mailbox); err != nil {
			return &connectError{err}
		}
		return nil
	}
	broken := l.with(ctx, work)
	if broken == nil || !singly(ctx, broken) || state.ScopeOf(broken) < state.ScopeAccount {
		return broken
	}
	for range 2 {
		l.renew()
		err := l.with(ctx, func(r Remote) error {
			if err := works(r); err != nil {
				return err
			}
			return work(r)
		})
		if err == nil || !singly(ctx, err) || state.ScopeOf(err) < state.ScopeAccount {
			return err
		}
		broken = err
		if err := l.with(ctx, works); err != nil {
			return err
		}
	}
	return &state.Error{
		Scope: state.ScopeMessage, Cause: state.CauseRefused, Doing: state.Textf("fetch UID %d of mailbox %q", uid, mailbox),
		Err: fmt.Errorf("the connection breaks at it each time: %w", broken),
	}
}

// downloading is the transfer of one set of messages.
type downloading struct {
	*executor
	target *target
	op     plan.Op

	intents  map[state.UID]*state.Intent
	delivery state.Delivery
	batch    state.Settlement // what is in the current delivery
	bytes    int64
	sizes    []int64
	since    time.Time
	// settled are the messages that have arrived, or were set aside.
	settled state.UIDSet
}

// left returns the UIDs of which nobody knows yet what becomes of them.
func (d *downloading) left(uids state.UIDSet) state.UIDSet { return uids.Without(d.settled) }

// fetch announces the messages, fetches them and settles them in batches that
// become visible and durable together.
func (d *downloading) fetch(ctx context.Context, r Remote, uids state.UIDSet) error {
	if err := d.announce(ctx, uids); err != nil {
		return localError(err)
	}
	err := r.Fetch(ctx, d.target.ref(), uids, func(in state.Incoming) error {
		// That the next message began proves that those before it are whole.
		if d.due() {
			if err := d.flush(ctx); err != nil {
				return localError(err)
			}
		}
		return d.take(ctx, in)
	})
	if err != nil {
		// The last message may be cut short: nothing of this delivery is kept.
		d.abort()
		if ctx.Err() == nil {
			if failed := d.giveUp(ctx); failed != nil {
				return localError(errors.Join(failed, err))
			}
		}
		return err
	}
	if err := d.flush(ctx); err != nil {
		return localError(err)
	}
	return d.giveUp(ctx)
}

// announce notes which file each message will become.
func (d *downloading) announce(ctx context.Context, uids state.UIDSet) error {
	intents := make([]state.Intent, 0, uids.Len())
	for uid := range uids.All() {
		flags, keywords := d.shown(uid)
		intents = append(intents, state.Intent{
			Kind: state.IntentDownload, Mailbox: d.target.Name, UIDValidity: d.target.ref().UIDValidity,
			UID: uid, Key: d.Local.NewKey(), Flags: flags, Keywords: keywords, Created: d.now(),
		})
	}
	if err := d.Store.Intend(ctx, intents); err != nil {
		return fmt.Errorf("note downloads into folder %q: %w", d.target.Folder, err)
	}
	d.intents = make(map[state.UID]*state.Intent, len(intents))
	for i := range intents {
		d.intents[intents[i].UID] = &intents[i]
	}
	return nil
}

// shown returns the flags and keywords that the message had when it was observed.
func (d *downloading) shown(uid state.UID) (state.Flags, state.Keywords) {
	fresh := d.target.Remote.New // ordered by UID
	if i, found := slices.BinarySearchFunc(fresh, uid, func(m state.RemoteMessage, uid state.UID) int { return cmp.Compare(m.UID, uid) }); found {
		return fresh[i].Flags, fresh[i].Keywords
	}
	if uid == d.op.Base.UID {
		return d.op.Base.Flags, d.op.Base.Keywords
	}
	return 0, ""
}

// take writes one message into the current delivery.
func (d *downloading) take(ctx context.Context, in state.Incoming) error {
	intent := d.intents[in.UID]
	if intent == nil {
		return nil // not asked for, or sent twice
	}
	if d.delivery == nil {
		var err error
		if d.delivery, err = d.Local.Deliver(ctx, d.target.Folder); err != nil {
			return localError(err)
		}
		d.since = d.Now()
	}
	if err := d.checkRoom(ctx, in); err != nil {
		return d.pass(ctx, in, err)
	}
	kept := d.target.Stores().Of(in.Keywords)
	in.Keywords = in.Keywords.Union(d.op.Own[in.UID])
	file, err := d.delivery.Add(intent.Key, in)
	switch {
	case err == nil:
	case state.CauseOf(err) == state.CauseDisk:
		// Those before it are whole: what fits is kept, and is not fetched again.
		return localError(errors.Join(err, d.flush(ctx)))
	case state.ScopeOf(err) == state.ScopeMessage:
		return d.pass(ctx, in, err)
	default:
		return err
	}
	d.batch.Put = append(d.batch.Put, state.Record{
		Mailbox: d.target.Name, UID: in.UID, Key: intent.Key, State: state.Paired, Flags: in.Flags,
		Keywords: kept, LocalKeywords: in.Keywords.Without(kept), Stat: file.Stat, Content: file.Content,
		Remote: state.RemoteIdentity{Size: in.Told, Date: in.Date, Header: file.Content.Header},
	})
	d.batch.Done = append(d.batch.Done, intent.ID)
	d.bytes += in.Size
	d.sizes = append(d.sizes, in.Size)
	return nil
}

// pass sets a message aside that cannot be stored, and reads it to its end: the others
// can.
func (d *downloading) pass(ctx context.Context, in state.Incoming, err error) error {
	if _, drained := copyBody(io.Discard, in.Body); drained != nil {
		return drained
	}
	return d.setAside(ctx, in.UID, err)
}

func (d *downloading) due() bool {
	return d.delivery != nil &&
		(d.bytes >= flushBytes || len(d.sizes) >= d.pace.most(downloadMax) || d.Now().Sub(d.since) >= flushAfter)
}

// flush makes the delivery visible and durable, then records it. When that
// fails its files may be visible: their intents stay, for recovery to look.
func (d *downloading) flush(ctx context.Context) error {
	if d.delivery == nil {
		return nil
	}
	delivery, batch, bytes, sizes := d.delivery, d.batch, d.bytes, d.sizes
	d.delivery, d.batch, d.bytes, d.sizes = nil, state.Settlement{}, 0, nil
	for _, r := range batch.Put {
		delete(d.intents, r.UID)
	}
	if err := delivery.Commit(); err != nil {
		return err
	}
	if err := d.settle(ctx, batch); err != nil {
		return err
	}
	for i, r := range batch.Put {
		d.settled = d.settled.Add(r.UID)
		d.transferred(sizes[i])
	}
	d.pace.faster()
	d.did(plan.Download, "", batch.Put...)
	d.add(func(c *Counts) { c.Downloaded += len(batch.Put); c.BytesDown += bytes })
	return nil
}

func (d *downloading) abort() {
	if d.delivery != nil {
		d.delivery.Abort()
		d.delivery, d.batch, d.bytes, d.sizes = nil, state.Settlement{}, 0, nil
	}
}

// giveUp ends the intents of messages that did not come. Where the server just
// left them out they are gone, or it is confused: the next cycle looks again.
func (d *downloading) giveUp(ctx context.Context) error {
	if len(d.intents) == 0 {
		return nil
	}
	d.target.leaveOpen()
	var s state.Settlement
	for _, intent := range d.intents {
		s.Done = append(s.Done, d.ended(ctx, intent)...)
	}
	d.intents = nil
	return d.settle(ctx, s)
}

// ended returns the intent of a message that did not come, if nothing of it can be
// left in tmp/. Otherwise it stays open, for recovery to try again.
func (d *downloading) ended(ctx context.Context, i *state.Intent) []int64 {
	if err := d.Local.Discard(ctx, d.target.Folder, i.Key); err != nil {
		d.Log.Debug().Err(err).Str("mailbox", d.target.Name).Msg("an unfinished message stays in tmp/ for now")
		return nil
	}
	return []int64{i.ID}
}

// setAside records a message that cannot be fetched, so that it is tried again
// later and does not stand in the way of others.
func (d *downloading) setAside(ctx context.Context, uid state.UID, cause error) error {
	var before state.Retry
	if d.op.Base.UID == uid {
		before = d.op.Base.Retry
	}
	retry := nextRetry(before, d.now(), state.TextOf(cause))
	d.problem(state.Problem{
		Scope: state.ScopeMessage, Cause: state.CauseOf(cause), Mailbox: d.target.Name,
		Subject: fmt.Sprintf("UID %d", uid), Text: "cannot be fetched: " + retry.Reason,
		Hint: "the other messages are not affected; " + nextTry(retry),
	})
	s := state.Settlement{Put: []state.Record{{
		Mailbox: d.target.Name, UID: uid, State: state.DownloadStuck, Retry: retry,
	}}}
	if intent := d.intents[uid]; intent != nil {
		s.Done = append(s.Done, d.ended(ctx, intent)...)
		delete(d.intents, uid)
	}
	if err := d.settle(ctx, s); err != nil {
		return localError(err)
	}
	d.settled = d.settled.Add(uid)
	return nil
}
