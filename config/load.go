package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/adrg/xdg"
)

// fileBytesMax bounds the configuration file and the files that it names.
const fileBytesMax = 1 << 20

// Smallest is the smallest configuration. All other keys have safe defaults.
const Smallest = `[account.personal]
host = "imap.example.org"
user = "me@example.org"
password_command = "pass show mail/personal"
maildir = "~/Mail/personal"
`

// NotFoundError says that there is no configuration file. It is
// fs.ErrNotExist.
type NotFoundError struct {
	Path string
}

// Error names the file.
func (e *NotFoundError) Error() string {
	return fmt.Sprintf("%s: there is no such file", e.Path)
}

// Unwrap returns fs.ErrNotExist.
func (e *NotFoundError) Unwrap() error { return fs.ErrNotExist }

// DefaultPath returns where the configuration is looked for when nobody says
// otherwise: mailmoor/config.toml in $XDG_CONFIG_HOME, or in what stands for
// it on this system (~/.config on Linux, ~/Library/Application Support on
// macOS).
func DefaultPath() string { return filepath.Join(xdg.ConfigHome, "mailmoor", "config.toml") }

// source is a configuration file together with all that its meaning depends
// on.
type source struct {
	file     string // its name for messages
	data     []byte
	home     string // "" when unknown
	stateDir string // the default
	// public says why the file may not hold a password, nil when it may.
	public error
	// files is true when the files and directories that the configuration
	// names are looked at.
	files bool
}

// Load reads the configuration from the file, or from DefaultPath when file is
// empty. The error is a *NotFoundError or an *Error.
func Load(file string) (Config, error) {
	s := source{file: file, files: true}
	// Without a home directory only what would lie in it is an error.
	s.home, _ = os.UserHomeDir()
	if s.home != "" || os.Getenv("XDG_STATE_HOME") != "" {
		s.stateDir = filepath.Join(xdg.StateHome, "mailmoor")
	}
	if file == "" {
		if s.home == "" && os.Getenv("XDG_CONFIG_HOME") == "" {
			return Config{}, report([]Problem{{File: "config.toml", Text: "it is looked for in the home directory, " +
				"but HOME is not set; set it, or name the file with --config"}})
		}
		s.file = DefaultPath()
	}
	if err := s.read(); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return Config{}, &NotFoundError{Path: s.file}
		}
		return Config{}, report([]Problem{{File: s.file, Text: "read the configuration: " + plain(err)}})
	}
	return s.parse()
}

// read fills in what the file itself says.
func (s *source) read() error {
	f, err := os.Open(s.file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.IsDir() {
		return fmt.Errorf("it is a directory; name the file in it, such as %s", filepath.Join(s.file, "config.toml"))
	}
	s.public = checkPrivate(s.file, info)
	s.data, err = io.ReadAll(io.LimitReader(f, fileBytesMax+1))
	if err == nil && len(s.data) > fileBytesMax {
		err = fmt.Errorf("it is longer than %d bytes", fileBytesMax)
	}
	return err
}

// plain returns the text of an error without the path that the message names
// already.
func plain(err error) string {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err.Error()
	}
	return err.Error()
}
