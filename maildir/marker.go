package maildir

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	markerName    = ".mailmoor"
	markerTmpName = ".mailmoor.tmp"
	// markerBytesMax bounds a marker. What is longer was not written by us.
	markerBytesMax = 4096

	kindRoot   = "root"
	kindFolder = "folder"
)

// marker is the content of a .mailmoor file. It ties a directory to what the
// state knows of it, so that an unmounted disk or an exchanged directory is not
// taken for deleted mail.
type marker struct {
	kind    string
	id      string
	account string // id of the account; equal to id in a root's marker
	// generation counts the runs that changed something, in a root's marker. With
	// the state's count it shows when one of the two was put back from a backup.
	generation int64
	// layout and separator are those of the tree, in a root's marker. They stand there
	// only when they are not LayoutFS and SeparatorColon.
	layout    Layout
	separator Separator
}

var (
	errNoMarker  = errors.New("it has no " + markerName + " marker")
	errBadMarker = errors.New("its " + markerName + " marker cannot be understood")
)

// idPattern is deliberately wider than what NewID makes.
var idPattern = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)

func (m marker) check() error {
	switch {
	case m.kind != kindRoot && m.kind != kindFolder:
		return fmt.Errorf("%w: kind %q does not exist", errBadMarker, m.kind)
	case !idPattern.MatchString(m.id), !idPattern.MatchString(m.account):
		return fmt.Errorf("%w: %q or %q is not an id", errBadMarker, m.id, m.account)
	case m.kind == kindRoot && m.id != m.account:
		return fmt.Errorf("%w: root %q belongs to account %q", errBadMarker, m.id, m.account)
	case m.generation < 1:
		return fmt.Errorf("%w: generation %d", errBadMarker, m.generation)
	case m.layout != "" && (m.kind != kindRoot || m.layout != LayoutPlus):
		return fmt.Errorf("%w: a %s with the layout %q", errBadMarker, m.kind, string(m.layout))
	case m.separator != "" && (m.kind != kindRoot || m.separator == SeparatorColon || m.separator.check() != nil):
		return fmt.Errorf("%w: a %s with the info separator %q", errBadMarker, m.kind, string(m.separator))
	}
	return nil
}

// text returns the content of the file.
func (m marker) text() string {
	text := fmt.Sprintf(`# Mailmoor marker. It tells Mailmoor which mail lives in this directory.
# Do not edit it, do not copy it to another directory, and keep it in backups.
kind = %q
id = %q
account = %q
generation = %d
`, m.kind, m.id, m.account, m.generation)
	if m.layout != "" {
		text += fmt.Sprintf("layout = %q\n", string(m.layout))
	}
	if m.separator != "" {
		text += fmt.Sprintf("info_separator = %q\n", string(m.separator))
	}
	return text
}

// rootMarker returns the marker of an account's root.
func rootMarker(id string, generation int64, layout Layout, separator Separator) marker {
	if layout == LayoutFS {
		layout = ""
	}
	if separator == SeparatorColon {
		separator = ""
	}
	return marker{kind: kindRoot, id: id, account: id, generation: generation, layout: layout, separator: separator}
}

// parseMarker reads the content of a marker file: every key exactly once, layout and
// info_separator perhaps not at all, and nothing else but comments and blank lines.
func parseMarker(text string) (marker, error) {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, found := strings.Cut(line, " = ")
		if _, twice := values[key]; !found || twice {
			return marker{}, fmt.Errorf("%w: line %q", errBadMarker, line)
		}
		values[key] = value
	}
	var m marker
	var err error
	text = values["generation"]
	if m.generation, err = strconv.ParseInt(text, 10, 64); err != nil || strconv.FormatInt(m.generation, 10) != text {
		return marker{}, fmt.Errorf("%w: generation %q", errBadMarker, text)
	}
	delete(values, "generation")
	texts := map[string]*string{
		"kind": &m.kind, "id": &m.id, "account": &m.account, "layout": (*string)(&m.layout), "info_separator": (*string)(&m.separator),
	}
	for key, value := range values {
		to, known := texts[key]
		if !known || len(value) < 3 || value[0] != '"' || value[len(value)-1] != '"' {
			return marker{}, fmt.Errorf("%w: %s is %s", errBadMarker, key, value)
		}
		*to = value[1 : len(value)-1]
	}
	return m, m.check()
}

// readMarker reads the marker of a directory: errNoMarker when it has none,
// errBadMarker when it has something else under that name.
func readMarker(d dir) (marker, error) {
	f, err := d.open(markerName, unix.O_RDONLY)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return marker{}, fmt.Errorf("%s: %w", d.path(), errNoMarker)
	case errors.Is(err, unix.ELOOP), errors.Is(err, unix.EMLINK):
		return marker{}, fmt.Errorf("%s: %w: it is a symbolic link", d.path(), errBadMarker)
	case err != nil:
		return marker{}, err
	}
	defer f.Close()
	st, err := fstat(f)
	if err != nil {
		return marker{}, err
	}
	if !isRegular(st) || st.Size > markerBytesMax {
		return marker{}, fmt.Errorf("%s: %w: it is no small file", d.path(), errBadMarker)
	}
	text, err := io.ReadAll(io.LimitReader(f, markerBytesMax))
	if err != nil {
		return marker{}, err
	}
	m, err := parseMarker(string(bytes.TrimSuffix(text, []byte("\n"))))
	if err != nil {
		return marker{}, fmt.Errorf("%s: %w", d.path(), err)
	}
	return m, nil
}

// writeMarker writes the marker of a directory that has none, durably. It is
// never seen half-written.
func writeMarker(d dir, m marker) error {
	return putMarker(d, m, func() error { return renameNoReplace(d, markerTmpName, d, markerName) })
}

// rewriteMarker is writeMarker for a directory that has a marker already: whoever looks
// sees the old one or the new one.
func rewriteMarker(d dir, m marker) error {
	return putMarker(d, m, func() error {
		return d.fail("rename", markerTmpName, retry(func() error {
			return unix.Renameat(d.fd(), markerTmpName, d.fd(), markerName)
		}))
	})
}

// putMarker writes the marker under another name and lets rename give it its own.
func putMarker(d dir, m marker, rename func() error) error {
	if err := m.check(); err != nil {
		return err
	}
	// What a crash left under the temporary name is ours: the account is locked.
	if err := d.unlink(markerTmpName); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := d.create(markerTmpName)
	if err != nil {
		return err
	}
	_, err = f.WriteString(m.text())
	if err = errors.Join(err, syncFile(f), f.Close()); err == nil {
		err = rename()
	}
	if err != nil {
		return errors.Join(err, d.unlink(markerTmpName))
	}
	return d.sync()
}
