package store_test

import (
	"mailmoor/engine"
	"mailmoor/state/store"
)

var _ engine.Store = (*store.Store)(nil)
