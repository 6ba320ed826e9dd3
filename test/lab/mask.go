package lab

import (
	"bufio"
	"crypto/tls"
	"net"
	"sync"
	"testing"
)

// Proxy stands between a client and a server, hides capabilities and records
// the commands.
type Proxy struct {
	*listener
	Transcript
	hiding hiding
}

// Mask starts a proxy that makes the server behind it look as if it did not
// have the capabilities: they are gone from every announcement, their commands
// and arguments are answered BAD, their response codes and items are removed.
// Without names it only records. [Maskable] lists the names; the table in
// rules.go says what each hides. STARTTLS and COMPRESS are always hidden
// because the proxy could not read on after them, as is IMAP4rev2 as soon as
// anything is, because it implies most of the others.
func Mask(t testing.TB, upstream Upstream, hide ...string) *Proxy {
	t.Helper()
	p := &Proxy{listener: newListener(t, upstream), hiding: hiding{rules: []rule{
		{names: []string{"STARTTLS"}, commands: []string{"STARTTLS"}},
		{names: []string{"COMPRESS=DEFLATE"}, commands: []string{"COMPRESS"}},
	}}}
	table := rules()
	for _, name := range hide {
		rule, found := table[name]
		if !found {
			t.Fatalf("the proxy cannot hide %q; it can hide %v", name, Maskable())
		}
		rule.names = append(rule.names, "IMAP4REV2")
		p.hiding.rules = append(p.hiding.rules, rule)
		p.hiding.noNonSync = p.hiding.noNonSync || name == "LITERAL+"
	}
	p.accept(p.serve)
	return p
}

// serve relays one connection until either side ends it.
func (p *Proxy) serve(client net.Conn, number int) {
	server, err := p.dial()
	if err != nil {
		return // the client sees its connection end
	}
	defer p.drop(server)
	down := tls.Server(client, &tls.Config{Certificates: []tls.Certificate{p.certificate()}})
	up := tls.Client(server, p.TLS())
	s := &session{
		proxy: p, number: number,
		toClient: bufio.NewWriter(down), toServer: bufio.NewWriter(up),
		refused: map[string]bool{},
	}
	s.fromClient = bufio.NewReader(flushing{down, s.toServer})
	s.fromServer = bufio.NewReader(flushing{up, s.toClient})
	var wait sync.WaitGroup
	wait.Go(func() {
		_ = s.requests() // the end of the connection, or the test's own doing
		_ = s.toServer.Flush()
		_ = up.Close()
		s.release()
	})
	wait.Go(func() {
		_ = s.responses()
		_ = s.toClient.Flush()
		_ = down.Close()
		s.release()
	})
	wait.Wait()
}
