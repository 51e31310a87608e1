package pebble

import (
	"sync/atomic"

	"postfach/internal/mail"
)

// places remembers where the bytes of messages in segments are. A client that reads a large message
// piece by piece asks for it with every piece, and its record is among many others in a block that
// has to be read and unpacked: that takes longer than to send the piece. The message that came last
// has a slot. The bytes of a message never change, but the sweeper moves them; and a message
// that an epoch has lost when it failed has never been: each epoch has its own.
type places [placesMax]atomic.Pointer[place]

const (
	placesBits = 14
	placesMax  = 1 << placesBits // a megabyte
)

type place struct {
	account mail.AccountID
	message mail.MessageID
	at      mail.Ref
}

// of returns the slot of a message.
func (p *places) of(account mail.AccountID, message mail.MessageID) *atomic.Pointer[place] {
	// The multiplier, 2^64 by the golden ratio, makes the upper bits depend on all of them.
	hash := (uint64(account)<<40 ^ uint64(message)) * 0x9e3779b97f4a7c15
	return &p[hash>>(64-placesBits)]
}

func (p *places) find(account mail.AccountID, message mail.MessageID) (mail.Ref, bool) {
	if found := p.of(account, message).Load(); found != nil && found.account == account && found.message == message {
		return found.at, true
	}
	return mail.Ref{}, false
}

// remember keeps where a message is.
func (p *places) remember(account mail.AccountID, message mail.MessageID, at mail.Ref) {
	if known, ok := p.find(account, message); !ok || known != at {
		p.of(account, message).Store(&place{account, message, at})
	}
}
