package engine

import "sync"

// paceSlow is how many messages are brought over together at first after an
// interruption.
const paceSlow = 16

// pace is how many messages are brought over together. Large batches are quick, but
// a run that does not live until the end of its first one has done nothing, and
// neither has the next that ends as early. So a run that finds the transfers of an
// interrupted one begins with small batches, and doubles them. The zero value goes
// at full pace.
type pace struct {
	mu  sync.Mutex
	now int // 0 for full pace
}

// slow begins with small batches.
func (p *pace) slow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = paceSlow
}

// faster doubles the next batches.
func (p *pace) faster() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now *= 2; p.now >= downloadMax {
		p.now = 0
	}
}

// messages is how many messages a batch may have now.
func (p *pace) messages() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now == 0 {
		return downloadMax
	}
	return p.now
}
