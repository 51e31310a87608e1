package mail

import (
	"context"
	"iter"
)

// Store keeps accounts, mailboxes and messages. It never hears the word IMAP.
//
// All methods are safe for concurrent use. Errors are *Error; Unavailable means
// that the store is away or has failed and may come back by itself.
//
// What a Commit decided is seen at once by every other method of the same
// process, durable or not; whoever tells somebody of it waits for the ticket
// first.
type Store interface {
	Directory

	// Shared tells whether other processes may write to the same accounts. When it
	// is false, the engine that uses the store is the only writer there is.
	Shared() bool

	// Version returns the account's newest version: one cheap read. NotFound when
	// there is no such account.
	Version(ctx context.Context, id AccountID) (Version, error)

	// LoadAccount returns the account's state without its messages.
	LoadAccount(ctx context.Context, id AccountID) (*AccountState, error)

	// LoadMailbox returns the messages of a mailbox that are there at one version
	// of the account, by ascending UID. A million rows take about a quarter of a second;
	// they must be iterated once, to the end or not, before the store is closed.
	LoadMailbox(ctx context.Context, id AccountID, mailbox MailboxID) (Version, iter.Seq2[Row, error], error)

	// Message returns the immutable part of a message, NotFound when the sweeper
	// has taken it.
	Message(ctx context.Context, id AccountID, message MessageID) (*Message, error)

	// Inline returns the bytes of a message whose Body is inline. The caller must
	// not change them.
	Inline(ctx context.Context, id AccountID, message MessageID) ([]byte, error)

	// Reader is for those who read many messages of an account; see there.
	Reader(ctx context.Context, id AccountID) Reader

	// Commit decides: all changes happen, in order, or none. It returns when the
	// decision is made; durability comes with the ticket.
	//
	// With c.At set, the account's version must be c.At, else the error is a
	// *ConflictError and nothing was written. The account's version becomes the
	// highest ModSeq among the changes; each change's mailbox takes its ModSeq as
	// HighestModSeq (MailboxRenamed too, not Annotated), its Delta goes into the mailbox's
	// counters and the account's totals, UIDNext, NextMessage, NextMailbox and
	// LastUIDValidity follow what the changes say.
	//
	// A blind commit (c.Blind) has Appended changes only, with zero UIDs, message
	// ids and ModSeqs: the store gives each change the next ModSeq, each arrival the
	// next UID and message id, and writes them into the changes. NotFound when a
	// mailbox is gone: then nothing was written.
	//
	// Unavailable means "unknown": the changes may or may not be there, ask Outcome.
	// Any other error, Away among them, means that nothing was written and nothing
	// will be. The context bounds the wait for a turn, never a write under way.
	Commit(ctx context.Context, c *Commit) (Committed, error)

	// Outcome looks up a commit whose answer got lost, for a day. What it says is final
	// and durable: found is false only when the commit has not happened and never will, even
	// if it is still on its way: a shared store voids its OpID, and a Commit with a voided
	// OpID is refused with Away. v is the account's version right after the commit: a blind
	// commit of n changes has the versions v-n+1 to v. Any error: ask again.
	Outcome(ctx context.Context, id AccountID, op OpID) (v Version, found bool, err error)

	// Since yields the changes after a version, oldest first. A store may keep few:
	// when they no longer reach back, it yields one Invalid error and the caller
	// loads the account again.
	Since(ctx context.Context, id AccountID, v Version) iter.Seq2[Change, error]

	// Vanished returns the UIDs that were expunged from a mailbox after a
	// modification sequence. It always answers: where the history was shortened, with
	// more UIDs than were expunged, never with fewer, and never with one that is
	// still there. Beyond ExpungedRangesMax ranges a mailbox's oldest are merged.
	Vanished(ctx context.Context, id AccountID, mailbox MailboxID, since ModSeq) (UIDSet, error)

	// SetRecent remembers lazily that \Recent has been claimed up to a UID. It may
	// be lost, never goes back, and moves no version.
	SetRecent(ctx context.Context, id AccountID, mailbox MailboxID, from UID) error

	// Watch yields accounts that other processes have changed: hints that may be lost,
	// repeated, coalesced or about accounts that nobody here has loaded, also when this
	// process has read that version already: only who asks knows what it has taken in. loaded
	// lists the accounts to look after, for a store that polls as well. It ends with the context.
	Watch(ctx context.Context, loaded func() []AccountID) iter.Seq[Moved]

	// Derived and PutDerived keep small data that can be computed again: values of less
	// than a MiB. They may lose it. NotFound when there is none.
	Derived(ctx context.Context, id AccountID, key string) ([]byte, error)
	PutDerived(ctx context.Context, id AccountID, key string, value []byte) error
	// DropDerived deletes those whose keys begin with a prefix, but for those that begin
	// with one of keep.
	DropDerived(ctx context.Context, id AccountID, prefix string, keep ...string) error

	// Sweep frees what nobody can need any more: messages expunged before a time
	// (mailboxes deleted before it, accounts removed before it) that no view pins, and
	// the bytes that no message refers to and no upload leases. It can be interrupted
	// and repeated at any moment.
	Sweep(ctx context.Context, s Sweep) (Swept, error)

	// Close waits for what is under way, makes everything durable and lets go.
	Close() error
}

// ExpungedRangesMax is how many ranges of expunged UIDs a mailbox remembers
// exactly.
const ExpungedRangesMax = 10_000

// Commit is one atomic step of an account.
type Commit struct {
	Account AccountID
	Op      OpID // zero: nobody will ask for the outcome, so it is not kept
	At      Version
	Blind   bool
	Lock    bool  // after several conflicts: if this one loses too, keep others out until the caller's next try
	Now     int64 // seconds; when tombstones and outcomes begin to age
	Awaited bool  // a hint: the next that happens is that somebody waits for it to be durable
	Changes []Change
}

// Committed is what a commit led to.
type Committed struct {
	Version Version // of the account, after the commit
	Ticket  Ticket
}

// ConflictError says that the account has moved on, and how.
type ConflictError struct {
	Version Version  // the account's version now
	Missed  []Change // what happened after Commit.At, oldest first
	TooOld  bool     // Missed does not reach back: load the account again
}

func (e *ConflictError) Error() string { return "the account has changed meanwhile" }

// Unwrap gives the error its kind.
func (e *ConflictError) Unwrap() error { return errConflict }

var errConflict = &Error{Kind: Conflict}

// Moved is a hint that an account has a new version; version 0: that it may be gone.
type Moved struct {
	Account AccountID
	Version Version
}

// Sweep says what may be freed.
type Sweep struct {
	Now int64 // seconds
	// Before is the time (seconds) before which something must have been expunged
	// to be freed now.
	Before int64
	// Pinned returns the lowest modification sequence at which a local view of the
	// mailbox stands: what was expunged after it stays. ^ModSeq(0): no view.
	Pinned func(AccountID, MailboxID) ModSeq
	// Derived returns how the keys of the derived data begin that goes with a message, in
	// the same moment. nil: there is none.
	Derived func(MessageID) []string
}

// Swept counts what a sweep has freed.
type Swept struct {
	Messages int64 // rows and message records
	Bytes    int64 // of bodies
	Segments int64 // files or objects
}
