package lab

import (
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Direction is one of the two byte streams of a connection.
type Direction uint8

// The directions.
const (
	ToServer Direction = iota
	ToClient
)

// Action is what a fault does to the connection.
type Action uint8

// The actions.
const (
	// Reset ends both sides with RST.
	Reset Action = iota
	// Close ends the connection with FIN, without a close_notify of TLS: a
	// client must not take this for an orderly end.
	Close
	// CloseNotify ends it with close_notify and FIN.
	CloseNotify
	// HalfClose sends FIN to the client and nothing more; what the client
	// sends still reaches the server.
	HalfClose
	// Stall lets no more bytes through in this direction. The connection stays
	// open until either side ends it.
	Stall
	// Drip lets twenty bytes a second through from then on.
	Drip
	// Late keeps back what comes in this direction until Release: it arrives
	// then, even if its sender has long gone.
	Late
)

// Fault is something that happens when After bytes have passed in the
// direction, not one byte earlier or later. 0 is the start of the connection.
type Fault struct {
	Direction Direction
	After     int64
	Action    Action
}

// Behaviour is how a connection behaves. The zero value is a good one.
type Behaviour struct {
	Faults []Fault
	// RTT delays every byte, half of it in each direction.
	RTT time.Duration
	// BytesPerSecond limits each direction; 0 is no limit.
	BytesPerSecond int
	// Record keeps what passes, for [FaultProxy.Passed].
	Record bool
}

// Traffic is what has passed through a connection.
type Traffic struct {
	ToServer, ToClient int64 // bytes
	// RoundTrips is how often the client could not go on without an answer of the
	// server: commands that it sends together, or ahead of answers that are still to
	// come, cost one. The handshake of TLS is counted, that of TCP is not.
	RoundTrips int64
}

// FaultProxy is a bad network before a server.
type FaultProxy struct {
	*listener
	raw bool

	script atomic.Pointer[func(conn int) Behaviour]

	mu    sync.Mutex
	conns []*faultConn
	// released is closed when what is late may arrive.
	released chan struct{}
}

// Faults starts a proxy that terminates TLS, so that offsets count the bytes
// of IMAP. It behaves well until told otherwise.
func Faults(t testing.TB, upstream Upstream) *FaultProxy {
	t.Helper()
	return newFaultProxy(t, upstream, false)
}

// RawFaults is Faults on the encrypted stream: offsets count the bytes of TCP,
// the handshake of TLS included.
func RawFaults(t testing.TB, upstream Upstream) *FaultProxy {
	t.Helper()
	return newFaultProxy(t, upstream, true)
}

func newFaultProxy(t testing.TB, upstream Upstream, raw bool) *FaultProxy {
	t.Helper()
	p := &FaultProxy{listener: newListener(t, upstream), raw: raw, released: make(chan struct{})}
	t.Cleanup(p.Release) // before the listener waits for its connections
	p.Behave(Behaviour{})
	p.accept(p.serve)
	return p
}

// Behave makes all connections from now on behave so.
func (p *FaultProxy) Behave(b Behaviour) { p.Script(func(int) Behaviour { return b }) }

// Script asks behave at the start of each connection from now on how it shall
// behave. Connections are numbered from 0 since the start of the proxy.
func (p *FaultProxy) Script(behave func(conn int) Behaviour) { p.script.Store(&behave) }

// Conns returns the traffic of all connections so far, by number.
func (p *FaultProxy) Conns() []Traffic {
	p.mu.Lock()
	defer p.mu.Unlock()
	traffic := make([]Traffic, len(p.conns))
	for i, c := range p.conns {
		if c != nil {
			traffic[i] = Traffic{c.passed[ToServer].Load(), c.passed[ToClient].Load(), c.flight[ToClient].Load()}
		}
	}
	return traffic
}

// Release lets arrive what is late.
func (p *FaultProxy) Release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.released)
	p.released = make(chan struct{})
}

// Passed returns what has passed a connection in the direction, where the
// connection's behaviour is to record it.
func (p *FaultProxy) Passed(conn int, d Direction) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if conn >= len(p.conns) || p.conns[conn] == nil {
		return nil
	}
	return p.conns[conn].recorded(d)
}

// serve relays one connection until both directions have ended.
func (p *FaultProxy) serve(client net.Conn, number int) {
	c := &faultConn{behaviour: (*p.script.Load())(number)}
	p.mu.Lock()
	c.released = p.released
	for len(p.conns) <= number {
		p.conns = append(p.conns, nil)
	}
	p.conns[number] = c
	p.mu.Unlock()
	server, err := p.dial()
	if err != nil {
		return // the client sees its connection end
	}
	defer p.drop(server)
	c.client = &stream{Conn: client, tcp: client.(*net.TCPConn)}
	c.server = &stream{Conn: server, tcp: server.(*net.TCPConn)}
	if !p.raw {
		config := &tls.Config{Certificates: []tls.Certificate{p.certificate()}}
		c.client.Conn = tls.Server(client, config)
		c.server.Conn = tls.Client(server, p.TLS())
	}
	c.relay()
}
