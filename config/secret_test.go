package config

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/rs/zerolog"
)

const hunter = "hunter2-\"never\"-printed"

// wrapped holds an account where fmt may not call methods.
type wrapped struct {
	account Account
	pointer *Account
}

// TestSecretIsNeverPrinted tries the ways in which a value ends up in a log.
func TestSecretIsNeverPrinted(t *testing.T) {
	account := Account{Name: "a", Password: NewSecret(hunter)}
	config := Config{Accounts: []Account{account}}
	things := map[string]any{
		"secret": account.Password, "pointer": &account.Password, "account": account, "account pointer": &account,
		"config": config, "slice": []Secret{account.Password}, "map": map[Secret]Secret{account.Password: account.Password},
		"unexported": wrapped{account: account, pointer: &account}, "error": fmt.Errorf("no %v", account.Password),
	}
	for name, thing := range things {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%10.3s", "%t", "%c"} {
			mustNotShow(t, name+" as "+verb, fmt.Sprintf(verb, thing))
		}
		if text, err := json.Marshal(thing); err == nil {
			mustNotShow(t, name+" as JSON", string(text))
		}
		if text, err := toml.Marshal(thing); err == nil {
			mustNotShow(t, name+" as TOML", string(text))
		}
		var log bytes.Buffer
		logger := zerolog.New(&log)
		logger.Info().Interface("thing", thing).Str("text", fmt.Sprint(thing)).Msg("")
		mustNotShow(t, name+" in a log", log.String())
	}
	if s := account.Password; s.String() != masked || s.GoString() != masked {
		t.Errorf("String and GoString return %q and %q", s.String(), s.GoString())
	}
	text, err := json.Marshal(account.Password)
	if err != nil || string(text) != `"***"` {
		t.Errorf("as JSON it is %s, %v", text, err)
	}
	if account.Password.Reveal() != hunter {
		t.Error("Reveal does not return the text")
	}
}

// mustNotShow fails when the text holds the secret, plain, in part or as hex.
func mustNotShow(t *testing.T, how, text string) {
	t.Helper()
	for _, part := range []string{"hunter2", "never", fmt.Sprintf("%x", "hunter2"), fmt.Sprintf("%X", "hunter2")} {
		if strings.Contains(text, part) {
			t.Errorf("%s shows the secret: %s", how, text)
		}
	}
}

// TestSecretInPanic lets a child process die of an account and looks at its
// last words.
func TestSecretInPanic(t *testing.T) {
	const variable = "MAILMOOR_TEST_PANIC"
	account := Account{Password: NewSecret(hunter)}
	switch os.Getenv(variable) {
	case "secret":
		panic(account.Password)
	case "account":
		panic(account)
	case "text":
		panic(fmt.Sprintf("%+v", account))
	}
	for _, what := range []string{"secret", "account", "text"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestSecretInPanic$")
		cmd.Env = append(os.Environ(), variable+"="+what)
		out, err := cmd.CombinedOutput()
		if err == nil || !bytes.Contains(out, []byte("panic: ")) {
			t.Fatalf("%s: the child did not panic: %v\n%s", what, err, out)
		}
		mustNotShow(t, "a panic with the "+what, string(out))
	}
}

func TestSecretSources(t *testing.T) {
	ctx := t.Context()
	answer := func(_ context.Context, label string) (string, error) { return "typed at " + label, nil }
	errEOF := errors.New("the terminal went away")
	cases := []struct {
		name    string
		account Account
		prompt  Prompt
		want    string
		wantErr error
	}{
		{name: "command", account: Account{PasswordCommand: []string{"echo", "a b"}}, prompt: answer, want: "a b"},
		{name: "file", account: Account{Password: NewSecret("x")}, prompt: answer, want: "x"},
		{
			name: "prompt", account: Account{User: "me", Host: "h.example"}, prompt: answer,
			want: "typed at Password of me at h.example",
		},
		{name: "nobody to ask", wantErr: ErrNoSecret},
		{name: "no answer", prompt: func(context.Context, string) (string, error) { return "", errEOF }, wantErr: errEOF},
		{name: "empty answer", prompt: func(context.Context, string) (string, error) { return "", nil }, wantErr: errEmpty},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.account.Name = "work"
			got, err := c.account.Secret(ctx, c.prompt)
			if got != c.want || !errors.Is(err, c.wantErr) {
				t.Errorf("got %q, %v, want %q, %v", got, err, c.want, c.wantErr)
			}
			if failed := new(SecretError); err != nil && (!errors.As(err, &failed) || failed.Account != "work") {
				t.Errorf("the error does not know the account: %v", err)
			}
		})
	}
	_, err := Account{Name: "work"}.Secret(ctx, nil)
	for _, key := range []string{"password_command", "password "} {
		if !strings.Contains(err.Error(), key) {
			t.Errorf("the error does not name %s: %v", key, err)
		}
	}
}

// TestPasswordCommandHasTime: 30 seconds were too few for somebody who had to find the
// passphrase that pinentry asks for.
func TestPasswordCommandHasTime(t *testing.T) {
	somebody := func(context.Context, string) (string, error) { return "", nil }
	if got := limitOf(somebody); got != 90*time.Second {
		t.Errorf("at a terminal it has %s", got)
	}
	if got := limitOf(nil); got != 30*time.Second {
		t.Errorf("where nobody can be asked it has %s", got)
	}
}
