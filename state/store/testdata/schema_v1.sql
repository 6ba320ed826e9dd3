-- What the first program wrote with schema 1.
PRAGMA application_id = 1297043282;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE meta (
	key   TEXT NOT NULL PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES('clean','1');
INSERT INTO meta VALUES('program','0.1.0');
INSERT INTO meta VALUES('written','1700000000');
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
INSERT INTO mailbox VALUES(1,'INBOX','folder of INBOX','marker of INBOX',4294967295,4294967295,-1,7,-1,-1,2,3,4,5,6,2500339125);
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
INSERT INTO record VALUES(1,NULL,'stuck',2,0,0,0,0,NULL,NULL,0,0,0,0,NULL,2,3,'too big',1010194051);
INSERT INTO record VALUES(1,1,'a',1,18,-9223372036854775807,1000,1700000000123456789,X'0200000000000000020000000000000002000000000000000200000000000000',X'0200000000000000020000000000000002000000000000000200000000000000',1010,1020,1021,1600000000,X'0300000000000000030000000000000003000000000000000300000000000000',1,2,'grüße',2972625721);
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
INSERT INTO intent VALUES(1,1,1,1,9,NULL,'coming',16,5,NULL,NULL,0,0,NULL,6,1570068765);
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
INSERT INTO hold VALUES(1,1,1,0,'3 messages are gone',2,7,3337087901);
CREATE TABLE hold_range (
	hold  INTEGER NOT NULL REFERENCES hold (id) ON DELETE CASCADE,
	first INTEGER NOT NULL CHECK (first >= 1),
	last  INTEGER NOT NULL CHECK (last BETWEEN first AND 4294967295),
	PRIMARY KEY (hold, first)
) STRICT, WITHOUT ROWID;
INSERT INTO hold_range VALUES(1,1,2);
INSERT INTO hold_range VALUES(1,5,5);
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
INSERT INTO held VALUES('p','INBOX','k',NULL,0,NULL,NULL,0,0,0,4,'r',3514884478);
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
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('mailbox',1);
INSERT INTO sqlite_sequence VALUES('intent',1);
INSERT INTO sqlite_sequence VALUES('hold',1);
CREATE UNIQUE INDEX record_by_uid ON record (mailbox, uid);
CREATE UNIQUE INDEX record_by_key ON record (mailbox, key);
CREATE INDEX record_unpaired ON record (mailbox, state) WHERE state <> 1;
CREATE INDEX intent_mailbox ON intent (mailbox);
CREATE INDEX hold_mailbox ON hold (mailbox);
CREATE INDEX held_removed ON held (removed);
COMMIT;
PRAGMA user_version = 1;
