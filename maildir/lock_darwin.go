package maildir

// lockHolder cannot be known here: flock(2) does not tell.
func lockHolder(dir) string { return "another process" }
