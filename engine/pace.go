package engine

import (
	"iter"
	"sync"
)

// pace is how many messages are dealt with together. Large batches are quick, but a run
// that does not live until the end of its first one has done nothing, and neither has
// the next that ends as early. So a run that follows an interrupted one begins with
// single messages, and doubles. The zero value goes at full pace.
type pace struct {
	mu  sync.Mutex
	now int // 0 for full pace
}

// slow begins with single messages.
func (p *pace) slow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = 1
}

// faster doubles the next batches.
func (p *pace) faster() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now *= 2; p.now >= downloadMax {
		p.now = 0
	}
}

// most returns how many of n messages may be in a batch now.
func (p *pace) most(n int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now == 0 {
		return n
	}
	return min(n, p.now)
}

// growing yields the items in parts: first so many, then twice as many and so on, most at
// a time.
func growing[T any](items []T, first, most int) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		for n := first; len(items) > 0; n = min(2*n, most) {
			part := items[:min(n, len(items))]
			if !yield(part) {
				return
			}
			items = items[len(part):]
		}
	}
}
