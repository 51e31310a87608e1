package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// workload is something that clients do again and again.
type workload struct {
	name string
	doc  string
	unit string // what the rate counts
	bar  bar
	// clients is the number of them; 0 is 1.
	clients int
	needs   []string // capabilities; without them it is left out
	cold    bool     // each run begins with a server that has just started, and has one step
	changes bool     // flags: also measured against a server that syncs them
	lmtp    bool
	files   bool   // what is answered is in files
	durable bool   // what is answered has to be on the disk
	differs string // why another server's answers may differ
	adds    bool   // mail: after each run both servers rest, so that what one puts off until it is quiet does not burden the other
	// begin prepares one client, outside of what is measured.
	begin func(ctx context.Context, t *Target, s Scale, client int) (*client, error)
}

// bar is what a workload has to reach: a ratio, or for some a share of the rate of syncs.
type bar struct {
	ratio     float64
	syncShare float64
}

// client is one that is ready to begin.
type client struct {
	step  func(m *meter) error
	close func()
}

// meter counts what one client does.
type meter struct {
	units     int
	busy      time.Duration
	latencies []time.Duration
	check     string // what the first step was answered, for comparison with the other server
}

// timed measures a part of a step. What was answered is looked at when the time is taken.
func (m *meter) timed(f func() (units int, a *answer, err error)) error {
	started := time.Now()
	units, a, err := f()
	d := time.Since(started)
	m.units += units
	m.busy += d
	m.latencies = append(m.latencies, d)
	if m.check == "" && a != nil {
		m.check = a.check()
	}
	return err
}

// Run is what one run of a workload has measured.
type Run struct {
	Rate  float64       `json:"rate"` // units a second
	P50   time.Duration `json:"p50ns"`
	P99   time.Duration `json:"p99ns"`
	CPU   time.Duration `json:"cpu_ns_per_unit"` // of the server
	Bytes float64       `json:"bytes_per_unit"`  // sent and received
	// Memory is the proportional set size of all the server's processes, after the run.
	Memory int64  `json:"memory_bytes"`
	Units  int    `json:"units"`
	Check  string `json:"check,omitempty"`
}

// run measures a workload once.
func (w *workload) run(ctx context.Context, t *Target, s Scale) (Run, error) {
	if w.cold {
		if err := t.Restart(ctx); err != nil {
			return Run{}, fmt.Errorf("restart: %w", err)
		}
	}
	clients := make([]*client, 0, max(1, w.clients))
	defer func() {
		for _, c := range clients {
			c.close()
		}
	}()
	for i := range max(1, w.clients) {
		c, err := w.begin(ctx, t, s, i)
		if err != nil {
			return Run{}, err
		}
		clients = append(clients, c)
	}
	cpu, traffic := cpuOf(t.PID), t.traffic
	meters, err := w.steps(ctx, clients, s.length())
	if err != nil {
		return Run{}, err
	}
	r := summary(meters)
	u, err := used(t.PID, true)
	r.Memory = u.memoryBytes
	if r.Units > 0 {
		r.CPU = max(0, u.cpu-cpu) / time.Duration(r.Units)
		r.Bytes = float64(t.traffic-traffic) / float64(r.Units)
	}
	return r, err
}

// steps lets all clients do their steps at once until the time is over.
func (w *workload) steps(ctx context.Context, clients []*client, length time.Duration) ([]*meter, error) {
	meters := make([]*meter, len(clients))
	errs := make([]error, len(clients))
	end := time.Now().Add(length)
	var group sync.WaitGroup
	for i, c := range clients {
		m := &meter{}
		meters[i] = m
		group.Go(func() {
			for errs[i] == nil && ctx.Err() == nil {
				errs[i] = c.step(m)
				if w.cold || time.Now().After(end) {
					return
				}
			}
		})
	}
	group.Wait()
	return meters, errors.Join(append(errs, ctx.Err())...)
}

func summary(meters []*meter) Run {
	var r Run
	var all []time.Duration
	for _, m := range meters {
		if m.busy > 0 {
			r.Rate += float64(m.units) / m.busy.Seconds()
		}
		r.Units += m.units
		all = append(all, m.latencies...)
	}
	r.Check = meters[0].check
	slices.Sort(all)
	r.P50, r.P99 = percentile(all, 50), percentile(all, 99)
	return r
}

// percentile of sorted values.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, len(sorted)*p/100)]
}

// median takes each value's median over the runs.
func median(runs []Run) Run {
	pick := func(of func(Run) float64) float64 {
		var all []float64
		for _, r := range runs {
			all = append(all, of(r))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	return Run{
		Rate:   pick(func(r Run) float64 { return r.Rate }),
		P50:    time.Duration(pick(func(r Run) float64 { return float64(r.P50) })),
		P99:    time.Duration(pick(func(r Run) float64 { return float64(r.P99) })),
		CPU:    time.Duration(pick(func(r Run) float64 { return float64(r.CPU) })),
		Bytes:  pick(func(r Run) float64 { return r.Bytes }),
		Memory: int64(pick(func(r Run) float64 { return float64(r.Memory) })),
		Units:  int(pick(func(r Run) float64 { return float64(r.Units) })),
		Check:  runs[0].Check,
	}
}
