package quirk

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"
)

// The one user of every server.
const (
	User     = "user"
	Password = "secret"
)

// Options is what a server is like as long as it lives. What changes from run to
// run are its quirks.
type Options struct {
	// Delimiter separates the levels of mailbox names; empty means "/".
	Delimiter string
	// Prefix begins the names of all mailboxes but INBOX, such as "INBOX.". The
	// server refuses to create others. RFC 2342.
	Prefix string
}

// Server is an IMAP server with its mail in memory, on a loopback port with
// implicit TLS. Its methods may be used by any goroutine.
type Server struct {
	// Host and Port are where it listens; Roots trusts its certificate.
	Host  string
	Port  int
	Roots *x509.CertPool

	o        Options
	listener net.Listener
	wait     sync.WaitGroup

	mu        sync.Mutex
	closed    bool
	conns     map[net.Conn]bool
	quirks    []Quirk
	mailboxes []*box
	validity  uint32 // the last UIDVALIDITY given out
	log       []string
	changes   int
	effects   map[string]int // how often a quirk of that name made a difference
}

// New starts a server that has INBOX, Trash, Archive and Drafts and no quirks. It
// ends with the test.
func New(t testing.TB, o Options) *Server {
	t.Helper()
	if o.Delimiter == "" {
		o.Delimiter = "/"
	}
	srv := &Server{o: o, Roots: x509.NewCertPool(), conns: make(map[net.Conn]bool), effects: make(map[string]int), validity: 1000}
	certificate, err := srv.identity()
	if err != nil {
		t.Fatalf("make a certificate: %v", err)
	}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	addr := plain.Addr().(*net.TCPAddr)
	srv.Host, srv.Port = addr.IP.String(), addr.Port
	srv.listener = tls.NewListener(plain, &tls.Config{Certificates: []tls.Certificate{certificate}})
	srv.CreateMailbox("INBOX")
	srv.CreateMailbox(o.Prefix+"Trash", `\Trash`)
	srv.CreateMailbox(o.Prefix+"Archive", `\Archive`)
	srv.CreateMailbox(o.Prefix+"Drafts", `\Drafts`)
	srv.wait.Go(srv.accept)
	t.Cleanup(srv.close)
	return srv
}

// identity makes a certificate for loopback that only Roots trusts.
func (srv *Server) identity() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Mailmoor test"},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, err
	}
	srv.Roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// Switch makes these the server's quirks from now on, also for connections that
// exist; without any it is a good server again.
func (srv *Server) Switch(quirks ...Quirk) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.quirks = quirks
}

// Commands returns the commands of the clients so far, without literals and
// secrets.
func (srv *Server) Commands() []string {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	return append([]string(nil), srv.log...)
}

// Changes returns how often clients have changed something.
func (srv *Server) Changes() int {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	return srv.changes
}

// Effects returns how often a quirk has made a difference. A test that it never made
// shows nothing.
func (srv *Server) Effects(q Quirk) int {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	return srv.effects[q.Name]
}

func (srv *Server) accept() {
	for {
		conn, err := srv.listener.Accept()
		if err != nil {
			return // closed
		}
		srv.wait.Go(func() {
			if srv.keep(conn) {
				newSession(srv, conn).serve()
			}
			srv.drop(conn)
		})
	}
}

func (srv *Server) keep(conn net.Conn) bool {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.conns[conn] = !srv.closed
	return !srv.closed
}

func (srv *Server) drop(conn net.Conn) {
	srv.mu.Lock()
	delete(srv.conns, conn)
	srv.mu.Unlock()
	_ = conn.Close()
}

func (srv *Server) close() {
	srv.mu.Lock()
	srv.closed = true
	_ = srv.listener.Close()
	for conn := range srv.conns {
		_ = conn.Close()
	}
	srv.mu.Unlock()
	srv.wait.Wait()
}
