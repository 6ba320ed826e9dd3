// Package remote is the server's side of the engine: one IMAP connection that
// lists mailboxes, observes what changed in them, moves message bodies, and
// changes flags and messages. It speaks through go-imap and keeps to a small
// set of commands that the library handles safely.
//
// Three rules run through all files:
//
//   - An answer that never came says nothing. A message that the server did not
//     mention is not gone, and a command without a tagged answer may or may not
//     have happened.
//   - One command at a time. The library hands untagged data to the first
//     pending command of a kind, so only commands whose answers name what they
//     belong to (STATUS) or whose outcome is in the tagged line (APPEND) are
//     ever sent together.
//   - Other people's messages are never touched: CLOSE, EXPUNGE without UIDs
//     and the library's emulation of MOVE are not used.
package remote
