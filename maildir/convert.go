package maildir

import (
	"bytes"
	"io"
	"os"
)

// storer writes a message to a file with LF line ends, the Maildir convention, as
// long as that can be undone: every LF follows a CR and every CR precedes an LF.
// When the message turns out to break the rule, what has been written is turned
// back in place, and the rest follows byte for byte. Memory stays bounded.
type storer struct {
	f *os.File
	// verbatim is true after the rule was broken.
	verbatim  bool
	pendingCR bool
	written   int64 // bytes in the file
	lineEnds  int64 // of those, line ends
	buf       []byte
}

// newStorer returns a storer for a message of about size bytes.
func newStorer(f *os.File, size int64) *storer { return &storer{f: f, buf: bufferFor(size)[:0]} }

// Write takes the next bytes of the message.
func (s *storer) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 && !s.verbatim {
		if s.pendingCR {
			if p[0] != '\n' {
				return n, s.giveUp(p)
			}
			s.pendingCR = false
			s.lineEnds++
			if err := s.put(p[:1]); err != nil {
				return 0, err
			}
			p = p[1:]
			continue
		}
		end := bytes.IndexAny(p, "\r\n")
		if end < 0 {
			end = len(p)
		}
		if err := s.put(p[:end]); err != nil {
			return 0, err
		}
		if p = p[end:]; len(p) > 0 {
			if p[0] == '\n' {
				return n, s.giveUp(p)
			}
			s.pendingCR = true
			p = p[1:]
		}
	}
	return n, s.put(p)
}

// Close completes the file, which stays open.
func (s *storer) Close() error {
	if s.pendingCR && !s.verbatim {
		if err := s.giveUp(nil); err != nil {
			return err
		}
	}
	return s.flush()
}

// put writes bytes as they are.
func (s *storer) put(p []byte) error {
	if len(s.buf)+len(p) > cap(s.buf) {
		if err := s.flush(); err != nil {
			return err
		}
	}
	if len(p) > cap(s.buf) {
		n, err := s.f.Write(p)
		s.written += int64(n)
		return err
	}
	s.buf = append(s.buf, p...)
	return nil
}

func (s *storer) flush() error {
	n, err := s.f.Write(s.buf)
	s.written += int64(n)
	s.buf = s.buf[:0]
	return err
}

// giveUp restores the CRs that were dropped and goes on with p byte for byte.
func (s *storer) giveUp(p []byte) error {
	if err := s.flush(); err != nil {
		return err
	}
	if err := expandInPlace(s.f, s.written, s.lineEnds); err != nil {
		return err
	}
	s.written += s.lineEnds
	if _, err := s.f.Seek(s.written, io.SeekStart); err != nil {
		return err
	}
	s.verbatim = true
	if s.pendingCR {
		if err := s.put([]byte{'\r'}); err != nil {
			return err
		}
	}
	return s.put(p)
}

// expandInPlace turns the LFs of a file, of which there are lineEnds, into CRLFs.
// It works from the end, where there is room: what it writes never reaches what it
// has not read yet.
func expandInPlace(f *os.File, size, lineEnds int64) error {
	in := make([]byte, copyBufferBytes)
	out := make([]byte, 0, 2*copyBufferBytes)
	for size > 0 && lineEnds > 0 {
		chunk := in[:min(size, copyBufferBytes)]
		if _, err := f.ReadAt(chunk, size-int64(len(chunk))); err != nil {
			return err
		}
		out = appendCRLF(out[:0], chunk)
		if _, err := f.WriteAt(out, size+lineEnds-int64(len(out))); err != nil {
			return err
		}
		size -= int64(len(chunk))
		lineEnds -= int64(len(out) - len(chunk))
	}
	return nil
}

// appendCRLF appends p with a CR before each LF.
func appendCRLF(out, p []byte) []byte {
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			return append(out, p...)
		}
		out = append(append(out, p[:i]...), '\r', '\n')
		p = p[i+1:]
	}
}

// canonicalReader yields what it reads with a CR before every LF that has none.
type canonicalReader struct {
	r      io.Reader
	in     []byte
	out    []byte // converted, not yet handed out
	lastCR bool
	store  []byte // memory of out
	err    error
}

func newCanonicalReader(r io.Reader) *canonicalReader {
	return &canonicalReader{r: r, in: make([]byte, 32<<10)}
}

// Read yields the next bytes of the canonical form.
func (c *canonicalReader) Read(p []byte) (int, error) {
	for len(c.out) == 0 {
		if c.err != nil {
			return 0, c.err
		}
		n, err := c.r.Read(c.in)
		c.err = err
		c.convert(c.in[:n])
	}
	n := copy(p, c.out)
	c.out = c.out[n:]
	return n, nil
}

func (c *canonicalReader) convert(p []byte) {
	out := c.store[:0]
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			out = append(out, p...)
			c.lastCR = p[len(p)-1] == '\r'
			break
		}
		out = append(out, p[:i]...)
		if i > 0 && p[i-1] != '\r' || i == 0 && !c.lastCR {
			out = append(out, '\r')
		}
		out = append(out, '\n')
		c.lastCR = false
		p = p[i+1:]
	}
	c.store, c.out = out, out
}
