package mail

// Counters are kept by every change, so that STATUS never counts.
type Counters struct {
	Messages int64
	Unseen   int64
	Deleted  int64
	Bytes    int64
}

// Add adds a difference.
func (c *Counters) Add(d Counters) {
	c.Messages += d.Messages
	c.Unseen += d.Unseen
	c.Deleted += d.Deleted
	c.Bytes += d.Bytes
}

// Count is what one message adds to its mailbox's counters.
func Count(f Flags, size int64) Counters {
	c := Counters{Messages: 1, Bytes: size}
	if !f.Has(Seen) {
		c.Unseen = 1
	}
	if f.Has(Deleted) {
		c.Deleted = 1
	}
	return c
}

// Negative returns the difference that takes c away.
func (c Counters) Negative() Counters {
	return Counters{-c.Messages, -c.Unseen, -c.Deleted, -c.Bytes}
}

// Use is a mailbox's special use (RFC 6154), as bits.
type Use uint16

const (
	UseAll Use = 1 << iota
	UseArchive
	UseDrafts
	UseFlagged
	UseJunk
	UseSent
	UseTrash
	UseImportant // RFC 8457
	UseMemos     // RFC 9979, as the next two
	UseScheduled
	UseSnoozed
)

// MailboxState is all about a mailbox but its messages.
type MailboxState struct {
	ID            MailboxID
	Name          string // UTF-8, parts separated by "/"; INBOX is "INBOX"
	UIDValidity   uint32
	UIDNext       UID
	HighestModSeq ModSeq // moved by every change in the mailbox, expunges included
	RecentFrom    UID    // messages from here on are \Recent to the next session that claims them
	Use           Use
	Counters
}

// Annotation is a named value of a mailbox, or of the account (mailbox 0).
type Annotation struct {
	Mailbox MailboxID
	Name    string
	Value   string // any bytes
	ModSeq  ModSeq // of the operation that set it
}

// AccountState is all about an account but its messages. Hundreds of bytes and the
// annotations, not millions.
type AccountState struct {
	ID              AccountID
	Version         Version
	NextMailbox     MailboxID // the next to be given, from 1
	NextMessage     MessageID // the next to be given, from 1
	LastUIDValidity uint32
	Totals          Counters
	Mailboxes       []MailboxState // in no order
	Subscriptions   []string
	KeywordSets     [][]string   // by number; 0 is the empty set and always there
	Annotations     []Annotation // by mailbox and name
	Ticket          Ticket       // what of this is not durable yet
}
