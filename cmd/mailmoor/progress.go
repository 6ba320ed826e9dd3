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
	began    time.Time
	told     time.Time
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

// of returns what an engine calls for the account.
func (p *progress) of(account string) func(engine.Progress) {
	if p.every == 0 {
		return nil
	}
	return func(now engine.Progress) { p.update(account, now) }
}

// update takes the new state of one account.
func (p *progress) update(account string, of engine.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if p.began.IsZero() {
		p.began = now
		if !p.ui.interactive {
			p.told = now // a short run says nothing
		}
	}
	p.accounts[account] = of
	if now.Sub(p.told) < p.every {
		return
	}
	p.told = now
	line := progressText(p.sum(), now.Sub(p.began))
	if p.ui.interactive {
		p.ui.draw(line)
		return
	}
	p.log.Info().Msg(string(line))
}

// done forgets an account that has come to its end.
func (p *progress) done(account string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.accounts, account)
}

func (p *progress) sum() engine.Progress {
	var sum engine.Progress
	for _, of := range p.accounts {
		sum.Messages += of.Messages
		sum.MessagesTotal += of.MessagesTotal
		sum.Bytes += of.Bytes
	}
	return sum
}

// progressText says how far p is after elapsed.
func progressText(p engine.Progress, elapsed time.Duration) state.Text {
	text := state.Textf("%d of %s, %s", p.Messages, count(p.MessagesTotal, "message"), bytesText(p.Bytes))
	// What the first second shows is no rate to believe in.
	if elapsed < time.Second || p.Messages == 0 {
		return text
	}
	text += state.Textf(", %s/s", bytesText(int64(float64(p.Bytes)/elapsed.Seconds())))
	if left := p.MessagesTotal - p.Messages; left > 0 {
		perMessage := elapsed / time.Duration(p.Messages)
		text += state.Textf(", %s left", durationText(perMessage*time.Duration(left)))
	}
	return text
}
