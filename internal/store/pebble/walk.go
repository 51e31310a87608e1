package pebble

import (
	"context"
	"iter"

	"github.com/cockroachdb/pebble/v2"

	"postfach/internal/mail"
)

// Messages implements mail.Store.
func (s *Store) Messages(_ context.Context, id mail.AccountID, from mail.MessageID) iter.Seq[*mail.Message] {
	return func(yield func(*mail.Message) bool) {
		s.walk(keyMessage, id, from, func(message mail.MessageID, b []byte) bool {
			m, err := decodeMessage(message, b)
			return err == nil && yield(m)
		})
	}
}

// Inlines implements mail.Store.
func (s *Store) Inlines(_ context.Context, id mail.AccountID, from mail.MessageID) iter.Seq2[mail.MessageID, []byte] {
	return func(yield func(mail.MessageID, []byte) bool) { s.walk(keyInline, id, from, yield) }
}

// walk calls f for the values of an account's messages from one on, until f returns false.
// An error ends it: whoever asks for the next message alone gets it.
func (s *Store) walk(kind byte, id mail.AccountID, from mail.MessageID, f func(mail.MessageID, []byte) bool) {
	e, err := s.enter()
	if err != nil {
		return
	}
	defer e.leave()
	if _, err := e.readAccount(id); err != nil {
		return
	}
	it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: accountKey(kind, id).message(from), UpperBound: accountKey(kind, id).after()})
	if err != nil {
		return
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		b, err := it.ValueAndErr()
		if err != nil || !f(mail.MessageID(lastU64(it.Key())), b) {
			return
		}
	}
}
