package remote

import (
	"github.com/emersion/go-imap/v2"

	"mailmoor/state"
)

// roleOf translates a special-use attribute. RFC 6154, section 2; \Important
// is of RFC 8457.
func roleOf(attr imap.MailboxAttr) state.Role {
	switch attr {
	case imap.MailboxAttrAll:
		return state.RoleAll
	case imap.MailboxAttrArchive:
		return state.RoleArchive
	case imap.MailboxAttrDrafts:
		return state.RoleDrafts
	case imap.MailboxAttrFlagged:
		return state.RoleFlagged
	case imap.MailboxAttrImportant:
		return state.RoleImportant
	case imap.MailboxAttrJunk:
		return state.RoleJunk
	case imap.MailboxAttrSent:
		return state.RoleSent
	case imap.MailboxAttrTrash:
		return state.RoleTrash
	}
	return state.RoleNone
}
