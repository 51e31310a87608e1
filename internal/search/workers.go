package search

import (
	"context"
	"runtime"
	"time"

	"postfach/internal/mail"
)

// Workers bounds how many searches, and how much indexing, use a processor at the same
// time: all but one processor, so that short commands find one free.
type Workers struct{ places chan struct{} }

// NewWorkers makes n places; 0: one less than there are processors, and one at least.
func NewWorkers(n int) *Workers {
	if n <= 0 {
		n = max(1, runtime.GOMAXPROCS(0)-1)
	}
	return &Workers{make(chan struct{}, n)}
}

// turnTime is how long who has a place goes on when others wait for one.
const turnTime = 4 * time.Millisecond

// Turn is somebody's place.
type Turn struct {
	workers *Workers
	since   time.Time
	held    bool
}

// Turn makes somebody who has no place yet.
func (w *Workers) Turn() *Turn { return &Turn{workers: w} }

// Work takes a place, or gives others theirs from time to time: it is called before every
// piece of work. The only error is the context's.
func (t *Turn) Work(ctx context.Context) error {
	if t.held {
		if time.Since(t.since) < turnTime {
			return nil
		}
		t.End()
		runtime.Gosched()
	}
	select {
	case t.workers.places <- struct{}{}:
		t.held, t.since = true, time.Now()
		return nil
	case <-ctx.Done():
		return mail.Wrap(mail.Unavailable, ctx.Err())
	}
}

// End gives the place back, if there is one.
func (t *Turn) End() {
	if t.held {
		t.held = false
		<-t.workers.places
	}
}
