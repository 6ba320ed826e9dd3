package state

import (
	"bytes"
	"crypto/sha256"
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

// blockBytes is how much of a body is passed on at once whose line ends were LF.
const blockBytes = 1 << 10

// nameBytesMax is the length of the longest name of a field that means something here.
const nameBytesMax = len("content-length")

// Digester computes the Content of a message that is written to it in pieces
// of any size, with LF or CRLF line ends. The zero value is not usable.
type Digester struct {
	forms    forms
	size     int64 // canonical bytes
	wireSize int64
	inHeader bool
	// heldCR is true for a CR at the end of what was written of the body: what follows
	// tells whether it belongs to a line end.
	heldCR   bool
	line     []byte // the header line being collected, CRLF form
	midLine  bool   // the beginning of this line has been passed on already
	begun    bool   // the plain form is
	field    field
	identity []byte   // the identity fields so far
	content  *Content // what Sum returned
}

// field says what becomes of the header field that is being read.
type field struct {
	// volatile is true for a field that does not belong to a message: mail readers
	// rewrite it, or mbsync or OfflineIMAP has left it in the file. Neither form has it.
	volatile bool
	// noted is true for one in which mbox storage keeps its notes: a message that is
	// uploaded with it comes back without. The plain form does not have it.
	noted bool
	// envelope is true for a line that begins a message in an mbox file, and is none of
	// its fields. The plain form does not have it either.
	envelope bool
	// identity is true for a field that makes up the header digest.
	identity bool
}

// NewDigester returns a Digester at the start of a message.
func NewDigester() *Digester {
	return &Digester{forms: newForms(), inHeader: true, line: make([]byte, 0, blockBytes)}
}

// Write adds the next bytes of the message. It never fails.
func (d *Digester) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 && d.inHeader {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			d.collect(p)
			return n, nil
		}
		d.collect(p[:i])
		d.endLine()
		p = p[i+1:]
	}
	d.addBody(p)
	return n, nil
}

// addBody takes bytes of the body. They are passed on as they come while their line
// ends are CRLF already.
func (d *Digester) addBody(p []byte) {
	if len(p) == 0 {
		return
	}
	if d.heldCR && p[0] == '\n' {
		d.emit([]byte("\r\n"))
		p = p[1:]
	} else if d.heldCR {
		d.emit([]byte{'\r'})
	}
	d.heldCR = len(p) > 0 && p[len(p)-1] == '\r'
	if d.heldCR {
		p = p[:len(p)-1]
	}
	bare := bareLF(p)
	if bare < 0 {
		d.emit(p)
		return
	}
	for ; bare >= 0; bare = bareLF(p) {
		if len(d.line)+bare+2 > blockBytes {
			d.emit(d.line)
			d.emit(p[:bare])
			d.line = d.line[:0]
		} else {
			d.line = append(d.line, p[:bare]...)
		}
		d.line = append(d.line, '\r', '\n')
		p = p[bare+1:]
	}
	d.emit(d.line)
	d.emit(p)
	d.line = d.line[:0]
}

// bareLF returns where the first LF without a CR in front of it stands, -1 without one.
func bareLF(p []byte) int {
	for i := 0; ; i++ {
		next := bytes.IndexByte(p[i:], '\n')
		if next < 0 {
			return -1
		}
		if i += next; i == 0 || p[i-1] != '\r' {
			return i
		}
	}
}

// emit passes bytes of the body on.
func (d *Digester) emit(p []byte) {
	d.forms.write(p, false)
	d.size += int64(len(p))
	d.wireSize += int64(len(p))
}

// collect takes bytes of a header line.
func (d *Digester) collect(p []byte) {
	for len(p) > 0 {
		if n := len(d.line); n == lineBytesMax {
			// No CRLF may be cut in two.
			held := d.line[n-1] == '\r'
			if held {
				d.line = d.line[:n-1]
			}
			d.flushLine()
			if d.midLine = true; held {
				d.line = append(d.line, '\r')
			}
		}
		n := min(len(p), lineBytesMax-len(d.line))
		d.line = append(d.line, p[:n]...)
		p = p[n:]
	}
}

// endLine is called for the LF of each header line.
func (d *Digester) endLine() {
	if n := len(d.line); n == 0 || d.line[n-1] != '\r' {
		d.line = append(d.line, '\r')
	}
	d.line = append(d.line, '\n')
	d.inHeader = d.midLine || !isBlank(d.line)
	d.flushLine()
	d.midLine = false
}

// flushLine passes the collected header line on, or drops it.
func (d *Digester) flushLine() {
	if len(d.line) == 0 {
		return
	}
	if !d.midLine {
		d.field = d.nextField()
	}
	d.wireSize += int64(len(d.line))
	switch {
	case d.field.volatile:
	case d.field.noted:
		d.forms.writeExact(d.line)
		d.size += int64(len(d.line))
	default:
		d.forms.write(d.line, true)
		d.size += int64(len(d.line))
	}
	if d.field.identity {
		d.identity = append(d.identity, d.line[:min(len(d.line), identityBytesMax-len(d.identity))]...)
	}
	d.line, d.begun = d.line[:0], d.begun || !d.field.noted
}

