package store

// schemaV1 mirrors the Check methods of package state. Counters that have 64
// bits without a sign (mod-sequences, inodes) are stored as the integer of the
// same bits. "sum" is the checksum of a row: see rowSum.
const schemaV1 = `
CREATE TABLE meta (
	key   TEXT NOT NULL PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE mailbox (
	id          INTEGER PRIMARY KEY AUTOINCREMENT,
	name        TEXT NOT NULL UNIQUE CHECK (name <> ''),
	folder      TEXT NOT NULL CHECK (folder <> ''),
	marker      TEXT NOT NULL CHECK (marker <> ''),
	uidvalidity INTEGER NOT NULL CHECK (uidvalidity BETWEEN 0 AND 4294967295),
	uidnext     INTEGER NOT NULL CHECK (uidnext BETWEEN 0 AND 4294967295),
	modseq      INTEGER NOT NULL,
	messages    INTEGER NOT NULL CHECK (messages BETWEEN 0 AND 4294967295),
	new_inode   INTEGER NOT NULL,
	new_mtime   INTEGER NOT NULL,
	new_ctime   INTEGER NOT NULL,
	cur_inode   INTEGER NOT NULL,
	cur_mtime   INTEGER NOT NULL,
	cur_ctime   INTEGER NOT NULL,
	statted     INTEGER NOT NULL,
	sum         INTEGER NOT NULL
) STRICT;

CREATE TABLE record (
	mailbox       INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
	uid           INTEGER CHECK (uid BETWEEN 1 AND 4294967295),
	key           TEXT CHECK (key <> ''),
	state         INTEGER NOT NULL CHECK (state BETWEEN 1 AND 4),
	flags         INTEGER NOT NULL CHECK (flags BETWEEN 0 AND 63),
	inode         INTEGER NOT NULL,
	size          INTEGER NOT NULL,
	mtime         INTEGER NOT NULL,
	digest        BLOB CHECK (length(digest) = 32),
	header        BLOB CHECK (length(header) = 32),
	content_size  INTEGER NOT NULL,
	wire_size     INTEGER NOT NULL,
	remote_size   INTEGER NOT NULL,
	remote_date   INTEGER NOT NULL,
	remote_header BLOB CHECK (length(remote_header) = 32),
	tries         INTEGER NOT NULL,
	next_at       INTEGER NOT NULL,
	reason        TEXT NOT NULL,
	sum           INTEGER NOT NULL,
	CHECK ((uid IS NOT NULL) = (state IN (1, 3, 4))),
	CHECK ((key IS NOT NULL) = (state IN (1, 2))),
	CHECK (state <> 1 OR digest IS NOT NULL)
) STRICT;

CREATE UNIQUE INDEX record_by_uid ON record (mailbox, uid);
CREATE UNIQUE INDEX record_by_key ON record (mailbox, key);
CREATE INDEX record_unpaired ON record (mailbox, state) WHERE state <> 1;

CREATE TABLE intent (
	id           INTEGER PRIMARY KEY AUTOINCREMENT,
	kind         INTEGER NOT NULL CHECK (kind IN (1, 2)),
	mailbox      INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
	uidvalidity  INTEGER NOT NULL CHECK (uidvalidity BETWEEN 1 AND 4294967295),
	uid          INTEGER CHECK (uid BETWEEN 1 AND 4294967295),
	uidnext      INTEGER CHECK (uidnext BETWEEN 1 AND 4294967295),
	key          TEXT NOT NULL CHECK (key <> ''),
	flags        INTEGER NOT NULL CHECK (flags BETWEEN 0 AND 63),
	date         INTEGER NOT NULL,
	digest       BLOB CHECK (length(digest) = 32),
	header       BLOB CHECK (length(header) = 32),
	content_size INTEGER NOT NULL,
	wire_size    INTEGER NOT NULL,
	replaces     INTEGER CHECK (replaces BETWEEN 1 AND 4294967295),
	created      INTEGER NOT NULL,
	sum          INTEGER NOT NULL,
	CHECK (kind <> 1 OR uid IS NOT NULL),
	CHECK (kind <> 2 OR (uidnext IS NOT NULL AND digest IS NOT NULL))
) STRICT;

CREATE INDEX intent_mailbox ON intent (mailbox);

CREATE TABLE hold (
	id       INTEGER PRIMARY KEY AUTOINCREMENT,
	mailbox  INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
	missing  INTEGER NOT NULL CHECK (missing IN (1, 2)),
	whole    INTEGER NOT NULL CHECK (whole IN (0, 1)),
	reason   TEXT NOT NULL,
	decision INTEGER NOT NULL CHECK (decision IN (0, 1, 2)),
	created  INTEGER NOT NULL,
	sum      INTEGER NOT NULL
) STRICT;

CREATE INDEX hold_mailbox ON hold (mailbox);

CREATE TABLE hold_range (
	hold  INTEGER NOT NULL REFERENCES hold (id) ON DELETE CASCADE,
	first INTEGER NOT NULL CHECK (first >= 1),
	last  INTEGER NOT NULL CHECK (last BETWEEN first AND 4294967295),
	PRIMARY KEY (hold, first)
) STRICT, WITHOUT ROWID;

CREATE TABLE held (
	path         TEXT NOT NULL PRIMARY KEY CHECK (path <> ''),
	mailbox      TEXT NOT NULL,
	key          TEXT,
	uid          INTEGER CHECK (uid BETWEEN 1 AND 4294967295),
	flags        INTEGER NOT NULL CHECK (flags BETWEEN 0 AND 63),
	digest       BLOB CHECK (length(digest) = 32),
	header       BLOB CHECK (length(header) = 32),
	content_size INTEGER NOT NULL,
	wire_size    INTEGER NOT NULL,
	date         INTEGER NOT NULL,
	removed      INTEGER NOT NULL,
	reason       TEXT NOT NULL,
	sum          INTEGER NOT NULL
) STRICT;

CREATE INDEX held_removed ON held (removed);

CREATE TABLE notice (
	fingerprint BLOB NOT NULL PRIMARY KEY CHECK (length(fingerprint) = 32),
	first_seen  INTEGER NOT NULL,
	last_shown  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
	id      INTEGER PRIMARY KEY CHECK (id = 1),
	started INTEGER NOT NULL,
	ended   INTEGER NOT NULL,
	exit    INTEGER NOT NULL,
	summary TEXT NOT NULL CHECK (json_valid(summary))
) STRICT;
`
