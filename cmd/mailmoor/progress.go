package main

import (
	"sync"
	"time"

	"github.com/rs/zerolog"

	"mailmoor/engine"
	"mailmoor/state"
)

const (
	// redrawEvery bounds how often the progress line is drawn.
	redrawEvery = 200 * time.Millisecond
	// logEvery is how often the progress is logged where nobody watches.
	logEvery = 30 * time.Second
)

// progress adds up how far the accounts of a run are and shows it.
type progress struct {
	ui  *ui
	log zerolog.Logger
	now func() time.Time
	// every is the least time between two reports; 0 means that there are none.
	every time.Duration

	mu       sync.Mutex
	accounts map[string]engine.Progress
	// began is when the first transfer did.
	began time.Time
	told  time.Time
}

func newProgress(u *ui, log zerolog.Logger, quiet bool) *progress {
	p := &progress{ui: u, log: log, now: time.Now, accounts: make(map[string]engine.Progress)}
	switch {
	case quiet:
	case u.interactive:
		p.every = redrawEvery
	default:
		p.every = logEvery
	}
	return p
}

// watch draws on a terminal also while nothing is heard of the accounts, until the
// function that it returns is called.
func (p *progress) watch() (end func()) {
	if p.every != redrawEvery {
		return func() {}
	}
	ticker, over := time.NewTicker(redrawEvery), make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		for {
			select {
			case <-ticker.C:
				p.show()
			case <-over:
				return
			}
		}
	})
	return func() {
		ticker.Stop()
		close(over)
		group.Wait()
		p.ui.undraw()
	}
}

// of returns what an engine calls for the account.
func (p *progress) of(account string) func(engine.Progress) {
	if p.every == 0 {
		return nil
	}
	p.mu.Lock()
	p.accounts[account] = engine.Progress{}
	p.mu.Unlock()
	if p.ui.interactive {
		p.show() // the server may take its time to say anything
	}
	return func(now engine.Progress) { p.update(account, now) }
}

// update takes the new state of one account.
func (p *progress) update(account string, of engine.Progress) {
	p.mu.Lock()
	now := p.now()
	if p.told.IsZero() && !p.ui.interactive {
		p.told = now // a short run says nothing
	}
	if p.began.IsZero() && of.MessagesTotal > 0 {
		p.began = now
	}
	p.accounts[account] = of
	p.mu.Unlock()
	p.show()
}

// show reports how far the accounts are, unless that has just been done.
func (p *progress) show() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if len(p.accounts) == 0 || now.Sub(p.told) < p.every {
		return
	}
	p.told = now
	forms := progressForms(p.title(), p.sum(), now.Sub(p.began))
	if p.ui.interactive {
		p.ui.draw(forms...)
		return
	}
	p.log.Info().Msg(string(forms[0]))
}

// done forgets an account that has come to its end.
func (p *progress) done(account string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.accounts, account)
}

// title names the account that is worked on, or says how many are.
func (p *progress) title() state.Text {
	for name := range p.accounts {
		if len(p.accounts) == 1 {
			return state.Textf("%s", name)
		}
	}
	return count(len(p.accounts), "account")
}

func (p *progress) sum() engine.Progress {
	var sum engine.Progress
	for _, of := range p.accounts {
		sum.Looked += of.Looked
		sum.LooksTotal += of.LooksTotal
		sum.Messages += of.Messages
		sum.MessagesTotal += of.MessagesTotal
		sum.Bytes += of.Bytes
	}
	return sum
}

// progressForms says how far p is after elapsed, in forms from the widest to the narrowest.
// Account, per cent, rate and time left are in each of them, the first cut in the last one.
func progressForms(title state.Text, p engine.Progress, elapsed time.Duration) []state.Text {
	percent := func(n, of int) state.Text { return state.Textf("%d %%", n*100/max(of, 1)) }
	switch {
	case p.MessagesTotal == 0 && p.LooksTotal == 0:
		return []state.Text{title + ": looking what is there", title}
	case p.MessagesTotal == 0:
		part := percent(p.Looked, p.LooksTotal)
		return []state.Text{
			title + state.Textf(": %s, %d of %s looked at", part, p.Looked, count(p.LooksTotal, "mailbox|mailboxes")),
			title + ": " + part,
		}
	}
	part, rest := percent(p.Messages, p.MessagesTotal), state.Text("")
	// What the first second shows is no rate to believe in.
	if elapsed >= time.Second && p.Messages > 0 {
		rest = state.Textf(", %s/s", bytesText(int64(float64(p.Bytes)/elapsed.Seconds())))
		if left := p.MessagesTotal - p.Messages; left > 0 {
			perMessage := elapsed / time.Duration(p.Messages)
			rest += state.Textf(", %s left", durationText(perMessage*time.Duration(left)))
		}
	}
	return []state.Text{
		title + state.Textf(": %s, %d of %s, %s", part, p.Messages, count(p.MessagesTotal, "message"), bytesText(p.Bytes)) + rest,
		title + ": " + part + rest,
		part + rest + " " + title,
	}
}
