package state

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"slices"
	"strings"
)

// identityBytesMax bounds what is kept of a header for its digest: so many bytes of the
// identity fields, and not one more. lineBytesMax bounds what is collected of a line; a
// longer one is passed on in pieces of just that size. Neither may depend on where the
// pieces end that are written: the file and the server's answer come in different ones.
const (
	identityBytesMax = 64 << 10
	lineBytesMax     = 16 << 10
)

// volatileFields do not belong to a message's identity: mail readers rewrite the
// first four, and mbsync and OfflineIMAP leave the others in the files that they
// have transferred.
var volatileFields = []string{"status", "x-status", "content-length", "lines", "x-tuid", "x-offlineimap"}

// identityFields make up the header digest.
var identityFields = []string{"date", "from", "message-id", "subject", "to"}

// Digester computes the Content of a message that is written to it in pieces
// of any size, with LF or CRLF line ends. The zero value is not usable.
type Digester struct {
	sum      hash.Hash
	size     int64 // canonical bytes
	wireSize int64
	lastCR   bool
	inHeader bool
	line     []byte // the header line being collected, CRLF form
	midLine  bool   // the beginning of this line has been passed on already
	field    fieldKind
	identity []byte // the identity fields so far
}

// fieldKind says what becomes of the header field that is being read.
type fieldKind uint8

const (
	fieldOther fieldKind = iota
	fieldVolatile
	fieldIdentity
)

// NewDigester returns a Digester at the start of a message.
func NewDigester() *Digester {
	return &Digester{sum: sha256.New(), inHeader: true}
}

// Write adds the next bytes of the message. It never fails.
func (d *Digester) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if !d.inHeader {
			d.addBody(p)
			break
		}
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			d.add(p)
			break
		}
		d.add(p[:i])
		if !d.lastCR {
			d.add([]byte{'\r'})
		}
		d.add([]byte{'\n'})
		d.endLine()
		p = p[i+1:]
	}
	return n, nil
}

// addBody takes bytes of the body, in runs as long as their line ends are CRLF
// already.
func (d *Digester) addBody(p []byte) {
	run := 0
	for i := 0; ; i++ {
		next := bytes.IndexByte(p[i:], '\n')
		if next < 0 {
			break
		}
		i += next
		if i > 0 {
			d.lastCR = p[i-1] == '\r'
		}
		if !d.lastCR {
			d.emit(p[run:i])
			d.emit([]byte{'\r'})
			d.wireSize++
			run = i
		}
	}
	d.emit(p[run:])
	d.wireSize += int64(len(p))
	d.lastCR = p[len(p)-1] == '\r'
}

// add takes bytes of a header line, in CRLF form.
func (d *Digester) add(p []byte) {
	if len(p) == 0 {
		return
	}
	d.lastCR = p[len(p)-1] == '\r'
	d.wireSize += int64(len(p))
	for len(p) > 0 {
		if len(d.line) == lineBytesMax {
			d.flushLine()
			d.midLine = true
		}
		n := min(len(p), lineBytesMax-len(d.line))
		d.line = append(d.line, p[:n]...)
		p = p[n:]
	}
}

func (d *Digester) emit(p []byte) {
	d.sum.Write(p)
	d.size += int64(len(p))
}

// endLine is called after each LF.
func (d *Digester) endLine() {
	if !d.inHeader {
		return
	}
	blank := !d.midLine && string(d.line) == "\r\n"
	if blank {
		d.field = fieldOther
	}
	d.flushLine()
	d.midLine = false
	d.inHeader = !blank
}

// flushLine passes the collected header line on, or drops it.
func (d *Digester) flushLine() {
	if len(d.line) == 0 {
		return
	}
	if c := d.line[0]; !d.midLine && c != ' ' && c != '\t' {
		d.field = kindOf(fieldName(d.line))
	}
	if d.field != fieldVolatile {
		d.emit(d.line)
	}
	if d.field == fieldIdentity {
		d.identity = append(d.identity, d.line[:min(len(d.line), identityBytesMax-len(d.identity))]...)
	}
	d.line = d.line[:0]
}

// Sum returns the Content of what has been written.
func (d *Digester) Sum() Content {
	if d.inHeader {
		d.flushLine()
	}
	c := Content{Header: digestFields(d.identity), Size: d.size, WireSize: d.wireSize}
	d.sum.Sum(c.Digest[:0])
	return c
}

// Fields returns the identity fields of what has been written so far: their
// lines as they are, with CRLF line ends, at most 64 KiB.
func (d *Digester) Fields() string {
	if d.inHeader {
		d.flushLine()
	}
	return string(d.identity)
}

// HasMessageID reports whether the identity fields, as Fields returns them, name the
// message (RFC 5322, section 3.6.4).
func HasMessageID(fields string) bool {
	inside := false
	for line := range strings.Lines(fields) {
		value := line
		if line[0] != ' ' && line[0] != '\t' { // otherwise the field goes on
			value = line[strings.IndexByte(line, ':')+1:]
			inside = fieldName([]byte(line)) == "message-id"
		}
		if inside && strings.TrimSpace(value) != "" {
			return true
		}
	}
	return false
}

// fieldName returns the lower-case name of a header line, "" when it has none.
func fieldName(line []byte) string {
	name, _, found := bytes.Cut(line, []byte{':'})
	if !found {
		return ""
	}
	return strings.ToLower(string(bytes.TrimRight(name, " \t")))
}

// kindOf classifies a lower-case field name.
func kindOf(name string) fieldKind {
	switch {
	case slices.Contains(volatileFields, name):
		return fieldVolatile
	case slices.Contains(identityFields, name):
		return fieldIdentity
	}
	return fieldOther
}

// HeaderDigest returns the digest of the identity fields of a header, which may
// be a whole header or the answer to BODY.PEEK[HEADER.FIELDS (...)] of
// IdentityFields. Folding, white space at the ends and the order of fields do
// not count, because servers differ in them.
func HeaderDigest(header []byte) Digest {
	d := NewDigester()
	d.Write(header)
	return d.Sum().Header
}

// digestFields digests header lines of which all belong to identity fields.
func digestFields(lines []byte) Digest {
	var fields []string
	for line := range bytes.Lines(lines) {
		text := string(bytes.TrimSpace(line))
		if n := len(fields); n > 0 && (line[0] == ' ' || line[0] == '\t') {
			fields[n-1] += " " + text
			continue
		}
		name, value, _ := strings.Cut(text, ":")
		fields = append(fields, strings.ToLower(strings.TrimSpace(name))+":"+strings.TrimSpace(value))
	}
	slices.Sort(fields)
	return sha256.Sum256([]byte(strings.Join(fields, "\n")))
}

// IdentityFields returns the names of the fields that HeaderDigest looks at.
func IdentityFields() []string { return slices.Clone(identityFields) }
