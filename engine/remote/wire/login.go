package wire

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-sasl"

	"mailmoor/state"
)

// login authenticates with the configured or the best offered mechanism.
func (s *session) login(ctx context.Context) error {
	doing := state.Textf("log in to %s as %s", s.cfg.address(), s.cfg.User)
	mechanism, err := s.mechanism()
	if err != nil {
		return problem(state.CauseConfig, doing, "", err)
	}
	secret, err := s.cfg.Secret(ctx)
	if err != nil {
		return problem(state.CauseLogin, doing, "check the account's password or password_command", err)
	}
	plain := "\x00" + s.cfg.User + "\x00" + secret
	quoted, _ := quote(secret)
	s.hush(encode([]byte(plain)), encode([]byte(secret)), quoted, secret)
	// The capabilities of before the login are void after it.
	initial := s.caps.Has("SASL-IR")
	s.caps = nil
	var answer status
	switch mechanism {
	case sasl.Plain:
		answer, err = s.authenticate(sasl.NewPlainClient("", s.cfg.User, secret), initial, doing)
	case sasl.Login:
		// LOGIN has no initial response in its description, and some servers
		// take one for the answer to a prompt that they have yet to show.
		answer, err = s.authenticate(sasl.NewLoginClient(s.cfg.User, secret), false, doing)
	default:
		answer, err = s.loginCommand(secret)
	}
	if err != nil {
		return err
	}
	if answer.cond == "OK" {
		return nil
	}
	return s.refusal(doing, answer)
}

// mechanism chooses how to log in; "" stands for the LOGIN command. All ways
// that we know give the server the password, so there is nothing to choose
// between them but what the server likes best.
func (s *session) mechanism() (string, error) {
	offered := s.caps.mechanisms()
	wanted := strings.ToUpper(s.cfg.Mechanism)
	switch wanted {
	case "":
		for _, name := range []string{sasl.Plain, sasl.Login} {
			if slices.Contains(offered, name) {
				return name, nil
			}
		}
	case sasl.Plain, sasl.Login:
		if slices.Contains(offered, wanted) {
			return wanted, nil
		}
		if wanted == sasl.Plain {
			return "", fmt.Errorf("the server does not offer PLAIN but %s", orNone(offered))
		}
	default:
		return "", fmt.Errorf("auth = %q is not supported; PLAIN and LOGIN are", s.cfg.Mechanism)
	}
	if s.caps.Has("LOGINDISABLED") {
		return "", fmt.Errorf("the server does not allow a login by password here (LOGINDISABLED); it offers %s", orNone(offered))
	}
	return "", nil
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "no mechanism"
	}
	return printable(strings.Join(names, ", "))
}

// authenticate runs a SASL exchange. RFC 9051, section 6.2.2.
// initial says that the server takes the first message together with the
// command. RFC 4959.
func (s *session) authenticate(client sasl.Client, initial bool, doing state.Text) (status, error) {
	name, first, err := client.Start()
	if err != nil {
		return status{}, problem(state.CauseLogin, doing, "", err)
	}
	e := exchange{line: "AUTHENTICATE " + name}
	sent := initial
	if sent {
		e.shown = e.line + " {secret}"
		e.line += " " + encode(first) // never empty: both mechanisms carry the user
	}
	e.next = func(challenge string) (string, string, error) {
		if !sent {
			sent = true
			return encode(first), "{secret}", nil
		}
		raw, err := base64.StdEncoding.DecodeString(challenge)
		if err != nil {
			return "", "", err
		}
		if name == sasl.Login {
			// Servers word the second prompt in many ways; there is only one
			// thing it can ask for.
			raw = []byte("Password:")
		}
		response, err := client.Next(raw)
		if err != nil {
			return "", "", err
		}
		return encode(response), "{secret}", nil
	}
	return s.run(e)
}

// loginCommand is LOGIN for servers without AUTHENTICATE. RFC 9051,
// section 6.2.3.
func (s *session) loginCommand(secret string) (status, error) {
	user, plainUser := quote(s.cfg.User)
	pass, plainPass := quote(secret)
	if plainUser && plainPass {
		return s.run(exchange{line: "LOGIN " + user + " " + pass, shown: "LOGIN " + user + " {secret}"})
	}
	// A synchronising literal for each: every server knows those.
	parts := []string{s.cfg.User, secret}
	e := exchange{line: fmt.Sprintf("LOGIN {%d}", len(parts[0]))}
	e.next = func(string) (string, string, error) {
		switch len(parts) {
		case 2:
			line := fmt.Sprintf("%s {%d}", parts[0], len(parts[1]))
			parts = parts[1:]
			return line, "{user} {secret}", nil
		case 1:
			line := parts[0]
			parts = nil
			return line, "{secret}", nil
		}
		return "", "", errors.New("the server asks for more than a name and a password")
	}
	return s.run(e)
}

// quote returns text as a quoted string, and false if it does not fit into
// one. RFC 9051, section 9.
func quote(text string) (string, bool) {
	for i := range len(text) {
		if text[i] < 0x20 || text[i] >= 0x7f {
			return "", false
		}
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`, true
}

// refusal turns the server's no into an error that says whether the user has
// to do something or has to wait.
func (s *session) refusal(doing state.Text, answer status) error {
	err := fmt.Errorf("the server answered: %q", s.said(answer))
	switch answer.code {
	case "UNAVAILABLE", "INUSE", "SERVERBUG", "LIMIT", "OVERQUOTA", "THROTTLED":
		return problem(state.CauseNetwork, doing, "try again later", err)
	case "PRIVACYREQUIRED":
		return problem(state.CauseConfig, doing, `set tls = "implicit" or tls = "starttls"`, err)
	case "AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED":
	default:
		// Large providers have no code for this. (Gmail, Outlook, 2026)
		text := strings.ToLower(answer.text)
		for _, word := range []string{"too many", "throttle", "temporar", "try again", "bandwidth", "rate limit"} {
			if strings.Contains(text, word) {
				return problem(state.CauseNetwork, doing, "try again later", err)
			}
		}
	}
	return problem(state.CauseLogin, doing,
		"check the account's user and password; many providers want a password made for this program", err)
}
