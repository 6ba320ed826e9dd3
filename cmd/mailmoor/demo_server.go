package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"mailmoor/state"
)

const (
	demoUser     = "kim"
	demoPassword = "open sesame"
)

// demoServer is an IMAP server inside of this process, for the demonstration. It
// is that of the go-imap project, keeps its mail in memory, and speaks to this
// computer only.
type demoServer struct {
	listener net.Listener
	server   *imapserver.Server
}

// startDemoServer starts a server with one user who has these mailboxes.
func startDemoServer(mailboxes []string) (*demoServer, error) {
	user := imapmemserver.NewUser(demoUser, demoPassword)
	for _, name := range mailboxes {
		if err := user.Create(name, nil); err != nil {
			return nil, fmt.Errorf("create mailbox %q: %w", name, err)
		}
	}
	users := imapmemserver.New()
	users.AddUser(user)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open a port for the server: %w", err)
	}
	d := &demoServer{listener: listener}
	d.server = imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &demoSession{user: user}, nil, nil
		},
		// It knows no mod-sequences, so that this also shows how it works on a
		// server that can do little.
		Caps: imap.CapSet{
			imap.CapIMAP4rev1: {}, imap.CapUIDPlus: {}, imap.CapMove: {}, imap.CapESearch: {},
			imap.CapListExtended: {}, imap.CapListStatus: {}, imap.CapNamespace: {}, imap.CapLiteralPlus: {},
		},
		InsecureAuth: true,
		Logger:       log.New(io.Discard, "", 0),
	})
	go func() { _ = d.server.Serve(listener) }() // ends with close
	return d, nil
}

func (d *demoServer) port() int {
	if tcp, ok := d.listener.Addr().(*net.TCPAddr); ok {
		return tcp.Port
	}
	return 0
}

func (d *demoServer) close() error { return d.server.Close() }

// demoSession is a session of the memory server with one thing put right: as
// flags that can be stored it tells only those that happen to be in use.
type demoSession struct {
	*imapmemserver.UserSession
	user *imapmemserver.User
}

// Close ends a session that may never have logged in.
func (s *demoSession) Close() error { return s.UserSession.Close() }

// Login opens the user's mailboxes.
func (s *demoSession) Login(name, password string) error {
	if err := s.user.Login(name, password); err != nil {
		return err
	}
	s.UserSession = imapmemserver.NewUserSession(s.user)
	return nil
}

// Select tells that all flags can be stored.
func (s *demoSession) Select(name string, options *imap.SelectOptions) (*imap.SelectData, error) {
	data, err := s.UserSession.Select(name, options)
	if err == nil {
		data.PermanentFlags = []imap.Flag{
			imap.FlagSeen, imap.FlagAnswered, imap.FlagFlagged, imap.FlagDeleted, imap.FlagDraft, imap.FlagWildcard,
		}
	}
	return data, err
}

// demoClient is another mail program of the same user: it changes the server's
// mail, and looks at it without any code of a sync.
type demoClient struct{ c *imapclient.Client }

// demoMessage is one message, wherever it lies.
type demoMessage struct {
	uid   imap.UID
	flags state.Flags
	body  string // with CRLF
}

func (d *demoServer) connect() (*demoClient, error) {
	c, err := imapclient.DialInsecure(d.listener.Addr().String(), nil)
	if err != nil {
		return nil, fmt.Errorf("connect the other mail program: %w", err)
	}
	if err := c.Login(demoUser, demoPassword).Wait(); err != nil {
		return nil, errors.Join(fmt.Errorf("log the other mail program in: %w", err), c.Close())
	}
	return &demoClient{c}, nil
}

func (d *demoClient) close() error { return d.c.Close() }

// append adds a message.
func (d *demoClient) append(mailbox string, m demoMail) error {
	cmd := d.c.Append(mailbox, int64(len(m.body)), &imap.AppendOptions{Flags: m.flags, Time: m.date})
	_, err := cmd.Write([]byte(m.body))
	err = errors.Join(err, cmd.Close())
	if _, refused := cmd.Wait(); refused != nil {
		err = refused
	}
	if err != nil {
		return fmt.Errorf("append to %q: %w", mailbox, err)
	}
	return nil
}

// change selects the mailbox and runs do on the messages with these UIDs.
func (d *demoClient) change(mailbox string, do func(c *imapclient.Client) error) error {
	if _, err := d.c.Select(mailbox, nil).Wait(); err != nil {
		return fmt.Errorf("select %q: %w", mailbox, err)
	}
	if err := do(d.c); err != nil {
		return fmt.Errorf("change %q: %w", mailbox, err)
	}
	return nil
}

// mailboxes returns the names of all mailboxes.
func (d *demoClient) mailboxes() ([]string, error) {
	list, err := d.c.List("", "*", nil).Collect()
	names := make([]string, 0, len(list))
	for _, data := range list {
		names = append(names, data.Mailbox)
	}
	return names, err
}

// messages returns everything in the mailbox.
func (d *demoClient) messages(mailbox string) ([]demoMessage, error) {
	selected, err := d.c.Select(mailbox, nil).Wait()
	if err != nil || selected.NumMessages == 0 {
		return nil, err
	}
	section := &imap.FetchItemBodySection{Peek: true}
	list, err := d.c.Fetch(imap.UIDSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{
		UID: true, Flags: true, BodySection: []*imap.FetchItemBodySection{section},
	}).Collect()
	messages := make([]demoMessage, 0, len(list))
	for _, data := range list {
		messages = append(messages, demoMessage{
			uid: data.UID, flags: demoFlags(data.Flags), body: string(data.FindBodySection(section)),
		})
	}
	return messages, err
}
