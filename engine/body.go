package engine

import (
	"context"
	"maps"

	"mailmoor/state"
)

// readBodies reads the bodies of the messages and returns what they are. One that cannot be
// had does not stop the others: unread says why. After some that fail in a row the
// others are not asked for any more.
func readBodies(
	ctx context.Context, conn *lease, ref state.Ref, uids state.UIDSet,
) (contents map[state.UID]state.Content, unread map[state.UID]error, err error) {
	contents, unread = make(map[state.UID]state.Content), make(map[state.UID]error)
	if len(uids) == 0 {
		return contents, unread, nil
	}
	read := func(uids state.UIDSet) func(Remote) error {
		return func(r Remote) error {
			some, err := readContents(ctx, r, ref, uids)
			maps.Copy(contents, some)
			return err
		}
	}
	err = conn.with(ctx, read(uids))
	broken := err != nil
	if broken && !singly(ctx, err) {
		return nil, nil, err
	}
	failures, last := 0, err
	for uid := range uids.All() {
		one := state.NewUIDSet(uid)
		if _, had := contents[uid]; had {
			continue
		}
		failed := last
		if failures < failuresMax {
			failed = nil
			if broken {
				failed = conn.persist(ctx, ref.Mailbox, uid, read(one))
			}
			if _, had := contents[uid]; failed == nil && !had {
				failed = notGiven(ctx, conn, ref, one)
			}
		}
		if failed == nil {
			failures = 0
			continue
		}
		if !singly(ctx, failed) {
			return nil, nil, failed
		}
		unread[uid], last = failed, failed
		failures = min(failures+1, failuresMax)
	}
	return contents, unread, nil
}

// notGiven returns an error about a message that the server shows and gives no body of, and
// nil for one that is gone.
func notGiven(ctx context.Context, conn *lease, ref state.Ref, uid state.UIDSet) error {
	return conn.with(ctx, func(r Remote) error {
		there, err := r.Identify(ctx, ref, uid)
		if err == nil && len(there) > 0 {
			return &state.Error{
				Scope: state.ScopeMessage, Cause: state.CauseOther,
				Doing: state.Textf("fetch UID %s of mailbox %q", uid, ref.Mailbox), Err: errNoBody,
			}
		}
		return err
	})
}

// readContents reads the bodies of the messages and returns what they are.
func readContents(ctx context.Context, r RemoteTransfer, ref state.Ref, uids state.UIDSet) (map[state.UID]state.Content, error) {
	contents := make(map[state.UID]state.Content)
	if len(uids) == 0 {
		return contents, nil
	}
	var last state.UID
	err := r.Fetch(ctx, ref, uids, func(in state.Incoming) error {
		d := state.NewDigester()
		if _, err := copyBody(d, in.Body); err != nil {
			return err
		}
		last = in.UID
		contents[in.UID] = d.Sum()
		return nil
	})
	if err != nil {
		delete(contents, last) // not proven to be whole
	}
	return contents, err
}

// sameContent reads the message that stands under the record's UID, and reports whether
// it has the record's content, and whether it is there at all.
func sameContent(ctx context.Context, r RemoteTransfer, ref state.Ref, rec state.Record) (same, there bool, err error) {
	contents, err := readContents(ctx, r, ref, state.NewUIDSet(rec.UID))
	if err != nil {
		return false, false, err
	}
	now, there := contents[rec.UID]
	return now.Same(rec.Content), there, nil
}
