// Package mem is a store in plain maps under one mutex: the oracle that other
// stores are compared with, and what tests run on. It keeps nothing when the
// process ends.
package mem

import (
	"context"
	"iter"
	"slices"
	"strings"
	"sync"

	"postfach/internal/mail"
)

// Store implements mail.Store and mail.Blobs. Several engines may share one (see
// Shared), as several processes share a database.
type Store struct {
	env    *mail.Env
	shared bool
	sync   *syncer // nil: every commit is durable at once

	mu       sync.Mutex
	away     bool // after a failed sync, until Reopen
	closed   bool
	accounts map[mail.AccountID]*account
	names    map[string]mail.AccountID
	durable  *image // what a failed sync falls back to; only with ManualSync
	watchers map[*watcher]struct{}
	blobs    map[uint64]*blob
	nextBlob uint64
}

var (
	_ mail.Store = (*Store)(nil)
	_ mail.Blobs = (*Store)(nil)
)

// Option changes what New makes.
type Option func(*Store)

// Shared makes the store say that other processes write to it, as is true for each
// of several engines that use it.
func Shared() Option { return func(s *Store) { s.shared = true } }

// ManualSync makes commits durable only by a sync: one that a ticket's Wait causes, or
// the test by SyncNow. See also Hold and FailNextSync.
func ManualSync() Option { return func(s *Store) { s.sync = newSyncer(s) } }

// New makes an empty store.
func New(env *mail.Env, options ...Option) *Store {
	s := &Store{
		env:      env,
		accounts: map[mail.AccountID]*account{},
		names:    map[string]mail.AccountID{},
		watchers: map[*watcher]struct{}{},
		blobs:    map[uint64]*blob{},
	}
	for _, o := range options {
		o(s)
	}
	if s.sync != nil {
		s.durable = s.imageLocked()
	}
	return s
}

// Shared implements mail.Store.
func (s *Store) Shared() bool { return s.shared }

// Close implements mail.Store. Every later call says Unavailable.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

func (s *Store) usableLocked() error {
	if s.closed || s.away {
		return mail.Errorf(mail.Unavailable, "the store is away")
	}
	return nil
}

func (s *Store) accountLocked(id mail.AccountID) (*account, error) {
	if err := s.usableLocked(); err != nil {
		return nil, err
	}
	a := s.accounts[id]
	if err := standsLocked(a); err != nil {
		return nil, err
	}
	return a, nil
}

func (s *Store) mailboxLocked(id mail.AccountID, mailbox mail.MailboxID) (*account, *mailboxData, error) {
	a, err := s.accountLocked(id)
	if err != nil {
		return nil, nil, err
	}
	m := a.mailboxes[mailbox]
	if m == nil || m.deleted {
		return nil, nil, mail.Errorf(mail.NotFound, "no such mailbox")
	}
	return a, m, nil
}

// AddAccount implements mail.Directory.
func (s *Store) AddAccount(ctx context.Context, a mail.Account) error {
	return s.AddAccounts(ctx, []mail.Account{a})
}

// AddAccounts implements mail.Directory.
func (s *Store) AddAccounts(_ context.Context, as []mail.Account) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usableLocked(); err != nil {
		return err
	}
	names, ids := map[string]bool{}, map[mail.AccountID]bool{}
	for _, a := range as {
		if a.ID == 0 || a.ID>>63 != 0 || a.Name == "" {
			return mail.Errorf(mail.Invalid, "an account needs an id and a name")
		}
		if _, taken := s.names[a.Name]; taken || s.accounts[a.ID] != nil || names[a.Name] || ids[a.ID] {
			return mail.Errorf(mail.Exists, "the account %s exists", a.Name)
		}
		names[a.Name], ids[a.ID] = true, true
	}
	for _, a := range as {
		s.names[a.Name] = a.ID
		s.accounts[a.ID] = newAccount(a)
	}
	s.durableLocked()
	return nil
}

// Account implements mail.Directory.
func (s *Store) Account(_ context.Context, name string) (mail.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usableLocked(); err != nil {
		return mail.Account{}, err
	}
	id, ok := s.names[name]
	if !ok {
		return mail.Account{}, mail.Errorf(mail.NotFound, "no such account")
	}
	if err := standsLocked(s.accounts[id]); err != nil {
		return mail.Account{}, err
	}
	return s.accounts[id].entry, nil
}

// Accounts implements mail.Directory.
func (s *Store) Accounts(context.Context) iter.Seq2[mail.Account, error] {
	return func(yield func(mail.Account, error) bool) {
		s.mu.Lock()
		err := s.usableLocked()
		var all []mail.Account
		for _, id := range s.names {
			if a := s.accounts[id]; standsLocked(a) == nil {
				all = append(all, a.entry)
			}
		}
		s.mu.Unlock()
		if err != nil {
			yield(mail.Account{}, err)
			return
		}
		slices.SortFunc(all, func(a, b mail.Account) int { return strings.Compare(a.Name, b.Name) })
		for _, a := range all {
			if !yield(a, nil) {
				return
			}
		}
	}
}

// SetSecret implements mail.Directory.
func (s *Store) SetSecret(_ context.Context, id mail.AccountID, secret string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.writableLocked(id)
	if err != nil {
		return err
	}
	a.entry.Secret = secret
	s.durableLocked()
	return nil
}

// RemoveAccount implements mail.Directory.
func (s *Store) RemoveAccount(_ context.Context, id mail.AccountID, now int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.writableLocked(id)
	if err != nil {
		return err
	}
	delete(s.names, a.entry.Name)
	a.removed, a.removedAt = true, now
	s.durableLocked()
	return nil
}
