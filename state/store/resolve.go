package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"mailmoor/state"
)

// PairsAgain says what a run does that finds no state.
const PairsAgain state.Text = "the next run pairs both sides again and deletes nothing"

// markerName is the file in a Maildir root that names the account's id.
const markerName = ".mailmoor"

// RootFacts is what the caller saw at the account's root.
type RootFacts struct {
	Exists bool
	// MarkerID is the id in the root's marker, "" without a marker.
	MarkerID string
	// HasMail is true when there is a message or a folder below the root.
	HasMail bool
}

// Verdict says which store belongs to an account.
type Verdict uint8

// The verdicts.
const (
	// Suspended: no store may be used. It comes with an error that says why.
	Suspended Verdict = iota
	// Known: the store and the tree belong together.
	Known
	// StateLost: the tree was in use, its store is gone. A new one under the
	// same id pairs both sides again; nothing is deleted.
	StateLost
	// New: neither tree nor store is known. The caller writes the marker, with
	// the fresh id, before it opens the store: in the other order a crash in
	// between would look like a lost marker.
	New
)

// String returns the verdict's name.
func (v Verdict) String() string {
	return [...]string{"suspended", "known", "state lost", "new"}[v]
}

// Resolve finds the store that belongs to the account want, whose ID is not
// looked at. It returns want with the store's ID. An account may be renamed
// and its tree may move: the marker in the root decides. When marker and
// stores contradict each other, the answer is an error with CauseConfig.
func (d *Directory) Resolve(want Account, root RootFacts) (Account, Verdict, error) {
	accounts, err := d.Accounts()
	if err != nil {
		return Account{}, Suspended, err
	}
	stores := make([]candidate, len(accounts))
	for i, a := range accounts {
		stores[i] = candidate{
			Account:  a,
			rootHere: sameDirectory(a.Root, want.Root),
			marked:   a.Root != "" && exists(filepath.Join(a.Root, markerName)),
		}
	}
	id, verdict, refused := resolve(want, root, stores)
	if refused != nil {
		return Account{}, Suspended, &state.Error{
			Scope: state.ScopeAccount, Cause: state.CauseConfig, Err: refused.reason, Hint: refused.hint,
			Doing: "find the state",
		}
	}
	if verdict == New {
		id = newID()
	}
	want.ID = id
	return want, verdict, nil
}

// candidate is a store with what was seen at its root.
type candidate struct {
	Account
	// rootHere is true when its root is the root of the account in question.
	rootHere bool
	// marked is true when its root exists and carries a marker.
	marked bool
}

// refusal is why no store may be used.
type refusal struct {
	reason error
	hint   state.Text
}

// resolve is the decision. It returns no id with New.
func resolve(want Account, root RootFacts, stores []candidate) (string, Verdict, *refusal) {
	if root.MarkerID == "" {
		for _, s := range stores {
			if s.rootHere {
				return "", Suspended, markerLost(want, root, s)
			}
		}
		return "", New, nil
	}
	if err := checkID(root.MarkerID); err != nil {
		return "", Suspended, &refusal{
			fmt.Errorf("the marker in %s is not ours: %w", want.Root, err),
			state.Textf("restore the file %s", filepath.Join(want.Root, markerName)),
		}
	}
	var owner, local *candidate // of the marker; of the path
	for i, s := range stores {
		if s.ID == root.MarkerID {
			owner = &stores[i]
		} else if s.rootHere {
			local = &stores[i]
		}
	}
	switch {
	case owner == nil && local != nil:
		return "", Suspended, treeSwapped(want, *local)
	case owner == nil:
		return root.MarkerID, StateLost, nil
	case foreign(want, *owner, local):
		return "", Suspended, &refusal{
			fmt.Errorf("the tree in %s belongs to account %q (%s at %s, last in %s)",
				want.Root, owner.Name, owner.User, owner.Host, owner.Root),
			"give each account a tree of its own, and check that the right disk is mounted",
		}
	case !owner.rootHere && owner.marked:
		return "", Suspended, &refusal{
			fmt.Errorf("the tree in %s looks like a copy: that of account %q is still in %s",
				want.Root, owner.Name, owner.Root),
			state.Textf("point the account to %s, or move that one away so that the copy takes its place",
				owner.Root),
		}
	}
	return owner.ID, Known, nil
}

// foreign reports whether the marker's store is another account's. An account
// may change its name or its server, not both at once. Where another store was
// at home at this path under this very name, the name has to agree.
func foreign(want Account, owner candidate, local *candidate) bool {
	switch {
	case owner.Name == want.Name || owner.Name == "": // "": account.json is lost
		return false
	case owner.unproven():
		return false // nothing has been agreed on with any server
	case local != nil && local.Name == want.Name && !owner.rootHere:
		return true
	}
	return owner.User != want.User || !strings.EqualFold(owner.Host, want.Host)
}

func markerLost(want Account, root RootFacts, s candidate) *refusal {
	seen := "the directory does not exist"
	switch {
	case root.HasMail:
		seen = "there is mail, but the file " + markerName + " is gone"
	case root.Exists:
		seen = "the directory is empty"
	}
	return &refusal{
		fmt.Errorf("the root %s lost its marker (%s): is the disk mounted?", want.Root, seen),
		state.Textf("mount the disk, or restore the directory with its file %s (id %s); %s",
			markerName, s.ID, acceptHint(want)),
	}
}

func treeSwapped(want Account, local candidate) *refusal {
	return &refusal{
		fmt.Errorf("the root %s carries the marker of another tree: is the right disk mounted?", want.Root),
		state.Textf("mount the disk, or restore the directory, whose marker %s has the id %s; %s",
			markerName, local.ID, acceptHint(want)),
	}
}

// acceptHint is the way out when no disk and no backup brings the old tree back.
func acceptHint(want Account) state.Text {
	return state.Textf("if it was emptied, moved or exchanged on purpose, run `mailmoor doctor --accept-root %s`: %s",
		want.Name, PairsAgain)
}

// sameDirectory reports whether two paths name one directory, by their text or
// by what they lead to.
func sameDirectory(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	if filepath.Clean(a) == filepath.Clean(b) {
		return true
	}
	ia, errA := os.Stat(a)
	ib, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(ia, ib)
}

// exists is true as well when nobody can tell: a copy must not win by an
// unreadable original.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !os.IsNotExist(err)
}
