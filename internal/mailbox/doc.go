// Package mailbox is the engine: accounts with one writer each, mailboxes as
// sequences of immutable versions, and views of them for sessions.
//
// Reading takes no lock: a version is found through one atomic pointer and never
// changes. Writing goes through the account: an Op is planned against the state
// (a pure function that yields changes), the changes are committed to the store,
// and only when the store has decided are they absorbed into new versions that
// everybody sees. What a reader has seen may not be durable yet: every version
// carries the ticket to wait for before telling anybody outside.
//
// Sequence numbers exist only in view*.go; everything else speaks UIDs.
package mailbox
