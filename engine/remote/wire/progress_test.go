package wire

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-imap/v2"

	"mailmoor/state"
)

// The tests in this file run on a clock of their own: waiting costs nothing,
// and the times are exact.

func TestNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, conn := client(t, "", func(s *server) {
			tag := s.expect("NOOP")
			time.Sleep(19 * time.Second)
			s.send("* 1 EXISTS") // progress, though no answer
			time.Sleep(19 * time.Second)
			s.send(tag + " OK done")
			s.expect("NOOP")
			s.drain()
		})
		if err := c.Noop().Wait(); err != nil {
			t.Errorf("a slow answer: %v", err)
		}
		begin := time.Now()
		if err := c.Noop().Wait(); err == nil {
			t.Error("a command without an answer succeeded")
		}
		if waited := time.Since(begin); waited != 20*time.Second {
			t.Errorf("gave up after %s", waited)
		}
		err := conn.Err()
		if !errors.Is(err, os.ErrDeadlineExceeded) || state.CauseOf(err) != state.CauseNetwork ||
			!strings.Contains(err.Error(), "not a byte moved for 20s") {
			t.Errorf("error %v", err)
		}
	})
}

// Half an hour of a telephone line: what moves is waited for.
func TestSlowLineIsNoError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := strings.Repeat("x", 300_000)
		c, _ := client(t, "", func(s *server) {
			tag := s.expect("UID FETCH")
			answer := fmt.Sprintf("* 1 FETCH (UID 1 BODY[] {%d}\r\n%s)\r\n%s OK done\r\n", len(body), body, tag)
			for piece := range slices.Chunk([]byte(answer), 20*rateBytesMin) {
				s.raw(string(piece))
				time.Sleep(15 * time.Second)
			}
			s.drain()
		})
		got, err := fetchBodies(c, imap.UIDSetNum(1))
		if err != nil || len(got[1]) != len(body) {
			t.Errorf("got %d bytes, %v", len(got[1]), err)
		}
	})
}

func TestSlowUploadIsNoError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := strings.Repeat("x", 40*writeChunkBytes)
		c, _ := client(t, "LITERAL+", func(s *server) {
			tag, size := s.appendHead("+")
			first := tag
			s.literal(size)
			tag, size = s.appendHead("+")
			for range size {
				// The first answer is due all the time.
				if _, err := s.in.ReadByte(); err != nil {
					s.t.Error(err)
					return
				}
				time.Sleep(time.Millisecond)
			}
			s.want("")
			s.send(first+" OK first", tag+" OK second")
			s.drain()
		})
		first, second := appendMessage(t, c, "small"), appendMessage(t, c, body)
		if _, err := first.Wait(); err != nil {
			t.Error(err)
		}
		if _, err := second.Wait(); err != nil {
			t.Error(err)
		}
	})
}

func TestIdleMayLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := client(t, "IDLE", func(s *server) {
			tag := s.expect("IDLE")
			s.send("+ idling")
			time.Sleep(20 * time.Minute)
			s.send("* 2 EXISTS")
			s.want("DONE")
			s.send(tag + " OK done")
			time.Sleep(time.Hour) // nothing is due between two commands either
			s.ok("NOOP")
			s.drain()
		})
		idle, err := c.Idle()
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(25 * time.Minute)
		if err := errors.Join(idle.Close(), idle.Wait()); err != nil {
			t.Errorf("IDLE: %v", err)
		}
		time.Sleep(time.Hour)
		if err := c.Noop().Wait(); err != nil {
			t.Errorf("NOOP: %v", err)
		}
	})
}

func TestIdleNotEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, conn := client(t, "IDLE", func(s *server) {
			s.expect("IDLE")
			s.send("+ idling")
			s.drain() // the answer to DONE never comes
		})
		idle, err := c.Idle()
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(idle.Close(), idle.Wait()); err == nil || !errors.Is(conn.Err(), os.ErrDeadlineExceeded) {
			t.Errorf("IDLE: %v, connection: %v", err, conn.Err())
		}
	})
}

func TestPeerThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stay := make(chan struct{})
		c, conn := client(t, "", func(*server) { <-stay })
		if err := c.Noop().Wait(); err == nil {
			t.Error("a command that nobody read succeeded")
		}
		if err := conn.Err(); !errors.Is(err, os.ErrDeadlineExceeded) || state.CauseOf(err) != state.CauseNetwork {
			t.Errorf("error %v", err)
		}
		close(stay)
	})
}

func TestCloseUnblocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stay := make(chan struct{})
		conn := greeted(t, testConfig(), "", func(*server) { <-stay })
		ended := make(chan error, 2)
		go func() {
			_, err := io.Copy(io.Discard, conn)
			ended <- err
		}()
		go func() {
			_, err := fmt.Fprint(conn, "T1 NOOP\r\n")
			ended <- err
		}()
		synctest.Wait()
		if err := conn.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		for range 2 {
			if err := <-ended; !errors.Is(err, net.ErrClosed) {
				t.Errorf("ended with %v, want net.ErrClosed", err)
			}
		}
		if err := conn.Err(); err != nil {
			t.Errorf("closing counts as an error: %v", err)
		}
		close(stay)
	})
}

// A reader that does not come must not make the pump keep everything, nor
// make Close wait.
func TestReaderThatDoesNotCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		conn := greeted(t, testConfig(), "", func(s *server) {
			for {
				n, err := io.WriteString(s.conn, "* 1 FETCH (UID 1 BODY[] {4096}\r\n"+strings.Repeat("x", 4096)+")\r\n")
				sent += n
				if err != nil {
					return
				}
			}
		})
		synctest.Wait()
		if limit := queueBytesMax + 4*readBufferBytes; sent > limit {
			t.Errorf("%d bytes were read ahead, want at most %d", sent, limit)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
}
