package store

import (
	"testing"

	"mailmoor/state"
)

// BenchmarkSettle500 measures one batch of flag changes in a mailbox of 10,000
// messages, with everything that makes it durable.
func BenchmarkSettle500(b *testing.B) {
	s := newStore(b)
	putMailboxes(b, s, "INBOX")
	records := manyRecords("INBOX", 1, 10_000)
	must(b, s.Settle(b.Context(), state.Settlement{Put: records}))
	for n := 0; b.Loop(); n++ {
		first := n * 500 % len(records)
		batch := records[first : first+500]
		for i := range batch {
			batch[i].Flags ^= state.Seen
		}
		must(b, s.Settle(b.Context(), state.Settlement{Put: batch}))
	}
}

// BenchmarkSettleNew500 measures one batch of new messages.
func BenchmarkSettleNew500(b *testing.B) {
	s := newStore(b)
	putMailboxes(b, s, "INBOX")
	for n := 0; b.Loop(); n++ {
		must(b, s.Settle(b.Context(), state.Settlement{Put: manyRecords("INBOX", 1+n*500, 500)}))
	}
}

// BenchmarkRecords100k measures reading the base of a big mailbox.
func BenchmarkRecords100k(b *testing.B) {
	s := newStore(b)
	putMailboxes(b, s, "INBOX")
	must(b, s.Settle(b.Context(), state.Settlement{Put: manyRecords("INBOX", 1, 100_000)}))
	for b.Loop() {
		records, err := s.Records(b.Context(), "INBOX")
		if err != nil || len(records) != 100_000 {
			b.Fatal(len(records), err)
		}
	}
}
