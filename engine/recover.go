package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mailmoor/state"
)

// recover clears up what an interrupted run left behind. It looks whether each
// announced effect happened and never assumes it. What it cannot find out about
// a message, a mailbox or a folder is reported and stays open for the next time.
// It returns how long to wait before uploads that cannot be seen yet are looked for
// again; waited is when that was last done, 0 if it was not. Unix seconds.
func (e *Engine) recover(ctx context.Context, t *tally, waited int64) (time.Duration, error) {
	intents, err := e.Store.Intents(ctx)
	if err != nil {
		return 0, fmt.Errorf("read intents: %w", err)
	}
	if len(intents) == 0 {
		return 0, nil
	}
	v := &recovery{Engine: e, tally: t, records: make(map[string]*recorded), most: 1}
	if v.known, err = e.Store.Mailboxes(ctx); err != nil {
		return 0, fmt.Errorf("read known mailboxes: %w", err)
	}
	var downloads, uploads []state.Intent
	for _, i := range intents {
		if i.Kind == state.IntentDownload {
			downloads = append(downloads, i)
			continue
		}
		uploads = append(uploads, i)
	}
	if waited == 0 {
		e.pace.slow()
	}
	if err := v.downloads(ctx, downloads); err != nil {
		return 0, err
	}
	return v.uploads(ctx, uploads, waited)
}

// endMax bounds how many intents end in one transaction, and how many files are looked for
// or looked at before that. The first ones end alone: a run that is killed over them
// would otherwise do nothing else, and neither would the next.
const endMax = 500

// recovery looks at the intents of an account.
type recovery struct {
	*Engine
	tally *tally
	known []state.Mailbox
	// records are those of the mailboxes that were asked for so far.
	records map[string]*recorded
	// ended is what is still to be settled: a transaction for each intent would
	// take longer than many a run lives. It is settled when there are so many.
	ended state.Settlement
	most  int
}

// recorded is what is known of the messages of one mailbox.
type recorded struct {
	keys map[state.Key]state.Record
	// paired are the UIDs of messages that have a file.
	paired map[state.UID]bool
}

func (r *recorded) add(rec state.Record) {
	if rec.Key != "" {
		r.keys[rec.Key] = rec
	}
	if rec.State == state.Paired {
		r.paired[rec.UID] = true
	}
}

// narrow reports an error about one mailbox and returns a wider one.
func (v *recovery) narrow(mailbox string, err error) error {
	if err == nil || state.ScopeOf(err) >= state.ScopeAccount {
		return err
	}
	if state.CauseOf(err) == state.CauseGeneration {
		// The observation that follows sees it too, and clears it up.
		v.Log.Debug().Err(err).Str("mailbox", mailbox).Msg("could not recover by UID")
		return nil
	}
	v.tally.problem(state.ProblemOf(mailbox, "", err))
	return nil
}

// mailbox returns the known mailbox of which is is true.
func (v *recovery) mailbox(is func(state.Mailbox) bool) state.Mailbox {
	for _, m := range v.known {
		if is(m) {
			return m
		}
	}
	return state.Mailbox{}
}

// recorded returns what is known of the mailbox's messages.
func (v *recovery) recorded(ctx context.Context, mailbox string) (*recorded, error) {
	if known := v.records[mailbox]; known != nil {
		return known, nil
	}
	records, err := v.Store.Records(ctx, mailbox)
	if err != nil {
		return nil, fmt.Errorf("read records of mailbox %q: %w", mailbox, err)
	}
	known := &recorded{keys: make(map[state.Key]state.Record, len(records)), paired: make(map[state.UID]bool, len(records))}
	for _, r := range records {
		known.add(r)
	}
	v.records[mailbox] = known
	return known, nil
}

// end ends the intent of which put is the outcome.
func (v *recovery) end(ctx context.Context, i state.Intent, put ...state.Record) error {
	v.ended.Done = append(v.ended.Done, i.ID)
	v.ended.Put = append(v.ended.Put, put...)
	for _, r := range put {
		known, err := v.recorded(ctx, r.Mailbox)
		if err != nil {
			return err
		}
		known.add(r)
	}
	if len(v.ended.Done) < v.most {
		return nil
	}
	v.most = min(2*v.most, endMax)
	return v.flush(ctx)
}

// flush settles what has ended.
func (v *recovery) flush(ctx context.Context) error {
	s := v.ended
	v.ended = state.Settlement{}
	if err := v.settle(ctx, v.tally, s); err != nil {
		return fmt.Errorf("transfers that were interrupted: %w", err)
	}
	return nil
}

