package mail

import "context"

// Syncer makes commits durable, in the order in which they were decided: when
// one is durable, so is every one before it.
type Syncer interface {
	// Synced tells without waiting whether commit number seq is durable.
	Synced(seq uint64) bool
	// Sync waits until it is. It is what causes a sync when none is under way, so
	// that many commits share one. An error means "unknown": the commit may or may
	// not be there after the store has been opened again. Every later call for
	// this or a greater number returns an error too.
	Sync(ctx context.Context, seq uint64) error
	// Begin says that Sync will be called for it soon, and does not wait.
	Begin(seq uint64)
}

// Ticket is about durability only: it says when a decided commit can no longer
// be lost. The zero Ticket is durable.
type Ticket struct {
	syncer Syncer
	seq    uint64
}

// NewTicket makes a ticket for the commit with the given number.
func NewTicket(s Syncer, seq uint64) Ticket { return Ticket{s, seq} }

// Done tells without waiting whether the commit is durable.
func (t Ticket) Done() bool { return t.syncer == nil || t.syncer.Synced(t.seq) }

// Wait returns when the commit is durable. An error other than the context's
// means "unknown", never "no" (see Syncer.Sync).
func (t Ticket) Wait(ctx context.Context) error {
	if t.Done() {
		return nil
	}
	return t.syncer.Sync(ctx, t.seq)
}

// Begin says that Wait will be called soon, when there is something to do until then.
func (t Ticket) Begin() {
	if !t.Done() {
		t.syncer.Begin(t.seq)
	}
}

// Covers tells whether t's durability implies u's.
func (t Ticket) Covers(u Ticket) bool {
	return u.syncer == nil || t.syncer == u.syncer && t.seq >= u.seq
}
