package pair

import (
	"context"
	"iter"

	"postfach/internal/mail"
)

// Version implements mail.Store.
func (s *Store) Version(ctx context.Context, id mail.AccountID) (mail.Version, error) {
	p := s.both.Load()
	if p == nil {
		return s.a.Version(ctx, id)
	}
	return on(ctx, p, id, func(h *side) (mail.Version, error) { return h.Version(ctx, id) })
}

// LoadAccount implements mail.Store.
func (s *Store) LoadAccount(ctx context.Context, id mail.AccountID) (*mail.AccountState, error) {
	p := s.both.Load()
	if p == nil {
		return s.a.LoadAccount(ctx, id)
	}
	return on(ctx, p, id, func(h *side) (*mail.AccountState, error) { return h.LoadAccount(ctx, id) })
}

// LoadMailbox implements mail.Store.
func (s *Store) LoadMailbox(ctx context.Context, id mail.AccountID, mailbox mail.MailboxID) (mail.Version, iter.Seq2[mail.Row, error], error) {
	p := s.both.Load()
	if p == nil {
		return s.a.LoadMailbox(ctx, id, mailbox)
	}
	var rows iter.Seq2[mail.Row, error]
	v, err := on(ctx, p, id, func(h *side) (v mail.Version, err error) {
		v, rows, err = h.LoadMailbox(ctx, id, mailbox)
		return v, err
	})
	return v, rows, err
}

// Message implements mail.Store.
func (s *Store) Message(ctx context.Context, id mail.AccountID, message mail.MessageID) (*mail.Message, error) {
	p := s.both.Load()
	if p == nil {
		return s.a.Message(ctx, id, message)
	}
	return on(ctx, p, id, func(h *side) (*mail.Message, error) {
		m, err := h.Message(ctx, id, message)
		if err != nil {
			return nil, err
		}
		return tagged(m, h.tag), nil
	})
}

// Inline implements mail.Store.
func (s *Store) Inline(ctx context.Context, id mail.AccountID, message mail.MessageID) ([]byte, error) {
	p := s.both.Load()
	if p == nil {
		return s.a.Inline(ctx, id, message)
	}
	return on(ctx, p, id, func(h *side) ([]byte, error) { return h.Inline(ctx, id, message) })
}

// Reader implements mail.Store. While there are two stores, each message is looked for where
// the account is at that moment.
func (s *Store) Reader(ctx context.Context, id mail.AccountID) mail.Reader {
	if s.both.Load() == nil {
		return s.a.Reader(ctx, id)
	}
	return mail.NoReader{}
}

// tagged is a message whose bytes are in a segment of the tag's side.
func tagged(m *mail.Message, tag uint64) *mail.Message {
	if m.Body.Inline || tag == 0 {
		return m
	}
	own := *m // stores may keep m
	own.Body.Segment |= tag
	return &own
}

// Outcome implements mail.Store.
func (s *Store) Outcome(ctx context.Context, id mail.AccountID, op mail.OpID) (mail.Version, bool, error) {
	p := s.both.Load()
	if p == nil {
		return s.a.Outcome(ctx, id, op)
	}
	var found bool
	v, err := on(ctx, p, id, func(h *side) (v mail.Version, err error) {
		v, found, err = h.Outcome(ctx, id, op)
		return v, err
	})
	return v, found, err
}

// Since implements mail.Store.
func (s *Store) Since(ctx context.Context, id mail.AccountID, v mail.Version) iter.Seq2[mail.Change, error] {
	p := s.both.Load()
	if p == nil {
		return s.a.Since(ctx, id, v)
	}
	return func(yield func(mail.Change, error) bool) {
		// Only before the first change a store can say that the account has moved.
		begun, stopped := false, false
		err := p.at(ctx, id, func(h *side) error {
			for change, err := range h.Since(ctx, id, v) {
				if err != nil {
					if begun && mail.Is(err, mail.Elsewhere) {
						err = mail.Wrap(mail.Away, err)
					}
					return err
				}
				begun = true
				if stopped = !yield(change, nil); stopped {
					break
				}
			}
			return nil
		})
		if err != nil && !stopped {
			yield(nil, err)
		}
	}
}

// Vanished implements mail.Store.
func (s *Store) Vanished(ctx context.Context, id mail.AccountID, mailbox mail.MailboxID, since mail.ModSeq) (mail.UIDSet, error) {
	p := s.both.Load()
	if p == nil {
		return s.a.Vanished(ctx, id, mailbox, since)
	}
	return on(ctx, p, id, func(h *side) (mail.UIDSet, error) { return h.Vanished(ctx, id, mailbox, since) })
}

// SetRecent implements mail.Store.
func (s *Store) SetRecent(ctx context.Context, id mail.AccountID, mailbox mail.MailboxID, from mail.UID) error {
	p := s.both.Load()
	if p == nil {
		return s.a.SetRecent(ctx, id, mailbox, from)
	}
	return p.at(ctx, id, func(h *side) error { return h.SetRecent(ctx, id, mailbox, from) })
}

// Derived implements mail.Store.
func (s *Store) Derived(ctx context.Context, id mail.AccountID, key string) ([]byte, error) {
	p := s.both.Load()
	if p == nil {
		return s.a.Derived(ctx, id, key)
	}
	return on(ctx, p, id, func(h *side) ([]byte, error) { return h.Derived(ctx, id, key) })
}

// PutDerived implements mail.Store.
func (s *Store) PutDerived(ctx context.Context, id mail.AccountID, key string, value []byte) error {
	p := s.both.Load()
	if p == nil {
		return s.a.PutDerived(ctx, id, key, value)
	}
	return p.at(ctx, id, func(h *side) error { return h.PutDerived(ctx, id, key, value) })
}

// DropDerived implements mail.Store.
func (s *Store) DropDerived(ctx context.Context, id mail.AccountID, prefix string, keep ...string) error {
	p := s.both.Load()
	if p == nil {
		return s.a.DropDerived(ctx, id, prefix, keep...)
	}
	return p.at(ctx, id, func(h *side) error { return h.DropDerived(ctx, id, prefix, keep...) })
}
