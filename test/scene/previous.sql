-- Turns a database of schema 5 into what schema 2 would have been of the same
-- account. It is good only for rows of which schemas 3 to 5 add nothing but zeros,
-- empty texts and NULL: their checksums are the same.
BEGIN;
DROP TABLE stray;
ALTER TABLE mailbox DROP COLUMN tagged;
ALTER TABLE record DROP COLUMN local_flags;
ALTER TABLE record DROP COLUMN keywords;
ALTER TABLE record DROP COLUMN local_keywords;
ALTER TABLE intent DROP COLUMN keywords;
ALTER TABLE given_up DROP COLUMN keywords;
ALTER TABLE held DROP COLUMN keywords;
ALTER TABLE record DROP COLUMN plain;
ALTER TABLE intent DROP COLUMN plain;
ALTER TABLE given_up DROP COLUMN plain;
ALTER TABLE held DROP COLUMN plain;
UPDATE meta SET value = '2' WHERE key = 'schema';
PRAGMA user_version = 2;
COMMIT;
