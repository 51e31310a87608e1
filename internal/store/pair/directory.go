package pair

import (
	"context"
	"iter"

	"postfach/internal/mail"
)

// Account implements mail.Directory.
func (s *Store) Account(ctx context.Context, name string) (mail.Account, error) {
	p := s.both.Load()
	if p == nil {
		return s.a.Account(ctx, name)
	}
	return p.named(ctx, name)
}

// named finds an account in either directory. One that was coming here when it was asked
// for, and had left there a moment later, is looked for again: nobody must be told that
// there is none.
func (p *both) named(ctx context.Context, name string) (mail.Account, error) {
	for range findMax {
		left := false
		for i := range p.sides {
			a, err := p.sides[i].Account(ctx, name)
			switch {
			case err == nil:
				return a, nil
			case mail.Is(err, mail.Elsewhere):
				left = true
			case !mail.Is(err, mail.NotFound):
				return a, err
			}
		}
		if !left {
			break
		}
	}
	return mail.Account{}, mail.Errorf(mail.NotFound, "no such account")
}

// AddAccount implements mail.Directory.
func (s *Store) AddAccount(ctx context.Context, a mail.Account) error {
	return s.AddAccounts(ctx, []mail.Account{a})
}

// AddAccounts implements mail.Directory.
func (s *Store) AddAccounts(ctx context.Context, as []mail.Account) error {
	p := s.both.Load()
	if p == nil {
		return s.a.AddAccounts(ctx, as)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range as {
		_, err := p.named(ctx, a.Name)
		if err == nil {
			return mail.Errorf(mail.Exists, "the account %s exists", a.Name)
		}
		if !mail.Is(err, mail.NotFound) {
			return certain(err)
		}
	}
	return p.sides[p.to.Load()].AddAccounts(ctx, as)
}

// Accounts implements mail.Directory.
func (s *Store) Accounts(ctx context.Context) iter.Seq2[mail.Account, error] {
	p := s.both.Load()
	if p == nil {
		return s.a.Accounts(ctx)
	}
	return func(yield func(mail.Account, error) bool) {
		next, stop := iter.Pull2(p.sides[1].Accounts(ctx))
		defer stop()
		b, err, ok := next()
		// upTo yields those of the second store that come before a name. One that is in both
		// has just moved.
		upTo := func(name string, all bool) bool {
			for ok && (all || err != nil || b.Name <= name) {
				if err != nil || b.Name != name || all {
					if !yield(b, err) || err != nil {
						return false
					}
				}
				b, err, ok = next()
			}
			return true
		}
		for a, err := range p.sides[0].Accounts(ctx) {
			if err != nil {
				yield(a, err)
				return
			}
			if !upTo(a.Name, false) || !yield(a, nil) {
				return
			}
		}
		upTo("", true)
	}
}

// SetSecret implements mail.Directory.
func (s *Store) SetSecret(ctx context.Context, id mail.AccountID, secret string) error {
	p := s.both.Load()
	if p == nil {
		return s.a.SetSecret(ctx, id, secret)
	}
	return p.at(ctx, id, func(h *side) error { return h.SetSecret(ctx, id, secret) })
}

// RemoveAccount implements mail.Directory.
func (s *Store) RemoveAccount(ctx context.Context, id mail.AccountID, now int64) error {
	p := s.both.Load()
	if p == nil {
		return s.a.RemoveAccount(ctx, id, now)
	}
	return p.at(ctx, id, func(h *side) error { return h.RemoveAccount(ctx, id, now) })
}
