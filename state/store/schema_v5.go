package store

// schemaV5 adds the plain form of contents, where it is another one than the exact form.
// Sums stay as they are, as in schemaV2.
const schemaV5 = `
ALTER TABLE record ADD COLUMN plain BLOB CHECK (length(plain) = 32);
ALTER TABLE intent ADD COLUMN plain BLOB CHECK (length(plain) = 32);
ALTER TABLE given_up ADD COLUMN plain BLOB CHECK (length(plain) = 32);
ALTER TABLE held ADD COLUMN plain BLOB CHECK (length(plain) = 32);
`
