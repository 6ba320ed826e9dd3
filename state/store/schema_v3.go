package store

// schemaV3 adds the keywords of messages, and which flags only the file has. No table
// is made anew, so that the upgrade of a large account takes no time; and sums stay as
// they are, as in schemaV2: what is empty does not count. Records of earlier programs
// know no keywords, which their mailboxes say by not being tagged.
const schemaV3 = `
ALTER TABLE mailbox ADD COLUMN tagged INTEGER NOT NULL DEFAULT 0 CHECK (tagged IN (0, 1));
ALTER TABLE record ADD COLUMN local_flags INTEGER NOT NULL DEFAULT 0 CHECK (local_flags BETWEEN 0 AND 63);
ALTER TABLE record ADD COLUMN keywords TEXT NOT NULL DEFAULT '';
ALTER TABLE record ADD COLUMN local_keywords TEXT NOT NULL DEFAULT '';
ALTER TABLE intent ADD COLUMN keywords TEXT NOT NULL DEFAULT '';
ALTER TABLE given_up ADD COLUMN keywords TEXT NOT NULL DEFAULT '';
ALTER TABLE held ADD COLUMN keywords TEXT NOT NULL DEFAULT '';
`
