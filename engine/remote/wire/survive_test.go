package wire

import (
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-imap/v2/imapclient"
)

// unrepaired are the responses that pass as they are, so that what is wrong in
// them ends the connection rather than being guessed at.
var unrepaired = []string{
	"SEARCH", "ESEARCH", "NAMESPACE", "QUOTA", "MYRIGHTS", "ACL", "EXISTS", "EXPUNGE",
	"ENVELOPE", "BODYSTRUCTURE", "BODY",
}

// waiting is a transport that says its last chunk after a command came.
type waiting struct {
	canned
	asked chan struct{} // closed with the first command, or by Close
	once  sync.Once
}

func (w *waiting) Read(p []byte) (int, error) {
	if len(w.chunks) < 2 || len(w.chunks[0]) == 0 {
		<-w.asked
	}
	return w.canned.Read(p)
}

func (w *waiting) Write(p []byte) (int, error) {
	w.once.Do(func() { close(w.asked) })
	return len(p), nil
}

func (w *waiting) Close() error {
	_, err := w.Write(nil)
	return err
}

// FuzzSurvive checks with go-imap's own client that no response which is
// repaired makes it give the connection up.
func FuzzSurvive(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(survive)
}

func survive(t *testing.T, text string) {
	text, complete := responseOf(text)
	if !complete || !strings.HasPrefix(text, "* ") {
		return
	}
	for _, kind := range unrepaired {
		if strings.Contains(strings.ToUpper(text), kind) {
			return
		}
	}
	transport := &waiting{
		canned: canned{chunks: [][]byte{[]byte(text + "\r\n"), []byte("T1 OK done\r\n")}},
		asked:  make(chan struct{}),
	}
	s := newSession(testConfig().withDefaults(), transport)
	s.caps = Capabilities{}
	conn := newConn(s)
	c := imapclient.New(conn, nil)
	defer c.Close()
	if err := c.Noop().Wait(); err != nil {
		repaired, _ := repairWhole(text)
		t.Errorf("%q, repaired to %q, ended the connection: %v, %v", text, repaired, err, conn.Err())
	}
}
