package mem

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"

	"postfach/internal/mail"
)

// Version implements mail.Store.
func (s *Store) Version(_ context.Context, id mail.AccountID) (mail.Version, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.accountLocked(id)
	if err != nil {
		return 0, err
	}
	return a.version, nil
}

// LoadAccount implements mail.Store.
func (s *Store) LoadAccount(_ context.Context, id mail.AccountID) (*mail.AccountState, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.accountLocked(id)
	if err != nil {
		return nil, err
	}
	state := &mail.AccountState{
		ID: id, Version: a.version,
		NextMailbox: a.nextMailbox, NextMessage: a.nextMessage, LastUIDValidity: a.lastUIDValidity,
		Totals:        a.totals,
		Subscriptions: slices.Sorted(maps.Keys(a.subscriptions)),
		KeywordSets:   slices.Clone(a.keywordSets),
		Annotations:   a.annotationList(),
		Ticket:        s.ticketLocked(),
	}
	for _, id := range slices.Sorted(maps.Keys(a.mailboxes)) {
		if m := a.mailboxes[id]; !m.deleted {
			state.Mailboxes = append(state.Mailboxes, m.state)
		}
	}
	return state, nil
}

// LoadMailbox implements mail.Store.
func (s *Store) LoadMailbox(_ context.Context, id mail.AccountID, mailbox mail.MailboxID) (mail.Version, iter.Seq2[mail.Row, error], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, m, err := s.mailboxLocked(id, mailbox)
	if err != nil {
		return 0, nil, err
	}
	rows := slices.Clone(m.rows)
	return a.version, func(yield func(mail.Row, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}, nil
}

func (s *Store) messageLocked(id mail.AccountID, number mail.MessageID) (*message, error) {
	a, err := s.accountLocked(id)
	if err != nil {
		return nil, err
	}
	m := a.messages[number]
	if m == nil {
		return nil, mail.Errorf(mail.NotFound, "no such message")
	}
	return m, nil
}

// Message implements mail.Store.
func (s *Store) Message(_ context.Context, id mail.AccountID, number mail.MessageID) (*mail.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.messageLocked(id, number)
	if err != nil {
		return nil, err
	}
	message := m.Message
	return &message, nil
}

// Inline implements mail.Store.
func (s *Store) Inline(_ context.Context, id mail.AccountID, number mail.MessageID) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.messageLocked(id, number)
	if err != nil {
		return nil, err
	}
	if !m.Body.Inline {
		return nil, mail.Errorf(mail.NotFound, "the message is not inline")
	}
	return m.inline, nil
}

// Reader implements mail.Store.
func (s *Store) Reader(context.Context, mail.AccountID) mail.Reader { return mail.NoReader{} }

// Outcome implements mail.Store.
func (s *Store) Outcome(_ context.Context, id mail.AccountID, op mail.OpID) (mail.Version, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.accountLocked(id)
	if err != nil {
		return 0, false, err
	}
	o, ok := a.outcomes[op]
	if s.shared && !ok {
		o = outcome{void: true, at: s.env.Now().Unix()}
		a.outcomes[op] = o
	}
	if s.shared && (!ok || !s.allDurableLocked()) {
		s.durableLocked() // what is said is final
	}
	return o.version, ok && !o.void, nil
}

// Since implements mail.Store.
func (s *Store) Since(_ context.Context, id mail.AccountID, v mail.Version) iter.Seq2[mail.Change, error] {
	return func(yield func(mail.Change, error) bool) {
		s.mu.Lock()
		a, err := s.accountLocked(id)
		var changes []mail.Change
		if err == nil {
			var ok bool
			if changes, ok = a.since(v); !ok {
				err = mail.Errorf(mail.Invalid, "the log does not reach back so far")
			}
		}
		s.mu.Unlock()
		if err != nil {
			yield(nil, err)
			return
		}
		for _, c := range changes {
			if !yield(c, nil) {
				return
			}
		}
	}
}

// Vanished implements mail.Store. It is always exact.
func (s *Store) Vanished(_ context.Context, id mail.AccountID, mailbox mail.MailboxID, since mail.ModSeq) (mail.UIDSet, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, m, err := s.mailboxLocked(id, mailbox)
	if err != nil {
		return nil, err
	}
	var gone mail.UIDSet
	for _, e := range m.expunged {
		if e.modSeq > since {
			gone = append(gone, e.uids...)
		}
	}
	return gone.Normalize(), nil
}

// SetRecent implements mail.Store.
func (s *Store) SetRecent(_ context.Context, id mail.AccountID, mailbox mail.MailboxID, from mail.UID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.writableLocked(id); err != nil {
		return err
	}
	_, m, err := s.mailboxLocked(id, mailbox)
	if err != nil {
		return err
	}
	m.state.RecentFrom = max(m.state.RecentFrom, from)
	return nil
}

// Derived implements mail.Store.
func (s *Store) Derived(_ context.Context, id mail.AccountID, key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.accountLocked(id)
	if err != nil {
		return nil, err
	}
	value, ok := a.derived[key]
	if !ok {
		return nil, mail.Errorf(mail.NotFound, "no such derived data")
	}
	return slices.Clone(value), nil
}

// PutDerived implements mail.Store.
func (s *Store) PutDerived(_ context.Context, id mail.AccountID, key string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.writableLocked(id)
	if err != nil {
		return err
	}
	a.derived[key] = slices.Clone(value)
	return nil
}

// DropDerived implements mail.Store.
func (s *Store) DropDerived(_ context.Context, id mail.AccountID, prefix string, keep ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.writableLocked(id)
	if err != nil {
		return err
	}
	maps.DeleteFunc(a.derived, func(key string, _ []byte) bool {
		return strings.HasPrefix(key, prefix) && !slices.ContainsFunc(keep, func(k string) bool { return strings.HasPrefix(key, k) })
	})
	return nil
}
