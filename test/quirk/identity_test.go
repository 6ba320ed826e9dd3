package quirk_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"mailmoor/test/chance"
	"mailmoor/test/corpus"
	"mailmoor/test/home"
	"mailmoor/test/quirk"
)

// storing stores uploads as a server does.
func storing(storage corpus.Storage) quirk.Quirk {
	return quirk.Quirk{
		Name: "stored by " + storage.Name,
		Seen: storage.Name,
		Store: func(_ []*quirk.Message, m *quirk.Message) uint32 {
			if body := storage.Store(m.Body); body != nil {
				m.Body = body
			}
			return 0
		},
	}
}

var identitySeed = flag.Uint64("identity.seed", 0, "repeat TestRandomWithoutState with this seed")

// TestRandomWithoutState: of whatever bytes there are files and messages, after the state
// was lost all are what they were, each once.
func TestRandomWithoutState(t *testing.T) {
	seed := chance.Seed(*identitySeed)
	t.Logf("repeat it with -identity.seed=%d", seed)
	for i, storage := range corpus.Storages() {
		t.Run(storage.Name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			a := newAccount(t, quirk.Options{})
			a.srv.Switch(storing(storage))
			a.srv.CreateMailbox("Work")
			const many = 100
			for n := range many {
				a.srv.Deliver("INBOX", time.Unix(start+random.Int64N(many), 0), corpus.RandomOdd(random, n))
			}
			a.ran()
			for n := range many {
				path := filepath.Join(a.root, "Work", "cur", fmt.Sprintf("%d.odd:2,", n))
				a.must(os.WriteFile(path, corpus.RandomOdd(random, n), 0o600))
				a.must(os.Chtimes(path, time.Time{}, time.Unix(start+random.Int64N(many), 0)))
			}
			for range 3 {
				a.ran()
				for _, mailbox := range []string{"INBOX", "Work"} {
					files, err := filepath.Glob(filepath.Join(a.root, mailbox, "[cn][ue][rw]", "*"))
					a.must(err)
					if n := len(a.srv.Messages(mailbox)); n != many || len(files) != many {
						t.Errorf("%s has %d messages and %d files, want %d", mailbox, n, len(files), many)
					}
				}
				a.must(home.Forget(a.states))
			}
		})
	}
}

// ran runs once and expects nothing but success.
func (a *account) ran() {
	a.Helper()
	report, err := a.run()
	a.must(err)
	a.noComplaint(report)
}
