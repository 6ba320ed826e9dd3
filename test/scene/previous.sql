-- Turns a database of schema 2 into what schema 1 would have been of the same
-- account. It is good only for rows of which schema 2 adds nothing but zeros: their
-- checksums are the same.
PRAGMA foreign_keys = OFF;
BEGIN;
ALTER TABLE mailbox DROP COLUMN sampled;
ALTER TABLE mailbox DROP COLUMN doubt;
ALTER TABLE hold DROP COLUMN lost;
ALTER TABLE hold DROP COLUMN through;
DROP TABLE given_up;
DROP TABLE tombstone;
ALTER TABLE record RENAME TO record_v2;
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
INSERT INTO record
SELECT mailbox, uid, key, state, flags, inode, size, mtime, digest, header, content_size,
	wire_size, remote_size, remote_date, remote_header, tries, next_at, reason, sum
FROM record_v2;
DROP TABLE record_v2;
CREATE UNIQUE INDEX record_by_uid ON record (mailbox, uid);
CREATE UNIQUE INDEX record_by_key ON record (mailbox, key);
CREATE INDEX record_unpaired ON record (mailbox, state) WHERE state <> 1;
DELETE FROM meta WHERE key = 'schema';
PRAGMA user_version = 1;
COMMIT;
