package remote

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/rs/zerolog"

	"mailmoor/test/lab"
)

type plain struct {
	net.Conn
	r    io.Reader
	caps map[string]bool
}

func (p *plain) Read(b []byte) (int, error)             { return p.r.Read(b) }
func (p *plain) Has(name string) bool                   { return p.caps[name] }
func (p *plain) AppendLimit() (limit int64, known bool) { return 0, false }
func (p *plain) Take() notes                            { return notes{} }

func dialPlain(t *testing.T, srv *lab.Server, user *lab.User, hide ...string) *Conn {
	t.Helper()
	nc, err := net.Dial("tcp", srv.PlainAddr())
	if err != nil {
		t.Fatal(err)
	}
	br := bufio.NewReader(nc)
	br.ReadString('\n')
	fmt.Fprintf(nc, "a LOGIN %s %s\r\nb CAPABILITY\r\n", user.Name, user.Password)
	p := &plain{Conn: nc, caps: map[string]bool{}}
	for {
		line, err := br.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if rest, ok := strings.CutPrefix(line, "* CAPABILITY "); ok {
			p.caps = map[string]bool{}
			for _, f := range strings.Fields(rest) {
				p.caps[f] = true
			}
		}
		if strings.HasPrefix(line, "b OK") {
			break
		}
	}
	for _, h := range append(hide, "LITERAL+") {
		delete(p.caps, h)
	}
	var list []string
	for name := range p.caps {
		list = append(list, name)
	}
	p.r = io.MultiReader(strings.NewReader("* PREAUTH [CAPABILITY "+strings.Join(list, " ")+"] x\r\n"), br)
	c, err := newConn(p, Options{Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// otherClient is a second mail program on the same account.
func otherClient(t *testing.T, srv *lab.Server, user *lab.User) *imapclient.Client {
	t.Helper()
	c, err := imapclient.DialInsecure(srv.PlainAddr(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Login(user.Name, user.Password).Wait(); err != nil {
		t.Fatal(err)
	}
	return c
}
