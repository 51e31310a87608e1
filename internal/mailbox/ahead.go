package mailbox

import "postfach/internal/mail"

const (
	aheadFactor = 4 // how fast more is read ahead, or less
	aheadGap    = 8 // messages that may be passed over: they may be in other mailboxes

	aheadMessagesMax = 64       // that are read at once
	aheadBytesMax    = 64 << 10 // of them: of inline bytes, and about as much of structures
)

// ahead is what has been read of messages before it was asked for, and how much is worth
// reading: more and more while they are asked for one after the other.
type ahead[T any] struct {
	read []aheadValue[T] // by ascending id
	at   int             // all before it are below the last that was asked for
	used int             // of read
	end  mail.MessageID  // behind the last that was read
	n    int             // how many were to be read; 0: nothing has been read yet
}

type aheadValue[T any] struct {
	id    mail.MessageID
	value T
}

// expect says that so many are going to be asked for.
func (a *ahead[T]) expect(n uint32) { a.forget(); a.n = int(min(n, aheadMessagesMax)) }

// find returns what has been read of a message.
func (a *ahead[T]) find(id mail.MessageID) (value T, ok bool) {
	for a.at < len(a.read) && a.read[a.at].id < id {
		a.at++
	}
	if a.at == len(a.read) || a.read[a.at].id != id {
		return value, false
	}
	a.used++
	return a.read[a.at].value, true
}

// next forgets what has been read, and says how many are to be read from a message on.
func (a *ahead[T]) next(id mail.MessageID) int {
	switch {
	case a.n == 0:
		a.n = 1
	case a.end == 0: // what is expected
	case id < a.end || id-a.end >= aheadGap, a.used*aheadFactor < len(a.read):
		a.n = max(a.n/aheadFactor, 1)
	default:
		a.n = min(a.n*aheadFactor, aheadMessagesMax)
	}
	n := a.n
	a.forget()
	a.n, a.end = n, id+1
	return n
}

// add takes in what has been read.
func (a *ahead[T]) add(id mail.MessageID, value T) {
	a.read = append(a.read, aheadValue[T]{id, value})
	a.end = id + 1
}

func (a *ahead[T]) forget() {
	clear(a.read)
	*a = ahead[T]{read: a.read[:0]}
}
