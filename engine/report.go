package engine

import (
	"sync"
	"time"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

// Counts says how many messages a run has changed, and how.
type Counts struct {
	// Rematched are messages found again in a mailbox that was renumbered,
	// replaced or restored, Lost those that were not.
	Rematched     int `json:"rematched"`
	Lost          int `json:"lost"`
	Paired        int `json:"paired"`
	Downloaded    int `json:"downloaded"`
	Uploaded      int `json:"uploaded"`
	FlagsLocal    int `json:"flags_local"`
	FlagsRemote   int `json:"flags_remote"`
	MovedLocal    int `json:"moved_local"`
	MovedRemote   int `json:"moved_remote"`
	RemovedLocal  int `json:"removed_local"`
	RemovedRemote int `json:"removed_remote"`
	// RemovedForGood are those of them that did not go to Trash.
	RemovedForGood int   `json:"removed_for_good"`
	NewFolders     int   `json:"new_folders"`
	NewMailboxes   int   `json:"new_mailboxes"`
	BytesDown      int64 `json:"bytes_down"`
	BytesUp        int64 `json:"bytes_up"`
}

// Report is what a run did, and what it could not do.
type Report struct {
	Account   string
	Mailboxes int // looked at
	Rounds    int
	Counts    Counts
	Holds     []state.Hold
	Problems  []state.Problem
	// News is what happened that nobody asked for and that is no problem, in sentences.
	News []state.Text
	// Trash is the mailbox that deleted messages go to, empty without one.
	Trash string
	// Kept is how many changes stay on their side because of the direction.
	Kept     int
	Duration time.Duration
	// Quiet is true when the last round found nothing left to do.
	Quiet bool
}

// Deed is what was done to one message, and has been recorded.
type Deed struct {
	Kind plan.Kind // Download, Upload, MoveLocal, MoveRemote, RemoveLocal or RemoveRemote
	// Dest is the mailbox that the message is in now, where that is another one. A
	// removal from the server without it is final.
	Mailbox, Dest string
	UID           state.UID
	Key           state.Key
}

// Progress is how far a round is. First mailboxes are looked at, then messages transferred.
type Progress struct {
	Looked, LooksTotal      int
	Messages, MessagesTotal int
	Bytes                   int64
}

// tally collects results from all workers of a run.
type tally struct {
	mu       sync.Mutex
	counts   Counts
	problems []state.Problem
	progress Progress
	notify   func(Progress)
	deed     func(Deed) // nil when nobody wants to hear of single messages
	// afresh is what came of matching mailboxes afresh, by the reason.
	afresh  map[state.Doubt]afresh
	settled int
}

// progressed notes that something was recorded or found out that another round
// can build on.
func (t *tally) progressed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settled++
}

// settledSoFar returns how often that happened. A round that leaves it as it was
// would only be repeated by the next one.
func (t *tally) settledSoFar() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.settled
}

// look notes that so many mailboxes are to be looked at, looked that one has been. A plan
// that is only shown has no tally.
func (t *tally) look(mailboxes int) {
	if t != nil {
		t.step(func(p *Progress) { *p = Progress{LooksTotal: mailboxes} })
	}
}

func (t *tally) looked() {
	if t != nil {
		t.step(func(p *Progress) { p.Looked++ })
	}
}

func (t *tally) step(change func(*Progress)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.progress)
	if t.notify != nil {
		t.notify(t.progress)
	}
}

// add changes the counts.
func (t *tally) add(change func(*Counts)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.counts)
}

// transferred counts one message of size bytes towards the progress.
func (t *tally) transferred(size int64) {
	t.step(func(p *Progress) { p.Messages++; p.Bytes += size })
}

// did tells of messages what was done to them.
func (t *tally) did(kind plan.Kind, dest string, records ...state.Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range records {
		brought := kind == plan.Download || kind == plan.Upload
		if t.deed == nil || brought && r.State != state.Paired {
			continue // set aside
		}
		t.deed(Deed{Kind: kind, Mailbox: r.Mailbox, Dest: dest, UID: r.UID, Key: r.Key})
	}
}

// expect sets the number of messages that the plan will transfer.
func (t *tally) expect(p plan.Plan) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.progress = Progress{}
	for _, op := range p.Ops {
		if op.Kind == plan.Download || op.Kind == plan.Upload || op.Kind == plan.Replace {
			t.progress.MessagesTotal += op.Count()
		}
	}
}

// problem notes what the user must hear about, once.
func (t *tally) problem(p state.Problem) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, known := range t.problems {
		if known == p {
			return
		}
	}
	t.problems = append(t.problems, p)
}
