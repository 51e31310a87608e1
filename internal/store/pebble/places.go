package pebble

import (
	"sync/atomic"

	"postfach/internal/mail"
)

// places remembers where the bytes of messages in segments are. A client that reads a large message
// piece by piece asks for it with every piece, and its record is among many others in a block that
// has to be read and unpacked: that takes longer than to send the piece. Each message has a few slots that
// it shares with others: with one alone, of 5,000 large messages a quarter would drive each other out. The bytes of a message never change, but the sweeper moves them; and a message
// that an epoch has lost when it failed has never been: each epoch has its own.
type places [placesMax]atomic.Pointer[place]

const (
	placesBits = 14
	placesMax  = 1 << placesBits // a megabyte
	placesWays = 4               // slots for a message
)

type place struct {
	account mail.AccountID
	message mail.MessageID
	at      mail.Ref
}

// of returns the slots of a message.
func (p *places) of(account mail.AccountID, message mail.MessageID) []atomic.Pointer[place] {
	// The multiplier, 2^64 by the golden ratio, makes the upper bits depend on all of them.
	hash := (uint64(account)<<40 ^ uint64(message)) * 0x9e3779b97f4a7c15
	first := hash >> (64 - placesBits) &^ (placesWays - 1)
	return p[first : first+placesWays]
}

func (at *place) is(account mail.AccountID, message mail.MessageID) bool {
	return at != nil && at.account == account && at.message == message
}

func (p *places) find(account mail.AccountID, message mail.MessageID) (mail.Ref, bool) {
	slots := p.of(account, message)
	for i := range slots {
		if found := slots[i].Load(); found.is(account, message) {
			return found.at, true
		}
	}
	return mail.Ref{}, false
}

// remember keeps where a message is, in its own slot, a free one or another's.
func (p *places) remember(account mail.AccountID, message mail.MessageID, at mail.Ref) {
	slots := p.of(account, message)
	slot := &slots[message%placesWays]
	for i := range slots {
		found := slots[i].Load()
		if found.is(account, message) {
			if found.at == at {
				return
			}
			slot = &slots[i]
			break
		}
		if found == nil {
			slot = &slots[i]
		}
	}
	slot.Store(&place{account, message, at})
}
