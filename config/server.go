package config

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// patienceKey is for the one time from which all limits on a slow server follow.
func patienceKey() Key {
	return Key{
		Name: "patience", Type: `text such as "5 minutes"`, Default: `"1 minute"`,
		Meaning: "How long the server may be silent while it owes an answer, from 1 second to 1 hour. Connecting may take half of it, " +
			"the greeting and each answer to the login 5 times it, any other answer 30 times it, and longer while 100 bytes a second " +
			"come. Raise it for a very slow line or server.",
		Example: `patience = "5 minutes"`,
		field:   "Patience", also: []string{"timeout", "socktimeout", "progress_timeout"},
		set: func(t target, v value) (err error) {
			t.account.Patience, err = v.wait()
			return err
		},
	}
}

// hostBytesMax is the greatest length of a host name. RFC 1035, section 2.3.4.
const hostBytesMax = 253

// host returns the name or the address of a server.
func (v value) host() (string, error) {
	s, err := v.text()
	if err != nil {
		return "", err
	}
	bare := strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	if net.ParseIP(bare) != nil {
		return bare, nil
	}
	// People paste URLs and pairs of host and port: tell them which part goes
	// where.
	name := s
	if _, rest, found := strings.Cut(s, "://"); found {
		name, _, _ = strings.Cut(rest, "/")
	}
	name, port, _ := strings.Cut(name, ":")
	if _, err := strconv.ParseUint(port, 10, 16); err == nil {
		return "", fmt.Errorf("must be only the name of the server; write host = %q and port = %s", clip(name), port)
	}
	if name != s {
		return "", fmt.Errorf("must be only the name of the server; write host = %q", clip(name))
	}
	if len(s) > hostBytesMax || strings.ContainsFunc(s, func(r rune) bool { return !isNameRune(r) }) {
		return "", fmt.Errorf("%q is not the name of a server; a name beyond ASCII is written with xn--, as in DNS", clip(s))
	}
	return s, nil
}

// isLoopback reports whether the host is this machine whatever a resolver
// says. RFC 6761, section 6.3.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback() || strings.EqualFold(host, "localhost")
}

var errPin = errors.New(`must be "sha256:" and 44 characters of Base64, the SHA-256 of the server's public key`)

// pins returns the pins of one text or a list of them.
func (v value) pins() ([][sha256.Size]byte, error) {
	texts, err := v.oneOrList()
	if err != nil {
		return nil, err
	}
	pins := make([][sha256.Size]byte, 0, len(texts))
	for _, text := range texts {
		encoded, prefixed := strings.CutPrefix(text, "sha256:")
		digest, err := base64.StdEncoding.Strict().DecodeString(encoded)
		if !prefixed || err != nil || len(digest) != sha256.Size {
			return nil, errPin
		}
		pins = append(pins, [sha256.Size]byte(digest))
	}
	return pins, nil
}
