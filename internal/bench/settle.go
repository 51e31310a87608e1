package bench

import (
	"context"
	"time"
)

// A server that has just been filled or started may still be busy with what it puts off: the first
// workload after that would be burdened with it, whichever that is.
const (
	settleMax   = time.Minute
	settleLook  = 500 * time.Millisecond
	settledCPU  = settleLook / 20 // of one look: as good as nothing
	settledRuns = 2               // so many quiet looks
)

// settle waits until the servers have next to nothing to do, if that can be seen.
func settle(ctx context.Context, targets []*Target) {
	began := time.Now()
	last := make([]time.Duration, len(targets))
	for quiet := -1; quiet < settledRuns && time.Since(began) < settleMax && ctx.Err() == nil; quiet++ {
		if quiet >= 0 {
			rest(ctx, settleLook)
		}
		for i, t := range targets {
			now := cpuOf(t.PID)
			if now-last[i] > settledCPU && quiet >= 0 {
				quiet = -1
			}
			last[i] = now
		}
	}
}
