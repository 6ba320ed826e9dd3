package bench

import (
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// result is a workload with what each program needed for it.
type result struct {
	workload
	ours, theirs cost
}

// about says when, where and with which programs was measured.
type about struct{ date, machine, versions, rounds string }

func aboutRun(t testing.TB) about {
	t.Helper()
	first := func(name string, args ...string) string {
		out, err := exec.Command(name, args...).Output()
		if err != nil {
			t.Fatalf("ask %s for its version: %v", name, err)
		}
		line, _, _ := strings.Cut(string(out), "\n")
		return strings.TrimSpace(line)
	}
	revision := first("git", "describe", "--always", "--dirty")
	dovecot, _, _ := strings.Cut(first("dovecot", "--version"), " ")
	return about{
		date:     time.Now().UTC().Format(time.DateOnly),
		machine:  machine(),
		versions: fmt.Sprintf("Mailmoor %s, %s, Dovecot %s, %s", revision, first("mbsync", "--version"), dovecot, runtime.Version()),
		rounds:   "medians of " + count(*rounds, "round"),
	}
}

// machine describes what is measured on, as far as the system tells.
func machine() string {
	text := fmt.Sprintf("%s/%s, %s", runtime.GOOS, runtime.GOARCH, count(runtime.NumCPU(), "processor"))
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "model name" {
			text += " " + strings.TrimSpace(value)
			break
		}
	}
	if out, err := exec.Command("df", "--output=fstype", os.TempDir()).Output(); err == nil { // GNU's
		if words := strings.Fields(string(out)); len(words) == 2 {
			text += ", trees on " + words[1]
		}
	}
	return text
}

const method = `Both programs play each workload from the same start, in turn, against the same server on this machine, through a
proxy that passes TLS on as it is, adds the round trip and counts. Time is that of one run of the program from its start to its
end; processor time and memory are those of its process, bytes those of the network with TLS. A round trip is counted when a
program cannot go on without an answer; those of all connections are added up. Both sides were compared after each run. "Here"
is in the tree, "there" on the server; mbsync's FSync is on, as it is by itself.`

// markdown returns the report; name is that of the chart beside it.
func markdown(a about, name string, results []result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Mailmoor beside mbsync\n\n%s; %s; %s.\n\n- %s\n- %s\n\n", a.date, a.rounds, "written by `make "+name+"`", a.machine, a.versions)
	fmt.Fprintf(&b, "%s\n\n![time of each workload](%s.svg)\n\n", method, name)
	b.WriteString("| workload | round trip | program | time | processor | memory | up | down | round trips |\n")
	b.WriteString("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, r := range results {
		b.WriteString(r.rows())
	}
	return b.String()
}

// rows are the two lines of a workload.
func (r result) rows() string {
	row := func(name, link, program, wall string, c cost) string {
		return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", name, link, program, wall,
			seconds(c.CPU), size(c.Peak), size(c.Up), size(c.Down), thousands(int(c.RoundTrips)))
	}
	return row(r.name, r.link(), "Mailmoor", fmt.Sprintf("%s (%.2f x)", seconds(r.ours.Wall), r.ratio()), r.ours) +
		row("", "", "mbsync", seconds(r.theirs.Wall), r.theirs)
}

func (r result) link() string {
	if r.rtt == 0 {
		return "-"
	}
	return fmt.Sprintf("%d ms", r.rtt.Milliseconds())
}

// ratio is how long we take where mbsync takes 1.
func (r result) ratio() float64 { return r.ours.Wall.Seconds() / r.theirs.Wall.Seconds() }

// Measures of the chart, in pixels.
const (
	chartWidth = 900
	barsAt     = 20
	barsWidth  = 780
	barHeight  = 12
	rowHeight  = 52
	headHeight = 48
)

