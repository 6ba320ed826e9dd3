package engine

import (
	"context"
	"fmt"

	"mailmoor/state"
)

// recover clears up what an interrupted run left behind. It looks whether each
// announced effect happened and never assumes it. What it cannot find out about
// a message, a mailbox or a folder is reported and stays open for the next time.
func (e *Engine) recover(ctx context.Context, t *tally) error {
	intents, err := e.Store.Intents(ctx)
	if err != nil {
		return fmt.Errorf("read intents: %w", err)
	}
	if len(intents) == 0 {
		return nil
	}
	v := &recovery{Engine: e, tally: t, records: make(map[string][]state.Record)}
	if v.known, err = e.Store.Mailboxes(ctx); err != nil {
		return fmt.Errorf("read known mailboxes: %w", err)
	}
	uploads := make(map[string][]unsure)
	var names []string
	for _, i := range intents {
		if over, err := v.over(ctx, i); over || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		if i.Kind == state.IntentDownload {
			if err := v.narrow(i.Mailbox, v.download(ctx, i)); err != nil {
				return err
			}
			continue
		}
		if uploads[i.Mailbox] == nil {
			names = append(names, i.Mailbox)
		}
		uploads[i.Mailbox] = append(uploads[i.Mailbox], unsure{Intent: i})
	}
	for _, name := range names {
		conn, err := e.pool.lease(ctx)
		if err != nil {
			return err
		}
		err = e.resolve(ctx, conn, t, uploads[name])
		conn.release()
		if err := v.narrow(name, err); err != nil {
			return err
		}
	}
	return nil
}

// recovery looks at the intents of an account.
type recovery struct {
	*Engine
	tally *tally
	known []state.Mailbox
	// records are those of the mailboxes that were asked for so far.
	records map[string][]state.Record
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

// recorded reports whether the mailbox has a record of which is is true.
func (v *recovery) recorded(ctx context.Context, mailbox string, is func(state.Record) bool) (bool, error) {
	records, read := v.records[mailbox]
	if !read {
		var err error
		if records, err = v.Store.Records(ctx, mailbox); err != nil {
			return false, fmt.Errorf("read records of mailbox %q: %w", mailbox, err)
		}
		v.records[mailbox] = records
	}
	for _, r := range records {
		if is(r) {
			return true, nil
		}
	}
	return false, nil
}

// over ends an intent of which there is nothing left to find out: its message
// has been paired since, or its UIDs count in another generation than the one
// that the mailbox's records belong to. A file that came into being all the same
// stays, and is a new one.
func (v *recovery) over(ctx context.Context, i state.Intent) (bool, error) {
	m := v.mailbox(func(m state.Mailbox) bool { return m.Name == i.Mailbox })
	taken, err := v.recorded(ctx, i.Mailbox, func(r state.Record) bool {
		// An upload takes the place of such a record.
		replaced := i.Kind == state.IntentUpload && (r.State == state.UploadStuck || r.UID == i.Replaces)
		return r.Key == i.Key && !replaced || r.State == state.Paired && r.UID == i.UID
	})
	if err != nil || !taken && m.Cursor.UIDValidity == i.UIDValidity {
		return false, err
	}
	if i.Kind == state.IntentDownload && m.Folder != "" {
		if err := v.Local.Discard(ctx, m.Folder, i.Key); err != nil {
			return true, v.narrow(i.Mailbox, err)
		}
	}
	return true, v.settle(ctx, v.tally, state.Settlement{Done: []int64{i.ID}})
}

// download looks whether the announced file has come into being. A file has its
// name only after it was complete and durable.
func (v *recovery) download(ctx context.Context, i state.Intent) error {
	folder, file, found, err := v.Local.Find(ctx, i.Key)
	if err != nil {
		return err
	}
	s := state.Settlement{Done: []int64{i.ID}}
	if !found {
		m := v.mailbox(func(m state.Mailbox) bool { return m.Name == i.Mailbox })
		if err := v.Local.Discard(ctx, m.Folder, i.Key); err != nil {
			return err
		}
		return v.settle(ctx, v.tally, s)
	}
	// In another folder it may have been paired with another message since.
	elsewhere := v.mailbox(func(m state.Mailbox) bool { return m.Folder == folder })
	taken := false
	if elsewhere.Name != "" {
		taken, err = v.recorded(ctx, elsewhere.Name, func(r state.Record) bool { return r.Key == i.Key })
	}
	if err != nil {
		return err
	}
	if !taken {
		s.Put = append(s.Put, state.Record{
			Mailbox: i.Mailbox, UID: i.UID, Key: i.Key, State: state.Paired, Flags: i.Flags,
			Stat: file.Stat, Content: file.Content,
			Remote: state.RemoteIdentity{Size: file.Content.WireSize, Date: file.Date, Header: file.Content.Header},
		})
	}
	if err := v.settle(ctx, v.tally, s); err != nil {
		return fmt.Errorf("the download of UID %d in mailbox %q: %w", i.UID, i.Mailbox, err)
	}
	v.records[i.Mailbox] = append(v.records[i.Mailbox], s.Put...)
	return nil
}
