package mail

import (
	"context"
	"io"
	"iter"
)

// Place says what a store has of an account.
type Place uint8

const (
	// Nowhere: nothing, or only what the sweeper has not freed yet.
	Nowhere Place = iota
	// Coming: an import that has not been finished. Every other method says NotFound.
	Coming
	// Here: in use.
	Here
	// Fenced: about to leave. It can be read; commits, SetSecret and RemoveAccount say Away.
	Fenced
	// Left: it has gone to another store. Every other method says Elsewhere, Account by its
	// name too: nobody must be told that there is no such account. Its name is taken, but for
	// Import; Accounts does not list it.
	Left
)

// Movable is a store whose accounts can leave for another store and come from one, with
// everything that clients can see: ids, UIDs, modification sequences, history.
//
// The one rule that keeps an account in one place: the source is Fenced, durably, before
// the target finishes its import, and Left only after that. Whoever finds Fenced here and
// Here there completes the move; Fenced here and anything else there: begins another
// import, which voids what may still be under way, and lifts the fence.
type Movable interface {
	Store
	Blobs

	// Place tells where an account stands. It reads the store itself, not a cache.
	Place(ctx context.Context, id AccountID) (Place, error)
	// Entry returns the directory's entry of an account, whatever its place but Nowhere.
	Entry(ctx context.Context, id AccountID) (Account, error)

	// Fence sets or lifts the fence. Set, it returns when no commit is under way any more
	// in any process and everything committed is durable. Repeating it changes nothing.
	Fence(ctx context.Context, id AccountID, on bool) error
	// Leave ends the account here, Fenced before, and tells the other processes. Its mail
	// is freed by the sweeper. Repeating it changes nothing.
	Leave(ctx context.Context, id AccountID, now int64) error

	// MessagesFrom yields the messages with an id from one on, ascending.
	MessagesFrom(ctx context.Context, id AccountID, from MessageID) iter.Seq2[*Message, error]
	// Expunges yields the history of expunges of a mailbox as it is kept, oldest first.
	Expunges(ctx context.Context, id AccountID, mailbox MailboxID) iter.Seq2[ExpungedUIDs, error]
	// Outcomes yields the commits whose outcome is still known, those that led to a version
	// above one and those that were voided.
	Outcomes(ctx context.Context, id AccountID, after Version) iter.Seq2[Outcome, error]

	// Import begins to take in an account, or goes on with an import that was broken off:
	// messages that it has are kept, everything else begins anew. It voids every earlier
	// import of the account: nothing that is still under way for it will happen. Exists when
	// the account is Here or Fenced, or another account has its name.
	Import(ctx context.Context, entry Account) (Import, error)
}

// Import takes in one account. Nobody sees it before Finish. One goroutine uses it. After an
// error only Close may be called; what has been taken in may be there or not. Conflict: a
// newer import has begun.
type Import interface {
	// Next is the message id from which on messages are missing.
	Next() MessageID
	// Message takes in one message with its bytes, ids ascending, and verifies its size and
	// digest: Corrupt when they are wrong. m.Body is the source's and does not count. It is
	// durable after the next Rows, Mailbox or Finish; what a crash loses, Next shows.
	Message(ctx context.Context, m *Message, body io.Reader) error
	// Mailbox takes in or replaces what is known of a mailbox but its rows, and the history
	// of its expunges.
	Mailbox(ctx context.Context, state MailboxState, history iter.Seq2[ExpungedUIDs, error]) error
	// Rows adds or replaces rows of a mailbox (UIDs ascending), and drops others. NotFound
	// when their messages are not there.
	Rows(ctx context.Context, mailbox MailboxID, put []Row, drop UIDSet) error
	// Drop forgets a mailbox that was deleted at the source meanwhile.
	Drop(ctx context.Context, mailbox MailboxID) error

	// Outcomes takes in outcomes of commits. They may come again.
	Outcomes(ctx context.Context, outcomes iter.Seq2[Outcome, error]) error

	// StoredRows reads a mailbox's rows back, by ascending UID.
	StoredRows(ctx context.Context, mailbox MailboxID) iter.Seq2[Row, error]
	// StoredMessages reads the messages back, ids ascending, with their own Body.
	StoredMessages(ctx context.Context) iter.Seq2[*Message, error]
	// StoredBytes opens the bytes of a message that StoredMessages has yielded.
	StoredBytes(ctx context.Context, m *Message) (io.ReadCloser, error)

	// Finish takes in the rest of the account, its entry as it is now and the last outcomes
	// included, and makes it Here, durably. Mailboxes that state names must have been given. Conflict when what has
	// been taken in does not add up to the counters of state: nothing is Here then.
	// Unavailable: Place tells, after another Import.
	Finish(ctx context.Context, entry Account, state *AccountState, outcomes iter.Seq2[Outcome, error]) error
	// Close ends the use; without Finish the account stays Coming.
	Close() error
}

// ExpungedUIDs says which UIDs went under a modification sequence.
type ExpungedUIDs struct {
	ModSeq ModSeq
	UIDs   UIDSet
}

// Outcome is what became of an operation.
type Outcome struct {
	Op      OpID
	Version Version // 0: it was voided
	At      int64   // seconds
}
