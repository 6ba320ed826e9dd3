package bench

import (
	"flag"
	"time"
)

// Sizes. Those that the test has by itself are only enough to see that all of it works.
var (
	bigMessages  = flag.Int("big", 60, "messages in the account of one big mailbox")
	pairMessages = flag.Int("pair", 30, "messages in each mailbox of the account of two")
	messages     = flag.Int("messages", 80, "messages in the account of many mailboxes, half of them in INBOX")
	mailboxes    = flag.Int("mailboxes", 4, "mailboxes in the account of many")
	wideBoxes    = flag.Int("wide", 6, "mailboxes in the account of very many, each of 20 messages")
	changes      = flag.Int("changes", 20, "messages that change at a time; a twentieth of them is deleted")
	distance     = flag.Duration("rtt", 2*time.Millisecond, "round trip to a distant server")
	rounds       = flag.Int("rounds", 1, "how often each program plays a workload; medians are reported")
	settling     = flag.Duration("settle", 0, "how long a tree rests before a round, more than 2s if directories are not to be read again;\n"+
		"0 is for who does not measure: nothing rests, and trees lie in memory")
	reportTo   = flag.String("report", "", "write the results to this path, with .md and .svg added")
	profilesTo = flag.String("profiles", "", "keep CPU profiles of Mailmoor in this directory, from a round of their own")
)

const (
	smallBytes  = 490      // of a small message: a note without attachments
	mailBytes   = 13 << 10 // of an ordinary message, on average
	uploadBytes = 12 << 10 // of a message that is uploaded
	wideEach    = 20       // messages in each mailbox of very many
	loadAtOnce  = 10_000   // messages in memory when an account is filled
)
