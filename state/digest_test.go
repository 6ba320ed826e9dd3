package state

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mailmoor/test/chance"
)

// digest is the Content of data written in pieces of the given size.
func digest(data []byte, piece int) Content {
	d := NewDigester()
	for len(data) > piece {
		d.Write(data[:piece])
		data = data[piece:]
	}
	d.Write(data)
	return d.Sum()
}

func crlf(data []byte) []byte {
	var out []byte
	for i, c := range data {
		if c == '\n' && (i == 0 || data[i-1] != '\r') {
			out = append(out, '\r')
		}
		out = append(out, c)
	}
	return out
}

func TestDigestOfPlainMessage(t *testing.T) {
	message := "Message-ID: <a@b>\nSubject: x\n\nbody\nend"
	wire := crlf([]byte(message))
	got := digest([]byte(message), 1000)
	if got.Digest != sha256.Sum256(wire) {
		t.Error("the digest is not that of the CRLF form")
	}
	if got.Size != int64(len(wire)) || got.WireSize != int64(len(wire)) {
		t.Errorf("sizes are %d and %d, want %d", got.Size, got.WireSize, len(wire))
	}
}

// TestDigestIgnoresWhatReadersRewrite: the same message before and after a
// reader noted its status in the header.
func TestDigestIgnoresWhatReadersRewrite(t *testing.T) {
	plain := "From: a\r\nSubject: b\r\n\r\nStatus: in the body counts\r\n"
	noted := "Status: RO\r\nX-TUID: abc\r\nFrom: a\r\nX-Status: A\r\nContent-Length: 10\r\n folded\r\nSubject: b\r\nLINES: 3\r\n\r\nStatus: in the body counts\r\n"
	a, b := digest([]byte(plain), 7), digest([]byte(noted), 7)
	if a.Digest != b.Digest || a.Size != b.Size || a.Header != b.Header {
		t.Errorf("%+v and %+v differ", a, b)
	}
	if a.WireSize == b.WireSize {
		t.Error("the wire sizes are equal, although the messages are not")
	}
	other := strings.Replace(plain, "in the body", "in the BODY", 1)
	if digest([]byte(other), 7).Digest == a.Digest {
		t.Error("a Status line in the body was left out")
	}
}

func TestHeaderDigest(t *testing.T) {
	same := []string{
		"Message-ID: <a@b>\r\nSubject: one\r\n two\r\nTo: x\r\n\r\n",
		"To:   x\nMESSAGE-ID:<a@b>\nSubject: one\n\ttwo\n\nbody\nSubject: not this\n",
		"X-Other: 1\r\nSubject: one\r\n two\r\nTo: x\r\nMessage-Id: <a@b>\r\n",
	}
	for _, header := range same[1:] {
		if HeaderDigest([]byte(header)) != HeaderDigest([]byte(same[0])) {
			t.Errorf("%q has another digest than %q", header, same[0])
		}
	}
	for _, header := range []string{"", "Subject: one two\r\n", "Message-ID: <a@b>\r\nSubject: one two\r\nTo: y\r\n"} {
		if HeaderDigest([]byte(header)) == HeaderDigest([]byte(same[0])) {
			t.Errorf("%q has the digest of %q", header, same[0])
		}
	}
}

// TestFields: what is shown of a header is what its digest is made of.
func TestFields(t *testing.T) {
	for message, want := range map[string]string{
		"X: 1\nSubject: one\n two\nStatus: O\nFrom: a\nTo : b\n\nTo: in the body\n": "Subject: one\r\n two\r\nFrom: a\r\n",
		"Subject: no line end": "Subject: no line end",
		"\nSubject: no header": "",
	} {
		d := NewDigester()
		fmt.Fprint(d, message)
		got := d.Fields()
		if got != want || HeaderDigest([]byte(got)) != d.Sum().Header {
			t.Errorf("the fields of %q are %q, want %q", message, got, want)
		}
	}
	d := NewDigester()
	fmt.Fprint(d, strings.Repeat("To: x\n", identityBytesMax))
	if n := len(d.Fields()); n > identityBytesMax {
		t.Errorf("%d bytes are kept of the fields", n)
	}
}

// TestLongLinesStayBounded: a header line longer than memory should hold.
func TestLongLinesStayBounded(t *testing.T) {
	d := NewDigester()
	fmt.Fprintf(d, "X-Long: ")
	for range 1000 {
		d.Write(bytes.Repeat([]byte{'x'}, 1000))
	}
	if cap(d.line) > 4*lineBytesMax {
		t.Errorf("%d bytes are kept of one line", cap(d.line))
	}
	fmt.Fprintf(d, "\nSubject: a\n\nb")
	if got, want := d.Sum().Header, HeaderDigest([]byte("Subject: a\n")); got != want {
		t.Error("the field behind the long line was not seen")
	}
}

