package lab

import "testing"

// Tests that ask for the same server get one, and users of their own; others do not.
func TestShared(t *testing.T) {
	users := make(map[string]bool)
	port := Shared(t).Port
	for _, name := range []string{"one", "another"} {
		t.Run(name, func(t *testing.T) {
			srv := Shared(t)
			if srv.Port != port {
				t.Error("it has a server of its own")
			}
			u := srv.NewUser()
			if users[u.Name] {
				t.Errorf("%s has been used", u.Name)
			}
			users[u.Name] = true
			if got := srv.Mailboxes(u.Name); len(got) != 1 {
				t.Errorf("the mailboxes are %v, want INBOX alone", got)
			}
		})
	}
	if srv := Shared(t, SpecialUse("Trash")); srv.Port == port {
		t.Error("one with other options is the same")
	}
}
