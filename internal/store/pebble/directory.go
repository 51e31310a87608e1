package pebble

import (
	"context"
	"iter"

	"github.com/cockroachdb/pebble/v2"

	"postfach/internal/mail"
)

// AddAccount implements mail.Directory.
func (s *Store) AddAccount(ctx context.Context, a mail.Account) error {
	return s.AddAccounts(ctx, []mail.Account{a})
}

// AddAccounts implements mail.Directory.
func (s *Store) AddAccounts(ctx context.Context, as []mail.Account) error {
	return s.direct(ctx, func(e *epoch, b *pebble.Batch) error {
		names, ids := map[string]bool{}, map[mail.AccountID]bool{}
		for i := range as {
			a := &as[i]
			if a.ID == 0 || a.ID>>63 != 0 || a.Name == "" {
				return mail.Errorf(mail.Invalid, "an account needs an id and a name")
			}
			taken, err := e.read(newKey(keyName).text(a.Name), ignore)
			if err == nil && !taken {
				taken, err = e.read(accountKey(keyEntry, a.ID), ignore)
			}
			if err != nil {
				return err
			}
			if taken || names[a.Name] || ids[a.ID] {
				return mail.Errorf(mail.Exists, "the account %s exists", a.Name)
			}
			names[a.Name], ids[a.ID] = true, true
			record := accountRecord{nextMailbox: 1, nextMessage: 1, keywordSets: 1}
			b.Set(newKey(keyName).text(a.Name), newKey(keyEntry).account(a.ID)[1:], nil)
			b.Set(accountKey(keyEntry, a.ID), entryValue(a), nil)
			b.Set(accountKey(keyAccount, a.ID), record.encode(nil), nil)
		}
		return nil
	})
}

// direct writes a batch of the directory and makes it durable.
func (s *Store) direct(ctx context.Context, fill func(*epoch, *pebble.Batch) error) error {
	e, err := s.enter()
	if err != nil {
		return err
	}
	defer e.leave()
	seq, err := func() (uint64, error) {
		s.directory.Lock()
		defer s.directory.Unlock()
		e.names.changed()
		defer e.names.changed()
		b := e.db.NewBatch()
		if err := fill(e, b); err != nil || b.Empty() {
			b.Close()
			return 0, err
		}
		return e.write(b)
	}()
	if err != nil {
		return err
	}
	return e.sync.Sync(ctx, seq)
}

// Account implements mail.Directory.
func (s *Store) Account(_ context.Context, name string) (a mail.Account, err error) {
	e, err := s.enter()
	if err != nil {
		return a, err
	}
	defer e.leave()
	a, found, changes := e.names.find(name)
	if found {
		_, err = e.readAccount(a.ID)
		return a, err
	}
	if a, err = e.readNamed(name); err == nil {
		e.names.keep(name, a, changes)
	}
	return a, err
}

func (e *epoch) readNamed(name string) (a mail.Account, err error) {
	var id mail.AccountID
	found, err := e.read(newKey(keyName).text(name), func(b []byte) error {
		id = mail.AccountID(lastU64(b))
		return nil
	})
	if err == nil && found {
		if _, err = e.readAccount(id); err == nil {
			a, found, err = e.readEntry(id)
		}
	}
	if err == nil && !found {
		err = mail.Errorf(mail.NotFound, "no such account")
	}
	return a, err
}

func (e *epoch) readEntry(id mail.AccountID) (a mail.Account, found bool, err error) {
	found, err = e.read(accountKey(keyEntry, id), func(b []byte) (err error) {
		a, err = decodeEntry(id, b)
		return err
	})
	return a, found, err
}

// readListed is readEntry of an account that is there.
func (e *epoch) readListed(id mail.AccountID) (a mail.Account, found bool, err error) {
	found, err = e.read(accountKey(keyAccount, id), ignore)
	if err == nil && found {
		a, found, err = e.readEntry(id)
	}
	return a, found, err
}

// Accounts implements mail.Directory.
func (s *Store) Accounts(context.Context) iter.Seq2[mail.Account, error] {
	return func(yield func(mail.Account, error) bool) {
		e, err := s.enter()
		if err != nil {
			yield(mail.Account{}, err)
			return
		}
		defer e.leave()
		it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: newKey(keyName), UpperBound: newKey(keyName).after()})
		if err != nil {
			yield(mail.Account{}, readError(err))
			return
		}
		defer it.Close()
		for ok := it.First(); ok; ok = it.Next() {
			a, found, err := e.readListed(mail.AccountID(lastU64(it.Value())))
			if err == nil && !found {
				continue
			}
			if !yield(a, err) || err != nil {
				return
			}
		}
		if err := it.Error(); err != nil {
			yield(mail.Account{}, readError(err))
		}
	}
}

// SetSecret implements mail.Directory.
func (s *Store) SetSecret(ctx context.Context, id mail.AccountID, secret string) error {
	return s.direct(ctx, func(e *epoch, b *pebble.Batch) error {
		if _, err := e.writable(id); err != nil {
			return err
		}
		a, _, err := e.readEntry(id)
		if err != nil {
			return err
		}
		a.Secret = secret
		return b.Set(accountKey(keyEntry, id), entryValue(&a), nil)
	})
}

// RemoveAccount implements mail.Directory. Its account record is what makes an account
// be there for every other method. No commit may write it again meanwhile.
func (s *Store) RemoveAccount(ctx context.Context, id mail.AccountID, now int64) error {
	return s.still(ctx, id, func(e *epoch, b *pebble.Batch) error {
		if _, err := e.writable(id); err != nil {
			return err
		}
		a, _, err := e.readEntry(id)
		if err != nil {
			return err
		}
		b.Delete(newKey(keyName).text(a.Name), nil)
		b.Delete(accountKey(keyAccount, id), nil)
		return b.Set(accountKey(keyRemovedAccount, id), putInt(nil, now), nil)
	})
}
