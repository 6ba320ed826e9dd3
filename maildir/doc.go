// Package maildir keeps the local side of an account: a tree of Maildir folders
// below one root. It lists and scans folders, delivers messages durably, changes
// flags, moves files between folders and, instead of deleting, moves them to a
// hold area outside the tree.
//
// On disk:
//
//	<root>/.mailmoor                      marker of the account's tree
//	<root>/<level>/<level>/.mailmoor      marker of a folder
//	<root>/<level>/<level>/{cur,new,tmp}  its messages
//
// or, with LayoutPlus, <root>/.<level>.<level> and INBOX in the root itself.
//
// Mail readers work on the same files at any time. Four invariants follow:
//
//   - A message is known by its key, the file name up to the first ":2,", "!2," or ";2,". The rest
//     of the name, and whether the file lies in new/ or cur/, may change between any
//     two system calls.
//   - One directory listing proves nothing about a file that is not in it, since
//     readdir(3) misses files that are renamed meanwhile. Only ENOENT is absence;
//     every other error means that nobody knows.
//   - No rename replaces a file, and nothing is unlinked but our own tmp files and
//     the source of a verified copy into the hold area.
//   - Directories are reached through descriptors, name by name, without following
//     symbolic links. What is mounted, moved or linked over a path while we work
//     cannot lead us out of the tree.
package maildir
