package engine

import (
	"context"
	"errors"
	"os"
	"sync"

	"golang.org/x/sync/errgroup"

	"mailmoor/state"
)

// pool lends connections, each to one goroutine at a time. It opens them when
// they are needed and throws away those that broke.
type pool struct {
	connect func(context.Context) (Remote, error)
	slots   chan struct{} // one token per lease

	mu   sync.Mutex
	idle []Remote
	// stalls counts the connections of this run that were given up because the server
	// let them wait.
	stalls int
}

// stallsMax is how many connections of a run may end so. What lets one wait may be a
// single message, which is found out and set aside; after more than that it is the
// server, and every further try would take as long again.
const stallsMax = 8

func newPool(connect func(context.Context) (Remote, error), size int) *pool {
	return &pool{connect: connect, slots: make(chan struct{}, size)}
}

// lease is the right to use one connection at a time. When the connection
// breaks, the next use opens another one.
type lease struct {
	pool   *pool
	remote Remote
}

// lease waits until a connection may be used. The caller releases it.
func (p *pool) lease(ctx context.Context) (*lease, error) {
	select {
	case p.slots <- struct{}{}:
		return &lease{pool: p}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// release returns the connection to the pool.
func (l *lease) release() {
	if l.remote != nil {
		l.pool.mu.Lock()
		l.pool.idle = append(l.pool.idle, l.remote)
		l.pool.mu.Unlock()
		l.remote = nil
	}
	<-l.pool.slots
}

// renew gives up the connection, and all that wait unused: where one broke, the
// others may be broken, too.
func (l *lease) renew() {
	if l.remote != nil {
		_ = l.remote.Close()
		l.remote = nil
	}
	// How broken connections close does not matter.
	_ = l.pool.close()
}

// errConnect marks errors of opening a connection, as opposed to using it.
var errConnect = errors.New("connect")

// with runs work with the connection. An error of account scope, or one that
// does not say its scope, means that the connection is broken.
func (l *lease) with(ctx context.Context, work func(Remote) error) error {
	if l.remote != nil && !l.remote.Usable() {
		_ = l.remote.Close()
		l.remote = nil
	}
	if l.remote == nil {
		r, err := l.pool.take(ctx)
		if err != nil {
			return &connectError{err}
		}
		l.remote = r
	}
	err := work(l.remote)
	if err != nil && state.ScopeOf(err) >= state.ScopeAccount {
		// The connection is of no more use; how it closes does not matter.
		_ = l.remote.Close()
		l.remote = nil
	}
	if errors.Is(err, os.ErrDeadlineExceeded) && l.pool.stalled() {
		// Nobody tries to go on without what was asked for.
		return &connectError{err}
	}
	return err
}

// stalled counts a connection that the server let wait, and reports whether there
// were too many of them.
func (p *pool) stalled() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalls++
	return p.stalls > stallsMax
}

// forgive is for the beginning of a run.
func (p *pool) forgive() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalls = 0
}

// connectError is an error of opening a connection. It reads like its cause.
type connectError struct{ error }

func (e *connectError) Unwrap() error        { return e.error }
func (e *connectError) Is(target error) bool { return target == errConnect }

func (p *pool) take(ctx context.Context) (Remote, error) {
	for {
		r := p.waiting()
		if r == nil {
			return p.connect(ctx)
		}
		if r.Usable() {
			return r, nil
		}
		_ = r.Close() // the server has hung up meanwhile
	}
}

// waiting returns a connection that waits unused, nil when there is none.
func (p *pool) waiting() Remote {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	if n == 0 {
		return nil
	}
	r := p.idle[n-1]
	p.idle = p.idle[:n-1]
	return r
}

// with runs work with any connection.
func (p *pool) with(ctx context.Context, work func(Remote) error) error {
	l, err := p.lease(ctx)
	if err != nil {
		return err
	}
	defer l.release()
	return l.with(ctx, work)
}

// close closes the idle connections. No connection may be lent out.
func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, r := range p.idle {
		errs = append(errs, r.Close())
	}
	p.idle = nil
	return errors.Join(errs...)
}

// perWorker is how many pieces of work a connection is worth opening for.
const perWorker = 4

// each runs work for every item on as many connections as pay off. It stops at
// the first error and returns it; work reports narrower errors itself.
func each[T any](ctx context.Context, p *pool, items []T, work func(context.Context, *lease, T) error) error {
	if len(items) == 0 {
		return nil
	}
	workers := min(cap(p.slots), (len(items)+perWorker-1)/perWorker)
	queue := make(chan T, len(items))
	for _, item := range items {
		queue <- item
	}
	close(queue)
	group, ctx := errgroup.WithContext(ctx)
	for range workers {
		group.Go(func() error {
			l, err := p.lease(ctx)
			if err != nil {
				return err
			}
			defer l.release()
			for item := range queue {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if err := work(ctx, l, item); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}
