package bench

import (
	"fmt"
	"time"
)

// workload is one line of the table: what is measured is the one run after its change.
type workload struct {
	key     string // chooses it
	name    string // for the report
	account account
	rtt     time.Duration // 0 is the loopback
	// fresh starts with an empty tree and no state. Otherwise both sides were equal and
	// at rest before the change.
	fresh  bool
	change func(site) // nil when nothing changes
}

// workloads returns the table, for the sizes of the flags.
func workloads() []workload {
	big, pair, many, wide := accounts()
	far, n := *distance, *changes
	one, deleted := 1, max(1, n/20)
	bigName := fmt.Sprintf("%s small messages in one mailbox", thousands(*bigMessages))
	manyName := fmt.Sprintf("%s in %s", count(*messages, "message"), count(*mailboxes, "mailbox"))
	wideName := fmt.Sprintf("%s of %s", count(*wideBoxes, "mailbox"), count(wideEach, "message"))
	pairName := "mailboxes of " + thousands(*pairMessages)
	some := count(n, "message")
	return []workload{
		{key: "first", name: bigName + ", first sync", account: big, fresh: true},
		{key: "idle", name: bigName + ", nothing to do", account: big},
		{key: "run_after", name: bigName + ", the run after one with a change", account: big, change: then(flagThere(one))},
		{key: "one_flag_here", name: bigName + ", one flag here", account: big, change: flagHere(one)},
		{key: "one_flag_there", name: bigName + ", one flag there", account: big, change: flagThere(one)},
		{key: "moved_here", name: count(*pairMessages*9/10, "message") + " moved here between " + pairName, account: pair, change: moveHere(*pairMessages * 9 / 10)},
		{key: "moved_there", name: count(min(n, *pairMessages/2), "message") + " moved there between " + pairName, account: pair, change: moveThere(min(n, *pairMessages/2))},
		{key: "moved_here_far", name: some + " moved here; " + manyName, account: many, rtt: far, change: moveHere(n)},
		{key: "moved_there_far", name: some + " moved there; " + manyName, account: many, rtt: far, change: moveThere(n)},
		{key: "uploads_far", name: some + " of 12 kB uploaded; " + manyName, account: many, rtt: far, change: addHere(n)},
		{key: "flags_here_far", name: some + " flagged here; " + manyName, account: many, rtt: far, change: flagHere(n)},
		{key: "flags_there_far", name: some + " flagged there; " + manyName, account: many, rtt: far, change: flagThere(n)},
		{key: "deletions_far", name: count(deleted, "message") + " deleted here; " + manyName, account: many, rtt: far, change: deleteHere(deleted)},
		{key: "first_far", name: manyName + ", first sync", account: many, rtt: far, fresh: true},
		{key: "first", name: manyName + ", first sync", account: many, fresh: true},
		{key: "idle_far", name: manyName + ", nothing to do", account: many, rtt: far},
		{key: "idle", name: manyName + ", nothing to do", account: many},
		{key: "first_far", name: wideName + ", first sync", account: wide, rtt: far, fresh: true},
		{key: "idle_far", name: wideName + ", nothing to do", account: wide, rtt: far},
	}
}

// grouped returns the workloads by account, in the order of the table.
func grouped(all []workload) [][]workload {
	var groups [][]workload
	for i, w := range all {
		if i == 0 || w.account.name != all[i-1].account.name {
			groups = append(groups, nil)
		}
		last := len(groups) - 1
		groups[last] = append(groups[last], w)
	}
	return groups
}
