package remote

import (
	"strings"

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

// wellKnownNames are the English names that servers and clients give to
// mailboxes of a role, the most usual first.
func wellKnownNames() map[state.Role][]string {
	return map[state.Role][]string{
		state.RoleTrash:   {"trash", "deleted items", "deleted messages", "deleted", "bin"},
		state.RoleDrafts:  {"drafts", "draft"},
		state.RoleSent:    {"sent", "sent items", "sent messages", "sent mail"},
		state.RoleJunk:    {"junk", "spam", "junk e-mail", "junk email", "junk mail", "bulk mail"},
		state.RoleArchive: {"archive", "archives"},
	}
}

// guessRoles gives roles by well-known names when the server has told none at
// all. Names are compared without regard to case, at the first level or right
// below INBOX, and for each role only one mailbox gets it: that with the most
// usual name.
func guessRoles(list []state.RemoteMailbox) {
	byName := make(map[string]*state.RemoteMailbox, len(list))
	for i := range list {
		m := &list[i]
		if m.Role != state.RoleNone && m.Role != state.RoleInbox {
			return
		}
		if m.NoSelect || m.Name == "INBOX" {
			continue
		}
		name := strings.ToLower(m.Name)
		if m.Delimiter != 0 {
			name = strings.TrimPrefix(name, "inbox"+string(m.Delimiter))
		}
		if _, taken := byName[name]; !taken {
			byName[name] = m
		}
	}
	for role, names := range wellKnownNames() {
		for _, name := range names {
			if m := byName[name]; m != nil {
				m.Role = role
				break
			}
		}
	}
}
