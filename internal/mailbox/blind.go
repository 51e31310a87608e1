package mailbox

import (
	"context"

	"postfach/internal/mail"
)

// onlyAppends tells whether a group can be committed without knowing the
// account's version.
func onlyAppends(group []*pending) bool {
	for _, p := range group {
		if p.each != nil {
			return false
		}
		for _, op := range p.ops {
			if op, ok := op.(*Append); !ok || op.keywords() {
				return false
			}
		}
	}
	return true
}

// keywords tells whether a message comes with keywords: their set may have to be
// interned, which needs the account's version.
func (op *Append) keywords() bool {
	for i := range op.Messages {
		if len(op.Messages[i].Keywords) > 0 {
			return true
		}
	}
	return false
}

// commitBlind commits appends whose UIDs and modification sequences the store
// gives, so that no other process can be in the way. Mailboxes need not be
// loaded.
func (a *Account) commitBlind(ctx context.Context, group []*pending) error {
	c := &mail.Commit{Blind: true}
	for _, p := range group {
		if p.err != nil {
			continue
		}
		list, err := a.blindChanges(p)
		if err != nil {
			p.results, p.err = nil, err
			continue
		}
		c.Changes = append(c.Changes, list...)
	}
	if len(c.Changes) == 0 {
		return nil
	}
	done, err := a.commit(ctx, c)
	if mail.Is(err, mail.NotFound) {
		return &mail.ConflictError{TooOld: true}
	}
	if err != nil {
		return err
	}
	a.told = done.Version
	a.tellArrival(c.Changes)
	if done.lost {
		a.findNumbers(ctx, c, done.Version)
		blindResults(group, c, done.Ticket)
		return nil
	}
	blindResults(group, c, done.Ticket)
	a.absorbBlind(ctx, c, done.Committed)
	return nil
}

// blindChanges plans one run of appends without numbers.
func (a *Account) blindChanges(p *pending) (list []mail.Change, err error) {
	for _, op := range p.ops {
		op := op.(*Append)
		v, err := needMailbox(a.state, op.Mailbox)
		if err != nil {
			return nil, err
		}
		appended, _, err := op.arrivals(a.state, 0)
		if err != nil {
			return nil, err
		}
		if err := a.state.checkRoom(v, appended.Delta.Messages, appended.Delta.Bytes); err != nil {
			return nil, err
		}
		list = append(list, appended)
		p.results = append(p.results, Result{UIDValidity: v.state.UIDValidity})
	}
	return list, nil
}

// blindResults reads the numbers that the store has given. Where they got lost, there is
// no Target.
func blindResults(group []*pending, c *mail.Commit, t mail.Ticket) {
	next := 0
	for _, p := range group {
		for i := range p.results {
			appended := c.Changes[next].(*mail.Appended)
			next++
			r := &p.results[i]
			r.ModSeq, r.Ticket = appended.ModSeq, t
			for _, arrival := range appended.Arrivals {
				if arrival.Row.UID != 0 {
					r.Target = r.Target.Append(arrival.Row.UID)
				}
			}
		}
	}
}

// absorbBlind takes in what a blind commit did.
func (a *Account) absorbBlind(ctx context.Context, c *mail.Commit, done mail.Committed) {
	if done.Version != a.state.current+mail.Version(len(c.Changes)) {
		// Another process was in between. The messages are there; only our picture of
		// the account is old, and whoever looks makes it new.
		if err := a.takeSince(ctx); err != nil {
			a.engine.news.behind(a.ID)
		}
		return
	}
	s := a.state.begin()
	for _, change := range c.Changes {
		s.absorb(change)
	}
	s.publish(a, done.Ticket)
}
