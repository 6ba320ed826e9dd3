package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// specialUses are the special uses that the user can give to a mailbox: those of
// mailboxes that hold messages of their own. RFC 6154, section 2.
func specialUses() map[string]string {
	return map[string]string{
		"archive": `\Archive`, "drafts": `\Drafts`, "junk": `\Junk`, "sent": `\Sent`, "trash": `\Trash`,
	}
}

var errRoles = errors.New(`must be a table such as { trash = "Papierkorb" }`)

// roles returns mailboxes by their special use.
func (v value) roles() (map[string]string, error) {
	table, ok := v.raw.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%w, not %s", errRoles, kind(v.raw))
	}
	uses, taken := specialUses(), make(map[string]string)
	mailboxes := make(map[string]string, len(table))
	for _, word := range slices.Sorted(maps.Keys(table)) {
		use, known := uses[word]
		if !known {
			words := slices.Sorted(maps.Keys(uses))
			return nil, fmt.Errorf("knows no special use %q%s; there are %s", clip(word), suggest(nearest(word, words)), strings.Join(words, ", "))
		}
		name, err := value{raw: table[word]}.text()
		switch {
		case err != nil:
			return nil, fmt.Errorf("of %s %w", word, err)
		case strings.EqualFold(name, "INBOX"):
			return nil, fmt.Errorf("of %s is INBOX, which can be nothing else", word)
		case taken[name] != "":
			return nil, fmt.Errorf("gives mailbox %q two special uses, %s and %s", clip(name), taken[name], word)
		}
		mailboxes[use], taken[name] = name, word
	}
	return mailboxes, nil
}
