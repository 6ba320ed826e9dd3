package wire

import (
	"bytes"
	"fmt"
	"io"
	"testing"
)

func benchmark(b *testing.B, stream []byte) {
	b.Helper()
	b.SetBytes(int64(len(stream)))
	b.ReportAllocs()
	for b.Loop() {
		s := newSession(testConfig().withDefaults(), &canned{chunks: [][]byte{stream}})
		s.caps = Capabilities{}
		conn := newConn(s)
		if _, err := io.Copy(io.Discard, conn); err != nil {
			b.Fatal(err)
		}
		conn.Close()
	}
}

// BenchmarkListing is a mailbox of 10,000 messages.
func BenchmarkListing(b *testing.B) {
	var stream bytes.Buffer
	for i := range 10_000 {
		fmt.Fprintf(&stream, "* %d FETCH (UID %d FLAGS (\\Seen $Forwarded) MODSEQ (%d))\r\n", i+1, i+1000, i)
	}
	benchmark(b, stream.Bytes())
}

// BenchmarkBodies is 100 messages of 100 kB.
func BenchmarkBodies(b *testing.B) {
	var stream bytes.Buffer
	body := bytes.Repeat([]byte("x"), 100_000)
	for i := range 100 {
		fmt.Fprintf(&stream, "* %d FETCH (UID %d BODY[] {%d}\r\n%s)\r\n", i+1, i+1000, len(body), body)
	}
	benchmark(b, stream.Bytes())
}
