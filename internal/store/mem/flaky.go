package mem

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"postfach/internal/mail"
)

// Faults is what is wrong with a network, each as the share of the calls (0 to 1) that
// it happens to. The zero value: nothing.
type Faults struct {
	Away    float64       // reads, writes and questions that are refused with Away, nothing done
	Reads   float64       // reads and uploads that fail with Unavailable
	Request float64       // commits that get lost on their way
	Answer  float64       // commits whose answer gets lost
	Late    float64       // commits that arrive after their answer was given up
	Delay   time.Duration // the longest that these are under way
	Outcome float64       // questions for an outcome without an answer
	Hints   float64       // hints that get lost
}

// Flaky is a shared Store as it looks through a network that is not to be trusted. It
// is also a Store that polls, so that a lost hint is late news and no more.
type Flaky struct {
	*Store
	// PollInterval is how often Watch looks after the loaded accounts; a second when it
	// is zero.
	PollInterval time.Duration

	mu     sync.Mutex
	rng    *rand.Rand
	faults Faults
	late   sync.WaitGroup
}

var (
	_ mail.Store = (*Flaky)(nil)
	_ mail.Blobs = (*Flaky)(nil)
)

// NewFlaky makes a Flaky over a shared store, without faults. One seed, and one order of
// calls, is one history.
func NewFlaky(s *Store, seed uint64) *Flaky {
	return &Flaky{Store: s, rng: rand.New(rand.NewPCG(seed, seed))}
}

// Set changes what is wrong from now on.
func (f *Flaky) Set(faults Faults) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = faults
}

// Settle waits until the commits that are late have arrived.
func (f *Flaky) Settle() { f.late.Wait() }

func (f *Flaky) happens(share func(*Faults) float64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := share(&f.faults)
	return p > 0 && f.rng.Float64() < p
}

func (f *Flaky) delay() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Duration(f.rng.Int64N(int64(f.faults.Delay) + 1))
}

var errNetwork = errors.New("the network is not to be trusted")

func (f *Flaky) away() error {
	if f.happens(func(w *Faults) float64 { return w.Away }) {
		return mail.Wrap(mail.Away, errNetwork)
	}
	return nil
}

// read is what goes wrong with a read.
func (f *Flaky) read() error {
	if f.happens(func(w *Faults) float64 { return w.Reads }) {
		return mail.Wrap(mail.Unavailable, errNetwork)
	}
	return f.away()
}

// Commit implements mail.Store.
func (f *Flaky) Commit(ctx context.Context, c *mail.Commit) (mail.Committed, error) {
	if err := f.away(); err != nil {
		return mail.Committed{}, err
	}
	lost := mail.Wrap(mail.Unavailable, errNetwork)
	sent := copied(c)
	switch {
	case f.happens(func(w *Faults) float64 { return w.Request }):
		return mail.Committed{}, lost
	case f.happens(func(w *Faults) float64 { return w.Late }):
		f.late.Go(func() {
			time.Sleep(f.delay())
			_, _ = f.Store.Commit(context.WithoutCancel(ctx), sent)
		})
		return mail.Committed{}, lost
	}
	done, err := f.Store.Commit(ctx, sent)
	if f.happens(func(w *Faults) float64 { return w.Answer }) {
		return mail.Committed{}, lost
	}
	if err == nil && c.Blind {
		for i := range c.Changes {
			give(c.Changes[i].(*mail.Appended), sent.Changes[i].(*mail.Appended))
		}
	}
	return done, err
}

// copied is the commit as it travels: what becomes of it there changes nothing here.
func copied(c *mail.Commit) *mail.Commit {
	sent := *c
	sent.Changes = make([]mail.Change, len(c.Changes))
	for i, change := range c.Changes {
		if a, ok := change.(*mail.Appended); ok {
			b := *a
			b.Arrivals = make([]mail.Arrival, len(a.Arrivals))
			for n, arrival := range a.Arrivals {
				m := *arrival.Message
				arrival.Message, arrival.Inline = &m, slices.Clone(arrival.Inline)
				b.Arrivals[n] = arrival
			}
			change = &b
		}
		sent.Changes[i] = change
	}
	return &sent
}

// give writes the numbers that a blind commit was given into the caller's changes.
func give(to, from *mail.Appended) {
	to.ModSeq = from.ModSeq
	for n := range to.Arrivals {
		to.Arrivals[n].Row = from.Arrivals[n].Row
		to.Arrivals[n].Message.ID = from.Arrivals[n].Message.ID
	}
}

// Outcome implements mail.Store. An answer that gets lost was an answer all the same: the
// commit is void.
func (f *Flaky) Outcome(ctx context.Context, id mail.AccountID, op mail.OpID) (mail.Version, bool, error) {
	if err := f.away(); err != nil {
		return 0, false, err
	}
	v, found, err := f.Store.Outcome(ctx, id, op)
	if f.happens(func(w *Faults) float64 { return w.Outcome }) {
		return 0, false, mail.Wrap(mail.Unavailable, errNetwork)
	}
	return v, found, err
}

// Watch implements mail.Store.
func (f *Flaky) Watch(ctx context.Context, loaded func() []mail.AccountID) iter.Seq[mail.Moved] {
	hints := f.Store.Watch(ctx, loaded)
	every := f.PollInterval
	if every == 0 {
		every = time.Second
	}
	return func(yield func(mail.Moved) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		moved := make(chan mail.Moved)
		go func() {
			for m := range hints {
				select {
				case moved <- m:
				case <-ctx.Done():
					return
				}
			}
		}()
		poll := time.NewTicker(every)
		defer poll.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case m := <-moved:
				if !f.happens(func(w *Faults) float64 { return w.Hints }) && !yield(m) {
					return
				}
			case <-poll.C:
				if !f.poll(ctx, loaded(), yield) {
					return
				}
			}
		}
	}
}

func (f *Flaky) poll(ctx context.Context, ids []mail.AccountID, yield func(mail.Moved) bool) bool {
	for _, id := range ids {
		if v, err := f.Version(ctx, id); err == nil && !yield(mail.Moved{Account: id, Version: v}) {
			return false
		}
	}
	return true
}
