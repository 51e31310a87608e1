package mail

import "strconv"

// AccountID names an account for ever; its names are aliases. It is random,
// never zero and below 2^63.
type AccountID uint64

// String writes the id as 16 hexadecimal digits, the form that logs show.
func (id AccountID) String() string {
	s := strconv.FormatUint(uint64(id), 16)
	return "0000000000000000"[len(s):] + s
}

// MailboxID names a mailbox within its account. RENAME keeps it; it is never
// used again after DELETE. Zero is no mailbox.
type MailboxID uint32

// MessageID names what never changes about a message, within its account:
// copies share it. It is never used again. Zero asks the store for the next.
type MessageID uint64

// ThreadID is what the messages of a conversation have in common: it is computed from their
// headers and below 2^63, or zero when nothing is known.
type ThreadID uint64

// UID is a message's unique identifier in a mailbox (RFC 9051 2.3.1.1). Zero is
// no message.
type UID uint32

// UIDMax is the greatest UID that can be given.
const UIDMax UID = 1<<32 - 1

// ModSeq is a modification sequence (RFC 7162 3.1). One counter serves a whole
// account: every operation that changes anything takes the next value, and each
// mailbox remembers the highest that concerned it. Below 2^63.
type ModSeq uint64

// Version is the account's newest ModSeq: what a commit is based on.
type Version = ModSeq

// OpID identifies a commit, so that one whose answer got lost can be looked up
// instead of being repeated blindly.
type OpID [16]byte
