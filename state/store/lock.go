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
	alonePoll  = 20 * time.Millisecond
	// holderBytesMax bounds what is read from a lock file.
	holderBytesMax = 4 << 10
)

// holder is what the process that holds a lock writes into the lock file, for
// the message that another one shows.
type holder struct {
	PID     int    `json:"pid"`
	Host    string `json:"host"`
	Started int64  `json:"started"` // Unix seconds
}

func (h holder) String() string {
	if h.PID == 0 {
		return "another process"
	}
	return fmt.Sprintf("process %d on %s (since %s)", h.PID, h.Host,
		time.Unix(h.Started, 0).UTC().Format(time.RFC3339))
}

// Lock is the right to work on an account, or on the state directory as a whole.
// It ends with Unlock or with the process, however that ends.
type Lock struct{ file *flock.Flock }

// Lock takes the lock of the account, or fails with CauseLocked and names the
// process that has it. The lock is flock(2) on a file of its own that is never
// removed: who locks a removed file locks nothing.
func (d *Directory) Lock(ctx context.Context, id string, mode LockMode) (*Lock, error) {
	path, err := d.file(id, lockName)
	if err != nil {
		return nil, d.fail("lock the account", err)
	}
	if err := d.makeAccount(id); err != nil {
		return nil, d.fail("lock "+path, err)
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
// poll until the context ends; with poll 0 it fails at once.
func (d *Directory) take(ctx context.Context, path string, poll time.Duration) (*Lock, error) {
	f := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o600))
	got, err := f.TryLock()
	if err == nil && !got && poll > 0 {
		got, err = f.TryLockContext(ctx, poll)
	}
	if err != nil && ctx.Err() == nil {
		return nil, d.fail("lock "+path, err)
	}
	if !got {
		return nil, locked(path, err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "this host"
	}
	// The name of the holder only serves a message: no error of it matters.
	if data, err := json.Marshal(holder{os.Getpid(), host, d.now().Unix()}); err == nil {
		_ = os.WriteFile(path, append(data, '\n'), 0o600)
	}
	return &Lock{file: f}, nil
}

// locked is the error of a lock that is taken; ended is the context's error
// after waiting in vain.
func locked(path string, ended error) error {
	err := fmt.Errorf("held by %s", readHolder(path))
	if ended != nil {
		err = fmt.Errorf("%w: %w", err, ended)
	}
	return &state.Error{
		Scope: state.ScopeAccount, Cause: state.CauseLocked, Doing: "lock " + path, Err: err,
		Hint: "let that process end; `mailmoor sync --if-locked=wait` waits for it",
	}
}

// readHolder returns what is known of the process that holds the lock.
func readHolder(path string) holder {
	f, err := os.Open(path)
	if err != nil {
		return holder{}
	}
	defer f.Close()
	var h holder
	if err := json.NewDecoder(io.LimitReader(f, holderBytesMax)).Decode(&h); err != nil {
		return holder{}
	}
	return h
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
			Scope: state.ScopeAccount, Cause: state.CauseDisk, Doing: "unlock " + path, Err: err,
		}
	}
	return nil
}
