package main

import (
	"slices"
	"strconv"

	"mailmoor/engine"
	"mailmoor/engine/plan"
	"mailmoor/state"
)

// planReport is a plan as JSON shows it.
type planReport struct {
	// Interrupted transfers are cleared up first by a run.
	Interrupted int        `json:"interrupted"`
	Ops         []opReport `json:"ops"`
	// Transfers are there only with --dry-run=full.
	Transfers []transferReport `json:"transfers,omitempty"`
}

// opReport is one operation as JSON shows it. Messages counts those it is
// about, bytes those of which the size is known before the transfer.
type opReport struct {
	Kind     string     `json:"kind"`
	Mailbox  string     `json:"mailbox"`
	Folder   string     `json:"folder,omitempty"`
	Dest     string     `json:"dest,omitempty"`
	Messages int        `json:"messages"`
	Bytes    int64      `json:"bytes,omitempty"`
	UIDs     string     `json:"uids,omitempty"`
	Key      string     `json:"key,omitempty"`
	Final    bool       `json:"final,omitempty"`
	Why      state.Text `json:"why,omitempty"`
}

func planOf(preview engine.Preview) *planReport {
	report := &planReport{Interrupted: preview.Interrupted, Ops: []opReport{}}
	for _, op := range preview.Plan.Ops {
		uids := op.UIDs
		if len(uids) == 0 {
			uids = uidOf(op)
		}
		report.Ops = append(report.Ops, opReport{
			Kind: op.Kind.String(), Mailbox: op.Mailbox, Folder: op.Folder, Dest: op.Dest, Messages: op.Count(),
			Bytes: bytesOf(op), UIDs: uids.String(), Key: string(keyOf(op)), Final: op.Final, Why: op.Why,
		})
	}
	report.Transfers = transfersOf(preview.Transfers)
	return report
}

// uidOf returns the UID of the one message that op is about, if it has one.
func uidOf(op plan.Op) state.UIDSet {
	for _, uid := range []state.UID{op.Base.UID, op.Remote.UID} {
		if uid != 0 {
			return state.NewUIDSet(uid)
		}
	}
	return nil
}

// keyOf returns the key of the one file that op is about, if it has one.
func keyOf(op plan.Op) state.Key {
	if op.Local.Key != "" {
		return op.Local.Key
	}
	return op.Base.Key
}

func bytesOf(op plan.Op) int64 {
	var n int64
	for _, f := range op.Files {
		n += f.Content.WireSize
	}
	return n
}

// showPlan prints what a run would do: what moves, replaces or removes
// something line by line, all else as counts.
func (s *syncing) showPlan(r accountReport, preview engine.Preview) {
	if preview.Plan.Empty() && len(r.Holds) == 0 {
		s.ui.result("%s: nothing to do", r.title())
		return
	}
	s.ui.result("%s: a run would do this, and has not done any of it:", r.title())
	if n := preview.Interrupted; n > 0 {
		s.ui.result("  look first what became of %s that was interrupted", count(n, "transfer"))
	}
	for _, line := range planLines(preview.Plan.Ops, preview.Transfers) {
		s.ui.result("  %s", line)
	}
	for _, h := range r.Holds {
		s.ui.result("  %s: hold back the removal of %s: %s", h.Mailbox, holdCount(h), h.Reason)
	}
}

// holdCount says how much a hold is about.
func holdCount(h holdReport) state.Text {
	if h.Whole {
		return "the whole mailbox"
	}
	return count(h.Messages, "message")
}

// planLines describes operations in the order in which they would be done, with
// what is known of transfers.
func planLines(ops []plan.Op, transfers []engine.Transfer) []state.Text {
	var lines []state.Text
	for i := 0; i < len(ops); {
		j := i + 1
		for j < len(ops) && ops[j].Kind == ops[i].Kind && ops[j].Mailbox == ops[i].Mailbox {
			j++
		}
		lines = append(lines, groupLines(ops[i:j], transfers)...)
		i = j
	}
	return lines
}

