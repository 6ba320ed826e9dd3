package config

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Secret is a text that nothing prints. Only Reveal returns it. The zero value
// holds none.
type Secret struct {
	// A pointer, because fmt prints the address of one that it meets in an
	// unexported field, where it may not call the methods below.
	text *string
}

const masked = "***"

// NewSecret returns a Secret that holds text.
func NewSecret(text string) Secret { return Secret{text: &text} }

// Reveal returns the text. It is for the login alone.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether s holds no text.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// Equal reports whether both hold the same text.
func (s Secret) Equal(other Secret) bool { return s.Reveal() == other.Reveal() }

// String returns "***".
func (s Secret) String() string { return masked }

// GoString returns "***".
func (s Secret) GoString() string { return masked }

// Format writes "***" whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, masked) }

// MarshalText returns "***".
func (s Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }

// MarshalJSON returns "***" as a JSON string.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + masked + `"`), nil }

var errSecretText = errors.New("must be text in quotes")

// secret returns a password. No error repeats any of it.
func (v value) secret() (Secret, error) {
	s, ok := v.raw.(string)
	if !ok {
		return Secret{}, errSecretText
	}
	if err := checkSecret(s); err != nil {
		return Secret{}, err
	}
	if v.source.public != nil {
		return Secret{}, v.source.public
	}
	return NewSecret(s), nil
}

var (
	errLongSecret = fmt.Errorf("is longer than %d bytes", secretBytesMax)
	errSecretLine = errors.New("contains a line end or a NUL byte, which no login can carry")
)

// checkSecret reports a text that cannot be a password. RFC 4616, section 2.
func checkSecret(s string) error {
	switch {
	case s == "":
		return errEmpty
	case len(s) > secretBytesMax:
		return errLongSecret
	case strings.ContainsAny(s, "\x00\r\n"):
		return errSecretLine
	}
	return nil
}

// command returns a program with its arguments. A text is a line for the
// shell; a list is run as it is.
func (v value) command() ([]string, error) {
	words, err := v.oneOrList()
	if _, line := v.raw.(string); line && err == nil {
		return []string{"sh", "-c", words[0]}, nil
	}
	return words, err
}

// ErrNoSecret says that an account has neither of the keys that give a password
// and that nobody can be asked.
var ErrNoSecret = errors.New("there is no password; set password_command, " +
	"or password in a file that only you can read, or run this in a terminal")

// SecretError says that an account's password could not be found out. The server
// was never asked whether it is right.
type SecretError struct {
	Account string
	Err     error
}

// Error does not name the account: who prints it has.
func (e *SecretError) Error() string { return e.Err.Error() }

// Unwrap returns the reason; it is ErrNoSecret when none is configured.
func (e *SecretError) Unwrap() error { return e.Err }

// Prompt asks the user for the secret that label describes.
type Prompt func(ctx context.Context, label string) (string, error)

// Secret returns what to log in with: what password_command prints within 30 seconds, or
// 90 where somebody can be asked, or the password of the file, or what the user answers.
// prompt is nil when nobody can be asked. Errors are *SecretError and never hold the secret.
func (a Account) Secret(ctx context.Context, prompt Prompt) (string, error) {
	secret, err := a.secret(ctx, prompt)
	if err != nil {
		return "", &SecretError{Account: a.Name, Err: err}
	}
	return secret, nil
}

// limitOf is the time that a password_command has.
func limitOf(prompt Prompt) time.Duration {
	if prompt != nil {
		return askingLimit
	}
	return commandLimit
}

func (a Account) secret(ctx context.Context, prompt Prompt) (string, error) {
	switch {
	case len(a.PasswordCommand) > 0:
		secret, err := runSecretCommand(ctx, a.PasswordCommand, limitOf(prompt))
		if err != nil {
			return "", fmt.Errorf("password_command: %w", err)
		}
		return secret, nil
	case !a.Password.IsZero():
		return a.Password.Reveal(), nil
	case prompt == nil:
		return "", ErrNoSecret
	}
	secret, err := prompt(ctx, fmt.Sprintf("Password of %s at %s", a.User, a.Host))
	if err != nil {
		return "", fmt.Errorf("ask for the password: %w", err)
	}
	if err := checkSecret(secret); err != nil {
		return "", fmt.Errorf("the password %w", err)
	}
	return secret, nil
}
