package wire

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"mailmoor/state"
)

// authority signs certificates for the tests' servers.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test Authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	return &authority{sign(t, template, template, key, key), key}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

func sign(t *testing.T, template, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// issue makes a server certificate that is valid for an hour around now, moved
// by shift.
func (a *authority) issue(t *testing.T, shift time.Duration, names ...string) tls.Certificate {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "server"},
		NotBefore: time.Now().Add(shift - time.Hour), NotAfter: time.Now().Add(shift + time.Hour),
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	cert := sign(t, template, a.cert, key, a.key)
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
}

// listen runs the script for each connection to a port on this computer.
func listen(t *testing.T, run script) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				run(&server{t: t, conn: conn, in: bufio.NewReader(conn)})
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		wg.Wait()
	})
	return listener.Addr().(*net.TCPAddr).Port
}

// secured goes over to TLS and runs the script there.
func secured(cert tls.Certificate, maxVersion uint16, run script) script {
	return func(s *server) {
		conn := tls.Server(s.conn, &tls.Config{
			Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS10, MaxVersion: maxVersion,
		})
		defer conn.Close()
		if conn.Handshake() != nil {
			return // The client's error is what the test looks at.
		}
		run(&server{t: s.t, conn: conn, in: bufio.NewReader(conn)})
	}
}

// welcome lets the user u1 in.
func welcome(s *server) {
	s.send("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hello")
	tag := s.expect("AUTHENTICATE PLAIN AHUxAGh1bnRlcjI=")
	s.send(tag + " OK [CAPABILITY IMAP4rev1 MOVE] welcome")
	s.drain()
}

func dialTest(t *testing.T, cfg Config) error {
	t.Helper()
	conn, err := Dial(t.Context(), cfg)
	if err == nil {
		conn.Close()
	}
	return err
}

// wantError checks an error's cause, that of its words, and its hint.
func wantError(t *testing.T, err error, cause state.Cause, words, hint string) {
	t.Helper()
	if words == "" {
		if err != nil {
			t.Errorf("unexpected error: %v", err)
		}
		return
	}
	if err == nil {
		t.Fatalf("no error, want one about %q", words)
	}
	var e *state.Error
	if !errors.As(err, &e) {
		t.Fatalf("%T is no *state.Error: %v", err, err)
	}
	if e.Cause != cause || e.Scope != state.ScopeAccount {
		t.Errorf("cause %v, scope %v, want cause %v, scope account: %v", e.Cause, e.Scope, cause, err)
	}
	if !strings.Contains(err.Error(), words) {
		t.Errorf("error %q does not say %q", err, words)
	}
	if !strings.Contains(string(e.Hint), hint) {
		t.Errorf("hint %q does not say %q", e.Hint, hint)
	}
}

func TestCertificates(t *testing.T) {
	known, foreign := newAuthority(t), newAuthority(t)
	good := known.issue(t, 0, "127.0.0.1", "imap.example.org")
	strange := foreign.issue(t, 0, "127.0.0.1")
	elsewhere := foreign.issue(t, -48*time.Hour, "other.example.org")
	pin := func(cert *x509.Certificate) [][32]byte { return [][32]byte{{1}, Pin(cert)} }
	tests := []struct {
		name        string
		cert        tls.Certificate
		pins        [][32]byte
		maxVersion  uint16
		words, hint string
	}{
		{name: "good", cert: good},
		{name: "good and pinned", cert: good, pins: pin(good.Leaf)},
		{name: "authority pinned", cert: good, pins: pin(known.cert)},
		{name: "another key pinned", cert: good, pins: [][32]byte{{1}}, words: PinString(Pin(good.Leaf)), hint: "listens in"},
		{name: "expired", cert: known.issue(t, -48*time.Hour, "127.0.0.1"), words: "expired on 2", hint: "new certificate"},
		{name: "too early", cert: known.issue(t, 48*time.Hour, "127.0.0.1"), words: "not valid before 2", hint: "clock"},
		{
			name: "another host", cert: known.issue(t, 0, "mx.example.org", "10.1.2.3"),
			words: "is for mx.example.org, 10.1.2.3, not for 127.0.0.1", hint: "set host to one",
		},
		{name: "unknown authority", cert: strange, words: "(CN=Test Authority)", hint: `tls_pin = "` + PinString(Pin(strange.Leaf))},
		{name: "unknown authority, pinned", cert: strange, pins: pin(strange.Leaf)},
		{name: "unknown authority, that authority pinned", cert: strange, pins: pin(foreign.cert), words: "which is not pinned"},
		{name: "wrong in every way but pinned", cert: elsewhere, pins: pin(elsewhere.Leaf)},
		{name: "old TLS", cert: good, maxVersion: tls.VersionTLS11, words: "protocol version", hint: "TLS 1.2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := testConfig()
			cfg.Host, cfg.Security, cfg.Roots, cfg.Pins = "127.0.0.1", Implicit, known.pool(), test.pins
			cfg.Port = listen(t, secured(test.cert, test.maxVersion, welcome))
			wantSecret(t, &cfg, test.words == "")
			wantError(t, dialTest(t, cfg), state.CauseTLS, test.words, test.hint)
		})
	}
}

