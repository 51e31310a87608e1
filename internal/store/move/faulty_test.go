package move_test

import (
	"context"
	"io"
	"iter"
	"sync"

	"postfach/internal/mail"
)

// steps counts the calls of a move, and lets each of them fail.
type steps struct {
	mu sync.Mutex
	n  int
	// at is called before and after each step, with its number; its error is the call's.
	at func(n int, after bool) error
}

func (s *steps) run(call func() error) error {
	s.mu.Lock()
	s.n++
	n := s.n
	s.mu.Unlock()
	if err := s.at(n, false); err != nil {
		return err
	}
	err := call()
	if e := s.at(n, true); e != nil {
		return e
	}
	return err
}

// faulty is a store whose calls are steps.
type faulty struct {
	mail.Movable
	steps *steps
}

func (f faulty) Place(ctx context.Context, id mail.AccountID) (place mail.Place, err error) {
	err = f.steps.run(func() error { place, err = f.Movable.Place(ctx, id); return err })
	return place, err
}

func (f faulty) Entry(ctx context.Context, id mail.AccountID) (a mail.Account, err error) {
	err = f.steps.run(func() error { a, err = f.Movable.Entry(ctx, id); return err })
	return a, err
}

func (f faulty) LoadAccount(ctx context.Context, id mail.AccountID) (a *mail.AccountState, err error) {
	err = f.steps.run(func() error { a, err = f.Movable.LoadAccount(ctx, id); return err })
	return a, err
}

func (f faulty) LoadMailbox(ctx context.Context, id mail.AccountID, mailbox mail.MailboxID) (v mail.Version, rows iter.Seq2[mail.Row, error], err error) {
	// Failing after the call would leave the rows unread.
	if err := f.steps.run(func() error { return nil }); err != nil {
		return 0, nil, err
	}
	return f.Movable.LoadMailbox(ctx, id, mailbox)
}

func (f faulty) Fence(ctx context.Context, id mail.AccountID, on bool) error {
	return f.steps.run(func() error { return f.Movable.Fence(ctx, id, on) })
}

func (f faulty) Leave(ctx context.Context, id mail.AccountID, now int64) error {
	return f.steps.run(func() error { return f.Movable.Leave(ctx, id, now) })
}

func (f faulty) Import(ctx context.Context, entry mail.Account) (i mail.Import, err error) {
	err = f.steps.run(func() error { i, err = f.Movable.Import(ctx, entry); return err })
	if err != nil {
		return nil, err
	}
	return faultyImport{i, f.steps}, nil
}

type faultyImport struct {
	mail.Import
	steps *steps
}

func (f faultyImport) Message(ctx context.Context, m *mail.Message, body io.Reader) error {
	if m.ID%37 != 0 { // many are alike
		return f.Import.Message(ctx, m, body)
	}
	return f.steps.run(func() error { return f.Import.Message(ctx, m, body) })
}

func (f faultyImport) Mailbox(ctx context.Context, state mail.MailboxState, history iter.Seq2[mail.ExpungedUIDs, error]) error {
	return f.steps.run(func() error { return f.Import.Mailbox(ctx, state, history) })
}

func (f faultyImport) Rows(ctx context.Context, mailbox mail.MailboxID, put []mail.Row, drop mail.UIDSet) error {
	return f.steps.run(func() error { return f.Import.Rows(ctx, mailbox, put, drop) })
}

func (f faultyImport) Finish(ctx context.Context, entry mail.Account, state *mail.AccountState, outcomes iter.Seq2[mail.Outcome, error]) error {
	return f.steps.run(func() error { return f.Import.Finish(ctx, entry, state, outcomes) })
}
