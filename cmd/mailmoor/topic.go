package main

import "github.com/spf13/cobra"

const jsonLong = `With --json a command prints one JSON document to stdout; sync does so also when
it fails. Messages still go to stderr. Fields may be added; none changes its meaning.

sync
  command, dry_run, exit
  error {text, hint}      only when no account was worked on
  accounts [
    account, only [mailbox]   what the run was narrowed to; all else is about that
    exit, in_step, skipped, mailboxes, rounds, seconds
    counts {rematched, lost, paired, downloaded, uploaded, flags_local, flags_remote,
      moved_local, moved_remote, removed_local, removed_remote,
      removed_for_good (those of removed_remote that did not go to Trash),
      new_folders, new_mailboxes, bytes_down, bytes_up}
    trash                 the mailbox that deleted messages go to, "" without one
    holds [id, mailbox, missing ("local" or "remote"), whole, messages, lost, uids,
      reason, decision ("", "approved" or "rejected"), created]
    kept                  changes that stay on one side because of direction
    problems [scope ("message", "mailbox", "account"), mailbox, subject, text,
      hint, waiting]
    error {text, hint}    when the account's run ended early
    plan {interrupted, ops [kind, mailbox, folder, dest, messages, bytes, uids,
      key, final, why],   only with --dry-run
      transfers [kind ("download" or "upload"), mailbox, messages, sized, bytes,
        newest [uid, key, date, size, from, subject]]}   only with =full; sized is
        how many messages the bytes are of
  ]

status
  command
  accounts [
    account, maildir, state (the path of its database)
    running {pid, host, since}   who works on it now; left out while nobody does
    last_run {started, ended, only, exit, in_step, error,
      refused_login {tries, next_at, config}}   null before the first one
    mailboxes [mailbox, folder, messages, stuck, expunging, lost, excluded,
      suspended]
    stuck [mailbox, uid, key, reason, tries, next_at]
    holds, problems       as above; the problems are those of the last run
    error {text, hint}    when the account cannot be worked on
  ]

holds, approve, reject
  command, holds          as above; with --now the document is that of sync

doctor
  command, account, maildir, state, copy (paths), mailboxes, messages (both are
    what was forgotten)

version
  version, go, platform

A hold that only a dry run has found has no id yet: "".
Times are Unix seconds, sizes are bytes, uids are as in IMAP: "1:4,7".
`

// jsonTopic documents what --json prints.
func jsonTopic() *cobra.Command {
	return &cobra.Command{Use: "json", Short: "What --json prints", Long: jsonLong}
}
