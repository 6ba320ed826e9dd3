-- Turns a database of schema 4 into what schema 2 would have been of the same
-- account. It is good only for rows of which schema 3 adds nothing but zeros and
-- empty texts: their checksums are the same.
BEGIN;
DROP TABLE stray;
ALTER TABLE mailbox DROP COLUMN tagged;
ALTER TABLE record DROP COLUMN local_flags;
ALTER TABLE record DROP COLUMN keywords;
ALTER TABLE record DROP COLUMN local_keywords;
ALTER TABLE intent DROP COLUMN keywords;
ALTER TABLE given_up DROP COLUMN keywords;
ALTER TABLE held DROP COLUMN keywords;
UPDATE meta SET value = '2' WHERE key = 'schema';
PRAGMA user_version = 2;
COMMIT;
