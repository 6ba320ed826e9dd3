package store

// schemaV4 adds what is remembered of files that are not understood: see
// state.StrayNote.
const schemaV4 = `
CREATE TABLE stray (
	path    TEXT NOT NULL PRIMARY KEY CHECK (path <> ''),
	mark    TEXT NOT NULL CHECK (mark <> ''),
	cleared INTEGER NOT NULL CHECK (cleared IN (0, 1)),
	sum     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`
