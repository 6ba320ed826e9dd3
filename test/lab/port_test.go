package lab

import (
	"errors"
	"net"
	"strconv"
	"syscall"
	"testing"
)

// What is reserved answers nobody, and whoever is told to listen there can.
func TestReservePort(t *testing.T) {
	port, release, err := reservePort("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	if conn, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a connection to the reserved port: %v, %v", conn, err)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatalf("listen on the reserved port: %v", err)
	}
	defer l.Close()
	release()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}
