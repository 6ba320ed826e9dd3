package maildir_test

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"mailmoor/state"
)

// One directory listing misses files that are renamed while it is read. A scan must
// not take them for deleted, however busy the folder is.
func TestScanUnderRenameStorm(t *testing.T) {
	const files = 2000
	scans := 60
	if testing.Short() {
		scans = 10
	}
	f := newFixture(t)
	name := func(i int, flags string) string {
		return f.path(f.inbox, "cur", fmt.Sprintf("1700000000.%d.host:2,%s", i, flags))
	}
	for i := range files {
		f.ok(os.WriteFile(name(i, ""), []byte(mail), 0o600))
	}
	var base []state.Record
	for _, m := range f.scan(f.inbox).New {
		base = append(base, record(m))
	}
	var done, renames, missedOnce atomic.Int64
	var storm sync.WaitGroup
	storm.Go(func() {
		flags := [2]string{"", "a"} // a letter that no look-up by name can guess
		for round := 0; done.Load() == 0; round++ {
			for i := 0; i < files && done.Load() == 0; i++ {
				if err := os.Rename(name(i, flags[round%2]), name(i, flags[(round+1)%2])); err != nil {
					t.Error(err)
					return
				}
				renames.Add(1)
			}
		}
	})
	for range scans {
		if n := len(f.names(f.path(f.inbox, "cur"))); n < files {
			missedOnce.Add(1)
		}
		delta, err := f.Scan(t.Context(), f.inbox, base, state.ScanOptions{})
		if err != nil {
			t.Error(err)
			break
		}
		if len(delta.Missing)+len(delta.New)+len(delta.Problems) != 0 || delta.Count != files {
			t.Errorf("missing %d, new %d, problems %d, count %d", len(delta.Missing), len(delta.New), len(delta.Problems), delta.Count)
		}
	}
	done.Store(1)
	storm.Wait()
	t.Logf("%d scans of %d files during %d renames; %d of %d simple listings missed files",
		scans, files, renames.Load(), missedOnce.Load(), scans)
}

// BenchmarkScan compares 100,000 names with as many records.
func BenchmarkScan(b *testing.B) {
	const files = 100_000
	f := newFixture(b)
	for i := range files {
		path := f.path(f.inbox, "cur", fmt.Sprintf("1700000000.%d.host:2,S", i))
		f.ok(os.WriteFile(path, []byte(mail), 0o600))
	}
	var base []state.Record
	for _, m := range f.scan(f.inbox).New {
		base = append(base, record(m))
	}
	for _, stat := range []bool{false, true} {
		b.Run(fmt.Sprintf("stat=%v", stat), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				delta, err := f.Scan(b.Context(), f.inbox, base, state.ScanOptions{Stat: stat})
				if err != nil || delta.Count != files || len(delta.New)+len(delta.Missing)+len(delta.Changed) != 0 {
					b.Fatalf("%d files, %v", delta.Count, err)
				}
			}
		})
	}
}

// BenchmarkFolders lists 1,000 folders.
func BenchmarkFolders(b *testing.B) {
	f := newFixture(b)
	for i := range 1000 {
		f.folder("list", fmt.Sprint(i))
	}
	for b.Loop() {
		folders, _, err := f.Folders(b.Context())
		if err != nil || len(folders) != 1001 {
			b.Fatalf("%d folders, %v", len(folders), err)
		}
	}
}
