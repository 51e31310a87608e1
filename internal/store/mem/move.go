package mem

import (
	"context"
	"iter"
	"maps"
	"slices"

	"postfach/internal/mail"
)

var _ mail.Movable = (*Store)(nil)

func (a *account) placeNow() mail.Place {
	switch {
	case a == nil || a.removed:
		return mail.Nowhere
	case a.place == mail.Nowhere:
		return mail.Here
	}
	return a.place
}

// standsLocked tells whether an account can be used, and if not, why.
func standsLocked(a *account) error {
	switch a.placeNow() {
	case mail.Here, mail.Fenced:
		return nil
	case mail.Left:
		return mail.Errorf(mail.Elsewhere, "the account has moved")
	}
	return mail.Errorf(mail.NotFound, "no such account")
}

// writableLocked is accountLocked for those who change something.
func (s *Store) writableLocked(id mail.AccountID) (*account, error) {
	a, err := s.accountLocked(id)
	if err == nil && a.place == mail.Fenced {
		return nil, mail.Errorf(mail.Away, "the account is being moved")
	}
	return a, err
}

// Place implements mail.Movable.
func (s *Store) Place(_ context.Context, id mail.AccountID) (mail.Place, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usableLocked(); err != nil {
		return 0, err
	}
	return s.accounts[id].placeNow(), nil
}

// Entry implements mail.Movable.
func (s *Store) Entry(_ context.Context, id mail.AccountID) (mail.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usableLocked(); err != nil {
		return mail.Account{}, err
	}
	a := s.accounts[id]
	if a.placeNow() == mail.Nowhere {
		return mail.Account{}, mail.Errorf(mail.NotFound, "no such account")
	}
	return a.entry, nil
}

// Fence implements mail.Movable.
func (s *Store) Fence(_ context.Context, id mail.AccountID, on bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.accountLocked(id)
	if err != nil {
		return err
	}
	a.place = mail.Here
	if on {
		a.place = mail.Fenced
	}
	s.durableLocked()
	return nil
}

// Leave implements mail.Movable.
func (s *Store) Leave(_ context.Context, id mail.AccountID, now int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usableLocked(); err != nil {
		return err
	}
	a := s.accounts[id]
	switch a.placeNow() {
	case mail.Fenced:
	case mail.Left:
		return nil
	default:
		return mail.Errorf(mail.Invalid, "the account is not about to leave")
	}
	a.place, a.leftAt = mail.Left, now
	s.movedLocked(mail.Moved{Account: id})
	s.durableLocked()
	return nil
}

// MessagesFrom implements mail.Movable.
func (s *Store) MessagesFrom(_ context.Context, id mail.AccountID, from mail.MessageID) iter.Seq2[*mail.Message, error] {
	return s.listing(id, func(a *account) []*mail.Message { return a.messagesFrom(from) })
}

func (a *account) messagesFrom(from mail.MessageID) (all []*mail.Message) {
	for _, number := range slices.Sorted(maps.Keys(a.messages)) {
		if number >= from {
			m := a.messages[number].Message
			all = append(all, &m)
		}
	}
	return all
}

func (s *Store) listing(id mail.AccountID, list func(*account) []*mail.Message) iter.Seq2[*mail.Message, error] {
	return func(yield func(*mail.Message, error) bool) {
		s.mu.Lock()
		a, err := s.accountLocked(id)
		var all []*mail.Message
		if err == nil {
			all = list(a)
		}
		s.mu.Unlock()
		yieldAll(yield, all, err)
	}
}

func yieldAll[T any](yield func(T, error) bool, all []T, err error) {
	if err != nil {
		var none T
		yield(none, err)
		return
	}
	for _, each := range all {
		if !yield(each, nil) {
			return
		}
	}
}

// Expunges implements mail.Movable.
func (s *Store) Expunges(_ context.Context, id mail.AccountID, mailbox mail.MailboxID) iter.Seq2[mail.ExpungedUIDs, error] {
	return func(yield func(mail.ExpungedUIDs, error) bool) {
		s.mu.Lock()
		_, m, err := s.mailboxLocked(id, mailbox)
		var all []mail.ExpungedUIDs
		if err == nil {
			for _, e := range m.expunged {
				all = append(all, mail.ExpungedUIDs{ModSeq: e.modSeq, UIDs: slices.Clone(e.uids)})
			}
		}
		s.mu.Unlock()
		yieldAll(yield, all, err)
	}
}

// Outcomes implements mail.Movable.
func (s *Store) Outcomes(_ context.Context, id mail.AccountID, after mail.Version) iter.Seq2[mail.Outcome, error] {
	return func(yield func(mail.Outcome, error) bool) {
		s.mu.Lock()
		a, err := s.accountLocked(id)
		var all []mail.Outcome
		if err == nil {
			for op, o := range a.outcomes {
				if o.void || o.version > after {
					all = append(all, mail.Outcome{Op: op, Version: o.version, At: o.at})
				}
			}
		}
		s.mu.Unlock()
		yieldAll(yield, all, err)
	}
}
