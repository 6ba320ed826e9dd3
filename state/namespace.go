package state

// Namespace is a part of the names that a server gives to mailboxes. RFC 2342.
type Namespace struct {
	// Prefix begins every name in it, with the delimiter at its end; it is empty
	// for the part that holds all names that no other one holds.
	Prefix string
	// Delimiter separates the levels of names in it, 0 when there are none.
	Delimiter rune
}

// Namespaces says where on the server mailboxes lie. Its zero value is that of a
// server that does not tell.
type Namespaces struct {
	Personal []Namespace // of the account itself
	Others   []Namespace // of other users
	Shared   []Namespace // of nobody in particular
}
