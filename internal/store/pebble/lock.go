package pebble

import (
	"context"
	"sync/atomic"

	"postfach/internal/mail"
)

// locks serialise the commits of an account. Accounts share them by their ids' low
// bits, which are random.
type locks [1024]accountLock

type accountLock struct {
	turn chan struct{} // capacity one; who has put something in has the lock
	last uint64        // the newest commit's number, of any account that shares the lock

	known atomic.Pointer[remembered]
}

func (l *locks) init() {
	nobody := &remembered{}
	for i := range l {
		l[i].turn = make(chan struct{}, 1)
		l[i].known.Store(nobody)
	}
}

func (l *locks) of(id mail.AccountID) *accountLock { return &l[uint64(id)%uint64(len(l))] }

// lock waits for the account's turn. Busy: the context has ended before.
func (l *locks) lock(ctx context.Context, id mail.AccountID) (*accountLock, error) {
	a := l.of(id)
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
