package lab

import (
	"crypto/tls"
	"os"
	"testing"
)

func TestDovecotStopsAndLeavesNothing(t *testing.T) {
	Require(t, "dovecot")
	srv, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := tls.Dial("tcp", srv.Addr(), srv.TLS())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	srv.Stop()
	if _, err := os.Stat(srv.dir); !os.IsNotExist(err) {
		t.Errorf("directory is still there: %v", err)
	}
}
