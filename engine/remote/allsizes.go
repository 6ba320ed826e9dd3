package remote

import (
	"context"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailmoor/state"
)

// Sizes returns what the server says of the sizes of those of the uids that exist, as
// far as it says it. See RemoteTransfer.
func (c *Conn) Sizes(ctx context.Context, ref state.Ref, uids state.UIDSet) (map[state.UID]int64, error) {
	doing := doingUIDs("ask for the sizes of", uids, ref.Mailbox)
	stop, err := c.watch(ctx, doing)
	if err != nil {
		return nil, err
	}
	defer stop()
	if err := c.openNow(ref, doing); err != nil {
		return nil, err
	}
	sizes := make(map[state.UID]int64)
	for chunk := range perCommand(uids) {
		cmd := c.client.Fetch(uidsTo(chunk), &imap.FetchOptions{UID: true, RFC822Size: true})
		for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
			if uid, size := readSize(msg); size > 0 && chunk.Contains(uid) {
				sizes[uid] = size
			}
		}
		if err := cmd.Close(); err != nil {
			return nil, c.fail(doing, err)
		}
		c.takeNotes()
	}
	return sizes, nil
}

func readSize(msg *imapclient.FetchMessageData) (uid state.UID, size int64) {
	for item := msg.Next(); item != nil; item = msg.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			uid = state.UID(item.UID)
		case imapclient.FetchItemDataRFC822Size:
			size = item.Size
		}
	}
	return uid, size
}
