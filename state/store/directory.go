package store

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"mailmoor/state"
)

const (
	accountName = "account.json"
	lockName    = "lock"
	holdName    = "hold"

	// idBytes is the length of an account id before it is written in hex.
	idBytes = 16
	// accountBytesMax bounds account.json, which has a few short fields.
	accountBytesMax = 64 << 10
)

// Account says whose a store is. Name and Root are as the configuration had them when
// the store was last opened. All else is what the last login has proven: a name that the
// configuration has says nothing until then, for it may be mistyped. It is empty before
// the first login.
type Account struct {
	// ID is 32 hexadecimal digits. It also stands in the root's marker.
	ID   string `json:"id"`
	Name string `json:"name"`
	// Root is the absolute path of the Maildir tree.
	Root string `json:"root"`
	Host string `json:"host"`
	User string `json:"user"`
	Port int    `json:"port,omitempty"`
}

// Directory is the state directory, with one sub-directory for each account
// id. Any number of goroutines and processes may use it.
type Directory struct {
	path  string
	steps []string         // of the schema
	now   func() time.Time // for the locks
	boot  string           // see bootID
}

// OpenDirectory returns the state directory at path, which it creates if need
// be. It refuses network file systems, where SQLite's log and the locks do not
// work.
func OpenDirectory(path string) (*Directory, error) {
	fail := func(cause state.Cause, hint state.Text, err error) error {
		return &state.Error{
			Scope: state.ScopeProcess, Cause: cause, Hint: hint,
			Doing: state.Textf("open the state directory %s", path), Err: err,
		}
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fail(state.CauseConfig, "set state_dir to an absolute path", err)
	}
	if err := os.MkdirAll(abs, 0o700); err != nil {
		hint := state.Text("let the user who runs mailmoor write there, or set state_dir to another directory")
		if noSpace(err) {
			hint = roomHint
		}
		return nil, fail(state.CauseDisk, hint, err)
	}
	kind, err := networkFileSystem(abs)
	if err != nil {
		return nil, fail(state.CauseDisk, "", err)
	}
	if kind != "" {
		return nil, fail(state.CauseConfig,
			"set state_dir to a directory on a local disk; the mail itself may lie elsewhere",
			fmt.Errorf("it is on a network file system (%s), which keeps neither locks nor the database safe", kind))
	}
	return &Directory{path: abs, steps: schema(), now: time.Now, boot: bootID()}, nil
}

// HoldArea returns the path of the account's hold area. It need not exist.
func (d *Directory) HoldArea(id string) (string, error) { return d.file(id, holdName) }

// Accounts returns the accounts that have a store, ordered by id. An
// account.json that cannot be read is an error: an account that is overlooked
// would look like a new one.
func (d *Directory) Accounts() ([]Account, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, d.fail("list the accounts", err)
	}
	var accounts []Account
	for _, e := range entries {
		if !e.IsDir() || checkID(e.Name()) != nil {
			continue
		}
		if known, err := d.hasState(e.Name()); err != nil {
			return nil, d.fail("list the accounts", err)
		} else if !known {
			// Without a database there is no state. What else lies there, such
			// as the hold area, is used again when the id is.
			continue
		}
		account, err := d.account(e.Name())
		if err != nil {
			return nil, err
		}
		accounts = append(accounts, account)
	}
	return accounts, nil
}

// hasState reports whether the account has a database, or a note that one is about to
// take the place of another.
func (d *Directory) hasState(id string) (bool, error) {
	path := filepath.Join(d.path, id, databaseName)
	_, err := os.Lstat(path)
	if !errors.Is(err, os.ErrNotExist) {
		return err == nil, err
	}
	note, _, err := readNote(path)
	return note.Aside != "", err
}

// account reads account.json. Without one only the id is known.
func (d *Directory) account(id string) (Account, error) {
	path := filepath.Join(d.path, id, accountName)
	doing := state.Textf("read %s", path)
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return Account{ID: id}, nil
	}
	if err != nil {
		return Account{}, d.fail(doing, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, accountBytesMax))
	if err != nil {
		return Account{}, d.fail(doing, err)
	}
	var a Account
	if err = json.Unmarshal(data, &a); err == nil && a.ID != id {
		err = fmt.Errorf("it names id %q in the directory of %q", a.ID, id)
	}
	if err != nil {
		return Account{}, &state.Error{
			Scope: state.ScopeProcess, Cause: state.CauseConfig, Doing: doing, Err: err,
			Hint: "remove the file: it is written again when the marker in the Maildir root names this id",
		}
	}
	return a, nil
}

// putAccount writes account.json if it is to change.
func (d *Directory) putAccount(a Account) error {
	if old, err := d.account(a.ID); err == nil && old == a {
		return nil
	}
	data, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return err
	}
	name := filepath.Join(d.path, a.ID, accountName)
	draft := name + ".tmp"
	if err := os.WriteFile(draft, append(data, '\n'), 0o600); err != nil {
		return err
	}
	return publish(draft, name)
}

// makeAccount creates the account's directory, durably.
func (d *Directory) makeAccount(id string) error {
	path, err := d.file(id, "")
	if err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); errors.Is(err, os.ErrExist) {
		return os.Chmod(path, 0o700)
	} else if err != nil {
		return err
	}
	return syncDir(d.path)
}

// file returns the path of a file of the account.
func (d *Directory) file(id, name string) (string, error) {
	if err := checkID(id); err != nil {
		return "", err
	}
	return filepath.Join(d.path, id, name), nil
}

func (d *Directory) fail(doing state.Text, err error) error {
	hint := state.Textf("check the permissions of the state directory %s", d.path)
	switch {
	case noSpace(err):
		hint = roomHint
	case errors.Is(err, syscall.EROFS):
		hint = state.Textf("%s is on a file system that is mounted read-only: remount it read-write", d.path)
	}
	return &state.Error{Scope: state.ScopeProcess, Cause: state.CauseDisk, Doing: doing, Err: err, Hint: hint}
}

// newID returns a fresh account id.
func newID() string {
	var b [idBytes]byte
	_, _ = rand.Read(b[:]) // never fails: package crypto/rand
	return hex.EncodeToString(b[:])
}

// checkID reports an id that no program of ours gave out. Ids come from a file
// in the mail tree and become directory names.
func checkID(id string) error {
	b, err := hex.DecodeString(id)
	if err != nil || len(b) != idBytes || hex.EncodeToString(b) != id {
		return fmt.Errorf("%.80q is not an account id (%d lower-case hexadecimal digits)", id, 2*idBytes)
	}
	return nil
}

// syncDir makes the entries of a directory durable.
func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
