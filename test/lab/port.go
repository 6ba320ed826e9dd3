package lab

import (
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"syscall"
	"testing"
)

// DeadPort returns a port of 127.0.0.1 that nobody listens on as long as the test
// lasts.
func DeadPort(t testing.TB) int {
	t.Helper()
	port, release, err := reservePort("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return port
}

// reservePort takes a free port of the host, an IPv4 address, until release is called.
// Nobody who looks for a free port gets it meanwhile, nor does a connection. On Linux
// a server that is told to listen on it can: like all servers it allows its address
// to be used again, as we do, who do not listen. Elsewhere the port is only free at
// this moment. ip(7), SO_REUSEADDR in socket(7).
func reservePort(host string) (port int, release func(), err error) {
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return 0, nil, err
	}
	syscall.ForkLock.RLock()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return 0, nil, fmt.Errorf("find a free port: %w", err)
	}
	release = sync.OnceFunc(func() { _ = syscall.Close(fd) })
	err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	if err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: addr.As4()})
	}
	var name syscall.Sockaddr
	if err == nil {
		name, err = syscall.Getsockname(fd)
	}
	bound, ok := name.(*syscall.SockaddrInet4)
	if err != nil || !ok {
		release()
		return 0, nil, fmt.Errorf("find a free port of %s: %w", host, err)
	}
	if runtime.GOOS != "linux" {
		release()
	}
	return bound.Port, release, nil
}
