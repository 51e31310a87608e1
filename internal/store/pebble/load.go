package pebble

import (
	"context"

	"github.com/cockroachdb/pebble/v2"

	"postfach/internal/mail"
)

// LoadAccount implements mail.Store. It takes the account's turn, so that its ticket
// covers all that it returns.
func (s *Store) LoadAccount(ctx context.Context, id mail.AccountID) (*mail.AccountState, error) {
	e, err := s.enter()
	if err != nil {
		return nil, err
	}
	defer e.leave()
	lock, err := e.locks.lock(ctx, id)
	if err != nil {
		return nil, err
	}
	defer lock.unlock()
	a, err := e.readAccount(id)
	if err != nil {
		return nil, err
	}
	state := &mail.AccountState{
		ID: id, Version: a.version,
		NextMailbox: a.nextMailbox, NextMessage: a.nextMessage, LastUIDValidity: a.lastUIDValidity,
		Totals: a.totals,
	}
	if lock.last > 0 {
		state.Ticket = mail.NewTicket(&e.sync, lock.last)
	}
	it, err := e.db.NewIter(nil)
	if err != nil {
		return nil, readError(err)
	}
	err = loadParts(it, state)
	if closed := it.Close(); err == nil {
		err = readError(closed)
	}
	if err != nil {
		return nil, err
	}
	return state, nil
}

func loadParts(it *pebble.Iterator, state *mail.AccountState) error {
	recent := map[mail.MailboxID]mail.UID{}
	err := scan(it, accountKey(keyRecent, state.ID), func(k, v []byte) error {
		recent[mail.MailboxID(lastU32(k))] = decodeUID(v)
		return nil
	})
	if err != nil {
		return err
	}
	err = scan(it, accountKey(keyMailbox, state.ID), func(k, v []byte) error {
		var m mailboxRecord
		if err := m.decode(mail.MailboxID(lastU32(k)), v); err != nil {
			return err
		}
		m.RecentFrom = recent[m.ID]
		state.Mailboxes = append(state.Mailboxes, m.MailboxState)
		return nil
	})
	if err != nil {
		return err
	}
	prefix := accountKey(keySubscription, state.ID)
	err = scan(it, prefix, func(k, _ []byte) error {
		state.Subscriptions = append(state.Subscriptions, string(k[len(prefix):]))
		return nil
	})
	if err != nil {
		return err
	}
	if err := loadAnnotations(it, state); err != nil {
		return err
	}
	state.KeywordSets = [][]string{nil}
	return scan(it, accountKey(keyKeywordSet, state.ID), func(k, v []byte) error {
		if int(lastU32(k)) != len(state.KeywordSets) {
			return errDamaged
		}
		set, err := decodeKeywords(v)
		state.KeywordSets = append(state.KeywordSets, set)
		return err
	})
}

// loadAnnotations passes over those of mailboxes that have been deleted. Mailboxes were read by
// their ids, as these are.
func loadAnnotations(it *pebble.Iterator, state *mail.AccountState) error {
	prefix := accountKey(keyAnnotation, state.ID)
	i := 0
	return scan(it, prefix, func(k, v []byte) error {
		_, id := mailboxOf(k)
		for i < len(state.Mailboxes) && state.Mailboxes[i].ID < id {
			i++
		}
		if id != 0 && (i == len(state.Mailboxes) || state.Mailboxes[i].ID != id) {
			return nil
		}
		value := values{b: v}
		n := mail.Annotation{Mailbox: id, Name: string(k[len(prefix)+4:]), ModSeq: mail.ModSeq(value.uint()), Value: value.text()}
		state.Annotations = append(state.Annotations, n)
		return value.err()
	})
}

func decodeKeywords(b []byte) ([]string, error) {
	v := values{b: b}
	n := v.uint()
	if n > uint64(len(v.b)) {
		return nil, errDamaged
	}
	set := make([]string, 0, n)
	for range n {
		set = append(set, v.text())
	}
	return set, v.err()
}

// scan calls f for every key that begins with prefix, in order. f must not keep what
// it gets. An error of the iterator comes with its Close.
func scan(it *pebble.Iterator, prefix key, f func(k, v []byte) error) error {
	return scanFrom(it, prefix, prefix, f)
}

// scanFrom is scan beginning at a key.
func scanFrom(it *pebble.Iterator, prefix, from key, f func(k, v []byte) error) error {
	it.SetBounds(prefix, prefix.after())
	for ok := it.SeekGE(from); ok; ok = it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return readError(err)
		}
		if err := f(it.Key(), v); err != nil {
			return err
		}
	}
	if err := it.Error(); err != nil {
		return readError(err)
	}
	return nil
}
