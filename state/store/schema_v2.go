package store

// schemaV2 adds lost messages, doubts, and the memory of what is over. The table of
// records is made anew because its checks change. Sums stay as they are: what this
// step adds is zero, and does not count then (rowSum.added), so that an upgrade signs
// nothing that it has not read.
const schemaV2 = `
ALTER TABLE mailbox ADD COLUMN sampled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mailbox ADD COLUMN doubt INTEGER NOT NULL DEFAULT 0 CHECK (doubt BETWEEN 0 AND 2);

ALTER TABLE hold ADD COLUMN lost INTEGER NOT NULL DEFAULT 0 CHECK (lost >= 0);
ALTER TABLE hold ADD COLUMN through INTEGER NOT NULL DEFAULT 0;

ALTER TABLE record RENAME TO record_v1;

CREATE TABLE record (
	mailbox       INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
	uid           INTEGER CHECK (uid BETWEEN 1 AND 4294967295),
	key           TEXT CHECK (key <> ''),
	state         INTEGER NOT NULL CHECK (state BETWEEN 1 AND 6),
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
	since         INTEGER NOT NULL,
	sum           INTEGER NOT NULL,
	CHECK ((uid IS NOT NULL) = (state IN (1, 3, 4, 6))),
	CHECK ((key IS NOT NULL) = (state IN (1, 2, 5))),
	CHECK (state NOT IN (1, 5) OR digest IS NOT NULL),
	CHECK (since = 0 OR state IN (1, 5)),
	CHECK (since <> 0 OR state <> 5)
) STRICT;

INSERT INTO record (mailbox, uid, key, state, flags, inode, size, mtime, digest, header, content_size,
	wire_size, remote_size, remote_date, remote_header, tries, next_at, reason, since, sum)
SELECT mailbox, uid, key, state, flags, inode, size, mtime, digest, header, content_size,
	wire_size, remote_size, remote_date, remote_header, tries, next_at, reason, 0, sum
FROM record_v1;

DROP TABLE record_v1;

CREATE UNIQUE INDEX record_by_uid ON record (mailbox, uid);
CREATE UNIQUE INDEX record_by_key ON record (mailbox, key);
CREATE INDEX record_unpaired ON record (mailbox, state) WHERE state <> 1;

CREATE TABLE given_up (
	id           INTEGER PRIMARY KEY,
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
	ended        INTEGER NOT NULL,
	sum          INTEGER NOT NULL
) STRICT;

CREATE INDEX given_up_mailbox ON given_up (mailbox);

CREATE TABLE tombstone (
	mailbox       INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
	uidvalidity   INTEGER NOT NULL CHECK (uidvalidity BETWEEN 1 AND 4294967295),
	uid           INTEGER NOT NULL CHECK (uid BETWEEN 1 AND 4294967295),
	remote_size   INTEGER NOT NULL,
	remote_date   INTEGER NOT NULL,
	remote_header BLOB CHECK (length(remote_header) = 32),
	tries         INTEGER NOT NULL,
	removed       INTEGER NOT NULL,
	sum           INTEGER NOT NULL,
	PRIMARY KEY (mailbox, uidvalidity, uid)
) STRICT, WITHOUT ROWID;
`
