package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/adrg/xdg"
	"github.com/google/go-cmp/cmp"
)

// full sets every key that is built, each in the way that is most likely to go
// wrong.
const full = `
state_dir = "/state/of/mail"
log_level = "debug"
user = "me@example.org"
guard = { final_count = 5, trash_count = 6 }
password_command = "pass show \"mail\""

[account.work]
host = "[::1]"
port = 10143
tls = "starttls"
tls_pin = ["sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="]
auth = "login"
maildir = "~/Mail//work/"
mailboxes = ["*", "!Spam/*"]
connections = 10
delete = "expunge"
hold_days = 1
layout = "maildir++"
info_separator = ";"
direction = "pull"
max_size = "20 MB"
max_age = "2 years"
trashed_flag = "mirror"
[account.work.guard]
final_count = 7
reversible_percent = 0

[account.home-2]
host = "imap.example.org"
user = "you@example.org"
maildir = "/srv/mail"
password_command = ["pass", "show", "home"]
`

func TestParse(t *testing.T) {
	got, err := parseText(full)
	if err != nil {
		t.Fatal(err)
	}
	work, home := defaultAccount(), defaultAccount()
	work.Name, work.Host, work.Port, work.TLS = "work", "::1", 10143, TLSStart
	work.Pins = [][32]byte{{
		0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
		0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
	}}
	work.User, work.Auth = "me@example.org", AuthLogin
	work.PasswordCommand = []string{"sh", "-c", `pass show "mail"`}
	work.Maildir, work.Connections, work.Delete, work.HoldDays = "/home/me/Mail/work", 10, DeleteExpunge, 1
	work.Layout, work.InfoSeparator = LayoutMaildirPlus, SeparatorSemicolon
	work.Direction, work.MaxSize, work.MaxAgeDays = DirectionPull, 20_000_000, 730
	work.Mailboxes, _ = parseMailboxes([]string{"*", "!Spam/*"})
	work.Guard = Guard{ReversibleCount: 100, FinalCount: 7, FinalPercent: 10, TrashCount: 6}
	home.Name, home.Host, home.Port, home.User = "home-2", "imap.example.org", 993, "you@example.org"
	home.Maildir, home.PasswordCommand = "/srv/mail", []string{"pass", "show", "home"}
	home.Guard.FinalCount, home.Guard.TrashCount = 5, 6
	want := Config{StateDir: "/state/of/mail", LogLevel: "debug", Accounts: []Account{work, home}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

func TestSmallestIsEnough(t *testing.T) {
	got, err := parseText(Smallest)
	if err != nil {
		t.Fatal(err)
	}
	want := defaultAccount()
	want.Name, want.Host, want.Port, want.User = "personal", "imap.example.org", 993, "me@example.org"
	want.PasswordCommand, want.Maildir = []string{"sh", "-c", "pass show mail/personal"}, "/home/me/Mail/personal"
	if diff := cmp.Diff(Config{StateDir: "/state", LogLevel: "info", Accounts: []Account{want}}, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

func TestPortFollowsFromTLS(t *testing.T) {
	for mode, want := range map[TLSMode]int{TLSImplicit: 993, TLSStart: 143, TLSNone: 143} {
		c, err := parseText(`tls = "` + string(mode) + `"` +
			"\n[account.a]\nhost = \"LOCALHOST\"\nuser = \"u\"\nmaildir = \"/m\"")
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Accounts[0].Port; got != want {
			t.Errorf("port for %s is %d, want %d", mode, got, want)
		}
	}
}

// TestOwnSecretWins checks that an account's own way to a password replaces the
// one at the top of the file.
func TestOwnSecretWins(t *testing.T) {
	text := "password_command = \"pass\"\n[account.a]\nhost = \"h\"\nuser = \"u\"\nmaildir = \"/m\"\npassword = \"x\""
	c, err := source{file: "f", data: []byte(text), stateDir: "/state"}.parse()
	if err != nil {
		t.Fatal(err)
	}
	if a := c.Accounts[0]; a.PasswordCommand != nil || a.Password.Reveal() != "x" {
		t.Errorf("command %q and password %q, want none and x", a.PasswordCommand, a.Password.Reveal())
	}
}

func TestAccountNearest(t *testing.T) {
	c, err := parseText(full)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := c.Account("work"); err != nil || a.Name != "work" {
		t.Errorf("got %q, %v", a.Name, err)
	}
	_, err = c.Account("worl")
	if want := `there is no account "worl"; did you mean work?`; err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}

// writeConfig writes the file with the mode and returns its path.
func writeConfig(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, mode); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestLoadDefaultPath(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "conf"))
	t.Setenv("XDG_STATE_HOME", filepath.Join(home, "state"))
	xdg.Reload()
	t.Cleanup(xdg.Reload)

	_, err := Load("")
	var missing *NotFoundError
	if !errors.As(err, &missing) || !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("got %v, want a *NotFoundError", err)
	}
	file := filepath.Join(home, "conf", "mailmoor", "config.toml")
	if missing.Path != file || !strings.Contains(err.Error(), file) {
		t.Errorf("the error does not show %s: %v", file, err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("\ufeff"+Smallest), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(home, "state", "mailmoor"); c.StateDir != want {
		t.Errorf("state_dir is %s, want %s", c.StateDir, want)
	}
	if want := filepath.Join(home, "Mail", "personal"); c.Accounts[0].Maildir != want {
		t.Errorf("maildir is %s, want %s", c.Accounts[0].Maildir, want)
	}
}

func TestLoadLimits(t *testing.T) {
	long := writeConfig(t, strings.Repeat("#", fileBytesMax+1), 0o600)
	for _, file := range []string{long, t.TempDir()} {
		_, err := Load(file)
		var all *Error
		if !errors.As(err, &all) || all.Problems[0].File != file {
			t.Errorf("got %v, want an *Error that names %s", err, file)
		}
	}
}

func TestPasswordNeedsPrivateFile(t *testing.T) {
	text := Smallest[:strings.Index(Smallest, "password_command")] +
		"password = \"hunter2\"\nmaildir = \"" + t.TempDir() + "\"\n"
	for mode, private := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o640: false, 0o604: false, 0o610: false} {
		file := writeConfig(t, text, mode)
		c, err := Load(file)
		if private {
			if err != nil || c.Accounts[0].Password.Reveal() != "hunter2" {
				t.Errorf("mode %04o: %v", mode, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), "account.personal.password") ||
			!strings.Contains(err.Error(), "chmod 600 '"+file+"'") {
			t.Errorf("mode %04o: got %v, want an error with the command to run", mode, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("mode %04o: the error shows the password", mode)
		}
	}
}

func TestPasswordNeedsOwnFile(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give a file away")
	}
	file := writeConfig(t, strings.Replace(Smallest, "password_command", "password", 1), 0o600)
	if err := os.Chown(file, 12345, -1); err != nil {
		t.Fatal(err)
	}
	_, err := Load(file)
	if err == nil || !strings.Contains(err.Error(), "belongs to the user with number 12345") {
		t.Errorf("got %v, want an error that names the owner", err)
	}
}

func TestRootCAs(t *testing.T) {
	cert := selfSigned(t)
	good := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(good, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := writeConfig(t, "no certificate", 0o600)
	text := strings.ReplaceAll(Smallest, "~/", t.TempDir()+"/") + "tls_ca = "

	c, err := Load(writeConfig(t, text+`"`+good+`"`, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	pool, err := c.Accounts[0].RootCAs()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cert.Verify(x509.VerifyOptions{Roots: pool}); err != nil {
		t.Errorf("the pool does not trust the certificate: %v", err)
	}
	for _, bad := range []string{empty, good + ".missing", filepath.Dir(good)} {
		if _, err := Load(writeConfig(t, text+`"`+bad+`"`, 0o600)); err == nil ||
			!strings.Contains(err.Error(), "account.personal.tls_ca") {
			t.Errorf("%s: got %v, want an error of tls_ca", bad, err)
		}
	}
	if pool, err := (Account{}).RootCAs(); pool != nil || err != nil {
		t.Errorf("without tls_ca: got %v, %v, want the system's", pool, err)
	}
}

// selfSigned returns a new certificate.
func selfSigned(t *testing.T) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true,
		NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// TestNoHome runs without a home directory, as some service managers do.
func TestNoHome(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.toml")
	text := strings.Replace(Smallest, "~/Mail", "/mail", 1)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(file, []byte(text), 0o600))
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"} {
		t.Setenv(name, "")
	}
	if _, err := Load(""); err == nil || !strings.Contains(err.Error(), "HOME is not set; set it, or name the file with --config") {
		t.Errorf("without a file: %v", err)
	}
	if _, err := Load(file); err == nil || !strings.Contains(err.Error(), "set HOME or state_dir") {
		t.Errorf("without a state directory: %v", err)
	}
	must(os.WriteFile(file, []byte("state_dir = \"/state\"\n"+text), 0o600))
	if _, err := Load(file); err != nil {
		t.Errorf("where nothing lies in the home directory: %v", err)
	}
	if _, err := Load(filepath.Dir(file)); err == nil || !strings.Contains(err.Error(), "it is a directory; name the file in it") {
		t.Errorf("a directory: %v", err)
	}
}
