// Package engine runs the sync cycle of one account: observe both sides, plan,
// guard, execute, settle. It knows the two sides and the store only through the
// ports declared in ports.go, and it decides nothing by itself: the decisions
// are made by the pure packages engine/plan and conflict.
package engine
