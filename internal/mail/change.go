package mail

// Change is one thing that an operation did to an account. The set of kinds is
// closed. A change is absolute (it says what is, not what to add), but for its
// Delta. Several changes may share a ModSeq: those of one operation.
//
// Stores write changes; the engine makes them and takes those of other processes
// in; neither needs to know why they were made.
type Change interface {
	// Seq is the modification sequence of the operation that made the change.
	Seq() ModSeq
}

// Stamped is the part that all changes share.
type Stamped struct{ ModSeq ModSeq }

// Seq implements Change.
func (s *Stamped) Seq() ModSeq { return s.ModSeq }

// Arrival is a message that is new to the account. Its row's Fixed.Message and
// Message.ID are the same number.
type Arrival struct {
	Row     Row
	Message *Message
	Inline  []byte // the bytes when Message.Body.Inline, until Commit returns: a store that keeps them makes a copy
}

// Appended says: new messages in a mailbox. In a blind commit (see Store.Commit) UIDs,
// message ids and modification sequences are zero and the store fills them in.
type Appended struct {
	Stamped
	Mailbox  MailboxID
	Arrivals []Arrival // UIDs ascending
	Delta    Counters
}

// Copied says: messages that the account has already are now also in this mailbox.
type Copied struct {
	Stamped
	Mailbox MailboxID
	Rows    []Row // UIDs ascending
	Delta   Counters
}

// FlagsSet says: these messages have these flags now.
type FlagsSet struct {
	Stamped
	Mailbox MailboxID
	UIDs    UIDSet
	Flags   Flags
	Delta   Counters
}

// Removed says: these messages are expunged, gone from the mailbox. Stores keep them until the
// sweeper comes.
type Removed struct {
	Stamped
	Mailbox MailboxID
	UIDs    UIDSet // exactly those that were there
	Delta   Counters
}

// MailboxCreated says: a new, empty mailbox. ModSeq is State.HighestModSeq.
type MailboxCreated struct {
	Stamped
	State MailboxState
}

// MailboxRenamed says: the mailbox has another name now; nothing else changes.
type MailboxRenamed struct {
	Stamped
	Mailbox MailboxID
	Name    string
}

// MailboxDeleted says: the mailbox and all its messages are gone. Delta is what its
// messages counted in the account's totals, negative.
type MailboxDeleted struct {
	Stamped
	Mailbox MailboxID
	Delta   Counters
}

// Subscribed says: a name is or is no longer subscribed. A name needs no mailbox
// (RFC 9051 6.3.7).
type Subscribed struct {
	Stamped
	Name string
	On   bool
}

// Annotated says: an annotation has this value now, or is gone. It says nothing of messages: the
// mailbox keeps its HighestModSeq. Those of a deleted mailbox are gone with it.
type Annotated struct {
	Stamped
	Mailbox MailboxID // 0: it is the account's
	Name    string    // not empty
	Value   string
	Gone    bool
}

// KeywordSetAdded says: a new set of keywords, spelled as first seen; its number is
// the number of sets before it.
type KeywordSetAdded struct {
	Stamped
	Set      uint32
	Keywords []string
}