// wantSecret makes sure that the secret is asked for once, or never.
func wantSecret(t *testing.T, cfg *Config, wanted bool) {
	t.Helper()
	asked, secret := 0, cfg.Secret
	cfg.Secret = func(ctx context.Context) (string, error) { asked++; return secret(ctx) }
	t.Cleanup(func() {
		if wanted && asked != 1 || !wanted && asked != 0 {
			t.Errorf("the secret was asked for %d times, wanted: %v", asked, wanted)
		}
	})
}

func TestNoTLSThere(t *testing.T) {
	tests := []struct {
		name  string
		run   script
		cause state.Cause
		words string
	}{
		{"plain IMAP", func(s *server) { s.send("* OK hello"); s.drain() }, state.CauseTLS, "does not speak TLS"},
		{"captive portal", func(s *server) {
			s.send("HTTP/1.1 302 Found", "Location: http://portal/")
			s.drain()
		}, state.CauseNetwork, "a web server answers"},
		{"hangs up", func(*server) {}, state.CauseNetwork, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := testConfig()
			cfg.Host, cfg.Security, cfg.Port = "127.0.0.1", Implicit, listen(t, test.run)
			err := dialTest(t, cfg)
			if err == nil || state.CauseOf(err) != test.cause || !strings.Contains(err.Error(), test.words) {
				t.Errorf("got %v, want cause %v and the words %q", err, test.cause, test.words)
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := testConfig()
	cfg.Host, cfg.Port = "127.0.0.1", listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	wantError(t, dialTest(t, cfg), state.CauseNetwork, "connect to 127.0.0.1:", "host and port")
}

func TestLoopback(t *testing.T) {
	tests := map[string]bool{
		"127.0.0.1": true, "127.8.8.8": true, "::1": true, "10.0.0.1": false, "2001:db8::1": false,
	}
	for text, want := range tests {
		if got := loopback(&net.TCPAddr{IP: net.ParseIP(text)}); got != want {
			t.Errorf("loopback(%s) = %v, want %v", text, got, want)
		}
	}
}

func TestPlainOnlyToThisComputer(t *testing.T) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, addr := range addrs {
		network, is := addr.(*net.IPNet)
		if !is || !network.IP.IsGlobalUnicast() {
			continue
		}
		listener, err := net.Listen("tcp", net.JoinHostPort(network.IP.String(), "0"))
		if err != nil {
			continue
		}
		defer listener.Close()
		cfg := testConfig()
		cfg.Host, cfg.Port = network.IP.String(), listener.Addr().(*net.TCPAddr).Port
		wantSecret(t, &cfg, false)
		wantError(t, dialTest(t, cfg), state.CauseConfig, "is another computer", `tls = "starttls"`)
		return
	}
	t.Skip("no address but the loopback's")
}
