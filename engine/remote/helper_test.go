package remote

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"mailmoor/engine"
	"mailmoor/engine/remote/wire"
	"mailmoor/state"
)

// The engine must be able to use a Conn.
var _ engine.Remote = (*Conn)(nil)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scripted connects to a server that says what the script says. In the script
//
//	C: text   waits for a command that begins with text behind its tag
//	S: text   sends the line; $ stands for the tag of the last command
//	close     closes the connection
//
// CAPABILITY and LOGOUT are answered without being mentioned. At the end of
// the test the whole script must have been played.
func scripted(t *testing.T, capabilities, script string) *Conn {
	t.Helper()
	return dialScript(t, capabilities, script, Options{Log: zerolog.Nop()}, func() {})
}

// scriptedAs is scripted with options.
func scriptedAs(t *testing.T, capabilities, script string, o Options) *Conn {
	t.Helper()
	return dialScript(t, capabilities, script, o, func() {})
}

// scriptedAndThen calls then when the script has been played.
func scriptedAndThen(t *testing.T, script string, then func()) *Conn {
	t.Helper()
	return dialScript(t, "", script, Options{Log: zerolog.Nop()}, then)
}

func dialScript(t *testing.T, capabilities, script string, o Options, then func()) *Conn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	played := make(chan error, 1)
	go func() {
		defer listener.Close()
		conn, err := listener.Accept()
		if err != nil {
			played <- err
			return
		}
		defer conn.Close()
		s := &scriptServer{r: bufio.NewReader(conn), w: conn, capabilities: capabilities}
		played <- s.play(strings.Split(script, "\n"))
		then()
		// What comes now is the end of the session.
		_ = s.expect("nothing more")
	}()
	addr := listener.Addr().(*net.TCPAddr)
	c, err := Dial(t.Context(), wire.Config{Host: addr.IP.String(), Port: addr.Port, Security: wire.Plain}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		if err := <-played; err != nil {
			t.Errorf("script: %v", err)
		}
	})
	return c
}

type scriptServer struct {
	r            *bufio.Reader
	w            io.WriteCloser
	capabilities string
	tag          string
}

func (s *scriptServer) play(script []string) error {
	fmt.Fprintf(s.w, "* PREAUTH ready\r\n")
	for _, line := range script {
		line = strings.TrimLeft(line, "\t ")
		switch kind, text, _ := strings.Cut(line, " "); kind {
		case "":
		case "C:":
			if err := s.expect(text); err != nil {
				return err
			}
		case "S:":
			fmt.Fprintf(s.w, "%s\r\n", strings.ReplaceAll(text, "$", s.tag))
		case "close":
			return s.w.Close()
		default:
			return fmt.Errorf("bad line %q", line)
		}
	}
	return nil
}

func (s *scriptServer) expect(want string) error {
	for {
		line, err := s.r.ReadString('\n')
		if err != nil {
			return fmt.Errorf("waiting for %q: %w", want, err)
		}
		tag, command, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		switch command {
		case "CAPABILITY":
			fmt.Fprintf(s.w, "* CAPABILITY IMAP4rev1 %s\r\n%s OK done\r\n", s.capabilities, tag)
			continue
		case "LOGOUT":
			return fmt.Errorf("waiting for %q: logged out", want)
		}
		// A literal is shown behind the line that announces it.
		var size int
		if i := strings.LastIndex(command, "{"); i >= 0 {
			if _, err := fmt.Sscanf(command[i:], "{%d", &size); err == nil {
				if !strings.HasSuffix(command, "+}") {
					fmt.Fprintf(s.w, "+ go\r\n")
				}
				literal := make([]byte, size)
				if _, err := io.ReadFull(s.r, literal); err != nil {
					return fmt.Errorf("literal of %q: %w", command, err)
				}
				if _, err := s.r.ReadString('\n'); err != nil {
					return fmt.Errorf("end of %q: %w", command, err)
				}
				command += string(literal)
			}
		}
		if !strings.HasPrefix(command, want) {
			fmt.Fprintf(s.w, "* BYE not in the script\r\n")
			return fmt.Errorf("got %q, want %q", command, want)
		}
		s.tag = tag
		return nil
	}
}

// box is the generation of the mailbox that opened opens.
var box = state.Ref{Mailbox: "Box", UIDValidity: 7}

// opened is the part of a script in which the mailbox Box is opened.
func opened(exists string) string {
	return `
		C: SELECT "Box"
		S: * ` + exists + ` EXISTS
		S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
		S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft)] x
		S: * OK [UIDVALIDITY 7] x
		S: * OK [UIDNEXT 100] x
		S: $ OK [READ-WRITE] done
		`
}

// cause asserts what kind of error err is.
func cause(t *testing.T, err error, want state.Cause, scope state.Scope) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if got := state.CauseOf(err); got != want {
		t.Errorf("cause %d, want %d: %v", got, want, err)
	}
	if got := state.ScopeOf(err); got != scope {
		t.Errorf("scope %s, want %s: %v", got, scope, err)
	}
}

func message(key, text string, flags state.Flags) state.Upload {
	return state.Upload{
		Key: state.Key(key), Flags: flags, Date: 1_000_000_000, Size: int64(len(text)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil },
	}
}
