package lab

import (
	"fmt"
	"sync"
	"testing"
)

// shared are the servers that the tests of this process share, by their settings.
var shared = struct {
	sync.Mutex
	servers map[string]*Server
}{servers: make(map[string]*Server)}

// Shared returns a server with these options that all tests of the process share who
// ask for it, each with users of its own. It must not be stopped: it ends with the
// process.
func Shared(t testing.TB, opts ...Option) *Server {
	t.Helper()
	Require(t, "dovecot")
	key := fmt.Sprintf("%+v", newSettings(opts))
	shared.Lock()
	defer shared.Unlock()
	srv := shared.servers[key]
	if srv == nil {
		var err error
		if srv, err = Start(opts...); err != nil {
			t.Fatalf("start dovecot: %v", err)
		}
		shared.servers[key] = srv
	}
	srv = srv.On(t)
	t.Cleanup(srv.showLog)
	return srv
}
