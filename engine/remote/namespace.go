package remote

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"

	"mailmoor/engine/remote/wire"
	"mailmoor/state"
)

// namespacesMax bounds each kind of namespace: beyond it the server is lying or
// broken, and every one can cost a LIST.
const namespacesMax = 100

// Namespaces returns where the server keeps the mailboxes of the account and of
// others. It is asked once per connection, and only where it announced that it
// knows. RFC 2342.
func (c *Conn) Namespaces(ctx context.Context) (state.Namespaces, error) {
	const doing = "ask for the namespaces"
	stop, err := c.watch(ctx, doing)
	if err != nil {
		return state.Namespaces{}, err
	}
	defer stop()
	return c.askNamespaces(doing)
}

func (c *Conn) askNamespaces(doing state.Text) (state.Namespaces, error) {
	if c.namespaces != nil {
		return *c.namespaces, nil
	}
	var told state.Namespaces
	if c.caps.Has("NAMESPACE") {
		data, err := c.client.Namespace().Wait()
		switch {
		case err == nil:
			told = c.spacesOf(data)
		case isRefusal(err):
			// It tells nothing that could not be done without.
			c.o.Log.Debug().Err(err).Msg("the server does not tell its namespaces")
		default:
			return state.Namespaces{}, c.fail(doing, err)
		}
		c.takeNotes()
	}
	c.namespaces = &told
	return told, nil
}

// spacesOf translates the answer. One of which a part cannot be read counts as
// none: what is missing in it would look as if it belonged to the account.
func (c *Conn) spacesOf(data *imap.NamespaceData) state.Namespaces {
	var told state.Namespaces
	for _, kind := range []struct {
		from []imap.NamespaceDescriptor
		to   *[]state.Namespace
	}{{data.Personal, &told.Personal}, {data.Other, &told.Others}, {data.Shared, &told.Shared}} {
		for _, d := range kind.from {
			prefix, ok := wire.DecodeName(d.Prefix)
			if !ok || len(kind.from) > namespacesMax {
				c.o.Log.Warn().Msg(string(state.Textf("the server's namespaces cannot be read, for one of the prefix %q", d.Prefix)))
				return state.Namespaces{}
			}
			*kind.to = append(*kind.to, state.Namespace{Prefix: inboxName(prefix, d.Delim), Delimiter: d.Delim})
		}
	}
	return told
}

// hidden returns the patterns under which LIST shows what LIST "" "*" may have
// left out: the namespaces of others that the user names. Dovecot leaves out those
// with list = no, and Courier all of them. A prefix with a wildcard in it cannot be
// asked for alone.
func (c *Conn) hidden(doing state.Text) ([]string, error) {
	if c.o.Named == nil {
		return nil, nil
	}
	spaces, err := c.askNamespaces(doing)
	if err != nil {
		return nil, err
	}
	var patterns []string
	for _, kind := range [][]state.Namespace{spaces.Others, spaces.Shared} {
		for _, n := range kind {
			if n.Prefix != "" && !strings.ContainsAny(n.Prefix, "*%") && c.o.Named(n.Prefix, n.Delimiter) {
				patterns = append(patterns, n.Prefix+"*")
			}
		}
	}
	return patterns, nil
}

// childless returns the mailbox above the one of this name that can have none below it
// (RFC 9051, section 7.3.1), empty without one.
func (c *Conn) childless(mailbox string, doing state.Text) (string, error) {
	if c.namespaces == nil || len(c.namespaces.Personal) == 0 || c.namespaces.Personal[0].Delimiter == 0 {
		return "", nil
	}
	levels := strings.Split(mailbox, string(c.namespaces.Personal[0].Delimiter))
	for i := 1; i < len(levels); i++ {
		above, found := strings.Join(levels[:i], string(c.namespaces.Personal[0].Delimiter)), false
		err := c.eachListed(c.client.List("", above, nil), doing, func(data *imap.ListData) {
			found = found || data.Mailbox == above && slices.Contains(data.Attrs, imap.MailboxAttrNoInferiors)
		})
		if found || err != nil {
			return above, err
		}
	}
	return "", nil
}

// misplaced adds to the refusal to create a mailbox what can be done about its
// place, if that is the reason.
func (c *Conn) misplaced(mailbox string, err error) error {
	const hint = "the server does not take this name: rename the folder"
	if c.namespaces == nil || len(c.namespaces.Personal) == 0 {
		return hinted(err, hint+"; on some servers every mailbox must lie below INBOX")
	}
	for _, kind := range [][]state.Namespace{c.namespaces.Personal, c.namespaces.Others, c.namespaces.Shared} {
		for _, n := range kind {
			if n.Prefix != "" && strings.HasPrefix(mailbox, n.Prefix) {
				return hinted(err, hint)
			}
		}
	}
	prefix, delimiter := "", ""
	for _, n := range c.namespaces.Personal {
		if n.Prefix == "" || n.Delimiter == 0 {
			return hinted(err, hint)
		}
		if prefix == "" {
			prefix, delimiter = n.Prefix, string(n.Delimiter)
		}
	}
	var e *state.Error
	if errors.As(err, &e) && e.Scope < state.ScopeAccount {
		folder := strings.ReplaceAll(strings.TrimSuffix(prefix, delimiter), delimiter, "/")
		e.Hint = state.Textf("on this server the account's own mailboxes lie below %q: move the folder into folder %q", prefix, folder)
	}
	return err
}
