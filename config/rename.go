package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// roles are the special uses that can be renamed by. RFC 6154, section 2.
var roles = []string{`\All`, `\Archive`, `\Drafts`, `\Flagged`, `\Important`, `\Junk`, `\Sent`, `\Trash`}

var errNames = errors.New(`must be a table such as { '\Sent' = "sent" }`)

// names returns other names for mailboxes.
func (v value) names() (map[string]string, error) {
	table, ok := v.raw.(map[string]any)
	switch {
	case !ok:
		return nil, fmt.Errorf("%w, not %s", errNames, kind(v.raw))
	case len(table) > listLenMax:
		return nil, errLongList
	}
	names, taken := make(map[string]string, len(table)), make(map[string]string)
	for _, from := range slices.Sorted(maps.Keys(table)) {
		to, err := value{raw: table[from]}.folderName()
		if err != nil {
			return nil, fmt.Errorf("of %q %w", clip(from), err)
		}
		if strings.HasPrefix(from, `\`) && !slices.Contains(roles, from) {
			return nil, fmt.Errorf("knows no special use %q%s", clip(from), suggest(nearest(from, roles)))
		}
		if other, twice := taken[to]; twice {
			return nil, fmt.Errorf("gives %q and %q the same folder %q", clip(other), clip(from), clip(to))
		}
		names[from], taken[to] = to, from
	}
	return names, nil
}

// folderName returns the name of a folder below the root.
func (v value) folderName() (string, error) {
	s, err := v.text()
	if err != nil {
		return "", err
	}
	if first, rest, _ := strings.Cut(s, "/"); strings.EqualFold(first, "inbox") {
		// INBOX is one name in whatever case. RFC 9051, section 5.1.
		s = strings.TrimSuffix("INBOX/"+rest, "/")
	}
	for _, level := range strings.Split(s, "/") {
		if level == "" || level == "." || level == ".." {
			return "", fmt.Errorf("is %q, which cannot be a folder: no level may be empty, or be the directory itself or the one above", clip(s))
		}
	}
	return s, nil
}
