package store

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
)

const (
	// readersMax bounds the pool of reading connections.
	readersMax = 4
	// busyMillis is how long a statement waits for another process.
	busyMillis = 5000
	// logBytesMax is what the write-ahead log is cut back to after a big run.
	logBytesMax = 16 << 20
)

// dsn names the file to the driver. The path is escaped: a "?" in it would
// otherwise cut it short and open another file. mode is SQLite's; more are
// further pairs of parameters.
func dsn(path, mode string, more ...string) string {
	q := url.Values{"mode": {mode}, "_defensive": {"1"}, "_dqs": {"0"}, "_error_rc": {"1"}}
	q["_pragma"] = []string{
		fmt.Sprintf("busy_timeout(%d)", busyMillis),
		"foreign_keys(1)",
		fmt.Sprintf("journal_size_limit(%d)", logBytesMax),
		"synchronous(FULL)",
		"trusted_schema(0)",
	}
	if mode == "rw" {
		// The file remembers it, so that readers need not ask for it.
		q.Add("_pragma", "journal_mode(WAL)")
	}
	if mode != "ro" {
		// A transaction that reads first and writes later could otherwise
		// find that another process has written in between.
		q.Set("_txlock", "immediate")
	}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	// SQLite does not read "+" as a space.
	query := strings.ReplaceAll(q.Encode(), "+", "%20")
	return (&url.URL{Scheme: "file", Path: path, RawQuery: query}).String()
}

// connect makes the connection pools. No pool may create a file: a missing
// database must not turn into an empty one.
func (s *Store) connect() error {
	path, more := s.path, []string(nil)
	switch {
	case s.scratch != "":
		path = filepath.Join(s.scratch, databaseName)
	case s.fixed:
		more = []string{"immutable", "1"}
	}
	var err error
	if s.reader, err = sql.Open("sqlite", dsn(path, "ro", more...)); err != nil {
		return err
	}
	s.reader.SetMaxOpenConns(readersMax)
	s.reader.SetMaxIdleConns(readersMax)
	if s.o.ReadOnly {
		return nil
	}
	if s.writer, err = sql.Open("sqlite", dsn(s.path, "rw")); err != nil {
		return errors.Join(err, s.reader.Close())
	}
	s.writer.SetMaxOpenConns(1)
	s.writer.SetMaxIdleConns(1)
	return nil
}
