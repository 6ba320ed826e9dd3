package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"mailmoor/state"
)

// LockMode says what Lock does while another process holds the account.
type LockMode uint8

// The modes. Who wants to skip a busy account asks with LockFail and ignores
// an error with CauseLocked.
const (
	LockFail LockMode = iota // give up at once
	LockWait                 // wait until the context ends
)

const (
	lockPoll = 100 * time.Millisecond
	// aloneLimit is how long Alone waits. What is done under that lock takes a
	// moment, unless the disk is very slow.
	aloneLimit = 10 * time.Second
	// lockGrace is how long a look at a lock may take.
	lockGrace = 20 * time.Millisecond
	// graceTries is how often a lock that somebody may only look at is tried again.
	graceTries = 10
	alonePoll  = 20 * time.Millisecond
	// holderBytesMax bounds what is read from a lock file.
	holderBytesMax = 4 << 10
)

// Holder is what the process that holds a lock writes into the lock file, for those
// who find it held. Zero values are not known.
type Holder struct {
	PID     int    `json:"pid"`
	Host    string `json:"host"`
	Started int64  `json:"started"` // Unix seconds
}

// String names the process, and since when it has had the lock.
func (h Holder) String() string {
	if h.PID == 0 {
		return "another process"
	}
	return fmt.Sprintf("process %d on %s (since %s)", h.PID, h.Host,
		time.Unix(h.Started, 0).UTC().Format(time.RFC3339))
}

// HeldError says who has the lock.
type HeldError struct {
	Holder Holder
	path   string
}

// Error names the process, and since when it has had the lock.
func (e *HeldError) Error() string { return "held by " + e.Holder.String() }

// Lock is the right to work on an account, or on the state directory as a whole.
// It ends with Unlock or with the process, however that ends.
type Lock struct {
	file *flock.Flock
	// Abandoned is true when the process that had the lock before did not give it back:
	// it was killed, or the machine stopped.
	Abandoned bool
}

// Lock takes the lock of the account, or fails with CauseLocked and names the
// process that has it. The lock is flock(2) on a file of its own that is never
// removed: who locks a removed file locks nothing.
func (d *Directory) Lock(ctx context.Context, id string, mode LockMode) (*Lock, error) {
	path, err := d.file(id, lockName)
	if err != nil {
		return nil, d.fail("lock the account", err)
	}
	if err := d.makeAccount(id); err != nil {
		return nil, d.fail(state.Textf("lock %s", path), err)
	}
	poll := time.Duration(0)
	if mode == LockWait {
		poll = lockPoll
	}
	return d.take(ctx, path, poll)
}

// Alone takes the lock of the state directory as a whole. It is held for a
// moment, around finding out which state is an account's and making what a first
// run lacks: two first runs would otherwise give one tree two ids, or one would
// find the marker of the other before there is a state of that id. It waits for
// some seconds, and fails with CauseLocked after that.
func (d *Directory) Alone(ctx context.Context) (*Lock, error) {
	ctx, cancel := context.WithTimeout(ctx, aloneLimit)
	defer cancel()
	return d.take(ctx, filepath.Join(d.path, lockName), alonePoll)
}

// take locks the file. While another process holds it, it tries again every
// poll until the context ends; with poll 0 it tries some times more after lockGrace,
// because whoever only looks holds it for a moment.
func (d *Directory) take(ctx context.Context, path string, poll time.Duration) (*Lock, error) {
	f := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o600))
	got, err := f.TryLock()
	switch {
	case err != nil || got:
	case poll > 0:
		got, err = f.TryLockContext(ctx, poll)
	default:
		for i := 0; i < graceTries && !got && err == nil; i++ {
			time.Sleep(lockGrace)
			got, err = f.TryLock()
		}
	}
	if err != nil && ctx.Err() == nil {
		return nil, d.fail(state.Textf("lock %s", path), err)
	}
	if !got {
		return nil, locked(path, err)
	}
	before, _ := readHolder(path)
	host, err := os.Hostname()
	if err != nil {
		host = "this host"
	}
	// The name of the holder only serves a message: no error of it matters.
	if data, err := json.Marshal(Holder{os.Getpid(), host, d.now().Unix()}); err == nil {
		_ = os.WriteFile(path, append(data, '\n'), 0o600)
	}
	return &Lock{file: f, Abandoned: before != (Holder{})}, nil
}

// locked is the error of a lock that is taken; ended is the context's error
// after waiting in vain.
func locked(path string, ended error) error {
	held, _ := readHolder(path)
	var err error = &HeldError{held, path}
	if ended != nil {
		err = fmt.Errorf("%w: %w", err, ended)
	}
	return &state.Error{
		Scope: state.ScopeAccount, Cause: state.CauseLocked, Doing: state.Textf("lock %s", path), Err: err,
		Hint: "let that process end; `mailmoor sync --if-locked=wait` waits for it",
	}
}

// Holder returns who holds the lock of the account, false while nobody does. A process
// that was killed leaves its name behind, so the lock itself is asked.
func (d *Directory) Holder(id string) (Holder, bool, error) {
	path, err := d.file(id, lockName)
	if err != nil {
		return Holder{}, false, d.fail("look who works on the account", err)
	}
	f := flock.New(path, flock.SetFlag(os.O_RDONLY))
	free, err := f.TryRLock()
	switch {
	case errors.Is(err, os.ErrNotExist):
		return Holder{}, false, nil
	case err != nil:
		return Holder{}, false, d.fail(state.Textf("look who holds %s", path), err)
	case free:
		return Holder{}, false, f.Unlock()
	}
	held, _ := readHolder(path)
	return held, true, nil
}

// reminder is what stands behind the holder once somebody has been told of it.
type reminder struct {
	Told Holder `json:"told"`
}

// Remind reports whether nobody has been told yet that this process holds the lock, and
// notes that somebody is being told now. The note goes with the holder.
func (e *HeldError) Remind() bool {
	now, told := readHolder(e.path)
	if now != e.Holder || told {
		return false // it is another one's turn
	}
	data, err := json.Marshal(reminder{e.Holder})
	if err != nil {
		return true
	}
	// Where it cannot be noted it is said again.
	f, err := os.OpenFile(e.path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return true
	}
	_, _ = f.Write(append(data, '\n'))
	_ = f.Close()
	return true
}

// readHolder returns what is known of the process that holds the lock, and whether
// somebody has been told of it.
func readHolder(path string) (held Holder, told bool) {
	f, err := os.Open(path)
	if err != nil {
		return Holder{}, false
	}
	defer f.Close()
	in := json.NewDecoder(io.LimitReader(f, holderBytesMax))
	if err := in.Decode(&held); err != nil {
		return Holder{}, false
	}
	var note reminder
	for in.Decode(&note) == nil {
		told = told || note.Told == held
	}
	return held, told
}

// Unlock gives the account back. Only the first call has an effect.
func (l *Lock) Unlock() error {
	if !l.file.Locked() {
		return nil
	}
	path := l.file.Path()
	// The next holder may take a moment to write its name: until then it is
	// nobody's, not ours.
	cleared := os.Truncate(path, 0)
	if err := errors.Join(cleared, l.file.Unlock()); err != nil {
		return &state.Error{
			Scope: state.ScopeAccount, Cause: state.CauseDisk, Doing: state.Textf("unlock %s", path), Err: err,
		}
	}
	return nil
}
