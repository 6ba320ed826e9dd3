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
//	<dir>/<id>/state.db.damaged  a note of damage, for the next opening
//	<dir>/<id>/damaged-*/     databases that could not be used any more
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
//   - Damage never reads as data. Met at the opening or later, it leaves a note, so that
//     the database is opened again and every row examined. One that is damaged each
//     time is moved aside; while the disk gives errors nothing is. The newest copy
//     without a fault takes its place, and every mailbox of it is in doubt, so that
//     nothing is removed on the word of an old base.
//   - The generation in the database and that in the marker of the root are equal
//     between two runs. When they are not, one of the two was put back from a backup.
//   - The database file is opened by SQLite alone, but for copies of files that nobody
//     has open. Another descriptor of the
//     same process, when closed, would drop SQLite's POSIX locks.
package store
