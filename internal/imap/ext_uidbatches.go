package imap

import (
	"postfach/internal/mail"
	"postfach/internal/wire"
)

// extUIDBatches divides a mailbox into ranges of UIDs with so many messages each, newest
// first, so that a client can go through it in steps of a known size (RFC 10022).
var extUIDBatches = family{
	name: "UIDBATCHES",
	rfc:  "RFC 10022",
	doc:  "Ranges of UIDs that have so many messages each, from the newest down.",
	capabilities: []capability{
		{word: "UIDBATCHES", when: loggedIn},
	},
	commands: []command{
		{name: "UIDBATCHES", states: selected, new: func() request { return new(uidBatchesRequest) }},
	},
	codes: []string{"TOOFEW", "TOOMANY", "CLIENTBUG"},
}

const (
	batchMessagesMin  = 500       // of one batch; the most that a server may ask for
	batchesMessageMax = 1_000_000 // of all batches of a command; the least is 100,000
)

type uidBatchesRequest struct {
	size        uint32
	first, last uint32 // batches, from 1; 0: all
	some        bool   // not all
}

func (q *uidBatchesRequest) parse(_ *session, p *wire.Parser) {
	*q = uidBatchesRequest{}
	p.SP()
	q.size = p.NZNumber()
	if q.some = p.TrySP(); q.some {
		q.first = p.Number()
		p.Expect(':')
		q.last = p.Number()
	}
}

func (q *uidBatchesRequest) run(s *session) error {
	if q.some && (q.first == 0 || q.first > q.last) {
		return &refusal{"BAD", "CLIENTBUG", "batches are counted from 1 up"}
	}
	exists := s.view.Exists()
	messages := uint64(exists)
	if q.some {
		messages = uint64(q.size) * uint64(q.last-q.first+1)
	}
	switch {
	case q.size < batchMessagesMin:
		return no("TOOFEW", "a batch has at least 500 messages")
	case messages > batchesMessageMax:
		return no("TOOMANY", "that is too many messages for one command")
	}
	if !q.some {
		q.first, q.last = 1, exists/q.size+1
	}
	s.depend(s.view.Ticket())
	// The response is there even when there are no batches.
	s.w.Raw("* UIDBATCHES (TAG ").StringBytes(s.tag).Byte(')')
	q.write(s, exists)
	s.w.CRLF()
	return nil
}

// write writes the batches as far as there are any. Together they cover all UIDs up to the
// newest message's.
func (q *uidBatchesRequest) write(s *session, exists uint32) {
	sep := " "
	for n := uint64(q.first); n <= uint64(q.last); n++ {
		passed := (n - 1) * uint64(q.size) // newer messages
		if passed >= uint64(exists) {
			return
		}
		high := s.view.LastUID()
		if passed > 0 {
			high = s.view.UID(exists-uint32(passed)+1) - 1
		}
		low := mail.UID(1)
		if left := uint64(exists) - passed; left > uint64(q.size) {
			low = s.view.UID(uint32(left - uint64(q.size) + 1))
		}
		s.w.Raw(sep).Number(uint32(high)).Byte(':').Number(uint32(low))
		sep = ","
	}
}
