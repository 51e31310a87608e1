package pebble

import (
	"bytes"
	"context"
	"iter"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"postfach/internal/mail"
)

// read finds a value and hands it to use, which must not keep it.
func (e *epoch) read(k key, use func([]byte) error) (found bool, err error) {
	b, closer, err := e.db.Get(k)
	if err == pebble.ErrNotFound {
		return false, nil
	}
	if err != nil {
		return false, readError(err)
	}
	err = use(b)
	closer.Close()
	return true, err
}

func ignore([]byte) error { return nil }

// readAccount reads the record of an account that is there.
func (e *epoch) readAccount(id mail.AccountID) (a accountRecord, err error) {
	lock, r := e.remembers(id)
	if r.id == id {
		return r.record, nil
	}
	found, err := e.read(accountKey(keyAccount, id), a.decode)
	switch {
	case err == nil && found:
		lock.remember(r, &remembered{id: id, record: a})
	case err == nil:
		err = e.missing(id)
	}
	return a, err
}

// writable is readAccount for those who change something.
func (e *epoch) writable(id mail.AccountID) (accountRecord, error) {
	a, err := e.readAccount(id)
	if err == nil && a.fenced {
		err = mail.Errorf(mail.Away, "the account is being moved")
	}
	return a, err
}

// readMailbox reads the record of a mailbox that is there.
func (e *epoch) readMailbox(id mail.AccountID, mailbox mail.MailboxID) (m mailboxRecord, err error) {
	lock, r := e.remembers(id)
	if r.id == id {
		if found := r.find(mailbox); found != nil {
			return *found, nil
		}
	}
	found, err := e.read(mailboxKey(keyMailbox, id, mailbox), func(b []byte) error { return m.decode(mailbox, b) })
	switch {
	case err == nil && !found:
		err = mail.Errorf(mail.NotFound, "no such mailbox")
	case err == nil && r.id == id:
		kept := m
		lock.remember(r, r.with(&kept))
	}
	return m, err
}

// Version implements mail.Store.
func (s *Store) Version(_ context.Context, id mail.AccountID) (mail.Version, error) {
	e, err := s.enter()
	if err != nil {
		return 0, err
	}
	defer e.leave()
	a, err := e.readAccount(id)
	return a.version, err
}

// Message implements mail.Store.
func (s *Store) Message(_ context.Context, id mail.AccountID, message mail.MessageID) (m *mail.Message, err error) {
	e, err := s.enter()
	if err != nil {
		return nil, err
	}
	defer e.leave()
	if _, err := e.readAccount(id); err != nil {
		return nil, err
	}
	found, err := e.read(accountKey(keyMessage, id).message(message), func(b []byte) error {
		m, err = decodeMessage(message, b)
		return err
	})
	if err == nil && !found {
		err = mail.Errorf(mail.NotFound, "no such message")
	}
	return m, err
}

// Inline implements mail.Store.
func (s *Store) Inline(_ context.Context, id mail.AccountID, message mail.MessageID) ([]byte, error) {
	return s.bytes(id, accountKey(keyInline, id).message(message), "the message is not inline")
}

// Derived implements mail.Store.
func (s *Store) Derived(_ context.Context, id mail.AccountID, name string) ([]byte, error) {
	return s.bytes(id, accountKey(keyDerived, id).text(name), "no such derived data")
}

func (s *Store) bytes(id mail.AccountID, k key, missing string) (value []byte, err error) {
	e, err := s.enter()
	if err != nil {
		return nil, err
	}
	defer e.leave()
	if _, err := e.readAccount(id); err != nil {
		return nil, err
	}
	found, err := e.read(k, func(b []byte) error {
		value = slices.Clone(b)
		return nil
	})
	if err == nil && !found {
		err = mail.Errorf(mail.NotFound, "%s", missing)
	}
	return value, err
}

// PutDerived implements mail.Store. It is part of the next sync that somebody waits for.
func (s *Store) PutDerived(ctx context.Context, id mail.AccountID, name string, value []byte) error {
	return s.change(ctx, id, func(e *epoch, b *pebble.Batch) error {
		return b.Set(accountKey(keyDerived, id).text(name), value, nil)
	})
}

