package engine

import (
	"mailmoor/engine/plan"
	"mailmoor/state"
)

// afresh adds up what came of matching mailboxes afresh for one of the reasons.
type afresh struct {
	mailboxes   map[string]bool
	found, lost int
}

// rematched notes how the matching of a mailbox ended. An empty one is no news.
func (t *tally) rematched(mailbox string, doubt state.Doubt, r plan.Rematching) {
	t.add(func(c *Counts) { c.Rematched += r.Found; c.Lost += r.Lost })
	if r.Found+r.Lost == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.afresh[doubt]
	if a.mailboxes == nil {
		a.mailboxes = make(map[string]bool)
	}
	a.mailboxes[mailbox] = true
	a.found, a.lost = a.found+r.Found, a.lost+r.Lost
	t.afresh[doubt] = a
}

// news says in sentences what happened that nobody asked for and that is no problem: one for
// all mailboxes to which the same happened.
func (t *tally) news() []state.Text {
	t.mu.Lock()
	defer t.mu.Unlock()
	var news []state.Text
	for _, doubt := range []state.Doubt{state.DoubtBase, state.DoubtUIDs} {
		a := t.afresh[doubt]
		if len(a.mailboxes) == 0 {
			continue
		}
		what := state.Count(len(a.mailboxes), "mailbox|mailboxes")
		for name := range a.mailboxes {
			if len(a.mailboxes) == 1 {
				what = state.Textf("mailbox %q", name)
			}
		}
		text := state.Textf("the server renumbered, replaced or restored %s", what)
		if doubt == state.DoubtBase {
			text = state.Textf("what was known of %s was compared with both sides afresh", what)
		}
		text += state.Textf(": %s found again", messagesWere(a.found))
		if a.lost > 0 {
			text += state.Textf(", %d not", a.lost)
		}
		news = append(news, text)
	}
	return news
}

func messagesWere(n int) state.Text {
	if n == 1 {
		return "1 message was"
	}
	return state.Textf("%s were", state.Count(n, "message"))
}
