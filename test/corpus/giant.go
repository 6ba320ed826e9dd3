package corpus

import (
	"bytes"
	"fmt"
	"io"
)

// giantLine is the length of a line of a giant message: 76 and CRLF.
const giantLine = 78

// Giant returns a reader of one message of exactly size bytes with CRLF line
// ends and the token in its Message-ID. It needs no memory to speak of. The
// lines are numbered, so that a lost or repeated part shows.
func Giant(token string, size int64) io.Reader {
	header := fmt.Sprintf("From: anna@example.org\r\nTo: bob@example.net\r\n"+
		"Date: Fri, 01 Jan 2021 00:00:00 +0000\r\nSubject: giant\r\n"+
		"Message-ID: <%s@example.org>\r\n\r\n", token)
	rest := max(size-int64(len(header))-2, 0)
	return io.MultiReader(bytes.NewReader([]byte(header)),
		io.LimitReader(&lines{}, rest/giantLine*giantLine),
		// What does not fill a line any more becomes a shorter one.
		bytes.NewReader(append(bytes.Repeat([]byte{'.'}, int(rest%giantLine)), "\r\n"...)))
}

// lines is an endless stream of numbered lines.
type lines struct {
	number  int
	pending []byte
}

func (l *lines) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if len(l.pending) == 0 {
			l.pending = fmt.Appendf(l.pending[:0], "%012d %063d\r\n", l.number, l.number)
			l.number++
		}
		copied := copy(p[n:], l.pending)
		l.pending = l.pending[copied:]
		n += copied
	}
	return n, nil
}
