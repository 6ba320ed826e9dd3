package maildir_test

import (
	"io"
	"math/rand/v2"
	"testing"

	"mailmoor/state"
	"mailmoor/test/corpus"
)

// pieces yields data in pieces of random sizes.
type pieces struct {
	data   []byte
	random *rand.Rand
}

func (p *pieces) Read(to []byte) (int, error) {
	if len(p.data) == 0 {
		return 0, io.EOF
	}
	n := copy(to[:1+p.random.IntN(len(to))], p.data)
	p.data = p.data[n:]
	return n, nil
}

// identical checks that the message that is received, the file that it becomes, the file
// as a scan reads it and what is uploaded of it have one identity.
func identical(t *testing.T, data []byte, seed uint64) {
	t.Helper()
	want := contentOf(string(data))
	f := newFixture(t)
	random := rand.New(rand.NewPCG(seed, 0))
	d, err := f.Deliver(t.Context(), f.inbox)
	f.ok(err)
	in := state.Incoming{UID: 7, Date: 1700000000, Size: int64(len(data)), Body: &pieces{data, random}}
	added, err := d.Add(f.NewKey(), in)
	f.ok(err)
	f.ok(d.Commit())
	if added.Content != want {
		t.Errorf("received as %+v, want %+v", added.Content, want)
	}
	found := f.scan(f.inbox).New
	if len(found) != 1 || found[0].Content != want {
		t.Fatalf("scanned as %+v, want %+v", found, want)
	}
	upload, err := f.Open(t.Context(), f.inbox, found[0])
	f.ok(err)
	body, err := upload.Open()
	f.ok(err)
	defer body.Close()
	sent := state.NewDigester()
	_, err = io.CopyBuffer(struct{ io.Writer }{sent}, struct{ io.Reader }{body}, make([]byte, 1+random.IntN(9000)))
	f.ok(err)
	if got := sent.Sum(); got != want || upload.Size != want.WireSize {
		t.Errorf("sent as %+v of %d bytes, want %+v", got, upload.Size, want)
	}
}

// TestIdentity: so it is of messages that break rules, and of those that go to limits.
func TestIdentity(t *testing.T) {
	for i, odd := range corpus.Oddities() {
		t.Run(odd.Name, func(t *testing.T) { identical(t, odd.Body, uint64(i)) })
	}
}

// FuzzIdentity: whatever the bytes are, and in whatever pieces they come.
func FuzzIdentity(f *testing.F) {
	for i := range 20 {
		f.Add(corpus.RandomOdd(rand.New(rand.NewPCG(uint64(i), 0)), i), uint64(i))
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		if len(data) > 0 { // else it is no message
			identical(t, data, seed)
		}
	})
}
