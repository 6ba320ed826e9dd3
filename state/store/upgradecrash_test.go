package store

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"mailmoor/state"
	"mailmoor/test/chance"
)

var (
	seedFlag = flag.Uint64("seed", 0, "replay a random test with this seed; 0 draws one")
	killFlag = flag.Int("kills", 12, "how often an upgrade is killed")
)

// newRandom returns the random numbers of a test, which can be replayed.
func newRandom(t *testing.T) *rand.Rand {
	t.Helper()
	seed := chance.Seed(*seedFlag)
	t.Logf("replay with -run '^%s$' -seed %d", t.Name(), seed)
	return rand.New(rand.NewPCG(seed, 0))
}

const upgradeDirectory = "MAILMOOR_TEST_UPGRADE"

// TestUpgradeHelper is not a test: it is the process that gets killed.
func TestUpgradeHelper(t *testing.T) {
	if os.Getenv(upgradeDirectory) == "" {
		t.Skip("only for the other test")
	}
	fmt.Println("begin")
	must(t, open(t, directoryAt(t, os.Getenv(upgradeDirectory)), Options{}).Close())
}

// TestUpgradeKilled kills a process at any moment of an upgrade. Whoever comes next
// finds all of the account.
func TestUpgradeKilled(t *testing.T) {
	random := newRandom(t)
	d := fixture(t, "account_v1.sql")
	path := filepath.Join(d.path, testID, databaseName)
	want := accountV1()
	big := manyRecords("Ärger", 1, 5000)
	want.records = append(want.records, big...)
	insertV1(t, path, 3, big)
	whole, err := os.ReadFile(path)
	must(t, err)
	versions := map[int]int{}
	for range *killFlag {
		for _, name := range names(t, filepath.Dir(path)) {
			if name != accountName {
				must(t, os.Remove(filepath.Join(filepath.Dir(path), name)))
			}
		}
		must(t, os.WriteFile(path, whole, 0o600))
		upgradeAndKill(t, d, time.Duration(random.IntN(150))*time.Millisecond)
		versions[schemaOf(t, path)]++
		s := open(t, d, Options{Now: testNow})
		checkAccount(t, s, want)
		must(t, s.Close())
	}
	t.Logf("schemas after the kills: %v", versions)
}

// upgradeAndKill starts a process that upgrades, and kills it some time after.
func upgradeAndKill(t *testing.T, d *Directory, after time.Duration) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestUpgradeHelper$")
	cmd.Env = append(os.Environ(), upgradeDirectory+"="+d.path)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	_, err = out.Read(make([]byte, len("begin")))
	must(t, err)
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Signal(syscall.SIGKILL) })
	_ = cmd.Wait() // killed or not, the database has to be whole
	timer.Stop()
}

func schemaOf(t *testing.T, path string) (version int) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path, "rw"))
	must(t, err)
	defer db.Close()
	must(t, db.QueryRowContext(t.Context(), "PRAGMA user_version").Scan(&version))
	return version
}

// insertV1 writes records as a program with schema 1 did.
func insertV1(t *testing.T, path string, mailbox int64, records []state.Record) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path, "rw"))
	must(t, err)
	defer db.Close()
	tx, err := db.BeginTx(context.Background(), nil)
	must(t, err)
	for _, r := range records {
		_, err := tx.Exec(`INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, mailbox,
			int64(r.UID), string(r.Key), int64(r.State), int64(r.Flags), int64(r.Stat.Inode), r.Stat.Size, r.Stat.Mtime,
			r.Content.Digest[:], r.Content.Header[:], r.Content.Size, r.Content.WireSize, r.Remote.Size, r.Remote.Date,
			r.Remote.Header[:], r.Retry.Count, r.Retry.NextAt, r.Retry.Reason, appendRecord(nil, mailbox, r).value())
		must(t, err)
	}
	must(t, tx.Commit())
}
