// Package real plays whole lives of accounts with everything real: Dovecot, a
// Maildir tree on the disk, the database, and the engine put together as the
// program does it. The scenarios are those of the tests on the fakes in package
// engine, and those that need a real server, a real disk or a bad line.
//
// It holds tests only. What the server and the tree have in the end is read by
// other code than that under test: test/lab and package os.
package real
