package bench

import (
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
	binary := build(b)
	_, _, many, _ := accounts()
	many.fill(srv)
	proxies := []*lab.Proxy{lab.Mask(b, srv), lab.Mask(b, srv, matrix.Plain()...)}
	// The trees stay until the end: creating files right after removing thousands is
	// slow on ext4, and would be measured too.
	sync := func(which int) float64 {
		p := mailmoor(b, b.TempDir(), binary, many.name, proxies[which].Port, srv)
		if err := p.empty(); err != nil {
			b.Fatal(err)
		}
		spent := run(b, p.command...)
		files, err := filepath.Glob(filepath.Join(p.home, "tree", "*", "cur", "*"))
		if err != nil || len(files) != *messages {
			b.Fatalf("%s has %d messages, want %d: %v", p.home, len(files), *messages, err)
		}
		return spent.Wall.Seconds()
	}
	sync(0) // whoever came first would find the server's caches cold
	var full, plain []float64
	for range b.N {
		full = append(full, sync(0))
		plain = append(plain, sync(1))
	}
	slices.Sort(full)
	slices.Sort(plain)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(full[len(full)/2], "full-s")
	b.ReportMetric(plain[len(plain)/2], "plain-s")
	b.ReportMetric(plain[len(plain)/2]/full[len(full)/2], "ratio")
	b.ReportMetric(full[len(full)-1]/full[0], "noise")
}
