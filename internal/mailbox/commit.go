package mailbox

import (
	"context"
	"errors"
	"slices"

	"postfach/internal/mail"
)

// needer is an op that reads the rows of mailboxes, which must be loaded before
// it is planned.
type needer interface {
	needs(s *state) mail.MailboxID
}

func (op *Store) needs(*state) mail.MailboxID   { return op.Mailbox }
func (op *Expunge) needs(*state) mail.MailboxID { return op.Mailbox }
func (op *Copy) needs(*state) mail.MailboxID    { return op.From }

func (op *Rename) needs(s *state) mail.MailboxID {
	if v := s.lookup(Inbox); op.From == Inbox && v != nil {
		return v.state.ID
	}
	return 0
}

// conflictsMax ends a group that never wins. Each conflict means that another
// process got on, so it takes very bad luck.
const conflictsMax = 100

// commitGroup plans, commits and publishes a group, and fills in every run's
// results or error. It needs the turn.
func (a *Account) commitGroup(ctx context.Context, group []*pending) {
	for try := 0; ; try++ {
		if err := a.Err(); err != nil {
			failAll(group, mail.Wrap(mail.Unavailable, err))
			return
		}
		blind := a.engine.store.Shared() && onlyAppends(group)
		if a.state.current < a.told && !blind {
			if err := a.takeSince(ctx); err != nil {
				failAll(group, certain(err))
				return
			}
		}
		a.loadNeeded(ctx, group)
		err := a.tryGroup(ctx, group, blind, try)
		var conflict *mail.ConflictError
		switch {
		case err == nil:
			return
		case errors.As(err, &conflict):
			if err := a.takeMissed(ctx, conflict); err != nil {
				failAll(group, certain(err))
				return
			}
			if try >= conflictsMax {
				failAll(group, mail.Errorf(mail.Busy, "the account is too busy, try again"))
				return
			}
			for _, p := range group {
				p.results, p.err = nil, nil
			}
		default:
			switch {
			case mail.Is(err, mail.Unavailable):
				a.unknown(err)
			case mail.Is(err, mail.Elsewhere):
				a.gone(err)
			}
			failAll(group, err)
			return
		}
	}
}

// unknown deals with a commit of which nobody knows what became. Where news comes in, it
// will be among them if it has happened, and what is in memory is right, if old.
func (a *Account) unknown(err error) {
	if a.engine.store.Shared() {
		a.engine.news.behind(a.ID)
	} else {
		a.fail(err)
	}
}

// failAll gives the error to every run that was to be committed.
func failAll(group []*pending, err error) {
	for _, p := range group {
		if p.err == nil {
			p.results, p.err = nil, err
		}
	}
}

func (a *Account) loadNeeded(ctx context.Context, group []*pending) {
	for _, p := range group {
		for _, op := range p.ops {
			n, ok := op.(needer)
			if !ok {
				continue
			}
			if id := n.needs(a.state); id != 0 {
				if err := a.loadRows(ctx, id); err != nil && p.err == nil {
					p.err = certain(err)
				}
			}
		}
	}
}

// tryGroup plans the group against the state as it is and commits it once.
func (a *Account) tryGroup(ctx context.Context, group []*pending, blind bool, try int) error {
	if blind {
		return a.commitBlind(ctx, group)
	}
	s := a.state.begin()
	var list []mail.Change
	for _, p := range group {
		if p.err == nil {
			list = planRun(s, p, list)
		}
	}
	if len(list) == 0 || group[0].err != nil && len(group) == 1 {
		finish(group, a.state.ticket)
		return nil
	}
	done, err := a.commit(ctx, &mail.Commit{
		At: a.state.current, Lock: try >= a.engine.limits.ConflictRetriesMax, Changes: list, Awaited: awaited(group),
	})
	if err != nil {
		return err
	}
	if done.lost && done.Version != s.current {
		return mail.Errorf(mail.Unavailable, "a commit has led to version %d instead of %d", done.Version, s.current)
	}
	s.publish(a, done.Ticket)
	finish(group, done.Ticket)
	a.tellArrival(list)
	return nil
}

// awaited tells whether somebody waits for the group.
func awaited(group []*pending) bool {
	return slices.ContainsFunc(group, func(p *pending) bool { return p.awaited })
}

// tellArrival tells of new messages, but not of those of other processes: they tell it
// themselves.
func (a *Account) tellArrival(committed []mail.Change) {
	if a.engine.OnArrival == nil {
		return
	}
	for _, c := range committed {
		if _, ok := c.(*mail.Appended); ok {
			a.engine.OnArrival(a.ID)
			return
		}
	}
}

// planRun plans one run on top of what the group has so far, and returns the list
// with its changes. A run of several ops is a group of its own, so one that fails
// in the middle is dropped with the group's state.
func planRun(s *state, p *pending, list []mail.Change) []mail.Change {
	p.results = slices.Grow(p.room[:0], len(p.ops))
	s.room.reserve(len(p.ops))
	defer func() { s.room = runRoom{} }()
	clear(p.each)
	for i, op := range p.ops {
		m := s.current + 1
		changes, r, err := op.plan(s, m)
		switch {
		case err == nil:
		case p.each != nil:
			p.each[i] = err
		default:
			p.results, p.err = nil, err
			return list
		}
		if len(changes) > 0 {
			r.ModSeq = m
		}
		for _, c := range changes {
			s.absorb(c)
		}
		list = append(list, changes...)
		p.results = append(p.results, r)
	}
	return list
}

// commit sends a commit to the store. Only where the answer can get lost on its way
// from another machine is there an outcome to look up.
func (a *Account) commit(ctx context.Context, c *mail.Commit) (committed, error) {
	c.Account, c.Now = a.ID, a.engine.env.Now().Unix()
	if a.engine.store.Shared() {
		return a.commitShared(ctx, c)
	}
	done, err := a.engine.store.Commit(ctx, c)
	return committed{Committed: done}, err
}

// finish gives every run's results the ticket to wait for. Results of ops that
// changed nothing were read from the state, so they wait for what made it.
func finish(group []*pending, t mail.Ticket) {
	for _, p := range group {
		for i := range p.results {
			p.results[i].Ticket = t
		}
	}
}
