package engine

import (
	"context"
	"fmt"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

// uploadMax and uploadBytes bound one batch of uploads, and with it what must
// be cleared up when the answers get lost.
const (
	uploadMax   = 256
	uploadBytes = 16 << 20
)

// item is one file to upload.
type item struct {
	file state.LocalMessage
	// base is the record that it replaces, zero without one.
	base state.Record
	// edited is true when the message of base is still on the server, as an
	// older version.
	edited bool
	// send are the flags that the message shall have.
	send state.Flags
	// keywords are those that the message has here, shown those that the server is
	// known to have of it.
	keywords, shown state.Keywords
	// untagged is true when the server could not be asked to add them.
	untagged bool

	upload state.Upload
	intent state.Intent
	// arrived is how the server describes the message, zero if it did not.
	arrived state.RemoteIdentity
}

// unsure is an upload of which nobody knows the UID.
type unsure struct {
	state.Intent
	// accepted is true when the server said OK, without telling the UID.
	accepted bool
}

// upload appends files to the mailbox, batch by batch. The old version of an
// edited message is retired by the next plan, when the new one is safe.
func (x *executor) upload(ctx context.Context, conn *lease, b batch) error {
	var items []item
	for _, op := range b.ops {
		if op.Local.Key != "" && !op.Tags.Local.Equal(op.Local.Keywords) {
			b.target.leaveOpen() // the next scan finds letters that are still to be written
		}
		if op.Kind == plan.Replace {
			items = append(items, item{file: op.Local, base: op.Base, edited: true, send: op.WantRemote, keywords: op.Tags.Local})
		}
		for _, file := range op.Files {
			items = append(items, item{file: file, base: op.Base, send: file.Flags, keywords: file.Keywords})
		}
	}
	items, err := x.awaitLost(ctx, conn, b.target, items)
	if err != nil {
		return err
	}
	for len(items) > 0 {
		n, bytes, most := 0, int64(0), x.pace.most(uploadMax)
		for n < len(items) && n < most && (n == 0 || bytes+items[n].file.Content.WireSize <= uploadBytes) {
			bytes += items[n].file.Content.WireSize
			n++
		}
		if err := x.uploadBatch(ctx, conn, b.target, items[:n]); err != nil {
			return err
		}
		x.pace.faster()
		items = items[n:]
	}
	return nil
}

// uploadBatch appends a few files. The intents are durable before the first
// byte is sent, and they end only with a proven outcome.
func (x *executor) uploadBatch(ctx context.Context, conn *lease, t *target, items []item) error {
	var next state.Cursor
	err := conn.with(ctx, func(r Remote) (err error) {
		next, err = x.learnGeneration(ctx, r, t)
		return err
	})
	if err != nil {
		return err
	}
	ready, err := x.prepare(ctx, t, items, next)
	if err != nil || len(ready) == 0 {
		return err
	}
	ref := state.Ref{Mailbox: t.Name, UIDValidity: next.UIDValidity}
	uploads := make([]state.Upload, len(ready))
	for i := range ready {
		uploads[i] = ready[i].upload
	}
	var results []state.Uploaded
	var arrived map[state.UID]state.RemoteIdentity
	err = conn.with(ctx, func(r Remote) error {
		results = r.Append(ctx, ref, uploads)
		if err := brokenBy(results); err != nil {
			return err
		}
		arrived = x.identities(ctx, r, ref, results)
		return x.tagUploads(ctx, r, t, ref, ready, results)
	})
	if ctx.Err() != nil {
		// Stopped while answers were due: the intents stay, and the next run
		// clears them up.
		return ctx.Err()
	}
	for i, u := range results {
		ready[i].arrived = arrived[u.UID]
	}
	open, settleErr := x.settleUploads(ctx, t, ready, results)
	if settleErr != nil {
		return settleErr
	}
	x.lookAfter(ctx, t, ready, results)
	if len(open) == 0 {
		return err
	}
	t.leaveOpen()
	return x.resolve(ctx, conn, x.tally, open)
}

// lookAfter makes the next round look closer at files that are not what was sent: who
// delivers slowly, or edits, goes on while we upload.
func (x *executor) lookAfter(ctx context.Context, t *target, items []item, results []state.Uploaded) {
	for i, u := range results {
		if u.Err != nil {
			continue
		}
		if _, err := x.Local.Open(ctx, t.Folder, items[i].file); state.CauseOf(err) == state.CauseStale {
			t.doubt()
		}
	}
}

// identities asks how the server describes what it was given: some servers rewrite
// it, and later only their own words tell whether it is still the same message.
// Without an answer the message counts as what was sent.
func (x *executor) identities(ctx context.Context, r Remote, ref state.Ref, results []state.Uploaded) map[state.UID]state.RemoteIdentity {
	var uids []state.UID
	for _, u := range results {
		if u.Err == nil && u.UID != 0 && u.UIDValidity == ref.UIDValidity {
			uids = append(uids, u.UID)
		}
	}
	if len(uids) == 0 {
		return nil
	}
	messages, err := r.Identify(ctx, ref, state.NewUIDSet(uids...))
	if err != nil {
		x.Log.Debug().Err(err).Str("mailbox", ref.Mailbox).Msg("uploaded messages could not be looked at")
		return nil
	}
	identities := make(map[state.UID]state.RemoteIdentity, len(messages))
	for _, m := range messages {
		identities[m.UID] = m.Identity
	}
	return identities
}

// brokenBy returns the error of a connection that lost an answer.
func brokenBy(results []state.Uploaded) error {
	for _, u := range results {
		if u.Err != nil && state.ScopeOf(u.Err) >= state.ScopeAccount {
			return u.Err
		}
	}
	return nil
}

// prepare opens the files and notes the intents. A file that changed since it
// was scanned is left to the next cycle.
func (x *executor) prepare(ctx context.Context, t *target, items []item, next state.Cursor) ([]item, error) {
	var ready []item
	var intents []state.Intent
	for _, it := range items {
		upload, err := x.Local.Open(ctx, t.Folder, it.file)
		if err != nil {
			t.leaveOpen()
			if state.ScopeOf(err) > state.ScopeMessage {
				return nil, err
			}
			if state.CauseOf(err) == state.CauseStale {
				t.doubt()
			} else {
				x.problem(state.ProblemOf(t.Name, string(it.file.Key), err))
			}
			continue
		}
		upload.Flags = it.send & t.Shared()
		upload.Date = sendDate(it.dated(), it.file)
		it.upload = upload
		ready = append(ready, it)
		intents = append(intents, state.Intent{
			Kind: state.IntentUpload, Mailbox: t.Name, UIDValidity: next.UIDValidity, UIDNext: next.UIDNext,
			Key: it.file.Key, Flags: it.file.Flags, Keywords: it.keywords, Date: upload.Date, Content: it.file.Content,
			Replaces: it.replaces(t.Name), Created: x.now(),
		})
	}
	if len(intents) == 0 {
		return nil, nil
	}
	if err := x.Store.Intend(ctx, intents); err != nil {
		return nil, fmt.Errorf("note uploads to mailbox %q: %w", t.Name, err)
	}
	for i := range ready {
		ready[i].intent = intents[i]
	}
	return ready, nil
}

// replaces is the UID in the mailbox whose place the upload takes, 0 if none.
func (it item) replaces(mailbox string) state.UID {
	if it.base.State == state.Paired && it.base.Mailbox == mailbox {
		return it.base.UID
	}
	return 0
}

// dated is the record whose date the message keeps. A draft that was saved again in
// another file has the date of that.
func (it item) dated() state.Record {
	if it.edited && it.base.Key != it.file.Key {
		return state.Record{}
	}
	return it.base
}

// settleUploads records the outcomes and returns the uploads of which the
// outcome is not known.
func (x *executor) settleUploads(ctx context.Context, t *target, items []item, results []state.Uploaded) ([]unsure, error) {
	var s state.Settlement
	var open []unsure
	var refused error
	n, bytes, overQuota := 0, int64(0), 0
	var arrived []state.Record
	taken := make(map[state.UID]bool)
	for i, u := range results {
		it := items[i]
		cause := state.CauseOf(u.Err)
		given := t.checkGiven(u.UID)
		again := u.Err == nil && u.UID != 0 && (u.UID < it.intent.UIDNext || taken[u.UID])
		taken[u.UID] = true
		switch {
		case again && u.UIDValidity == it.intent.UIDValidity:
			s.Put = append(s.Put, x.stuckUpload(t, it, onlyOnce(it.intent, u.UID)))
		case u.Err == nil && u.UIDValidity == it.intent.UIDValidity && given != nil:
			refused = given
			continue // the intent ends when the records are matched afresh
		case u.Err == nil && u.UID != 0 && u.UIDValidity == it.intent.UIDValidity:
			if it.base.State != 0 {
				s.Drop = append(s.Drop, it.base)
			}
			if it.edited {
				s.Put = append(s.Put, retired(it.base))
			}
			r := uploadedRecord(it.intent, u.UID, it.file.Stat, it.shown)
			r.LocalFlags = r.Flags &^ t.Shared() &^ state.Trashed
			if it.untagged {
				t.leaveOpen()
				r.LocalKeywords = it.known()
			}
			if r.Remote, r.Since = it.arrived, 0; it.arrived == (state.RemoteIdentity{}) {
				r.Remote, r.Since = sentIdentity(it.intent), x.now()
			}
			s.Put, arrived = append(s.Put, r), append(arrived, r)
			n, bytes = n+1, bytes+it.file.Content.WireSize
			x.transferred(it.file.Content.WireSize)
		case u.Err == nil || cause == state.CauseUnknown:
			open = append(open, unsure{it.intent, u.Err == nil})
			continue
		case cause == state.CauseQuota:
			// A smaller message may still fit.
			s.Put = append(s.Put, x.stuckUpload(t, it, u.Err))
			if overQuota++; overQuota == len(results) && overQuota > 1 {
				refused = u.Err
			}
		case state.ScopeOf(u.Err) >= state.ScopeMailbox:
			// Nobody's message is wanted here now: no fault of this one.
			refused = u.Err
			t.leaveOpen()
		case cause == state.CauseStale || cause == state.CauseDisk:
			t.leaveOpen()
			x.problem(state.ProblemOf(t.Name, string(it.file.Key), u.Err))
		default:
			s.Put = append(s.Put, x.stuckUpload(t, it, u.Err))
		}
		s.Done = append(s.Done, it.intent.ID)
	}
	if err := x.settle(ctx, s); err != nil {
		return nil, err
	}
	x.did(plan.Upload, "", arrived...)
	x.add(func(c *Counts) { c.Uploaded += n; c.BytesUp += bytes })
	return open, refused
}

// onlyOnce says that the server answered an upload with a message that it had
// already, as Gmail does.
func onlyOnce(i state.Intent, uid state.UID) error {
	return &state.Error{
		Scope: state.ScopeMessage, Cause: state.CauseRefused,
		Doing: state.Textf("append %s to %q", i.Key, i.Mailbox),
		Hint:  "the file stays; remove it if one copy is enough",
		Err:   fmt.Errorf("the server keeps only one of equal messages, and has it as UID %d", uid),
	}
}

// retired is the record of a message whose newer version is on the server. The
// next plan removes it; until then it is neither new nor wanted.
func retired(old state.Record) state.Record {
	old.State, old.Key, old.Since = state.Expunging, "", 0
	old.Flags &^= state.Trashed // until its removal is confirmed
	return old
}

// uploadedRecord pairs the file of an intent with the message it became, of which
// the server shows these keywords.
func uploadedRecord(i state.Intent, uid state.UID, stat state.FileStat, shown state.Keywords) state.Record {
	return state.Record{
		Mailbox: i.Mailbox, UID: uid, Key: i.Key, State: state.Paired, Flags: i.Flags, Stat: stat, Content: i.Content,
		Keywords: shown, LocalKeywords: i.Keywords.Without(shown), Remote: sentIdentity(i),
	}
}

// sentIdentity is how the server should describe what it was sent, as long as it has
// not done so. Which size it will tell nobody knows.
func sentIdentity(i state.Intent) state.RemoteIdentity {
	return state.RemoteIdentity{Date: i.Date, Header: i.Content.Header}
}

// stuckUpload sets a file aside that the server refused.
func (x *executor) stuckUpload(t *target, it item, cause error) state.Record {
	p := state.ProblemOf(t.Name, string(it.file.Key), cause)
	if p.Hint == "" {
		p.Hint = "the file stays where it is"
	}
	p.Hint += "; " + nextTry(nextRetry(it.base.Retry, x.now(), ""))
	x.problem(p)
	if it.edited {
		// The older version is still on the server, so the message stays
		// paired; and the scan shall see the edit again when its time has come.
		t.leaveOpen()
		r := it.base
		r.Retry = nextRetry(r.Retry, x.now(), state.TextOf(cause))
		return r
	}
	r := stuckRecord(it.intent, it.base.Retry, x.now(), state.TextOf(cause))
	r.Stat = it.file.Stat
	return r
}

// stuckRecord is the record of a file that waits for another attempt.
func stuckRecord(i state.Intent, before state.Retry, now int64, reason state.Text) state.Record {
	return state.Record{
		Mailbox: i.Mailbox, Key: i.Key, State: state.UploadStuck, Flags: i.Flags, LocalKeywords: i.Keywords, Content: i.Content,
		Remote: state.RemoteIdentity{Date: i.Date}, Retry: nextRetry(before, now, reason),
	}
}
