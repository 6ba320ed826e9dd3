package engine

import (
	"context"
	"fmt"
	"time"

	"mailmoor/state"
)

// resolveDelays are the pauses before each look for an upload whose answer was
// lost: the server may still be busy with it.
var resolveDelays = []time.Duration{0, 2 * time.Second, 3 * time.Second}

// recover clears up what an interrupted run left behind. It looks whether each
// announced effect happened and never assumes it.
func (e *Engine) recover(ctx context.Context, t *tally) error {
	intents, err := e.Store.Intents(ctx)
	if err != nil {
		return fmt.Errorf("read intents: %w", err)
	}
	if len(intents) == 0 {
		return nil
	}
	folders, err := e.knownFolders(ctx)
	if err != nil {
		return err
	}
	byMailbox := make(map[string][]state.Intent)
	var names []string
	for _, i := range intents {
		if i.Kind == state.IntentDownload {
			if err := e.recoverDownload(ctx, i, folders[i.Mailbox]); err != nil {
				return err
			}
			continue
		}
		if byMailbox[i.Mailbox] == nil {
			names = append(names, i.Mailbox)
		}
		byMailbox[i.Mailbox] = append(byMailbox[i.Mailbox], i)
	}
	for _, name := range names {
		conn, err := e.pool.lease(ctx)
		if err != nil {
			return err
		}
		err = e.resolve(ctx, conn, t, byMailbox[name])
		conn.release()
		if err != nil && state.ScopeOf(err) >= state.ScopeAccount {
			return err
		}
		if err != nil {
			t.problem(state.ProblemOf(name, "", err))
		}
	}
	return nil
}

func (e *Engine) knownFolders(ctx context.Context) (map[string]string, error) {
	known, err := e.Store.Mailboxes(ctx)
	if err != nil {
		return nil, fmt.Errorf("read known mailboxes: %w", err)
	}
	folders := make(map[string]string, len(known))
	for _, m := range known {
		folders[m.Name] = m.Folder
	}
	return folders, nil
}

// recoverDownload looks whether the announced file has come into being. A file
// has its name only after it was complete and durable.
func (e *Engine) recoverDownload(ctx context.Context, i state.Intent, folder string) error {
	_, file, found, err := e.Local.Find(ctx, i.Key)
	if err != nil {
		return err
	}
	s := state.Settlement{Done: []int64{i.ID}}
	if found {
		s.Put = append(s.Put, state.Record{
			Mailbox: i.Mailbox, UID: i.UID, Key: i.Key, State: state.Paired, Flags: i.Flags,
			Stat: file.Stat, Content: file.Content,
			Remote: state.RemoteIdentity{Size: file.Content.WireSize, Date: file.Date, Header: file.Content.Header},
		})
	} else if err := e.Local.Discard(ctx, folder, i.Key); err != nil {
		return err
	}
	if err := e.Store.Settle(ctx, s); err != nil {
		return fmt.Errorf("record the download of UID %d in mailbox %q: %w", i.UID, i.Mailbox, err)
	}
	return nil
}

// resolve finds out which uploads of one mailbox have arrived, although no
// answer said so. They can only lie between the UIDNEXT noted before and the
// one now.
func (e *Engine) resolve(ctx context.Context, conn *lease, t *tally, intents []state.Intent) error {
	v := &resolver{Engine: e, tally: t, open: intents, mailbox: intents[0].Mailbox}
	for _, delay := range resolveDelays {
		if err := e.Wait(ctx, delay); err != nil {
			return err
		}
		if err := conn.with(ctx, func(r Remote) error { return v.look(ctx, r) }); err != nil {
			return err
		}
		if len(v.open) == 0 {
			return nil
		}
	}
	// They have not arrived: the next plan uploads the files again.
	var s state.Settlement
	for _, i := range v.open {
		s.Done = append(s.Done, i.ID)
	}
	if err := e.Store.Settle(ctx, s); err != nil {
		return fmt.Errorf("end uploads that did not arrive: %w", err)
	}
	return nil
}

