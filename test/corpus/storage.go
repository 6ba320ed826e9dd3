package corpus

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// Storage is what a server makes of the messages that it is given. The real ones are held
// to it in test/matrix.
type Storage struct {
	Name string
	// Store returns the message as the server shows it afterwards, nil if it refuses it.
	Store func(body []byte) []byte
}

// Storages returns those of the servers that test/lab can run.
func Storages() []Storage {
	return []Storage{{"Dovecot", dovecotMaildir}, {"Dovecot with mbox", dovecotMbox}, {"Cyrus", cyrus}, {"Courier", courier}}
}

// crlf returns the message with a CR before each LF that has none.
func crlf(body []byte) []byte {
	var out []byte
	for i, c := range body {
		if c == '\n' && (i == 0 || body[i-1] != '\r') {
			out = append(out, '\r')
		}
		out = append(out, c)
	}
	return out
}

// dovecotMaildir stores line ends as LF: the CR in front of one goes, as does one at the
// end, and where there were two the other is taken for part of the line end that is shown.
// For NUL it shows 0x80.
func dovecotMaildir(body []byte) []byte { return shown(bytes.TrimSuffix(lf(body), []byte{'\r'})) }

// shown returns what Dovecot makes of what it has stored.
func shown(stored []byte) []byte { return bytes.ReplaceAll(crlf(stored), []byte{0}, []byte{0x80}) }

func lf(body []byte) []byte { return bytes.ReplaceAll(body, []byte("\r\n"), []byte{'\n'}) }

// fromLine matches the line that begins a message in an mbox file.
var fromLine = regexp.MustCompile(`^From \S+ \w{3} \w{3} +\d+ [\d:]+ \d{4}`)

// dovecotMbox also completes the last line and the header, and leaves out what an mbox
// file has for itself.
func dovecotMbox(body []byte) []byte {
	body = lf(body)
	if line, rest, found := bytes.Cut(body, []byte{'\n'}); found && fromLine.Match(line) {
		body = rest
	}
	if !bytes.HasSuffix(body, []byte{'\n'}) {
		body = append(bytes.TrimSuffix(body, []byte{'\r'}), '\n')
	}
	notes := []string{"status", "x-status", "content-length", "x-uid", "x-imap", "x-imapbase", "x-keywords"}
	var out []byte
	inHeader, dropped, text := true, false, 0
	for line := range bytes.Lines(body) {
		if !inHeader {
			text++
		} else if line[0] != ' ' && line[0] != '\t' {
			name, _, _ := strings.Cut(strings.ToLower(string(line)), ":")
			dropped = slices.Contains(notes, name)
		}
		inHeader = inHeader && string(line) != "\n"
		if !inHeader || !dropped {
			out = append(out, line...)
		}
	}
	switch {
	case inHeader:
		out = append(out, "\n\n"...)
	case text == 0:
		out = append(out, '\n')
	}
	return shown(out)
}

// cyrus writes X for bytes above ASCII in the header, and refuses what no header or line may be.
func cyrus(body []byte) []byte {
	if bytes.IndexByte(body, 0) >= 0 || !bytes.Equal(crlf(body), body) {
		return nil
	}
	var out []byte
	inHeader := true
	for line := range bytes.Lines(body) {
		text := strings.TrimRight(string(line), "\r\n")
		inHeader = inHeader && text != "" && line[0] != '\r'
		if !inHeader {
			out = append(out, line...)
			continue
		}
		first := len(out) == 0
		name, _, colon := strings.Cut(text, ":")
		continued := line[0] == ' ' || line[0] == '\t'
		envelope := first && strings.HasPrefix(text, "From ")
		if !envelope && !continued && (!colon || name == "" || strings.ContainsAny(name, " \t")) || line[len(line)-1] != '\n' {
			return nil
		}
		for _, c := range line {
			if c >= 0x80 {
				c = 'X'
			}
			out = append(out, c)
		}
	}
	return out
}

// courier drops all CRs, and completes the last line.
func courier(body []byte) []byte {
	if !bytes.HasSuffix(body, []byte{'\n'}) {
		body = append(bytes.Clone(body), '\n')
	}
	return crlf(bytes.ReplaceAll(body, []byte{'\r'}, nil))
}
