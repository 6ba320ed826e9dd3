package plan

import (
	"testing"

	"mailmoor/state"
)

// TestUsualNames: no name belongs to two roles, and none stands there twice.
func TestUsualNames(t *testing.T) {
	seen := make(map[string]state.Role)
	for _, u := range usualNames() {
		if len(u.names) < 10 || u.role.Virtual() {
			t.Errorf("%s has the names %q", u.role, u.names)
		}
		for _, name := range u.names {
			if other, twice := seen[state.Fold(name)]; twice {
				t.Errorf("%q is a name of %s and of %s", name, other, u.role)
			}
			seen[state.Fold(name)] = u.role
		}
	}
}
