package pebble

import (
	"context"

	"postfach/internal/mail"
)

// locks serialise the commits of an account. Accounts share them by their ids' low
// bits, which are random.
type locks [1024]accountLock

type accountLock struct {
	turn chan struct{} // capacity one; who has put something in has the lock
	last uint64        // the newest commit's number, of any account that shares the lock
	kept keptRecords
}

// keptRecords are those that the last commit has written: the next one mostly is to the
// same mailbox, and need not read them.
type keptRecords struct {
	account mail.AccountID // 0: none are kept
	record  accountRecord
	mailbox mailboxRecord // of one that the commit touched; its ID is 0: of none
}

func (l *locks) init() {
	for i := range l {
		l[i].turn = make(chan struct{}, 1)
	}
}

// lock waits for the account's turn. Busy: the context has ended before. Whoever has it may
// write what is kept, but does not keep it.
func (l *locks) lock(ctx context.Context, id mail.AccountID) (*accountLock, error) {
	a, err := l.lockToCommit(ctx, id)
	if err == nil {
		a.kept.account = 0
	}
	return a, err
}

// lockToCommit is lock for a commit.
func (l *locks) lockToCommit(ctx context.Context, id mail.AccountID) (*accountLock, error) {
	a := &l[uint64(id)%uint64(len(l))]
	select {
	case a.turn <- struct{}{}:
		return a, nil
	default:
	}
	select {
	case a.turn <- struct{}{}:
		return a, nil
	case <-ctx.Done():
		return nil, mail.Wrap(mail.Busy, ctx.Err())
	}
}

func (a *accountLock) unlock() { <-a.turn }
