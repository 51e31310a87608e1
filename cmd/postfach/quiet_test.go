package main

import (
	"testing"
	"time"
)

// Memory is given back when much has happened and then nothing, and not too often.
func TestQuiet(t *testing.T) {
	var q quiet
	at := time.Unix(1000, 0)
	for i, step := range []struct {
		after    time.Duration
		happened int64
		over     bool
	}{
		{quietInterval, busyFrom - 1, false},
		{quietInterval, busyFrom - 1, false}, // quiet, but little has happened
		{quietInterval, 10 * busyFrom, false},
		{quietInterval, 20 * busyFrom, false},
		{quietInterval, 20*busyFrom + quietAtMost, true},
		{quietInterval, 20*busyFrom + quietAtMost, false}, // nothing since
		{quietInterval, 40 * busyFrom, false},
		{quietInterval, 40 * busyFrom, false}, // too soon
		{tidyPause, 40 * busyFrom, true},
	} {
		at = at.Add(step.after)
		if over := q.over(step.happened, at); over != step.over {
			t.Errorf("step %d: %v", i, over)
		}
	}
}
