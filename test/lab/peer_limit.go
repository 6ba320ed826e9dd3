package lab

import (
	"fmt"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// SetACL leaves the user only these rights on the own mailbox, such as "lr" for
// a read-only one. RFC 4314, section 2.1. Courier's users keep the right to
// change the rights.
func (p *Peer) SetACL(user, mailbox, rights string) {
	p.t.Helper()
	by, name := cyrusAdmin, imap.RightsIdentifier(user)
	path := "user/" + user + "/" + mailbox
	if p.Name == "courier" {
		by, name, path = user, "owner", mailbox
		rights += "a"
	}
	p.withClient(by, func(c *imapclient.Client) error {
		if err := c.SetACL(path, name, imap.RightModificationReplace, imap.RightSet(rights)).Wait(); err != nil {
			return fmt.Errorf("set the rights on %q: %w", path, err)
		}
		return nil
	})
}

// SetQuota limits what the user, who has logged in before, may store to so many
// KiB.
func (p *Peer) SetQuota(user string, kib int64) {
	p.t.Helper()
	if p.Name == "courier" {
		quota := fmt.Sprintf("%dS", kib*1024)
		if err := p.run(nil, "usr/bin/maildirmake.courier", "-q", quota, p.path("mail", user, "Maildir")); err != nil {
			p.t.Fatalf("set the quota of %s: %v", user, err)
		}
		return
	}
	p.withClient(cyrusAdmin, func(c *imapclient.Client) error {
		limits := map[imap.QuotaResourceType]int64{imap.QuotaResourceStorage: kib}
		if err := c.SetQuota("user/"+user, limits).Wait(); err != nil {
			return fmt.Errorf("set the quota of %s: %w", user, err)
		}
		return nil
	})
}
