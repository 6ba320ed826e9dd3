package matrix

import (
	"testing"

	"mailmoor/test/lab"
)

// Server is a row of the table of servers.
type Server struct {
	Name string
	// Version is that of the Debian package with which everything here was seen,
	// Seen the day on which it was.
	Version, Seen string
	// Capability is what it announces after the login.
	Capability string
	// Quirks are what surprises, each with what it means for the account.
	Quirks []Quirk
	// Start starts the server with mailboxes called Trash, Archive and Drafts
	// where it can make them by itself.
	Start func(t testing.TB) lab.IMAP
	// Rewrites reports that messages may come back in another form than they
	// were sent in.
	Rewrites bool
}

// Quirk is one thing in which a server differs.
type Quirk struct {
	What string // what it does
	So   string // what follows from it here
}

// Servers returns the table.
func Servers() []Server {
	return []Server{dovecot(), cyrus(), courier()}
}

func dovecot() Server {
	return Server{
		Name: "Dovecot", Version: "2.3.19", Seen: "2026-11-22",
		Capability: "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE SORT SORT=DISPLAY THREAD=REFERENCES THREAD=REFS " +
			"THREAD=ORDEREDSUBJECT MULTIAPPEND URL-PARTIAL CATENATE UNSELECT CHILDREN NAMESPACE UIDPLUS LIST-EXTENDED " +
			"I18NLEVEL=1 CONDSTORE QRESYNC ESEARCH ESORT SEARCHRES WITHIN CONTEXT=SEARCH LIST-STATUS BINARY MOVE " +
			"SNIPPET=FUZZY PREVIEW=FUZZY PREVIEW SPECIAL-USE STATUS=SIZE SAVEDATE LITERAL+ NOTIFY",
		Quirks: []Quirk{
			{"SELECT leaves HIGHESTMODSEQ out until CONDSTORE was enabled once", "CONDSTORE is asked for with every SELECT"},
			{"LIST shows nothing of a namespace with list = no", "it is asked for when the patterns of mailboxes name it"},
			{
				"without dovecot-uidlist a mailbox shows what is in new/ alone, and a moment later all under new UIDs",
				"a mailbox that lost messages is opened once more before files follow",
			},
			{"STATUS goes on for a second with what SELECT showed before that", "SELECT is asked what a mailbox has grown to"},
			{"a CR in front of a line end goes, and NUL is shown as 0x80", "the tree keeps the original; they do not count when contents are compared"},
			{
				"mbox storage adds the line ends that are missing at the end, and leaves out a From line and the fields that it keeps notes in",
				"nor do these",
			},
			{"SPECIAL-USE is announced only when a mailbox has such a mark", "without a mark, roles are guessed by name"},
		},
		Start: func(t testing.TB) lab.IMAP { return lab.Dovecot(t, lab.SpecialUse("Trash", "Archive", "Drafts")) },
	}
}

func cyrus() Server {
	return Server{
		Name: "Cyrus", Version: "3.6.1", Seen: "2026-11-22",
		Capability: "IMAP4rev1 LITERAL+ ID ENABLE ACL ANNOTATE-EXPERIMENT-1 BINARY CATENATE CHILDREN CONDSTORE " +
			"CREATE-SPECIAL-USE ESEARCH ESORT LIST-EXTENDED LIST-MYRIGHTS LIST-STATUS MAILBOX-REFERRALS METADATA MOVE " +
			"MULTIAPPEND NAMESPACE OBJECTID PREVIEW QRESYNC QUOTA RIGHTS=kxten SAVEDATE SEARCH=FUZZY SORT SORT=DISPLAY " +
			"SPECIAL-USE STATUS=SIZE THREAD=ORDEREDSUBJECT THREAD=REFERENCES UIDPLUS UNSELECT URLAUTH URLAUTH=BINARY WITHIN " +
			"DIGEST=SHA1 LIST-METADATA NO_ATOMIC_RENAME SCAN SORT=MODSEQ SORT=UID THREAD=REFS X-CREATEDMODSEQ X-REPLICATION " +
			"X-SIEVE-MAILBOX XLIST XMOVE LOGINDISABLED AUTH=PLAIN COMPRESS=DEFLATE X-QUOTA=STORAGE X-QUOTA=MESSAGE " +
			"X-QUOTA=X-ANNOTATION-STORAGE X-QUOTA=X-NUM-FOLDERS IDLE APPENDLIMIT=4294967295",
		Quirks: []Quirk{
			{"bytes above ASCII in the header of an uploaded message become X (munge8bit, on by default)", "the tree keeps the original; in the header they do not count when contents are compared"},
			{"APPEND refuses messages that are empty, that have NUL or a bare LF, or whose first line is no field", "such a message stays in the tree and is reported"},
			{"a refused empty APPEND is followed by an untagged BAD about its line end", "lines that answer nothing are passed over"},
			{"of a header of more than 1,000 fields it tells only what stands in the first ones", "before a message counts as another one, its content is compared"},
			{"% and \" are allowed in no name", "a folder with such a name is reported and stays local"},
			{"an own mailbox with the rights \"lr\" opens READ-WRITE with no permanent flags", "it counts as read-only: what others change arrives, local changes stay local and are reported"},
			{"with altnamespace: no, own mailboxes lie below \"INBOX.\" and shared ones beside it", "folders have the full names; one beside INBOX is refused, and the report names the prefix"},
			{"LOGINDISABLED is announced after the login, too", "it is looked at before the login only"},
			{"COPYUID of a MOVE comes untagged, before EXPUNGE", "RFC 6851 allows it"},
			{"STATUS of MAILBOXID together with other items may give garbage for it", "MAILBOXID is not asked for"},
		},
		Start: func(t testing.TB) lab.IMAP {
			return lab.Cyrus(t, "autocreate_inbox_folders: Trash|Archive|Drafts",
				"xlist-trash: Trash", "xlist-archive: Archive", "xlist-drafts: Drafts")
		},
		Rewrites: true,
	}
}

func courier() Server {
	return Server{
		Name: "Courier", Version: "5.0.13", Seen: "2026-11-22",
		Capability: "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE " +
			"ACL ACL2=UNION ENABLE UTF8=ACCEPT",
		Quirks: []Quirk{
			{"all mailboxes but INBOX lie below \"INBOX.\"", "folders do without it: mailbox INBOX.Lists is folder Lists, in both directions"},
			{"SELECT leaves UIDNEXT out", "STATUS is asked for it, to notice a server that was restored"},
			{"there is no MOVE", "messages are copied, the copies checked, and then expunged"},
			{"there is no CONDSTORE", "every mailbox is listed in every run"},
			{"CRs that belong to no line end go, and a message without a last line end gets one", "the tree keeps the original; they do not count when contents are compared"},
			{"unknown commands are answered NO, not BAD", "nothing is asked for that was not announced"},
			{"refusals carry no response codes", "their text is read"},
			{"mailboxes made in the same second share their UIDVALIDITY", "a mailbox is known by its name and UIDVALIDITY together"},
			{"\".\" separates levels", "a folder with a dot in its name is reported and stays local"},
			{"STORE into a mailbox that may only be read is answered OK and changes nothing", "the flags in the answer are believed, not the OK; SELECT says READ-ONLY"},
		},
		Start:    func(t testing.TB) lab.IMAP { return lab.Courier(t) },
		Rewrites: true,
	}
}
