// Package store keeps the agreed state of one account in SQLite: the mailboxes,
// one record per message, the open intents, the holds with the user's
// decisions, and the list of files in the hold area.
//
// On disk a state directory holds one sub-directory per account, named by the
// id that also stands in the marker of the account's Maildir root:
//
//	<dir>/<id>/account.json   name, root and server, for people and for Resolve
//	<dir>/<id>/state.db       the database
//	<dir>/<id>/state-v*.db    copies made before a schema upgrade
//	<dir>/<id>/state-2*.db    daily copies, named by their time, the last three
//	<dir>/<id>/lock           held while a process works on the account
//	<dir>/<id>/hold/          the hold area, which belongs to package maildir
//
// What holds at all times:
//
//   - A call that writes is one transaction, on the disk when it returns
//     (journal_mode WAL with synchronous FULL).
//   - state.db appears under its name only when its schema is complete. So a
//     database that is there but empty is a damaged one, and an error.
//   - Rows are checked when written and when read, and each carries a checksum
//     of its values: bad memory or a bad disk must not look like a deletion.
//   - The database file is opened by SQLite alone. Another descriptor of the
//     same process, when closed, would drop SQLite's POSIX locks.
package store
