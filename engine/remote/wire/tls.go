package wire

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"mailmoor/state"
)

// Pin returns the SHA-256 sum of the certificate's SubjectPublicKeyInfo.
func Pin(cert *x509.Certificate) [32]byte {
	return sha256.Sum256(cert.RawSubjectPublicKeyInfo)
}

// PinString returns the pin as messages and the configuration show it:
// "sha256:" and Base64.
func PinString(pin [32]byte) string {
	return "sha256:" + base64.StdEncoding.EncodeToString(pin[:])
}

var errPin = errors.New("no pin matches")

// verifyError is why a certificate was refused, with the certificate.
type verifyError struct {
	leaf *x509.Certificate
	err  error
}

func (e *verifyError) Error() string { return e.err.Error() }
func (e *verifyError) Unwrap() error { return e.err }

// protect runs the TLS handshake over raw.
func protect(ctx context.Context, cfg Config, raw net.Conn) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, cfg.ConnectTimeout)
	defer cancel()
	conn := tls.Client(raw, &tls.Config{
		MinVersion: tls.VersionTLS12,
		ServerName: cfg.Host,
		RootCAs:    cfg.Roots,
		// The standard check runs in VerifyConnection instead, where its error
		// can be weighed against the pins. VerifyConnection always runs.
		InsecureSkipVerify: true,
		VerifyConnection:   cfg.verify,
	})
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, explainTLS(cfg, err)
	}
	return conn, nil
}

// verify is the standard check of a server's chain, and the pins.
func (cfg Config) verify(cs tls.ConnectionState) error {
	if len(cs.PeerCertificates) == 0 {
		return errors.New("the server sent no certificate")
	}
	leaf := cs.PeerCertificates[0]
	options := x509.VerifyOptions{Roots: cfg.Roots, DNSName: cfg.Host, Intermediates: x509.NewCertPool()}
	for _, cert := range cs.PeerCertificates[1:] {
		options.Intermediates.AddCert(cert)
	}
	chains, err := leaf.Verify(options)
	switch {
	case len(cfg.Pins) == 0 && err == nil:
		return nil
	case len(cfg.Pins) == 0:
		return &verifyError{leaf, err}
	case slices.Contains(cfg.Pins, Pin(leaf)):
		return nil
	}
	for _, chain := range chains {
		for _, cert := range chain {
			if slices.Contains(cfg.Pins, Pin(cert)) {
				return nil
			}
		}
	}
	return &verifyError{leaf, errPin}
}

// explainTLS says in words what was wrong with the handshake.
func explainTLS(cfg Config, err error) error {
	doing := state.Textf("protect the connection to %s", cfg.address())
	var refused *verifyError
	if errors.As(err, &refused) {
		text, hint := explainCertificate(cfg, refused)
		return problem(state.CauseTLS, doing, hint, errors.New(string(text)))
	}
	var record tls.RecordHeaderError
	if errors.As(err, &record) {
		if string(record.RecordHeader[:]) == "HTTP/" {
			return captivePortal(cfg)
		}
		return problem(state.CauseTLS, doing,
			`check the port; on port 143 it is tls = "starttls"`, errors.New("the server does not speak TLS there"))
	}
	var network net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return problem(state.CauseNetwork, doing, "", fmt.Errorf("no TLS handshake within %s", cfg.ConnectTimeout))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return problem(state.CauseNetwork, doing, "check the account's port", errors.New("the server closed the connection"))
	case errors.Is(err, context.Canceled), errors.As(err, &network) && !alert(err):
		return problem(state.CauseNetwork, doing, "", err)
	}
	return problem(state.CauseTLS, doing, "the server needs TLS 1.2 or later and a certificate", err)
}

// alert reports whether err is the peer's word within TLS rather than the
// network's: crypto/tls gives both the type net.OpError.
func alert(err error) bool { return strings.Contains(err.Error(), "tls: ") }

func explainCertificate(cfg Config, refused *verifyError) (text, hint state.Text) {
	pin := PinString(Pin(refused.leaf))
	own := state.Textf("if it is your own server, set tls_ca to the authority's file or tls_pin = %q", pin)
	var (
		invalid x509.CertificateInvalidError
		host    x509.HostnameError
		unknown x509.UnknownAuthorityError
	)
	switch err := refused.err; {
	case errors.Is(err, errPin):
		return state.Textf("the server's key is %s, which is not pinned", pin),
			"if the server has a new key, set tls_pin to it; if it has not, somebody listens in"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		day := time.RFC3339
		if time.Now().Before(refused.leaf.NotBefore) {
			return state.Textf("the certificate is not valid before %s", refused.leaf.NotBefore.UTC().Format(day)),
				"check this computer's clock"
		}
		return state.Textf("the certificate expired on %s", refused.leaf.NotAfter.UTC().Format(day)),
			"the server needs a new certificate; if it has one, check this computer's clock"
	case errors.As(err, &host):
		return state.Textf("the certificate is for %s, not for %s", names(refused.leaf), cfg.Host),
			"set host to one of the certificate's names; " + own
	case errors.As(err, &unknown):
		return state.Textf("the certificate is signed by an authority that this computer does not know (%s); the server's key is %s",
			refused.leaf.Issuer, pin), own
	default:
		return state.Textf("%s; the server's key is %s", err, pin), own
	}
}

// names lists whom the certificate is for.
func names(cert *x509.Certificate) state.Text {
	all := slices.Clone(cert.DNSNames)
	for _, ip := range cert.IPAddresses {
		all = append(all, ip.String())
	}
	if len(all) == 0 {
		return "nobody by name"
	}
	const shown = 10
	if len(all) > shown {
		all = append(all[:shown], "...")
	}
	return state.List(all)
}

// captivePortal is the answer of something that is not an IMAP server.
func captivePortal(cfg Config) error {
	return problem(state.CauseNetwork, state.Textf("connect to %s", cfg.address()),
		"if this network wants a login in the browser first, do that; else check host and port",
		errors.New("a web server answers there, not an IMAP server"))
}
