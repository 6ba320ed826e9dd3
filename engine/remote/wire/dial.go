package wire

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"mailmoor/state"
)

// Security says how the connection is protected.
type Security uint8

// The ways to protect a connection.
const (
	Implicit Security = iota // TLS from the first byte, port 993. RFC 8314, section 3.
	StartTLS                 // TLS by STARTTLS, port 143, never without
	Plain                    // no TLS; only to this computer itself
)

// The defaults and limits of Config.
const (
	connectTimeoutDefault  = 30 * time.Second
	progressTimeoutDefault = 60 * time.Second
	literalMaxDefault      = 2 << 30
	lineMaxDefault         = 1 << 20
	searchLineMax          = 64 << 20
)

// Config is what Dial needs to know.
type Config struct {
	// Host is a name or an IP address; Port is a TCP port.
	Host     string
	Port     int
	Security Security
	// Roots are the authorities to trust; nil means the system's.
	Roots *x509.CertPool
	// Pins are SHA-256 sums of SubjectPublicKeyInfo structures. When there are
	// any, one of them must match a key of the verified chain, or else the
	// server's own key. In the second case no authority needs to vouch for the
	// certificate, and its names and dates do not count, because the key itself
	// is what identifies the server. RFC 7671, section 5.1.
	Pins [][32]byte
	User string
	// Secret returns the password. It is called at most once, and only when the
	// connection is protected and the server wants a login.
	Secret func(context.Context) (string, error)
	// Mechanism is PLAIN or LOGIN; empty means the best that the server offers.
	Mechanism string
	// ConnectTimeout bounds the TCP and the TLS handshake, each; 0 means 30 s.
	ConnectTimeout time.Duration
	// ProgressTimeout is how long not a single byte may move while an answer is
	// due; 0 means 60 s. The other limits on time are multiples of it: see
	// patience.go.
	ProgressTimeout time.Duration
	// LiteralMax is the greatest message in bytes, 0 means 2 GiB; LineMax is
	// the greatest line, 0 means 1 MiB. Lists of search results may be longer, as far
	// as the mailbox has messages.
	LiteralMax int64
	LineMax    int
	// Hide are capabilities to treat as if the server did not have them.
	Hide []string
	// Trace, if not nil, is called for every protocol line. Secrets and the
	// contents of messages never reach it. It must not call the Conn.
	Trace func(Event)
	// Version is the program's, told to servers that know ID. RFC 2971.
	Version string
}

func (cfg Config) withDefaults() Config {
	cfg.Host = strings.TrimSuffix(strings.TrimPrefix(cfg.Host, "["), "]")
	if cfg.ConnectTimeout <= 0 {
		cfg.ConnectTimeout = connectTimeoutDefault
	}
	if cfg.ProgressTimeout <= 0 {
		cfg.ProgressTimeout = progressTimeoutDefault
	}
	if cfg.LiteralMax <= 0 {
		cfg.LiteralMax = literalMaxDefault
	}
	if cfg.LineMax <= 0 {
		cfg.LineMax = lineMaxDefault
	}
	return cfg
}

// address is how the server is called in messages.
func (cfg Config) address() string {
	return net.JoinHostPort(cfg.Host, strconv.Itoa(cfg.Port))
}

// Dial connects, protects the connection, logs in and returns a Conn for
// go-imap. Its errors are *state.Error of account scope with one of the causes
// CauseNetwork, CauseTLS, CauseLogin and CauseConfig.
func Dial(ctx context.Context, cfg Config) (*Conn, error) {
	cfg = cfg.withDefaults()
	raw, err := connect(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if cfg.Security == Plain && !loopback(raw.RemoteAddr()) {
		raw.Close()
		return nil, problem(state.CauseConfig, state.Textf("connect to %s", cfg.address()),
			`set tls = "implicit" or tls = "starttls"; tls = "none" works only on this computer itself`,
			fmt.Errorf("%s is another computer: the password would travel unprotected", raw.RemoteAddr()))
	}
	return open(ctx, cfg, raw)
}

// open makes a Conn of a fresh transport and owns it from then on.
func open(ctx context.Context, cfg Config, raw net.Conn) (*Conn, error) {
	s := newSession(cfg, raw)
	// Closing the transport is what ends a read that waits when ctx ends.
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	err := s.establish(ctx)
	if !stop() {
		err = problem(state.CauseNetwork, state.Textf("connect to %s", cfg.address()), "", context.Cause(ctx))
	}
	if err != nil {
		s.raw.Close()
		return nil, err
	}
	return newConn(s), nil
}

func connect(ctx context.Context, cfg Config) (net.Conn, error) {
	dialer := net.Dialer{
		Timeout: cfg.ConnectTimeout,
		// An idle connection finds out within two minutes that its peer is gone.
		KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: time.Minute, Interval: 15 * time.Second, Count: 4,
		},
	}
	raw, err := dialer.DialContext(ctx, "tcp", cfg.address())
	if err == nil {
		return raw, nil
	}
	hint := state.Text("check the network connection and the account's host and port")
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		hint = "check the account's host; without a network no name can be found either"
	}
	return nil, problem(state.CauseNetwork, state.Textf("connect to %s", cfg.address()), hint, err)
}

func loopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// problem is an error that stops the account, or this connection of it.
func problem(cause state.Cause, doing, hint state.Text, err error) *state.Error {
	return &state.Error{Scope: state.ScopeAccount, Cause: cause, Doing: doing, Hint: hint, Err: err}
}
