package remote

import (
	"context"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"

	"mailmoor/engine/remote/wire"
	"mailmoor/state"
)

// storable are the flags and keywords whose absence on the server means something.
type storable struct {
	flags    state.Flags
	keywords state.KeywordRule
}

// shown returns the keywords of a message as far as they say something against the
// record: those that the mailbox does not store have not been taken away, and those
// that are known to be of this session or of the local side only are no news.
func (s storable) shown(now state.Keywords, r state.Record) state.Keywords {
	if now == r.Keywords || r.State != state.Paired {
		return r.Keywords
	}
	stored := s.keywords.Of(now)
	fleeting := now.Without(stored).Without(r.LocalKeywords)
	return stored.Union(fleeting).Union(r.Keywords.Without(s.keywords.Of(r.Keywords)))
}

// keywordsFrom returns the server's keywords. Those whose names are no atoms, of
// which a stand-in is all that can be read, stay the server's own business.
func keywordsFrom(names []imap.Flag) state.Keywords {
	var keywords []string
	for _, name := range names {
		if name := string(name); state.IsKeyword(name) && !strings.HasPrefix(name, wire.UnsafeFlagPrefix) {
			keywords = append(keywords, name)
		}
	}
	if len(keywords) == 0 {
		return ""
	}
	return state.NewKeywords(keywords...)
}

// keywordRule reads from the answer to SELECT which keywords are stored. Without
// PERMANENTFLAGS those of FLAGS are. RFC 9051, section 7.1.
func keywordRule(data *imap.SelectData, said wire.Notes) state.KeywordRule {
	if !slices.Contains(said.Codes, "PERMANENTFLAGS") {
		return state.KeywordRule{Listed: keywordsFrom(data.Flags)}
	}
	return state.KeywordRule{
		Any: slices.Contains(data.PermanentFlags, imap.FlagWildcard), Listed: keywordsFrom(data.PermanentFlags),
	}
}

// AddKeywords gives messages keywords, and returns those that the messages now have.
// What the mailbox does not store is not sent. A server that refuses one keyword
// refuses the whole command, so that each is then sent alone.
func (c *Conn) AddKeywords(ctx context.Context, ref state.Ref, uids state.UIDSet, add state.Keywords) (map[state.UID]state.Keywords, error) {
	doing := doingUIDs("add keywords to", uids, ref.Mailbox)
	stop, err := c.watch(ctx, doing)
	if err != nil {
		return nil, err
	}
	defer stop()
	if err := c.openForChange(ref, doing); err != nil {
		return nil, err
	}
	names := c.selected.Keywords.Of(add).Names()
	all := make(map[state.UID]state.Keywords, uids.Len())
	for chunk := range perCommand(uids) {
		if err := c.addKeywords(chunk, names, doing); err != nil {
			return nil, err
		}
		list, err := c.presentNow(chunk, doing)
		if err != nil {
			return nil, err
		}
		for _, m := range list {
			all[m.uid] = m.keywords
		}
	}
	return all, nil
}

// addKeywords sends the keywords together, or one by one when that is refused.
func (c *Conn) addKeywords(uids state.UIDSet, names []string, doing state.Text) error {
	if len(names) == 0 {
		return nil
	}
	flags := make([]imap.Flag, len(names))
	for i, name := range names {
		flags[i] = imap.Flag(name)
	}
	_, err := c.readFlags(c.client.Store(uidsTo(uids), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: flags, Silent: true}, nil), doing)
	if err == nil {
		c.takeNotes()
		c.o.Hook("remote: keywords stored")
		return nil
	}
	refused := isRefusal(err)
	err = c.fail(doing, err)
	if cause := state.CauseOf(err); !refused || state.ScopeOf(err) >= state.ScopeAccount || cause == state.CauseNetwork || cause == state.CauseStale {
		return err
	}
	c.o.Log.Info().Err(err).Msg(string(state.Textf("the server refuses the keywords %s", state.List(names))))
	if len(names) == 1 {
		return nil
	}
	for i := range names {
		if err := c.addKeywords(uids, names[i:i+1], doing); err != nil {
			return err
		}
	}
	return nil
}
