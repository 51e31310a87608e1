package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"postfach/test/load"
)

// outages counts refusals by the fault that was the last before they began.
type outages struct {
	mu     sync.Mutex
	faults []*outage // oldest first
}

// outage is what one fault, or in a report one kind of fault, has done.
type outage struct {
	fault  string
	began  time.Time
	times  int
	lasted []time.Duration
	first  map[string]int // by what was heard first
	waited longestWait
	lost   int // idling sessions that ended
}

type longestWait struct {
	command string
	lasted  time.Duration
}

func newOutages() *outages {
	o := new(outages)
	o.begin("no fault")
	return o
}

func (o *outages) begin(fault string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.faults = append(o.faults, &outage{fault: fault, began: time.Now(), times: 1, first: map[string]int{}})
}

// at is the fault that was the last one so long ago.
func (o *outages) at(ago time.Duration) *outage {
	began := time.Now().Add(-ago)
	for _, f := range slices.Backward(o.faults) {
		if f.began.Before(began) {
			return f
		}
	}
	return o.faults[0]
}

// note is a load.Options.Outage.
func (o *outages) note(first error, lasted time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f := o.at(lasted)
	f.lasted = append(f.lasted, lasted)
	f.first[load.Kind(first)]++
}

// noteWait is a load.Options.Waited.
func (o *outages) noteWait(command string, d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	// A command that was sent before a fault waits because of it.
	if f := o.at(0); d > f.waited.lasted {
		f.waited = longestWait{command, d}
	}
}

func (o *outages) noteIdleLost() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.at(0).lost++
}

// kinds sums up by kind of fault.
func (o *outages) kinds() map[string]*outage {
	o.mu.Lock()
	defer o.mu.Unlock()
	kinds := make(map[string]*outage)
	for _, f := range o.faults {
		k := kinds[f.fault]
		if k == nil {
			kinds[f.fault] = f
			continue
		}
		k.times++
		k.lasted = append(k.lasted, f.lasted...)
		k.lost += f.lost
		for what, n := range f.first {
			k.first[what] += n
		}
		if f.waited.lasted > k.waited.lasted {
			k.waited = f.waited
		}
	}
	return kinds
}

// report prints a line for each kind of fault. Nothing may be noted afterwards.
func (o *outages) report(out io.Writer) {
	kinds := o.kinds()
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		k := kinds[name]
		var heard []string
		for what, n := range k.first {
			heard = append(heard, fmt.Sprintf("%d %s", n, what))
		}
		slices.Sort(heard)
		fmt.Fprintf(out, "%s: %d times, %d sessions refused, half for %v, the longest for %v (first heard: %s); the longest wait for an answer %v (%s); %d idling sessions lost\n",
			name, k.times, len(k.lasted), percentile(k.lasted, 50), percentile(k.lasted, 100), strings.Join(heard, ", "),
			k.waited.lasted.Round(time.Millisecond), k.waited.command, k.lost)
	}
}

// percentile sorts times, and rounds.
func percentile(times []time.Duration, percent int) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return times[(len(times)-1)*percent/100].Round(100 * time.Microsecond)
}
