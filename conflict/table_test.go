package conflict

import (
	"os"
	"strings"
	"testing"

	"mailmoor/state"
)

// grid is one table of docs/conflicts.md: cell[row][column] in words.
type grid struct {
	columns []string
	rows    []string
	cell    map[string]map[string]string
}

// readGrids returns the tables of the document that decide by folder and mailbox.
func readGrids(t *testing.T) []grid {
	t.Helper()
	text, err := os.ReadFile("../docs/conflicts.md")
	if err != nil {
		t.Fatal(err)
	}
	var grids []grid
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|--") {
			continue
		}
		var cells []string
		for _, c := range strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|") {
			cells = append(cells, strings.TrimSpace(c))
		}
		if strings.HasPrefix(cells[0], `folder \ mailbox`) {
			grids = append(grids, grid{columns: cells[1:], cell: map[string]map[string]string{}})
			continue
		}
		g := &grids[len(grids)-1]
		if len(cells) != len(g.columns)+1 {
			t.Fatalf("row %q has %d cells, the table has %d columns", cells[0], len(cells)-1, len(g.columns))
		}
		g.rows = append(g.rows, cells[0])
		g.cell[cells[0]] = map[string]string{}
		for i, column := range g.columns {
			g.cell[cells[0]][column] = cells[i+1]
		}
	}
	if len(grids) != 2 {
		t.Fatalf("found %d tables in docs/conflicts.md, want 2", len(grids))
	}
	return grids
}

var (
	localNames = map[string]Local{
		"absent": LocalAbsent, "new": LocalNew, "same": LocalSame, "flags": LocalFlags,
		"edited": LocalEdited, "moved": LocalMoved, "replaced": LocalReplaced, "unknown": LocalUnknown,
	}
	remoteNames = map[string]Remote{
		"absent": RemoteAbsent, "new": RemoteNew, "same": RemoteSame, "flags": RemoteFlags,
		"deleted": RemoteDeleted, "moved": RemoteMoved, "unknown": RemoteUnknown,
	}
)

// TestDocumentIsTheTable runs every cell of the document, each with the
// condition of an "if" met and not met.
func TestDocumentIsTheTable(t *testing.T) {
	for i, g := range readGrids(t) {
		known := i == 1
		wantRows, wantColumns := 3, 3
		if known {
			wantRows, wantColumns = 7, 6
		}
		if len(g.rows) != wantRows || len(g.columns) != wantColumns {
			t.Errorf("table %d is %d x %d, want %d x %d", i+1, len(g.rows), len(g.columns), wantRows, wantColumns)
		}
		for _, row := range g.rows {
			for _, column := range g.columns {
				for _, met := range []bool{false, true} {
					m := example(t, known, row, column, met)
					want := wanted(t, g.cell[row][column], met)
					if got := Decide(m).Action.String(); got != want {
						t.Errorf("folder %s, mailbox %s, condition %v: %s, the document says %s", row, column, met, got, want)
					}
				}
			}
		}
	}
}

// wanted picks the branch of "X if changed, else Y".
func wanted(t *testing.T, cell string, met bool) string {
	t.Helper()
	then, rest, conditional := strings.Cut(cell, " if ")
	if !conditional {
		return cell
	}
	_, otherwise, ok := strings.Cut(rest, ", else ")
	if !ok {
		t.Fatalf("cell %q has an \"if\" without an \"else\"", cell)
	}
	if met {
		return then
	}
	return otherwise
}

// example builds a message that stands in the cell. met says whether the
// condition, if the cell has one, holds.
func example(t *testing.T, known bool, row, column string, met bool) Message {
	t.Helper()
	l, okL := localNames[row]
	r, okR := remoteNames[column]
	if !okL || !okR {
		t.Fatalf("the document names unknown states %q, %q", row, column)
	}
	m := Message{Known: known, Local: l, Remote: r, Shared: state.AllFlags, Equal: met, SameTarget: met}
	if !known {
		return m
	}
	change := state.Seen
	if met {
		change = state.Flagged
	}
	m.BaseFlags = state.Answered
	m.LocalFlags, m.RemoteFlags = m.BaseFlags, m.BaseFlags
	if l == LocalFlags {
		m.LocalFlags |= change
	}
	switch r {
	case RemoteFlags:
		m.RemoteFlags |= change
		if l == LocalFlags {
			// The same change on both sides would leave nothing to do.
			m.RemoteFlags |= state.Passed
		}
	case RemoteDeleted:
		m.RemoteFlags |= state.Trashed
	}
	return m
}