// nextField says which field the collected line belongs to. A bare CR does not count in
// the plain form: without it the line may begin another field, or go on.
func (d *Digester) nextField() field {
	if !d.inHeader {
		return field{}
	}
	next := d.field
	if next.envelope {
		next = field{} // which no line goes on with
	}
	plain := withoutCRs(d.line)
	if !isContinuation(plain) {
		next = fieldOf(plain)
		next.envelope = !d.begun && bytes.HasPrefix(plain, []byte("From "))
		next.noted = next.noted || next.envelope
	}
	if len(plain) != len(d.line) {
		next.volatile = d.field.volatile
		if !isContinuation(d.line) {
			next.volatile = fieldOf(d.line).volatile
		}
	}
	return next
}

// fieldOf says what becomes of the field that a header line begins. Mail readers may put
// spaces before the colon of those that they write. An identity field with a space there
// counts as another one: not all servers know it then, and what one of them leaves out of
// its answer cannot be compared.
func fieldOf(line []byte) field {
	full := fieldName(line)
	name := bytes.TrimRight(full, " \t")
	var lower [nameBytesMax]byte
	if len(name) == 0 || len(name) > len(lower) {
		return field{}
	}
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower[i] = c
	}
	switch string(lower[:len(name)]) {
	case "status", "x-status", "content-length", "lines", "x-tuid", "x-offlineimap":
		return field{volatile: true, noted: true}
	case "x-uid", "x-imap", "x-imapbase", "x-keywords":
		return field{noted: true}
	case "date", "from", "message-id", "subject", "to":
		return field{identity: len(full) == len(name)}
	}
	return field{}
}

// finish takes in what is left. Nothing can be written any more.
func (d *Digester) finish() {
	if d.inHeader {
		d.flushLine()
	}
	if d.heldCR {
		d.emit([]byte{'\r'})
		d.heldCR = false
	}
}

// Sum returns the Content of what has been written, which is then complete.
func (d *Digester) Sum() Content {
	if d.content == nil {
		d.finish()
		d.content = &Content{Header: digestFields(d.identity), Size: d.size, WireSize: d.wireSize}
		d.content.Digest, d.content.Plain = d.forms.sums()
	}
	return *d.content
}

// Fields returns the identity fields of what has been written, which is then complete:
// their lines as they are, with CRLF line ends, at most 64 KiB.
func (d *Digester) Fields() string {
	d.finish()
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
			inside = strings.EqualFold(string(fieldName([]byte(line))), "message-id")
		}
		if inside && strings.TrimSpace(value) != "" {
			return true
		}
	}
	return false
}

// isContinuation reports whether a header line goes on with the field before it.
func isContinuation(line []byte) bool {
	return len(line) > 0 && (line[0] == ' ' || line[0] == '\t')
}

// fieldName returns the name of the field that a header line begins, nothing when it
// has none.
func fieldName(line []byte) []byte {
	name, _, _ := bytes.Cut(line, []byte{':'})
	if len(name) == len(line) {
		return nil
	}
	return name
}

// HeaderDigest returns the digest of the identity fields of a header, which may
// be a whole header or the answer to BODY.PEEK[HEADER.FIELDS (...)] of
// IdentityFields. Folding, white space at the ends, the order of fields and what only
// the exact form has do not count, because servers differ in them.
func HeaderDigest(header []byte) Digest {
	if len(header) == 0 {
		return digestFields(nil)
	}
	d := NewDigester()
	d.Write(header)
	return d.Sum().Header
}

// digestFields digests header lines of which all belong to identity fields.
func digestFields(lines []byte) Digest {
	if !even(lines, true) {
		lines = appendEven(nil, lines, true)
	}
	var fields []string
	var current []byte // a field, as far as it has been read
	for line := range bytes.Lines(lines) {
		text := bytes.TrimSpace(line)
		if len(current) > 0 && isContinuation(line) {
			if len(text) > 0 {
				current = append(append(current, ' '), text...)
			}
			continue
		}
		if len(current) > 0 {
			fields = append(fields, string(current))
		}
		name, value, _ := bytes.Cut(text, []byte{':'})
		current = append(append(current[:0], bytes.ToLower(bytes.TrimSpace(name))...), ':')
		current = append(current, bytes.TrimSpace(value)...)
	}
	if len(current) > 0 {
		fields = append(fields, string(current))
	}
	slices.Sort(fields)
	return sha256.Sum256([]byte(strings.Join(fields, "\n")))
}

// IdentityFields returns the names of the fields that HeaderDigest looks at.
func IdentityFields() []string { return []string{"date", "from", "message-id", "subject", "to"} }
