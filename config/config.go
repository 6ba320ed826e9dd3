package config

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"os"
	"time"
)

// Config is a configuration without errors.
type Config struct {
	// StateDir is the absolute path of the directory for what Mailmoor
	// remembers.
	StateDir string
	// LogLevel is "trace", "debug", "info", "warn" or "error".
	LogLevel string
	// Accounts stand in the order of the file. There is at least one.
	Accounts []Account
}

// Account is everything that is configured for one account, defaults included.
type Account struct {
	Name string
	// Host is a host name or an IP address, without a port.
	Host string
	Port int
	TLS  TLSMode
	// CAFile is the path of a PEM file with the certificates to trust instead
	// of the system's, "" for the system's. RootCAs reads it.
	CAFile string
	// Pins are SHA-256 digests of the SubjectPublicKeyInfo structures of which
	// the server must show one (RFC 7469, section 2.4); without any, a trusted
	// certificate will do.
	Pins [][sha256.Size]byte
	// Patience is how long the server may be silent when it has to answer. All other
	// limits on time follow from it.
	Patience time.Duration
	User     string
	Auth     Auth
	// Password is set only when it stands in the file itself.
	Password Secret
	// PasswordCommand is the program with its arguments that prints the
	// password, nil when there is none.
	PasswordCommand []string
	// Maildir is the absolute path of the account's root.
	Maildir string
	// Layout says how the folders are nested below the root.
	Layout Layout
	// InfoSeparator stands between key and flags in the names of message files. Without
	// one the tree's own is found out.
	InfoSeparator InfoSeparator
	// Mailboxes selects what is kept in step.
	Mailboxes Mailboxes
	// Rename has other names for the folders of mailboxes, with slashes between
	// levels: by the mailbox's name, or by the attribute of its special use, such
	// as `\Sent`. RFC 6154, section 2.
	Rename map[string]string
	// Roles has the mailboxes to which the user gives a special use, by its
	// attribute. RFC 6154, section 2.
	Roles map[string]string
	// Direction says which side's changes travel.
	Direction Direction
	// MaxSize is the largest size, in bytes, of a message to download, 0 for any.
	MaxSize int64
	// MaxAgeDays is how old a message to download may be, 0 for any age.
	MaxAgeDays int
	// Connections is the greatest number of connections to the server.
	Connections int
	Delete      Delete
	// HoldDays is how many days a removed file rests in the hold area.
	HoldDays int
	Guard    Guard
}

// Guard holds the thresholds beyond which removals wait for approval. A
// removal is reversible when the message goes to the server's Trash or to the
// hold area, and final otherwise.
type Guard struct {
	ReversibleCount   int
	ReversiblePercent int
	FinalCount        int
	FinalPercent      int
	// TrashCount is for removals inside Trash itself.
	TrashCount int
}

// TLSMode says how the connection is protected.
type TLSMode string

// The TLS modes.
const (
	TLSImplicit TLSMode = "implicit" // TLS from the first byte. RFC 8314, section 3.2
	TLSStart    TLSMode = "starttls" // STARTTLS, and no login without it
	TLSNone     TLSMode = "none"     // in the clear, only to this machine
)

// Auth is the way to log in. The empty one is the best that the server offers.
type Auth string

// The ways to log in.
const (
	AuthPlain Auth = "plain" // AUTHENTICATE PLAIN. RFC 4616
	AuthLogin Auth = "login" // AUTHENTICATE LOGIN, or the LOGIN command. RFC 9051, section 6.2.3
)

// Delete says what becomes of a message on the server that the user deleted
// locally.
type Delete string

// The ways to delete.
const (
	DeleteTrash   Delete = "trash"   // move it to the server's Trash, where there is one
	DeleteExpunge Delete = "expunge" // remove it for good
)

// Layout says how the folders are nested on the disk.
type Layout string

// The layouts.
const (
	LayoutFS          Layout = "fs"        // directories inside directories
	LayoutMaildirPlus Layout = "maildir++" // side by side; INBOX is the root itself
)

// InfoSeparator is what stands before the flags in a file's name.
type InfoSeparator string

// The separators.
const (
	SeparatorColon       InfoSeparator = ":" // Maildir's own
	SeparatorExclamation InfoSeparator = "!" // for disks that take no colon
	SeparatorSemicolon   InfoSeparator = ";" // likewise
)

// Direction says which side's changes travel to the other one.
type Direction string

// The directions.
const (
	DirectionBoth Direction = "both"
	DirectionPull Direction = "pull" // only the server's
	DirectionPush Direction = "push" // only the tree's
)

// Account returns the account of that name, or an error that names the nearest
// one.
func (c Config) Account(name string) (Account, error) {
	names := make([]string, 0, len(c.Accounts))
	for _, a := range c.Accounts {
		if a.Name == name {
			return a, nil
		}
		names = append(names, a.Name)
	}
	return Account{}, fmt.Errorf("there is no account %q%s", clip(name), suggest(nearest(name, names)))
}

// RootCAs returns the certificates to trust, nil when the system's are meant.
func (a Account) RootCAs() (*x509.CertPool, error) {
	if a.CAFile == "" {
		return nil, nil //nolint:nilnil // a nil pool is crypto/tls's word for the system's
	}
	info, err := os.Stat(a.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read the certificates of tls_ca: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > fileBytesMax {
		return nil, fmt.Errorf("read the certificates of tls_ca: %q is not a file of at most %d bytes",
			a.CAFile, fileBytesMax)
	}
	pem, err := os.ReadFile(a.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read the certificates of tls_ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read the certificates of tls_ca: %q holds no certificate in PEM form", a.CAFile)
	}
	return pool, nil
}