// DropDerived implements mail.Store.
func (s *Store) DropDerived(ctx context.Context, id mail.AccountID, prefix string, keep ...string) error {
	return s.change(ctx, id, func(e *epoch, b *pebble.Batch) error {
		from := accountKey(keyDerived, id).text(prefix)
		end := from.after()
		for _, k := range slices.Sorted(slices.Values(keep)) {
			kept := accountKey(keyDerived, id).text(k)
			switch {
			case bytes.HasPrefix(accountKey(keyDerived, id).text(prefix), kept):
				return nil
			case bytes.Compare(kept, from) < 0 || bytes.Compare(kept, end) >= 0:
				continue
			}
			if err := dropRange(b, from, kept); err != nil {
				return err
			}
			from = kept.after()
		}
		return dropRange(b, from, end)
	})
}

func dropRange(b *pebble.Batch, from, end key) error {
	if bytes.Compare(from, end) >= 0 {
		return nil
	}
	return b.DeleteRange(from, end, nil)
}

// SetRecent implements mail.Store.
func (s *Store) SetRecent(ctx context.Context, id mail.AccountID, mailbox mail.MailboxID, from mail.UID) error {
	return s.change(ctx, id, func(e *epoch, b *pebble.Batch) error {
		if _, err := e.readMailbox(id, mailbox); err != nil {
			return err
		}
		k := mailboxKey(keyRecent, id, mailbox)
		var old mail.UID
		if _, err := e.read(k, func(b []byte) error { old = decodeUID(b); return nil }); err != nil {
			return err
		}
		if from <= old {
			return nil
		}
		return b.Set(k, putUint(nil, from), nil)
	})
}

func decodeUID(b []byte) mail.UID {
	v := values{b: b}
	return mail.UID(v.uint())
}

// change writes one batch under the account's lock, without a ticket.
func (s *Store) change(ctx context.Context, id mail.AccountID, fill func(*epoch, *pebble.Batch) error) error {
	e, err := s.enter()
	if err != nil {
		return err
	}
	defer e.leave()
	lock, err := e.locks.lock(ctx, id)
	if err != nil {
		return err
	}
	defer lock.unlock()
	if _, err := e.writable(id); err != nil {
		return err
	}
	b := e.db.NewBatch()
	if err := fill(e, b); err != nil || b.Empty() {
		b.Close()
		return err
	}
	_, err = e.write(b)
	return err
}

// Outcome implements mail.Store.
func (s *Store) Outcome(_ context.Context, id mail.AccountID, op mail.OpID) (v mail.Version, found bool, err error) {
	e, err := s.enter()
	if err != nil {
		return 0, false, err
	}
	defer e.leave()
	if _, err := e.readAccount(id); err != nil {
		return 0, false, err
	}
	// Few hours have any outcomes at all; each costs one lookup.
	it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: newKey(keyOutcome), UpperBound: newKey(keyOutcome).after()})
	if err != nil {
		return 0, false, readError(err)
	}
	defer it.Close()
	for ok := it.First(); ok; {
		hour := hourOf(it.Key())
		k := outcomeKey(hour, id, op)
		if it.SeekGE(k) && slices.Equal(it.Key(), k) {
			value := values{b: it.Value()}
			v, found = mail.Version(value.uint()), true
			return v, found, value.err()
		}
		ok = it.SeekGE(newKey(keyOutcome).u32(hour + 1))
	}
	return 0, false, readError(it.Error())
}

// Since implements mail.Store. It keeps no log: the engine in front of it is the only
// writer and has seen every change.
func (s *Store) Since(ctx context.Context, id mail.AccountID, v mail.Version) iter.Seq2[mail.Change, error] {
	return func(yield func(mail.Change, error) bool) {
		newest, err := s.Version(ctx, id)
		if err == nil && v < newest {
			err = mail.Errorf(mail.Invalid, "the log does not reach back so far")
		}
		if err != nil {
			yield(nil, err)
		}
	}
}
