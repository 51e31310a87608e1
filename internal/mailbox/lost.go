package mailbox

import (
	"context"
	"time"

	"postfach/internal/mail"
)

// How long to wait between two questions to a store that does not answer.
const (
	askWaitMin = 50 * time.Millisecond
	askWaitMax = time.Second
)

// committed is what a commit led to. When its answer got lost, the numbers of a blind
// commit are not in its changes.
type committed struct {
	mail.Committed
	lost bool
}

// commitShared commits to a store on another machine. An answer that gets lost is looked
// up while the turn is held; a commit that turns out not to have happened is sent again,
// under another id. Unavailable: it has not been found out in time.
func (a *Account) commitShared(ctx context.Context, c *mail.Commit) (committed, error) {
	done, err := a.send(ctx, c)
	if !mail.Is(err, mail.Unavailable) {
		return done, err
	}
	asking, cancel := context.WithTimeout(ctx, a.engine.limits.OutcomeTimeout)
	defer cancel()
	for wait := askWaitMin; ; wait = min(2*wait, askWaitMax) {
		v, found, err := a.outcome(asking, c.Op)
		switch {
		case mail.Is(err, mail.NotFound): // the account is gone, whatever became of the commit
			return committed{}, err
		case err != nil:
			return committed{}, mail.Wrap(mail.Unavailable, err)
		case found: // so it is durable
			return committed{mail.Committed{Version: v}, true}, nil
		case !a.sleep(asking, wait):
			return committed{}, mail.Errorf(mail.Away, "the store does not answer in time")
		}
		if c.Blind {
			clearNumbers(c.Changes)
		}
		if done, err := a.send(ctx, c); !mail.Is(err, mail.Unavailable) {
			return done, err
		}
	}
}

// send sends a commit under a new id.
func (a *Account) send(ctx context.Context, c *mail.Commit) (committed, error) {
	op, err := a.engine.env.NewOpID()
	if err != nil {
		return committed{}, err
	}
	c.Op = op
	done, err := a.engine.store.Commit(ctx, c)
	return committed{Committed: done}, err
}

// outcome asks what became of a commit until the store tells, the context ends or the
// account does.
func (a *Account) outcome(ctx context.Context, op mail.OpID) (v mail.Version, found bool, err error) {
	for wait := askWaitMin; ; wait = min(2*wait, askWaitMax) {
		v, found, err = a.engine.store.Outcome(ctx, a.ID, op)
		if err == nil || mail.Is(err, mail.NotFound) || !a.sleep(ctx, wait) {
			return v, found, err
		}
	}
}

// sleep waits, and tells whether to go on: neither the context nor the account has
// ended.
func (a *Account) sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-a.ended:
	}
	return false
}

// certain makes the error of a read one that says that nothing was written.
func certain(err error) error {
	if mail.Is(err, mail.Unavailable) {
		return mail.Wrap(mail.Away, err)
	}
	return err
}
