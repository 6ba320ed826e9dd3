package lab

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// courierSession is one connection: the part before the login, which is ours,
// and then the relay between the client and Courier's imapd.
type courierSession struct {
	server *courier
	conn   net.Conn // TLS
	in     *bufio.Reader
}

func newCourierSession(s *courier, conn net.Conn) *courierSession {
	secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{s.id.leaf}, MinVersion: tls.VersionTLS12})
	return &courierSession{server: s, conn: secure, in: bufio.NewReader(secure)}
}

// serve carries one connection from its greeting to its end.
func (c *courierSession) serve() {
	defer c.server.forget(c)
	defer c.conn.Close()
	user, tag, err := c.login()
	if err != nil || user == "" {
		return
	}
	if err := c.handOver(user, tag); err != nil {
		fmt.Fprintf(c.server.log, "start a session of %s: %v\n", user, err)
		c.say("* BYE [ALERT] %v", err)
	}
}

// say sends one line.
func (c *courierSession) say(format string, args ...any) {
	_, _ = fmt.Fprintf(c.conn, format+"\r\n", args...) // the next read tells
}

// login answers what a client may say before its login, and returns the user
// and the tag of the LOGIN that was right. The user is empty when the client
// logged out.
func (c *courierSession) login() (user, tag string, err error) {
	c.say("* OK [CAPABILITY %s ACL ACL2=UNION] Courier-IMAP ready.", courierCapability)
	for {
		words, err := c.command()
		if err != nil {
			return "", "", err
		}
		if len(words) < 2 {
			c.say("* BAD Error in IMAP command received by server.")
			continue
		}
		switch name := strings.ToUpper(words[1]); {
		case name == "CAPABILITY":
			c.say("* CAPABILITY %s ACL ACL2=UNION\r\n%s OK CAPABILITY completed", courierCapability, words[0])
		case name == "NOOP":
			c.say("%s OK NOOP completed", words[0])
		case name == "LOGOUT":
			c.say("* BYE Courier-IMAP server shutting down\r\n%s OK LOGOUT completed", words[0])
			return "", "", nil
		case name == "LOGIN" && len(words) == 4 && words[3] == c.server.password && !strings.ContainsAny(words[2], "./"):
			return words[2], words[0], nil
		case name == "LOGIN":
			c.say("%s NO Login failed.", words[0])
		default:
			c.say("%s NO Error in IMAP command received by server.", words[0])
		}
	}
}

// wordBytesMax bounds a literal before the login.
const wordBytesMax = 4096

// command reads a command as words: atoms, quoted strings and literals.
func (c *courierSession) command() ([]string, error) {
	var words []string
	for {
		line, err := readLine(c.in)
		if err != nil {
			return nil, err
		}
		at, more := literalAt(line)
		if more {
			line = line[:strings.LastIndexByte(line, '{')]
		}
		found, err := wordsOf(line)
		if err != nil {
			return nil, err
		}
		words = append(words, found...)
		if !more {
			return words, nil
		}
		if at.size > wordBytesMax {
			return nil, errors.New("a literal is too long")
		}
		if !at.nonSync {
			c.say("+ OK")
		}
		literal := make([]byte, at.size)
		if _, err := io.ReadFull(c.in, literal); err != nil {
			return nil, err
		}
		words = append(words, string(literal))
	}
}

// wordsOf splits a line into atoms and quoted strings.
func wordsOf(line string) ([]string, error) {
	var words []string
	for line = strings.TrimLeft(line, " "); line != ""; line = strings.TrimLeft(line, " ") {
		if line[0] != '"' {
			word, rest, _ := strings.Cut(line, " ")
			words, line = append(words, word), rest
			continue
		}
		var word strings.Builder
		i := 1
		for ; i < len(line) && line[i] != '"'; i++ {
			if line[i] == '\\' && i+1 < len(line) {
				i++
			}
			word.WriteByte(line[i])
		}
		if i >= len(line) {
			return nil, errors.New("a quoted string does not end")
		}
		words, line = append(words, word.String()), line[i+1:]
	}
	return words, nil
}

// handOver lets imapd answer the LOGIN and relays from then on.
func (c *courierSession) handOver(user, tag string) error {
	cmd, err := c.server.imapd(user, tag)
	if err != nil {
		return err
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	requests := make(chan struct{})
	go func() {
		defer close(requests)
		relayBody(in, c.in)
	}()
	relayBody(c.conn, out)
	<-requests // the connection is closed, so that they end
	_ = cmd.Wait()
	return nil
}
