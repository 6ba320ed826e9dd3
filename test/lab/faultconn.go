package lab

import (
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	chunkBytes = 16 << 10
	// queueChunks bounds what can be under way when there is a delay.
	queueChunks = 1024
	// rateSlices is into how many writes the bytes of a second are cut.
	rateSlices = 50
	// dripBytesPerSecond is what a line that drips lets through.
	dripBytesPerSecond = 20
)

// stream is one side of a connection, with TLS or without.
type stream struct {
	net.Conn
	tcp *net.TCPConn
}

// closeWrite ends the stream towards the peer in the orderly way. Errors mean
// that it has ended already.
func (s *stream) closeWrite() {
	if secure, ok := s.Conn.(interface{ CloseWrite() error }); ok {
		_ = secure.CloseWrite()
	}
	_ = s.tcp.CloseWrite()
}

// reset ends the stream with RST.
func (s *stream) reset() {
	_ = s.tcp.SetLinger(0)
	_ = s.tcp.Close()
}

// faultConn is one connection through a FaultProxy.
type faultConn struct {
	behaviour      Behaviour
	client, server *stream
	released       <-chan struct{}
	passed         [2]atomic.Int64
	// flight is the last one of which something has been delivered in the direction. The
	// first flight is what the client sends before anything has come; each other one is
	// what it sends after something has come that the server sent after the flight before.
	// What is sent ahead, while answers are still on their way, belongs to the same flight.
	flight [2]atomic.Int64

	mu     sync.Mutex
	record [2][]byte
}

// recorded returns what has passed in the direction.
func (c *faultConn) recorded(d Direction) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.record[d])
}

// pass counts bytes that have been delivered.
func (c *faultConn) pass(d Direction, data []byte) {
	c.passed[d].Add(int64(len(data)))
	if c.behaviour.Record {
		c.mu.Lock()
		c.record[d] = append(c.record[d], data...)
		c.mu.Unlock()
	}
}

// lane is one direction of a connection: a reader that notes when each chunk
// is due, and a writer that delivers it then and causes the faults.
type lane struct {
	conn      *faultConn
	direction Direction
	from, to  *stream
	faults    []Fault // those of the direction that are still to come, in order
	dripping  bool
	queue     chan chunk
	readDone  chan struct{}
	writeDone chan struct{}
	other     *lane
}

type chunk struct {
	data   []byte
	due    time.Time
	flight int64
}

// relay carries both directions and returns when both have ended.
func (c *faultConn) relay() {
	up, down := c.lane(ToServer, c.client, c.server), c.lane(ToClient, c.server, c.client)
	up.other, down.other = down, up
	var wait sync.WaitGroup
	for _, l := range []*lane{up, down} {
		wait.Go(l.read)
		wait.Go(l.write)
	}
	wait.Wait()
}

func (c *faultConn) lane(d Direction, from, to *stream) *lane {
	l := &lane{
		conn: c, direction: d, from: from, to: to,
		queue: make(chan chunk, queueChunks), readDone: make(chan struct{}), writeDone: make(chan struct{}),
	}
	for _, fault := range c.behaviour.Faults {
		if fault.Direction == d {
			l.faults = append(l.faults, fault)
		}
	}
	slices.SortStableFunc(l.faults, func(a, b Fault) int { return int(a.After - b.After) })
	return l
}

// read fills the queue until the peer ends its stream.
func (l *lane) read() {
	defer close(l.queue)
	defer close(l.readDone)
	for {
		data := make([]byte, chunkBytes)
		n, err := l.from.Read(data)
		if n > 0 {
			flight := l.conn.flight[ToServer].Load()
			if l.direction == ToServer {
				flight = l.conn.flight[ToClient].Load() + 1
			}
			select {
			case l.queue <- chunk{data[:n], time.Now().Add(l.conn.behaviour.RTT / 2), flight}:
			case <-l.writeDone:
				return
			}
		}
		if err != nil {
			return // the end, orderly or not, travels to the other side
		}
	}
}

// write delivers the queue and ends the stream to the other side after it.
func (l *lane) write() {
	defer close(l.writeDone)
	open := l.fault()
	for chunk := range l.queue {
		if open {
			time.Sleep(time.Until(chunk.due))
			l.conn.flight[l.direction].Store(chunk.flight) // before the peer can react to it
			open = l.deliver(chunk.data)
		}
		// Otherwise the data is lost, as on a network that was cut.
	}
	if open {
		l.to.closeWrite()
	}
}

// deliver writes the data up to a fault, and reports whether the stream is
// still open.
func (l *lane) deliver(data []byte) bool {
	for len(data) > 0 {
		n, rate := len(data), l.conn.behaviour.BytesPerSecond
		if l.dripping {
			rate = dripBytesPerSecond
		}
		if rate > 0 {
			n = min(n, max(rate/rateSlices, 1))
		}
		if len(l.faults) > 0 {
			n = min(n, int(l.faults[0].After-l.passed()))
		}
		if _, err := l.to.Write(data[:n]); err != nil {
			return false
		}
		l.conn.pass(l.direction, data[:n])
		data = data[n:]
		if rate > 0 {
			time.Sleep(time.Duration(n) * time.Second / time.Duration(rate))
		}
		if !l.fault() {
			return false
		}
	}
	return true
}

func (l *lane) passed() int64 { return l.conn.passed[l.direction].Load() }

// fault causes the next fault if it is due, and reports whether the stream is
// still open.
func (l *lane) fault() bool {
	if len(l.faults) == 0 || l.faults[0].After > l.passed() {
		return true
	}
	client, server := l.conn.client, l.conn.server
	switch l.faults[0].Action {
	case Reset:
		client.reset()
		server.reset()
	case Close:
		// Only half of it is closed, and what the client still sends is read:
		// closing a socket with unread bytes would send RST.
		_ = client.tcp.CloseWrite()
		_ = server.tcp.Close()
	case CloseNotify:
		client.closeWrite()
		_ = server.tcp.Close()
	case HalfClose:
		_ = client.tcp.CloseWrite()
		l.faults = l.faults[1:]
		// In the other direction nothing is lost.
		return l.direction == ToServer
	case Stall:
		select {
		case <-l.readDone:
		case <-l.other.readDone:
		}
		client.reset()
		server.reset()
	case Drip:
		l.faults, l.dripping = l.faults[1:], true
		return true
	case Late:
		<-l.conn.released
		l.faults = l.faults[1:]
		return true
	}
	return false
}
