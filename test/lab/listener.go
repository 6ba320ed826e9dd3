package lab

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"
)

// Upstream is what a proxy stands in front of: a [Server] or another proxy.
type Upstream interface {
	// Addr returns host:port of the implicit TLS port.
	Addr() string
	// TLS returns a client configuration that trusts it.
	TLS() *tls.Config
	// certificate is what a proxy in front of it shows instead.
	certificate() tls.Certificate
}

func (srv *Server) certificate() tls.Certificate { return srv.id.leaf }

// listener accepts the connections of a proxy and ends them with the test.
type listener struct {
	// Host and Port are where clients connect to, with implicit TLS and the
	// certificate of the server.
	Host string
	Port int

	upstream Upstream
	net      net.Listener
	wait     sync.WaitGroup

	mu     sync.Mutex
	conns  map[net.Conn]bool
	closed bool
}

const dialTimeout = 10 * time.Second

// newListener opens the port of a proxy. Nobody is served before accept.
func newListener(t testing.TB, upstream Upstream) *listener {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen for the proxy: %v", err)
	}
	addr := inner.Addr().(*net.TCPAddr)
	l := &listener{
		Host: addr.IP.String(), Port: addr.Port,
		upstream: upstream, net: inner, conns: map[net.Conn]bool{},
	}
	t.Cleanup(l.close)
	return l
}

// accept begins to serve. Each connection is served in a goroutine of its own,
// with its number from 0; serve returns when it is done with it.
func (l *listener) accept(serve func(client net.Conn, number int)) {
	l.wait.Go(func() {
		for number := 0; ; number++ {
			client, err := l.net.Accept()
			if err != nil {
				return // closed
			}
			l.wait.Go(func() {
				if l.keep(client) {
					serve(client, number)
				}
				l.drop(client)
			})
		}
	})
}

// Addr returns host:port of the proxy.
func (l *listener) Addr() string { return l.net.Addr().String() }

// TLS returns a client configuration that trusts the proxy.
func (l *listener) TLS() *tls.Config { return l.upstream.TLS() }

func (l *listener) certificate() tls.Certificate { return l.upstream.certificate() }

// dial connects to the server behind the proxy.
func (l *listener) dial() (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", l.upstream.Addr())
	if err != nil {
		return nil, fmt.Errorf("connect to the server: %w", err)
	}
	if !l.keep(conn) {
		return nil, errors.New("the proxy has been stopped")
	}
	return conn, nil
}

// keep makes sure that the connection does not outlive the proxy.
func (l *listener) keep(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = conn.Close()
		return false
	}
	l.conns[conn] = true
	return true
}

func (l *listener) drop(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = conn.Close()
	delete(l.conns, conn)
}

// Disconnect ends all connections that exist now; new ones are served.
func (l *listener) Disconnect() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for conn := range l.conns {
		_ = conn.Close()
	}
}

func (l *listener) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	_ = l.net.Close()
	l.Disconnect()
	l.wait.Wait()
}
