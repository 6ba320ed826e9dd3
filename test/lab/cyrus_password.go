package lab

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"os"
)

// checkPasswords answers Cyrus, which asks over a socket whether a password is
// right: that of every user is the same. The protocol is that of saslauthd.
func (p *Peer) checkPasswords() (net.Listener, error) {
	l, err := net.Listen("unix", p.path("mux"))
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(p.path("mux"), 0o666); err != nil {
		_ = l.Close()
		return nil, err
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed
			}
			go func() {
				defer conn.Close()
				answerPassword(conn, p.password)
			}()
		}
	}()
	return l, nil
}

// answerPassword reads user, password, service and realm and says OK or NO. Each
// string has its length in front, two bytes, the high one first.
func answerPassword(conn io.ReadWriter, want string) {
	r := bufio.NewReader(conn)
	var words [4]string
	for i := range words {
		var size uint16
		if binary.Read(r, binary.BigEndian, &size) != nil {
			return
		}
		word := make([]byte, size)
		if _, err := io.ReadFull(r, word); err != nil {
			return
		}
		words[i] = string(word)
	}
	answer := "NO"
	if words[1] == want {
		answer = "OK"
	}
	_, _ = conn.Write(append([]byte{0, byte(len(answer))}, answer...)) // Cyrus asks again
}