// resolver looks for the uploads of one mailbox whose answers were lost.
type resolver struct {
	*Engine
	tally   *tally
	mailbox string
	open    []state.Intent
	records map[state.UID]state.Record
}

// windowMax bounds the UIDs looked through for interrupted uploads.
const windowMax = 10_000

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
				Doing: fmt.Sprintf("look for interrupted uploads in mailbox %q", v.mailbox),
				Err:   fmt.Errorf("UIDVALIDITY changed from %d to %d", i.UIDValidity, next.UIDValidity),
			}
		}
	}
	window, err := v.unpaired(ctx, lowest, next.UIDNext)
	if err != nil || len(window) == 0 {
		return err
	}
	found, err := v.match(ctx, r, state.Ref{Mailbox: v.mailbox, UIDValidity: next.UIDValidity}, window)
	if err != nil {
		return err
	}
	return v.settleArrived(ctx, found)
}

// unpaired returns the UIDs from first up to next that no record has.
func (v *resolver) unpaired(ctx context.Context, first, next state.UID) (state.UIDSet, error) {
	records, err := v.Store.Records(ctx, v.mailbox)
	if err != nil {
		return nil, fmt.Errorf("read records of mailbox %q: %w", v.mailbox, err)
	}
	v.records = make(map[state.UID]state.Record, len(records))
	for _, r := range records {
		v.records[r.UID] = r
	}
	var uids state.UIDSet
	for uid := uint64(first); uid < min(uint64(next), uint64(first)+windowMax); uid++ {
		if _, known := v.records[state.UID(uid)]; !known {
			uids = uids.Add(state.UID(uid))
		}
	}
	return uids, nil
}

// match pairs uploads with messages of the same content, as multisets: two
// equal uploads need two messages.
func (v *resolver) match(ctx context.Context, r Remote, ref state.Ref, window state.UIDSet) (map[int64]state.UID, error) {
	messages, err := r.Identify(ctx, ref, window)
	if err != nil {
		return nil, err
	}
	headers := make(map[state.Digest]bool)
	for _, i := range v.open {
		headers[i.Content.Header] = true
	}
	var alike state.UIDSet
	for _, m := range messages {
		if headers[m.Identity.Header] {
			alike = alike.Add(m.UID)
		}
	}
	contents, err := readContents(ctx, r, ref, alike)
	if err != nil {
		return nil, err
	}
	found := make(map[int64]state.UID)
	taken := make(map[state.UID]bool)
	for _, i := range v.open {
		for uid := range alike.All() {
			if !taken[uid] && uid >= i.UIDNext && contents[uid].Digest == i.Content.Digest {
				taken[uid] = true
				found[i.ID] = uid
				break
			}
		}
	}
	return found, nil
}

// settleArrived records uploads that were found on the server.
func (v *resolver) settleArrived(ctx context.Context, found map[int64]state.UID) error {
	var s state.Settlement
	var open []state.Intent
	for _, i := range v.open {
		uid, ok := found[i.ID]
		if !ok {
			open = append(open, i)
			continue
		}
		s.Drop = append(s.Drop, state.Record{Mailbox: i.Mailbox, Key: i.Key})
		s.Put = append(s.Put, uploadedRecord(i, uid, state.FileStat{}))
		s.Done = append(s.Done, i.ID)
		if old, known := v.records[i.Replaces]; known && i.Replaces != 0 {
			// The plan retires the old version if it is still there.
			s.Put = append(s.Put, retired(old))
		}
	}
	if len(s.Done) == 0 {
		return nil
	}
	if err := v.Store.Settle(ctx, s); err != nil {
		return fmt.Errorf("record uploads that were found: %w", err)
	}
	v.open = open
	v.tally.add(func(c *Counts) { c.Uploaded += len(s.Done) })
	return nil
}