// over ends an intent of which there is nothing left to find out: its message
// has been paired since, or its UIDs count in another generation than the one
// that the mailbox's records belong to. A file that came into being all the same
// stays, and is a new one.
func (v *recovery) over(ctx context.Context, i state.Intent) (bool, error) {
	m := v.mailbox(func(m state.Mailbox) bool { return m.Name == i.Mailbox })
	known, err := v.recorded(ctx, i.Mailbox)
	if err != nil {
		return false, err
	}
	r, taken := known.keys[i.Key]
	if i.Kind == state.IntentUpload && (r.State == state.UploadStuck || r.UID == i.Replaces) {
		taken = false // the upload takes the place of such a record
	}
	taken = taken || known.paired[i.UID]
	if !taken && m.Cursor.UIDValidity == i.UIDValidity {
		return false, nil
	}
	if i.Kind == state.IntentDownload && m.Folder != "" {
		if err := v.Local.Discard(ctx, m.Folder, i.Key); err != nil {
			return true, v.narrow(i.Mailbox, err)
		}
	}
	return true, v.end(ctx, i)
}

// downloads looks which of the announced files have come into being. A file has
// its name only after it was complete and durable.
func (v *recovery) downloads(ctx context.Context, intents []state.Intent) error {
	var open []state.Intent
	var keys []state.Key
	for _, i := range intents {
		over, err := v.over(ctx, i)
		if err != nil {
			return err
		}
		if !over {
			open, keys = append(open, i), append(keys, i.Key)
		}
	}
	if len(open) == 0 {
		return v.flush(ctx)
	}
	files, err := v.Local.Find(ctx, keys)
	if err != nil {
		return errors.Join(v.narrow("", err), v.flush(ctx))
	}
	found := make(map[state.Key]state.FoundFile, len(files))
	for _, f := range files {
		found[f.File.Key] = f
	}
	for _, i := range open {
		file, there := found[i.Key]
		if err := v.narrow(i.Mailbox, v.download(ctx, i, file, there)); err != nil {
			return err
		}
	}
	return v.flush(ctx)
}

// download ends the intent of a file that has come into being or not.
func (v *recovery) download(ctx context.Context, i state.Intent, f state.FoundFile, there bool) error {
	if !there {
		m := v.mailbox(func(m state.Mailbox) bool { return m.Name == i.Mailbox })
		if err := v.Local.Discard(ctx, m.Folder, i.Key); err != nil {
			return err
		}
		return v.end(ctx, i)
	}
	known, err := v.recorded(ctx, i.Mailbox)
	if err != nil {
		return err
	}
	if known.paired[i.UID] {
		return v.end(ctx, i) // an intent before it was for the same message
	}
	// In another folder it may have been paired with another message since.
	if elsewhere := v.mailbox(func(m state.Mailbox) bool { return m.Folder == f.Folder }); elsewhere.Name != "" {
		known, err := v.recorded(ctx, elsewhere.Name)
		if err != nil {
			return err
		}
		if _, taken := known.keys[i.Key]; taken {
			return v.end(ctx, i)
		}
	}
	return v.end(ctx, i, state.Record{
		Mailbox: i.Mailbox, UID: i.UID, Key: i.Key, State: state.Paired, Flags: i.Flags, Keywords: i.Keywords,
		Stat: f.File.Stat, Content: f.File.Content,
		Remote: state.RemoteIdentity{Date: f.File.Date, Header: f.File.Content.Header},
	})
}

// uploads asks the server, mailbox by mailbox, which of them have arrived. It returns
// how long to wait for the others.
func (v *recovery) uploads(ctx context.Context, intents []state.Intent, waited int64) (wait time.Duration, err error) {
	open := make(map[string][]unsure)
	var names []string
	for _, i := range intents {
		over, err := v.over(ctx, i)
		if err != nil {
			return 0, err
		}
		if over {
			continue
		}
		if open[i.Mailbox] == nil {
			names = append(names, i.Mailbox)
		}
		open[i.Mailbox] = append(open[i.Mailbox], unsure{Intent: i})
	}
	if err := v.flush(ctx); err != nil {
		return 0, err
	}
	for _, name := range names {
		conn, err := v.pool.lease(ctx)
		if err != nil {
			return 0, err
		}
		more, err := v.revisit(ctx, conn, v.tally, open[name], waited)
		conn.release()
		if err := v.narrow(name, err); err != nil {
			return 0, err
		}
		wait = max(wait, more)
	}
	return wait, nil
}