// chart returns the times as bars, as SVG. The longer bar of each workload has the full
// width: what takes a tenth of a second would not be seen beside what takes minutes.
func chart(a about, results []result) string {
	var b strings.Builder
	text := func(x, y int, words string) {
		fmt.Fprintf(&b, `<text x="%d" y="%d">`, x, y)
		_ = xml.EscapeText(&b, []byte(words)) // a Builder takes everything
		b.WriteString("</text>\n")
	}
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n",
		chartWidth, headHeight+rowHeight*len(results))
	b.WriteString(`<rect width="100%" height="100%" fill="#fff"/>` + "\n")
	text(barsAt, 18, fmt.Sprintf("Time of one run, %s, %s. The longer bar of each pair has the full width.", a.date, a.rounds))
	text(barsAt, 36, a.versions)
	for i, r := range results {
		y := headHeight + i*rowHeight
		name := r.name
		if r.rtt > 0 {
			name += ", round trip " + r.link()
		}
		text(barsAt, y+12, name)
		longest := max(r.ours.Wall, r.theirs.Wall).Seconds()
		for j, bar := range []struct {
			program, colour string
			wall            time.Duration
		}{{"Mailmoor", "#1b6ca8", r.ours.Wall}, {"mbsync", "#b0b0b0", r.theirs.Wall}} {
			top := y + 17 + j*(barHeight+2)
			width := max(1, int(float64(barsWidth-160)*bar.wall.Seconds()/longest))
			fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>`+"\n", barsAt, top, width, barHeight, bar.colour)
			text(barsAt+width+6, top+10, bar.program+" "+seconds(bar.wall))
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func seconds(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

func size(bytes int64) string {
	switch {
	case bytes < 1e6:
		return fmt.Sprintf("%.0f kB", float64(bytes)/1e3)
	case bytes < 1e7:
		return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
	}
	return fmt.Sprintf("%s MB", thousands(int(bytes/1e6)))
}

// thousands writes a number with commas.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

// count writes a number with its noun.
func count(n int, noun string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(noun, "x"):
		noun += "es"
	default:
		noun += "s"
	}
	return thousands(n) + " " + noun
}

// TestReport keeps what the report is made of.
func TestReport(t *testing.T) {
	results := []result{{
		workload: workload{name: "1,000 messages & more", rtt: 40 * time.Millisecond},
		ours: median([]cost{
			{time.Second, 300 * time.Millisecond, 20e6, 1500, 2_500_000, 7},
			{3 * time.Second, 100 * time.Millisecond, 40e6, 1700, 12_500_000, 9},
			{2 * time.Second, 200 * time.Millisecond, 30e6, 1600, 3_500_000, 1008},
		}),
		theirs: cost{Wall: 16 * time.Second, CPU: time.Second, Peak: 30e6, Up: 1, Down: 999_000, RoundTrips: 12_345},
	}}
	want := "| 1,000 messages & more | 40 ms | Mailmoor | 2.00 s (0.12 x) | 0.20 s | 30 MB | 2 kB | 3.5 MB | 9 |\n" +
		"|  |  | mbsync | 16.0 s | 1.00 s | 30 MB | 0 kB | 999 kB | 12,345 |\n"
	a := about{date: "2026-01-02", rounds: "medians of 3 rounds", versions: "<old>"}
	text := markdown(a, "name", results)
	if _, table, _ := strings.Cut(text, "---: |\n"); !cmp.Equal(want, table) || !strings.Contains(text, "(name.svg)") {
		t.Errorf("the report reads\n%s\nits lines should be\n%s", text, want)
	}
	var svg struct {
		Text []string `xml:"text"`
		Rect []struct {
			Width string `xml:"width,attr"`
		} `xml:"rect"`
	}
	if err := xml.Unmarshal([]byte(chart(a, results)), &svg); err != nil {
		t.Fatal(err)
	}
	if got := svg.Text[2:]; !cmp.Equal(got, []string{"1,000 messages & more, round trip 40 ms", "Mailmoor 2.00 s", "mbsync 16.0 s"}) {
		t.Errorf("the chart says %q", got)
	}
	if len(svg.Rect) != 3 || svg.Rect[1].Width != "77" || svg.Rect[2].Width != "620" {
		t.Errorf("the chart has the bars %v", svg.Rect)
	}
}

func TestCount(t *testing.T) {
	for want, got := range map[string]string{
		"1 mailbox": count(1, "mailbox"), "1,000 mailboxes": count(1000, "mailbox"),
		"0 messages": count(0, "message"), "1,234,567 messages": count(1_234_567, "message"),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
