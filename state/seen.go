package state

// SeenSet is what is known of the messages in one mailbox: the records that have a UID.
// A large mailbox has more of them than a run should read, so they are asked for. The
// zero value is that of a mailbox of which nothing is known.
type SeenSet struct {
	// UIDs are those of all records.
	UIDs UIDSet
	// Read returns the records with these UIDs, as far as there are any, ordered by UID.
	Read func(uids UIDSet) ([]Record, error)
}

// SeenOf returns the set of records in memory, which have a UID and are ordered by it.
func SeenOf(records []Record) SeenSet {
	var s SeenSet
	for _, r := range records {
		s.UIDs = s.UIDs.Add(r.UID)
	}
	s.Read = func(uids UIDSet) ([]Record, error) {
		var found []Record
		i := 0
		for _, r := range records {
			for i < len(uids) && uids[i].Last < r.UID {
				i++
			}
			if i < len(uids) && r.UID >= uids[i].First {
				found = append(found, r)
			}
		}
		return found, nil
	}
	return s
}

// Records returns the records with these UIDs, as far as there are any, ordered by UID.
func (s SeenSet) Records(uids UIDSet) ([]Record, error) {
	if len(uids) == 0 || s.Read == nil {
		return nil, nil
	}
	return s.Read(uids)
}
