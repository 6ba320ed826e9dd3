package state

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestFlags(t *testing.T) {
	for f := Flags(0); f <= AllFlags; f++ {
		if got := ParseFlags(f.String()); got != f {
			t.Errorf("%08b is written %q and read as %08b", f, f.String(), got)
		}
	}
	if got := (Seen | Draft | Trashed).String(); got != "DST" {
		t.Errorf("letters are %q, want them in ASCII order", got)
	}
	if got := ParseFlags("SaxS,foo"); got != Seen {
		t.Errorf("foreign letters were read as %q", got)
	}
}

// TestMergeFlags tries every flag in every combination of the three sides.
func TestMergeFlags(t *testing.T) {
	for base := Flags(0); base <= AllFlags; base++ {
		for local := Flags(0); local <= AllFlags; local++ {
			for remote := Flags(0); remote <= AllFlags; remote++ {
				merged := MergeFlags(base, local, remote)
				if merged != MergeFlags(base, remote, local) {
					t.Fatalf("merging %s, %s, %s prefers a side", base, local, remote)
				}
				if MergeFlags(merged, merged, merged) != merged || MergeFlags(base, base, remote) != remote {
					t.Fatalf("merging %s, %s, %s is not a merge", base, local, remote)
				}
				if changed := base ^ merged; changed != (base^local)|(base^remote) {
					t.Fatalf("merging %s, %s, %s changes %s", base, local, remote, changed)
				}
			}
		}
	}
}

func TestSignificant(t *testing.T) {
	for _, c := range []struct {
		base, now Flags
		want      bool
	}{
		{0, Seen, false},
		{0, Trashed, false},
		{Seen, 0, true},
		{Trashed, 0, true},
		{0, Flagged, true},
		{Seen, Seen | Answered, true},
		{Flagged, Flagged | Seen, false},
	} {
		if got := Significant(c.base, c.now); got != c.want {
			t.Errorf("from %q to %q: %v, want %v", c.base, c.now, got, c.want)
		}
	}
}

func TestKeyCheck(t *testing.T) {
	for key, ok := range map[Key]bool{
		"1700000000.abc.host":                   true,
		"1700000000.M1P2.host,S=100,W=101":      true,
		"with space and ümlaut":                 true,
		"":                                      false,
		".hidden":                               false,
		"a/b":                                   false,
		"a\x00b":                                false,
		"a:2,S":                                 false,
		Key(strings.Repeat("k", keyBytesMax)):   true,
		Key(strings.Repeat("k", keyBytesMax+1)): false,
	} {
		if err := key.Check(); (err == nil) != ok {
			t.Errorf("key %q: %v", key, err)
		}
	}
}

func TestRecordCheck(t *testing.T) {
	good := Record{Mailbox: "INBOX", UID: 1, Key: "k", State: Paired, Content: Content{Digest: Digest{1}}}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Record){
		"no mailbox":            func(r *Record) { r.Mailbox = "" },
		"no UID":                func(r *Record) { r.UID = 0 },
		"no key":                func(r *Record) { r.Key = "" },
		"no digest":             func(r *Record) { r.Content = Content{} },
		"no state":              func(r *Record) { r.State = 0 },
		"stuck upload with UID": func(r *Record) { r.State = UploadStuck },
		"stuck fetch with key":  func(r *Record) { r.State = DownloadStuck },
		"expunging with key":    func(r *Record) { r.State = Expunging },
		"unknown flag":          func(r *Record) { r.Flags = 1 << 7 },
		"impossible key":        func(r *Record) { r.Key = "a/b" },
	} {
		r := good
		spoil(&r)
		if r.Check() == nil {
			t.Errorf("%s: the record passed", name)
		}
	}
}

func TestCursorUnchanged(t *testing.T) {
	saved := Cursor{UIDValidity: 7, UIDNext: 5, ModSeq: 9, Messages: 4}
	if !saved.Unchanged(saved) {
		t.Error("equal values do not prove it unchanged")
	}
	for name, status := range map[string]Cursor{
		"no status":      {},
		"new message":    {UIDValidity: 7, UIDNext: 6, ModSeq: 10, Messages: 5},
		"flag changed":   {UIDValidity: 7, UIDNext: 5, ModSeq: 10, Messages: 4},
		"another epoch":  {UIDValidity: 8, UIDNext: 5, ModSeq: 9, Messages: 4},
		"messages fewer": {UIDValidity: 7, UIDNext: 5, ModSeq: 9, Messages: 3},
	} {
		if saved.Unchanged(status) {
			t.Errorf("%s: proves it unchanged", name)
		}
	}
	plain := Cursor{UIDValidity: 7, UIDNext: 5, Messages: 4}
	if plain.Unchanged(plain) {
		t.Error("without a mod-sequence equal values prove it unchanged")
	}
}

func TestErrorsSayTheirScope(t *testing.T) {
	inner := errors.New("disk full")
	err := fmt.Errorf("sync: %w", &Error{Scope: ScopeMailbox, Cause: CauseDisk, Doing: "deliver", Hint: "make room", Err: inner})
	if ScopeOf(err) != ScopeMailbox || CauseOf(err) != CauseDisk || !errors.Is(err, inner) {
		t.Errorf("scope %s, cause %d of %v", ScopeOf(err), CauseOf(err), err)
	}
	if ScopeOf(inner) != ScopeAccount {
		t.Error("an error without a scope does not stop the account")
	}
	if p := ProblemOf("INBOX", "k", err); p.Hint != "make room" || p.Text != "sync: deliver: disk full" {
		t.Errorf("problem is %+v", p)
	}
}

func TestDeltaChecks(t *testing.T) {
	r := Record{Mailbox: "INBOX", UID: 1, Key: "k", State: Paired}
	local := LocalDelta{Folder: "INBOX", New: []LocalMessage{{Key: "k", Content: Content{Digest: Digest{1}}}}}
	if err := local.Check(); err != nil {
		t.Error(err)
	}
	local.Missing = []Record{r}
	if local.Check() == nil {
		t.Error("a key that is new and missing passed")
	}
	remote := RemoteDelta{Mailbox: "INBOX", Selected: Selected{Cursor: Cursor{UIDValidity: 1}}, Gone: []Record{r}}
	if err := remote.Check(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*RemoteDelta){
		"no UIDVALIDITY":    func(d *RemoteDelta) { d.Selected.UIDValidity = 0 },
		"gone and new":      func(d *RemoteDelta) { d.New = []RemoteMessage{{UID: 1}} },
		"gone and unproven": func(d *RemoteDelta) { d.GoneUnknown = true },
	} {
		d := remote
		spoil(&d)
		if d.Check() == nil {
			t.Errorf("%s: the delta passed", name)
		}
	}
}
