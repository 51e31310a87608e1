package mailbox

import (
	"context"

	"postfach/internal/mail"
)

// versionQuestion is one look at the store's version of the account, shared by all
// who ask before it has begun.
type versionQuestion struct {
	done chan struct{}
	err  error
}

// Sync makes sure that what any process had acknowledged before the call is seen
// by it: SELECT, STATUS, NOOP, CHECK, IDLE and the first command after
// authentication begin with it. With a store that nobody else writes to it costs
// nothing.
func (a *Account) Sync(ctx context.Context) error {
	if err := a.Err(); err != nil || !a.engine.store.Shared() {
		return err
	}
	a.versionMu.Lock()
	q := a.versionAsked
	if q == nil {
		q = &versionQuestion{done: make(chan struct{})}
		a.versionAsked = q
		go a.ask(context.WithoutCancel(ctx), q)
	}
	a.versionMu.Unlock()
	select {
	case <-q.done:
		return q.err
	case <-ctx.Done():
		return mail.Wrap(mail.Busy, ctx.Err())
	}
}

// ask answers a question. Who comes after it has begun must ask a new one: the
// answer may be older than what they have to see.
func (a *Account) ask(ctx context.Context, q *versionQuestion) {
	a.versionMu.Lock()
	a.versionAsked = nil
	a.versionMu.Unlock()
	if q.err = a.askAndCatchUp(ctx); q.err != nil {
		a.engine.news.behind(a.ID)
	}
	close(q.done)
}

func (a *Account) askAndCatchUp(ctx context.Context) error {
	v, err := a.engine.store.Version(ctx, a.ID)
	if err != nil {
		a.gone(err)
		return err
	}
	return a.catchUp(ctx, v)
}

// gone ends the account when the store's error says that it is not there any more.
func (a *Account) gone(err error) {
	switch mail.KindOf(err) {
	case mail.NotFound:
		a.fail(errRemoved)
	case mail.Elsewhere:
		a.fail(errMoved)
	}
}

// catchUp takes in what other processes have done, up to a version at least.
func (a *Account) catchUp(ctx context.Context, v mail.Version) error {
	if mail.Version(a.version.Load()) >= v {
		return nil
	}
	if err := a.takeTurn(ctx); err != nil {
		return err
	}
	defer a.endTurn()
	if a.state.current >= v {
		return nil
	}
	return a.takeSince(ctx)
}

// takeSince absorbs all that the store has and the state has not. It needs the
// turn.
func (a *Account) takeSince(ctx context.Context) error {
	list, err := a.readSince(ctx)
	if mail.Is(err, mail.Invalid) {
		return a.reload(ctx)
	}
	if err == nil {
		a.absorbAll(list)
	}
	return err
}

// takeMissed absorbs what a conflict says. It needs the turn.
func (a *Account) takeMissed(ctx context.Context, c *mail.ConflictError) error {
	if c.TooOld {
		return a.reload(ctx)
	}
	a.absorbAll(c.Missed)
	return nil
}
