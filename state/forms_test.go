package state_test

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mailmoor/state"
	"mailmoor/test/chance"
	"mailmoor/test/corpus"
)

func contentOf(data []byte) state.Content {
	d := state.NewDigester()
	d.Write(data)
	d.Sum() // it may be asked for again
	return d.Sum()
}

// TestStoredInOtherBytes: what a server stored in other bytes than it was sent was a new
// message after the state had been lost: it was downloaded beside its file, and the file
// uploaded beside it.
func TestStoredInOtherBytes(t *testing.T) {
	for _, storage := range corpus.Storages() {
		for _, odd := range corpus.Oddities() {
			body := storage.Store(odd.Body)
			if body == nil {
				continue
			}
			sent, shown := contentOf(odd.Body), contentOf(body)
			if !sent.Same(shown) || !shown.Same(sent) {
				t.Errorf("%s, %s: %q is not the same message as %q", storage.Name, odd.Name, short(body), short(odd.Body))
			}
			if sent.Header != shown.Header {
				t.Errorf("%s, %s: the header of %q is not that of %q", storage.Name, odd.Name, short(body), short(odd.Body))
			}
			if bytes.Equal(body, odd.Body) && sent.Digest != shown.Digest {
				t.Errorf("%s, %s: equal bytes have other digests", storage.Name, odd.Name)
			}
		}
	}
}

func short(data []byte) []byte { return data[:min(len(data), 300)] }

// TestPlainIsExact: the plain form of a message with nothing odd is the exact one, which
// costs nothing, and only the line ends at the end and what servers change do not count.
func TestPlainIsExact(t *testing.T) {
	for message, equal := range map[string]bool{
		"Subject: a\r\n\r\nText – €.\r\n":    true,
		"Subject: a\n\nText\n":               true,
		"Status: O\nSubject: a\n\nText\n":    true,
		"Subject: a\r\n\r\nText":             false,
		"Subject: a\r\n\r\nText\r\n\r\n":     false,
		"Subject: a\r\n\r\nTe\rxt\r\n":       false,
		"Subject: a\r\n\r\nTe\x00xt\r\n":     false,
		"Subject: ä\r\n\r\nText\r\n":         false,
		"X-UID: 1\r\n\r\nText\r\n":           false,
		"From a@b\nSubject: a\n\nText\n":     false,
		"Subject: a\r\n\r\nText\x80\x80\r\n": true,
	} {
		c := contentOf([]byte(message))
		if got := c.PlainDigest() == c.Digest; got != equal {
			t.Errorf("%q: the forms are equal: %t, want %t", message, got, equal)
		}
	}
	for _, messages := range [][2]string{
		{"Subject: a\n\nText\n", "Subject: a\n\nText \n"},
		{"Subject: a\n\nText\n", "Subject: a\n\n\nText\n"},
		{"Subject: a\n\nText\n\nmore\n", "Subject: a\n\nText\nmore\n"},
		{"Subject: a\n\nText\n", "Subject: a\nX: b\n\nText\n"},
		{"Subject: a\n\nX-UID: 1\n", "Subject: a\n\nX-UID: 2\n"},
		{"Subject: a\n\nFrom b\n", "Subject: a\n\nb\n"},
		{"Subject: a\n\n\xe4\n", "Subject: a\n\n\xf6\n"},
	} {
		if contentOf([]byte(messages[0])).Same(contentOf([]byte(messages[1]))) {
			t.Errorf("%q and %q are the same message", messages[0], messages[1])
		}
	}
	if (state.Content{}).Same(state.Content{}) || (state.Content{Digest: sha256.Sum256(nil)}).Same(state.Content{Digest: sha256.Sum256([]byte("a"))}) {
		t.Error("contents of which the plain form is not known are the same")
	}
}

// TestPlainInAnyStorage: whatever the bytes and in whatever pieces they come, the message
// that a server shows is the one that it was given.
func TestPlainInAnyStorage(t *testing.T) {
	pieces := []string{
		"Subject: ", "To: ", "X-UID: 1", "Status: O", "From ", "X: ", "a", "\r", "\n", "\r\n", "\r\n\r\n", "\r\r\n", "\x00", "\x80", "\xe4", " ", "\t", ":",
	}
	chance.Check(t, func(t *rapid.T) {
		data := []byte(strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 1, 40).Draw(t, "pieces"), ""))
		sent := contentOf(data)
		d := state.NewDigester()
		for rest := data; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "n")
			d.Write(rest[:n])
			rest = rest[n:]
		}
		if got := d.Sum(); got != sent {
			t.Fatalf("%q in pieces is %+v, in one %+v", data, got, sent)
		}
		for _, storage := range corpus.Storages() {
			if strings.Contains(storage.Name, "mbox") && bytes.Contains(append([]byte{'\n'}, data...), []byte("\n\r")) {
				continue // after a CR it sees neither the end of the header nor a field that goes on
			}
			if body := storage.Store(data); body != nil && !sent.Same(contentOf(body)) {
				t.Fatalf("%s: %q is not the same message as %q", storage.Name, body, data)
			}
		}
	})
}
