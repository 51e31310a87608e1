// Package pebble is the default store: one cockroachdb/pebble database a process, and
// segments (package blob) for messages too large to be inline.
//
// Three rules carry it:
//
//   - A commit is one batch, applied without a sync; a sync happens only when somebody
//     waits for a ticket (sync.go).
//   - The first write to disk that fails ends the database's life, its epoch: nothing
//     that it does later reaches the disk (fence.go), the tickets that wait fail, and the
//     database is opened again (reopen.go).
//   - What grows with every change is a log that is folded behind the commits' back
//     (fold.go, history.go), and freed by the sweeper (sweep.go).
//
// Keys and values are described in docs/format.md.
package pebble