// groupLines describes operations of one kind in one mailbox.
func groupLines(ops []plan.Op, transfers []engine.Transfer) []state.Text {
	first, n := ops[0], 0
	for _, op := range ops {
		n += op.Count()
	}
	at := state.Textf("%s: ", first.Mailbox)
	for _, t := range transfers {
		if t.Kind == first.Kind && t.Mailbox == first.Mailbox {
			return transferLines(t)
		}
	}
	switch first.Kind {
	case plan.CreateFolder:
		if first.Folder != "" {
			return []state.Text{at + "mark the folder, which is there already"}
		}
		return []state.Text{at + "make the folder"}
	case plan.CreateMailbox:
		return []state.Text{at + "make the mailbox on the server"}
	case plan.Rematch:
		return []state.Text{at + "match the records with the server afresh: " + state.Textf("%s", first.Rematching)}
	case plan.Pair:
		return []state.Text{at + "note that " + count(n, "message") + " are on both sides already"}
	case plan.SetFlags:
		what := state.Text("flags")
		if slices.ContainsFunc(ops, func(op plan.Op) bool { return op.Tags.Send != "" || !op.Tags.Local.Equal(op.Local.Keywords) }) {
			what = "flags and keywords"
		}
		return []state.Text{at + "change " + what + " of " + count(n, "message")}
	case plan.Settle, plan.Forget:
		return []state.Text{at + "note " + count(n, "change") + " that both sides show already"}
	case plan.Exclude:
		return []state.Text{at + "leave " + count(n, "message") + " on the server, larger or older than wanted"}
	case plan.Download:
		return append([]state.Text{at + "download " + count(n, "message")}, newest("UID", downloads(ops))...)
	case plan.Upload:
		var size int64
		for _, op := range ops {
			size += bytesOf(op)
		}
		return append([]state.Text{at + state.Textf("upload %s, %s", count(n, "message"), bytesText(size))}, newest("file", uploads(ops))...)
	default:
		lines := make([]state.Text, 0, len(ops))
		for _, op := range ops {
			lines = append(lines, at+singleLine(op))
		}
		return lines
	}
}

// singleLine describes an operation that is worth a line of its own.
func singleLine(op plan.Op) state.Text {
	what := state.Textf("message %s", keyOf(op))
	if uid := uidOf(op); len(uid) > 0 {
		what = state.Textf("UID %s", uid)
		if key := keyOf(op); key != "" {
			what += state.Textf(" (%s)", key)
		}
	}
	text := state.Textf("%s %s", op.Kind, what)
	switch op.Kind {
	case plan.Depart:
		text = "note that " + what + state.Textf(" has a copy in %s already", op.Dest)
	case plan.Disown:
		text = "note that " + what + " is one copy too many"
	case plan.Retire:
		text = "remove " + what + " from the server, its body into the hold area"
	case plan.Replace:
		text = "upload the edited version of " + what
	case plan.MoveLocal:
		text = "move " + what + state.Textf(" to folder %s", op.DestFolder)
	case plan.MoveRemote:
		text = "move " + what + state.Textf(" to %s on the server", op.Dest)
	case plan.RemoveLocal:
		text = "remove " + what + " from the folder, into the hold area"
	case plan.RemoveRemote:
		text = "remove " + what + state.Textf(" from the server, into %s", op.Dest)
		if op.Final {
			text = "remove " + what + " from the server for good"
		}
	default:
	}
	if op.Why != "" {
		text += ": " + op.Why
	}
	return text
}

// downloads names what would be downloaded, the oldest first.
func downloads(ops []plan.Op) []string {
	var uids []state.UID
	for _, op := range ops {
		// Only the last ones are shown, and a first run has many.
		skip := max(0, op.UIDs.Len()-engine.NewestMax)
		for uid := range op.UIDs.All() {
			if skip--; skip < 0 {
				uids = append(uids, uid)
			}
		}
	}
	slices.Sort(uids)
	names := make([]string, 0, len(uids))
	for _, uid := range uids {
		names = append(names, strconv.FormatUint(uint64(uid), 10))
	}
	return names
}

// uploads names what would be uploaded, the oldest first.
func uploads(ops []plan.Op) []string {
	var files []state.LocalMessage
	for _, op := range ops {
		files = append(files, op.Files...)
	}
	slices.SortStableFunc(files, func(a, b state.LocalMessage) int { return int(a.Date - b.Date) })
	names := make([]string, 0, len(files))
	for _, f := range files {
		names = append(names, string(f.Key))
	}
	return names
}

// newest lists the last of the names, the newest first.
func newest(what state.Text, names []string) []state.Text {
	shown := slices.Clone(names[max(0, len(names)-engine.NewestMax):])
	slices.Reverse(shown)
	texts := make([]state.Text, 0, len(shown))
	for _, name := range shown {
		texts = append(texts, state.Textf("%s", name))
	}
	if len(texts) > 1 {
		what += "s"
	}
	return []state.Text{state.Textf("  the newest %s: %s", what, state.Join(texts, " "))}
}
