package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"time"

	"postfach/internal/metrics"
)

const (
	quietInterval = time.Second
	quietAtMost   = 20              // commands and deliveries in it are nothing to speak of
	busyFrom      = 500             // so many leave something behind
	tidyPause     = 3 * time.Minute // between two times
)

// quiet finds the moments at which a busy time is over.
type quiet struct {
	seen  int64 // all that had happened when it last looked,
	clean int64 // and when memory was last given back,
	last  time.Time
}

// over tells whether a busy time is over, when so much has happened so far.
func (q *quiet) over(happened int64, now time.Time) bool {
	isQuiet := happened-q.seen <= quietAtMost
	q.seen = happened
	if !isQuiet || happened-q.clean < busyFrom || now.Sub(q.last) < tidyPause {
		return false
	}
	q.clean, q.last = happened, now
	return true
}

// giveBack gives the memory that only a busy time needed back to the system. The garbage
// collector alone runs when the heap has grown again, which may be never: a burst of logins,
// after which everybody waits, would keep twice what it needs.
func giveBack(ctx context.Context, m *metrics.Metrics) {
	ticks := time.NewTicker(quietInterval)
	defer ticks.Stop()
	var q quiet
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticks.C:
			if q.over(m.Commands.Value()+m.Delivered.Value(), now) {
				runtime.GC() // pools keep what they have until the second time
				debug.FreeOSMemory()
			}
		}
	}
}
