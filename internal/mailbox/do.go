package mailbox

import (
	"context"
	"slices"
	"time"

	"postfach/internal/mail"
)

// pending is a run of operations that waits to be part of a commit.
type pending struct {
	ops     []Op
	results []Result
	each    []error // of operations that are done each as if it were alone; nil: all or none of them
	awaited bool    // the client waits for it
	err     error   // of all
	done    chan struct{}
	room    []Result
	single  [1]Op // room for the one op and the one result of most runs
	result  [1]Result
}

// Do plans and commits one operation and returns when the store has decided.
// Nothing of the result may be told before its ticket is done.
//
// An Unavailable error means that it is not known whether the operation happened; where
// nobody else writes to the store, the account is then finished (see Err). After every
// other error nothing was written. The context, and Limits.TurnTimeout, bound the wait
// for a place in a commit, never a commit under way.
func (a *Account) Do(ctx context.Context, op Op) (Result, error) { return a.one(ctx, op, false) }

// DoAwaited is Do for one whose client does nothing but wait for the answer: becoming durable may
// begin with the commit.
func (a *Account) DoAwaited(ctx context.Context, op Op) (Result, error) { return a.one(ctx, op, true) }

func (a *Account) one(ctx context.Context, op Op, awaited bool) (Result, error) {
	p := &pending{awaited: awaited, done: make(chan struct{})}
	p.single[0] = op
	p.ops, p.room = p.single[:], p.result[:0]
	if err := a.enqueue(ctx, p); err != nil {
		return Result{}, err
	}
	return p.results[0], nil
}

// DoAll does several operations in one commit: all of them or none.
func (a *Account) DoAll(ctx context.Context, ops []Op) ([]Result, error) {
	p := &pending{ops: ops, done: make(chan struct{})}
	err := a.enqueue(ctx, p)
	return p.results, err
}

// Each is what came of several operations. It may be used again.
type Each struct {
	Results []Result
	Errs    []error
	Awaited bool // set by the caller; see DoAwaited
}

// DoEach does several operations in one commit, each as if it were alone: where one is
// refused, the others are done. An error that it returns is of all.
func (a *Account) DoEach(ctx context.Context, ops []Op, each *Each) error {
	each.Errs = slices.Grow(each.Errs[:0], len(ops))[:len(ops)]
	p := &pending{ops: ops, room: each.Results, each: each.Errs, awaited: each.Awaited, done: make(chan struct{})}
	err := a.enqueue(ctx, p)
	each.Results = p.results
	return err
}

// enqueue hands the run to whoever has the turn, or takes the turn and leads a
// group: all that came while the last commit was under way shares the next.
func (a *Account) enqueue(ctx context.Context, p *pending) error {
	a.queueMu.Lock()
	a.queue = append(a.queue, p)
	a.queueMu.Unlock()
	select {
	case a.turn <- struct{}{}:
		a.lead(ctx, p, nil)
		return p.err
	default:
	}
	late, stop := a.patience()
	defer stop()
	var tired error
	select {
	case a.turn <- struct{}{}:
		a.lead(ctx, p, late)
		return p.err
	case <-p.done:
		return p.err
	case <-late:
		tired = errLate
	case <-ctx.Done():
		tired = mail.Wrap(mail.Busy, ctx.Err())
	}
	if a.withdraw(p) {
		return tired
	}
	<-p.done
	return p.err
}

// lead commits groups until p is in one of them, or has waited too long.
func (a *Account) lead(ctx context.Context, p *pending, late <-chan time.Time) {
	defer a.endTurn()
	for {
		select {
		case <-p.done:
			return
		case <-late:
			if a.withdraw(p) {
				p.err = errLate
				return
			}
		default:
		}
		a.leadGroup(context.WithoutCancel(ctx), a.takeGroup())
	}
}

// leadGroup commits one group. A panic ends the leader's session only: for the others
// in the group it is a commit of which nobody knows what became.
func (a *Account) leadGroup(ctx context.Context, group []*pending) {
	defer func() {
		for _, p := range group {
			if p.err == nil && len(p.results) != len(p.ops) {
				p.err = mail.Errorf(mail.Unavailable, "the commit was broken off")
				a.fail(p.err)
			}
			close(p.done)
		}
	}()
	a.commitGroup(ctx, group)
}

// takeGroup takes the runs that the next commit carries: many whose operations are done
// each as if it were alone, or one of several, which succeeds or fails as a whole.
func (a *Account) takeGroup() []*pending {
	a.queueMu.Lock()
	defer a.queueMu.Unlock()
	n := 0
	for n < len(a.queue) && n < a.engine.limits.GroupOpsMax {
		if whole := len(a.queue[n].ops) > 1 && a.queue[n].each == nil; whole && n > 0 {
			break
		} else if n++; whole {
			break
		}
	}
	group := a.queue[:n:n]
	if a.queue = a.queue[n:]; len(a.queue) == 0 {
		a.queue = nil
	}
	return group
}

// withdraw takes a run out of the queue; false when it is already part of a
// group.
func (a *Account) withdraw(p *pending) bool {
	a.queueMu.Lock()
	defer a.queueMu.Unlock()
	for i, q := range a.queue {
		if q == p {
			a.queue = append(a.queue[:i:i], a.queue[i+1:]...)
			return true
		}
	}
	return false
}
