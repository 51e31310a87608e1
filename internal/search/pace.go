package search

import (
	"sync"
	"time"

	"postfach/internal/mail"
)

// pace keeps indexing out of the way of mail that comes in: while much does, the indexer
// works for a twentieth of the time. Searches read what is not indexed yet.
type pace struct {
	mu     sync.Mutex
	since  time.Time // when the current window has begun
	count  int       // arrivals in it
	before int       // arrivals in the window before
}

const (
	paceWindow   = 250 * time.Millisecond
	paceArrivals = 25 // in a window: indexing as many takes a few milliseconds
	paceWork     = time.Millisecond
	paceRests    = 19 // times as long as the work was
	paceRestMax  = 200 * time.Millisecond
)

// arrived says that mail has come in.
func (p *pace) arrived(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch d := now.Sub(p.since); {
	case d >= 2*paceWindow:
		p.since, p.count, p.before = now, 0, 0
	case d >= paceWindow:
		p.since, p.count, p.before = now, 0, p.count
	}
	p.count++
}

// busy tells whether much mail is coming in.
func (p *pace) busy(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch d := now.Sub(p.since); {
	case d >= 2*paceWindow:
		return false
	case d >= paceWindow:
		return p.count >= paceArrivals
	}
	return max(p.count, p.before) >= paceArrivals
}

// work is called before every piece of work of the pass: it waits for a place among the
// workers, and rests while mail comes in. The only error is the context's.
func (p *pass) work() error {
	now := p.x.env.Now()
	worked := now.Sub(p.since)
	switch {
	case !p.x.pace.busy(now):
		p.since = now
	case worked >= paceWork:
		p.turn.End()
		if !mail.Sleep(p.ctx, min(paceRests*worked, paceRestMax)) {
			return mail.Wrap(mail.Unavailable, p.ctx.Err())
		}
		p.since = p.x.env.Now()
	}
	return p.turn.Work(p.ctx)
}
