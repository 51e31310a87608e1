package mail

import (
	"errors"
	"fmt"
)

// Kind says what went wrong in the words that every room understands. The set
// is closed; imap/reply.go maps it to responses in one table.
type Kind uint8

const (
	// Internal is a fault of ours: nothing of it reaches a client.
	Internal Kind = iota
	// NotFound: no such account, mailbox or message.
	NotFound
	// Exists: the name is taken.
	Exists
	// Denied: not allowed to this user.
	Denied
	// Invalid: the request makes no sense, such as a bad name.
	Invalid
	// Conflict: the account's version is not what the commit was based on.
	// Certain: nothing was written.
	Conflict
	// Busy: too much is under way, try again. Certain: nothing was written.
	Busy
	// OverQuota: the account is full.
	OverQuota
	// TooBig: the message or literal is larger than allowed.
	TooBig
	// Limit: a number has reached its bound (keywords, mailboxes, ranges).
	Limit
	// Expunged: the message was there and is gone.
	Expunged
	// Unsupported: understood, and not offered.
	Unsupported
	// Unavailable: the store is away or has failed. What was being written may
	// or may not be there: never say NO to a write because of it.
	Unavailable
	// Corrupt: stored bytes are not what was written.
	Corrupt
	// Away: the store can't be reached now, or the account is being moved. Certain:
	// nothing was written. Sessions stay, and try again.
	Away
	// Elsewhere: the account is served by another store now. Certain: nothing was written.
	// Its sessions have to connect again.
	Elsewhere
)

var kindNames = [...]string{
	Internal: "internal", NotFound: "not found", Exists: "exists", Denied: "denied",
	Invalid: "invalid", Conflict: "conflict", Busy: "busy", OverQuota: "over quota",
	TooBig: "too big", Limit: "limit", Expunged: "expunged", Unsupported: "unsupported",
	Unavailable: "unavailable", Corrupt: "corrupt", Away: "away", Elsewhere: "elsewhere",
}

func (k Kind) String() string { return kindNames[k] }

// Error is an error with a kind. Text is for the client (short, no inside
// knowledge); Cause is for the log.
type Error struct {
	Kind  Kind
	Text  string
	Cause error
}

func (e *Error) Error() string {
	switch {
	case e.Cause != nil && e.Text != "":
		return e.Text + ": " + e.Cause.Error()
	case e.Cause != nil:
		return e.Kind.String() + ": " + e.Cause.Error()
	case e.Text != "":
		return e.Text
	}
	return e.Kind.String()
}

func (e *Error) Unwrap() error { return e.Cause }

// Errorf makes an error of a kind whose text a client may see.
func Errorf(k Kind, format string, args ...any) error {
	return &Error{Kind: k, Text: fmt.Sprintf(format, args...)}
}

// Wrap gives a cause a kind; the client sees the kind only. A nil cause is nil.
func Wrap(k Kind, cause error) error {
	if cause == nil {
		return nil
	}
	return &Error{Kind: k, Cause: cause}
}

// KindOf returns the kind of an error, Internal when it has none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Is tells whether the error is of the kind.
func Is(err error, k Kind) bool { return err != nil && KindOf(err) == k }
