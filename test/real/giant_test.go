package real

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"mailmoor/state"
	"mailmoor/test/corpus"
)

const (
	giantBytes = 50 << 20
	// giantMemoryMax is how much the heap may grow while a giant message passes:
	// less than the message.
	giantMemoryMax = 40 << 20
)

// TestGiant: a message of 50 MB passes both ways without being held in memory,
// and arrives as it was.
func TestGiant(t *testing.T) {
	a := newAccount(t, newServer(t))
	// The recording proxy would count as our memory.
	a.addr = a.srv.Addr()
	a.deliver("INBOX", "small")
	a.clean()
	want := digestOf(t, corpus.Giant("giant", giantBytes))

	a.writeGiant(filepath.Join(a.srv.MailboxDir(a.user, "INBOX"), "cur", "1700000000.M1P1.lab:2,S"), true)
	a.flatly("download", func() { a.clean() })
	if got := digestOfFile(t, a.file("INBOX", "giant")); got != want {
		t.Error("the file is not the message that was on the server")
	}

	a.writeGiant(filepath.Join(a.root, "Archive", "cur", "2.giant:2,S"), false)
	a.flatly("upload", func() { a.clean() })
	stored, err := filepath.Glob(filepath.Join(a.srv.MailboxDir(a.user, "Archive"), "*", "*"))
	a.must(err)
	found := false
	for _, path := range stored {
		info, err := os.Stat(path)
		a.must(err)
		if info.Size() > giantBytes/2 {
			found = digestOfFile(t, path) == want
		}
	}
	if !found {
		t.Errorf("the server does not hold the message: %q", stored)
	}
	if c := a.clean().Counts; c.Downloaded+c.Uploaded != 0 {
		t.Errorf("the next run transferred again: %+v", c)
	}
}

// writeGiant writes the message with LF line ends.
func (a *account) writeGiant(path string, ofServer bool) {
	a.Helper()
	f, err := os.Create(path)
	a.must(err)
	_, err = io.Copy(f, &lfReader{from: corpus.Giant("giant", giantBytes)})
	a.must(err)
	a.must(f.Close())
	a.must(os.Chtimes(path, time.Time{}, time.Unix(start, 0)))
	if ofServer && os.Geteuid() == 0 {
		owner := a.statOf(filepath.Dir(path))
		a.must(os.Chown(path, int(owner.Uid), int(owner.Gid)))
	}
}

// lfReader drops the carriage returns.
type lfReader struct{ from io.Reader }

// Read implements io.Reader.
func (r *lfReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	return copy(p, bytes.ReplaceAll(p[:n], []byte{'\r'}, nil)), err
}

// during runs work and looks every so often, until it is done.
func during(every time.Duration, work, look func()) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(every):
				look()
			}
		}
	}()
	work()
	close(stop)
	<-stopped
}

// flatly runs work and fails when the heap grew too much meanwhile.
func (a *account) flatly(what string, work func()) {
	a.Helper()
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	base, peak := m.HeapAlloc, m.HeapAlloc
	during(2*time.Millisecond, work, func() {
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapAlloc)
	})
	a.Logf("%s: the heap grew by %d MB", what, (peak-base)>>20)
	if peak-base > giantMemoryMax {
		a.Errorf("%s: the heap grew by %d MB", what, (peak-base)>>20)
	}
}

func digestOfFile(t *testing.T, path string) state.Digest {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return digestOf(t, f)
}

func digestOf(t *testing.T, r io.Reader) state.Digest {
	t.Helper()
	d := state.NewDigester()
	if n, err := io.Copy(d, r); err != nil || n < giantBytes/2 {
		t.Fatalf("read %d bytes: %v", n, err)
	}
	return d.Sum().Digest
}