// TestDigestDoesNotDependOnPieces: the same bytes in any pieces, with LF or
// CRLF line ends, are the same message.
func TestDigestDoesNotDependOnPieces(t *testing.T) {
	line := rapid.SampledFrom([]string{
		"Subject: a", "Status: O", " folded", "\tfolded", "To: b", "", "text", "\r", "a\rb", ":", "Lines:1", strings.Repeat("y", lineBytesMax+5),
		"To: " + strings.Repeat("z", 3*lineBytesMax), "Status" + strings.Repeat(" ", lineBytesMax) + ":", strings.Repeat("\r", lineBytesMax),
	})
	chance.Check(t, func(t *rapid.T) {
		var data []byte
		for _, l := range rapid.SliceOfN(line, 0, 12).Draw(t, "lines") {
			data = append(data, l...)
			data = append(data, rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "end")...)
		}
		data = append(data, rapid.SampledFrom([]string{"", "end", "\r"}).Draw(t, "tail")...)
		whole := digest(data, len(data)+1)
		if got := digest(data, rapid.IntRange(1, 40).Draw(t, "piece")); got != whole {
			t.Fatalf("in pieces: %+v, in one: %+v", got, whole)
		}
		wire := crlf(data)
		if got := digest(wire, len(wire)+1); got != whole {
			t.Fatalf("with CRLF: %+v, as it is: %+v", got, whole)
		}
		if whole.WireSize != int64(len(wire)) {
			t.Fatalf("wire size is %d, want %d", whole.WireSize, len(wire))
		}
	})
}

// TestLongLineInAnyPieces: what was seen of a line of 70,000 bytes depended on where reads
// from the file and from the server ended. Such a message was taken for another one than
// its file: it could be neither deleted nor moved, and was downloaded in each run.
func TestLongLineInAnyPieces(t *testing.T) {
	for _, name := range []string{"To", "Message-ID", "X-Other", "Status"} {
		data := []byte("From: a\n" + name + ": " + strings.Repeat("x", 70_000) + "\nSubject: b\n\nText.\n")
		whole := digest(data, len(data))
		for _, piece := range []int{1, 1000, 4096, 4097, 16 << 10, 32 << 10, 64 << 10} {
			if got := digest(data, piece); got != whole {
				t.Errorf("%s, in pieces of %d bytes: %+v, in one: %+v", name, piece, got, whole)
			}
		}
	}
}

// FuzzDigest: the identity of any bytes is the same in any pieces and with either line end.
func FuzzDigest(f *testing.F) {
	for _, seed := range []string{
		"Subject: a\n\nb", "Status: O\r\n folded\r\n\r\r\n", "\r\r\n\x00", "To:\n\t\n \n\n", "From x\nTo: " + strings.Repeat("y", lineBytesMax),
	} {
		f.Add([]byte(seed), uint64(7))
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		whole := digest(data, len(data)+1)
		random := rand.New(rand.NewPCG(seed, 0))
		d := NewDigester()
		for rest := data; len(rest) > 0; {
			n := 1 + random.IntN(min(len(rest), 1+random.IntN(40_000)))
			d.Write(rest[:n])
			rest = rest[n:]
		}
		if got := d.Sum(); got != whole {
			t.Errorf("in pieces: %+v, in one: %+v", got, whole)
		}
		if got := digest(crlf(data), len(data)+1); got != whole {
			t.Errorf("with CRLF: %+v, as it is: %+v", got, whole)
		}
	})
}

func BenchmarkDigest(b *testing.B) {
	message := []byte("Message-ID: <a@b>\r\nSubject: x\r\n\r\n" + strings.Repeat(strings.Repeat("z", 76)+"\r\n", 1000))
	b.SetBytes(int64(len(message)))
	for b.Loop() {
		digest(message, 32<<10)
	}
}

func TestHasMessageID(t *testing.T) {
	for fields, want := range map[string]bool{
		"":                                               false,
		"Subject: x\r\nDate: y\r\n":                      false,
		"Message-ID: <a@b>\r\n":                          true,
		"message-id:<a@b>\r\n":                           true,
		"From: x\r\nMESSAGE-Id:\r\n\t<a@b>\r\n":          true,
		"From: x\r\nMessage-ID : <a@b>\r\n":              false,
		"Message-ID: \r\nSubject: <a@b>\r\n":             false,
		"Message-ID:\r\n \r\nTo: a\r\n":                  false,
		"Subject: Message-ID:\r\n Message-ID: <a@b>\r\n": false,
		"Message-ID":                                     false,
	} {
		if got := HasMessageID(fields); got != want {
			t.Errorf("%q: %v, want %v", fields, got, want)
		}
	}
}
