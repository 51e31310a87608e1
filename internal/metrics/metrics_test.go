package metrics

import (
	"testing"
	"time"
)

func TestHistogram(t *testing.T) {
	var h Histogram
	for _, d := range []time.Duration{-time.Second, 0, time.Microsecond, 2 * time.Microsecond, 3 * time.Microsecond, time.Millisecond, 67 * time.Second, time.Hour} {
		h.Observe(d)
	}
	buckets, sum := h.Read()
	want := map[int]int64{0: 2, 1: 1, 2: 2, 10: 1, 26: 1, 27: 1}
	for i, n := range buckets {
		if n != want[i] {
			t.Errorf("bucket %d has %d, want %d", i, n, want[i])
		}
	}
	if want := 6*time.Microsecond + time.Millisecond + 67*time.Second + time.Hour; sum != want {
		t.Errorf("sum %v, want %v", sum, want)
	}
}

func TestCountingAllocatesNothing(t *testing.T) {
	var m Metrics
	if n := testing.AllocsPerRun(100, func() { m.Commands.Add(1); m.CommitWaits.Observe(time.Millisecond) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if m.Commands.Value() != 101 {
		t.Errorf("counted %d", m.Commands.Value())
	}
}
