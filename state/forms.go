package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"
)

// A message has two forms. The exact one is its bytes, with CRLF line ends. In the
// plain one everything is evened out that servers are known to change in what they are
// given: there are no CRs but in line ends, which Courier drops anywhere and Dovecot
// before a line end; no NULs, for which Dovecot shows 0x80; no bytes above ASCII in the
// header, for which Cyrus shows X; neither a "From " line at the beginning nor the fields
// in which mbox storage keeps its notes; and one line end at the end, where mbox storage
// and Courier add what is missing.

// forms digests a message in both forms. They are the same for nearly all messages:
// then only one is computed.
type forms struct {
	exact sum
	// plain is nil while the forms are equal, line ends at the end left aside.
	plain  *sum
	buffer []byte
}

func newForms() forms { return forms{exact: sum{hash: sha256.New()}} }

// write adds bytes to both forms. They have CRLF line ends, of which none is cut in two.
func (f *forms) write(p []byte, inHeader bool) {
	if f.plain == nil && even(p, inHeader) || !f.part() {
		f.exact.write(p)
		return
	}
	f.exact.write(p)
	f.buffer = appendEven(f.buffer[:0], p, inHeader)
	f.plain.write(f.buffer)
}

// writeExact adds bytes to the exact form only.
func (f *forms) writeExact(p []byte) {
	f.part()
	f.exact.write(p)
}

// part makes the forms differ from here on. It returns false if the plain one cannot be
// told: then the exact one stands for both, which only recognises less.
func (f *forms) part() bool {
	if f.plain != nil {
		return true
	}
	plain, ok := f.exact.clone()
	if ok {
		f.plain = &plain
	}
	return ok
}

// sums returns both digests, once; that of the plain form is zero where the forms are equal.
func (f *forms) sums() (exact, plain Digest) {
	last := f.plain
	if last == nil && f.exact.ends != 1 && f.part() {
		last = f.plain
	}
	f.exact.flush()
	f.exact.hash.Sum(exact[:0])
	if last == nil {
		return exact, plain
	}
	last.ends = 1
	last.flush()
	last.hash.Sum(plain[:0])
	return exact, plain
}

// sum is a digest that has not been given those line ends yet that may be the last ones.
type sum struct {
	hash hash.Hash
	ends int
}

func (s *sum) write(p []byte) {
	text := len(p)
	for text >= 2 && p[text-1] == '\n' && p[text-2] == '\r' {
		text -= 2
	}
	if text > 0 {
		s.flush()
		s.hash.Write(p[:text])
	}
	s.ends += (len(p) - text) / 2
}

// lineEnds are as many as are written at once.
var lineEnds = bytes.Repeat([]byte("\r\n"), 512)

// flush gives the digest the line ends that it lacks.
func (s *sum) flush() {
	for s.ends > 0 {
		n := min(s.ends, len(lineEnds)/2)
		s.hash.Write(lineEnds[:2*n])
		s.ends -= n
	}
}

func (s *sum) clone() (sum, bool) {
	from, can := s.hash.(hash.Cloner)
	if !can {
		return sum{}, false
	}
	clone, err := from.Clone()
	return sum{hash: clone, ends: s.ends}, err == nil
}

// even reports whether bytes are the same in both forms.
func even(p []byte, inHeader bool) bool {
	if bytes.IndexByte(p, 0) >= 0 || bytes.Count(p, []byte{'\r'}) != bytes.Count(p, []byte{'\n'}) {
		return false
	}
	return !inHeader || ascii(p)
}

// ascii reports whether no byte is above ASCII.
func ascii(p []byte) bool {
	var all uint64
	for ; len(p) >= 8; p = p[8:] {
		all |= binary.LittleEndian.Uint64(p)
	}
	for _, c := range p {
		all |= uint64(c)
	}
	return all&0x8080808080808080 == 0
}

// appendEven appends bytes as they are in the plain form.
func appendEven(to, p []byte, inHeader bool) []byte {
	for i, c := range p {
		switch {
		case c == '\r' && (i == len(p)-1 || p[i+1] != '\n'):
		case inHeader && (c == 0 || c >= 0x80):
			to = append(to, 'X')
		case c == 0:
			to = append(to, 0x80)
		default:
			to = append(to, c)
		}
	}
	return to
}

// withoutCRs returns a header line as it is without any CRs, but for one in front of
// its LF if it has no others.
func withoutCRs(line []byte) []byte {
	if i := bytes.IndexByte(line, '\r'); i < 0 || i == len(line)-2 && line[i+1] == '\n' {
		return line
	}
	return bytes.ReplaceAll(line, []byte{'\r'}, nil)
}

// isBlank reports whether a line, with its line end, has nothing but CRs in it.
func isBlank(line []byte) bool { return len(bytes.TrimLeft(line, "\r")) == 1 }
