package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"mailmoor/engine/plan"
	"mailmoor/state"
)

// roundsMax bounds how often a run repeats the cycle until nothing is left to
// do. What is still moving then is for the next run.
const roundsMax = 3

// Options is what an engine works with. All fields without a comment that says
// otherwise are needed.
type Options struct {
	Account string
	// Connect opens an authenticated connection.
	Connect func(context.Context) (Remote, error)
	// Connections is the largest number of connections open at a time.
	Connections int
	Local       LocalTree
	Store       Store
	// Wanted reports whether the user's patterns select a mailbox.
	Wanted func(name string, delimiter rune, role state.Role) bool
	// Asked reports whether this run shall change a mailbox; nil means all. The
	// others are looked at and left as they are.
	Asked func(mailbox string) bool
	// Rename has other names for the folders of mailboxes: see plan.Listing.
	Rename map[string]string
	// Roles has the mailboxes that the user gives a special use; it may be nil.
	Roles map[state.Role]string
	// Direction says which side's changes travel, Reach which messages are wanted.
	Direction plan.Direction
	Reach     plan.Reach
	// Retry tries stuck messages now, whenever their next try would be.
	Retry bool
	// Expunge removes deleted messages for good instead of moving them to Trash.
	Expunge bool
	// Interrupted is true when the last run did not come to its end, so that this one
	// may not either.
	Interrupted bool
	Limits      plan.Limits
	Log         zerolog.Logger
	// Progress is called while messages are transferred, never concurrently.
	// It may be nil.
	Progress func(Progress)
	// Deed is called for each message that was transferred, moved or removed, never
	// concurrently. It may be nil.
	Deed func(Deed)
	// Tell is called once with what the user should know before the transfers begin.
	// The report has it, too. It may be nil.
	Tell func(state.Problem)
	// Now is the clock; time.Now if nil.
	Now func() time.Time
	// Wait sleeps for d or until ctx ends; a timer if nil.
	Wait func(ctx context.Context, d time.Duration) error
}

// Engine keeps one account in step. It is used by one goroutine at a time.
type Engine struct {
	Options
	pool *pool
	// doubted are the mailboxes in whose folder a file was not what the last scan
	// made of it: the next scan looks at every file.
	doubted map[string]bool
	// grown are the mailboxes in which this run has found more than it had observed.
	grown map[string]bool
	// watched is what the run under way tells its progress, nil while a plan is only shown.
	watched *tally
	// retrying is true until this run has looked at what is stuck: what fails then waits.
	retrying bool
	pace     pace
	// noRoom is what this run has said of too little room, nil if it has not.
	noRoom *state.Problem
}

// New returns an engine. Close releases its connections.
func New(o Options) *Engine {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wait == nil {
		o.Wait = sleep
	}
	return &Engine{
		Options: o, pool: newPool(o.Connect, max(1, o.Connections)),
		doubted: make(map[string]bool), grown: make(map[string]bool),
	}
}

// Close closes all connections.
func (e *Engine) Close() error { return e.pool.close() }

// now returns the time in Unix seconds.
func (e *Engine) now() int64 { return e.Now().Unix() }

// Sync runs cycles until both sides are in step or roundsMax is reached. The
// report says what was done even when an error ended the run early.
func (e *Engine) Sync(ctx context.Context) (Report, error) {
	start := e.Now()
	clear(e.grown)
	e.noRoom = nil
	e.retrying = e.Retry
	if e.Interrupted {
		e.pace.slow()
	}
	e.pool.forgive()
	t := &tally{notify: e.Progress, deed: e.Deed, afresh: make(map[state.Doubt]afresh)}
	e.watched = t
	report := Report{Account: e.Account}
	err := e.rounds(ctx, t, &report)
	report.Counts, report.News = t.counts, t.news()
	report.Problems = distinct(append(report.Problems, t.problems...))
	report.Duration = e.Now().Sub(start)
	return report, err
}

func (e *Engine) rounds(ctx context.Context, t *tally, report *Report) error {
	// A round that waits does nothing else for what it waits for.
	waited, most := int64(0), roundsMax
	for report.Rounds < most && !report.Quiet {
		report.Rounds++
		before := t.settledSoFar()
		later, err := e.recover(ctx, t, waited)
		if err != nil {
			return fmt.Errorf("recover interrupted transfers: %w", err)
		}
		c, err := e.observe(ctx)
		if err != nil {
			return err
		}
		e.retrying = false
		report.Mailboxes = c.looked
		// Problems of an earlier round may be gone; those of a transfer stay.
		report.Problems = c.problems
		report.Kept, report.Trash = c.plan.Kept, c.trash
		report.Quiet = c.plan.Empty() && len(c.forget) == 0 && later == 0
		for _, name := range c.forget {
			if err := e.Store.ForgetMailbox(ctx, name); err != nil {
				return fmt.Errorf("forget mailbox %q: %w", name, err)
			}
			t.progressed()
		}
		// A decision is carried out before the hold that it was about goes.
		if report.Holds, err = e.Store.PutHolds(ctx, holdsLeft(c)); err != nil {
			return fmt.Errorf("store holds: %w", err)
		}
		if c.newTrash != "" {
			if err := e.Store.PutTrash(ctx, c.newTrash); err != nil {
				return fmt.Errorf("note that mailbox %q is Trash: %w", c.newTrash, err)
			}
		}
		for _, m := range c.moved {
			if err := e.Store.PutMailbox(ctx, m); err != nil {
				return fmt.Errorf("note the folder of mailbox %q: %w", m.Name, err)
			}
		}
		if err := e.rememberDoubts(ctx, c); err != nil {
			return err
		}
		if err := e.noteStrays(ctx, c); err != nil {
			return err
		}
		t.expect(c.plan)
		if err := e.execute(ctx, c, t); err != nil {
			return err
		}
		if later > 0 {
			waited, most = e.now(), roundsMax+1
			if err := e.Wait(ctx, later); err != nil {
				return err
			}
		} else if t.settledSoFar() == before && !c.moving {
			break // another round would end like this one
		}
	}
	return nil
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// distinct leaves out problems that were met twice, as when a mailbox was looked at and when
// something was to be done in it.
func distinct(problems []state.Problem) []state.Problem {
	type identity struct {
		mailbox, subject string
		text             state.Text
	}
	met := make(map[identity]bool, len(problems))
	return slices.DeleteFunc(problems, func(p state.Problem) bool {
		id := identity{p.Mailbox, p.Subject, p.Text}
		twice := met[id]
		met[id] = true
		return twice
	})
}

// holdsLeft returns the holds of the plan without those of mailboxes that have
// just been forgotten.
func holdsLeft(c *cycle) []state.Hold {
	return slices.DeleteFunc(slices.Clone(c.plan.Holds), func(h state.Hold) bool { return slices.Contains(c.forget, h.Mailbox) })
}
