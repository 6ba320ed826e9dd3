package bench

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"mailmoor/test/lab"
	"mailmoor/test/matrix"
)

// BenchmarkPlain downloads everything from Dovecot as it is and from one that
// seems to have nothing but RFC 3501, each through the same proxy, and reports how
// much longer the second takes. It also reports by how much the first one's own
// times differ, which is the noise of the machine.
func BenchmarkPlain(b *testing.B) {
	srv := lab.Dovecot(b)
	p := newPeers(b)
	fill(srv, "bench")
	proxies := []*lab.Proxy{lab.Mask(b, srv), lab.Mask(b, srv, matrix.Plain()...)}
	sync := func(which int, round string) float64 {
		conf, _ := p.configureAt(srv, proxies[which].Port, "bench", round)
		spent := p.runOurs(conf)
		if n := count(b, filepath.Join(filepath.Dir(conf), "mailmoor")); n != *messages {
			b.Fatalf("%s has %d messages, want %d", round, n, *messages)
		}
		return spent.Wall.Seconds()
	}
	sync(0, "warm") // whoever came first would find the server's caches cold
	var full, plain []float64
	for i := range b.N {
		full = append(full, sync(0, fmt.Sprint("full", i)))
		plain = append(plain, sync(1, fmt.Sprint("plain", i)))
	}
	slices.Sort(full)
	slices.Sort(plain)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(full[len(full)/2], "full-s")
	b.ReportMetric(plain[len(plain)/2], "plain-s")
	b.ReportMetric(plain[len(plain)/2]/full[len(full)/2], "ratio")
	b.ReportMetric(full[len(full)-1]/full[0], "noise")
}
