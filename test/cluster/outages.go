package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"postfach/test/load"
)

// outages counts refusals by the fault that was the last before them.
type outages struct {
	mu     sync.Mutex
	fault  string
	kinds  map[string]*outage
	faults map[string]int
}

type outage struct {
	lasted []time.Duration
	first  map[string]int // by what was heard first
	lost   int            // idling sessions that ended
	waited time.Duration  // the longest wait for an answer, whichever
}

func newOutages() *outages {
	return &outages{fault: "no fault", kinds: map[string]*outage{}, faults: map[string]int{}}
}

func (o *outages) begin(fault string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fault = fault
	o.faults[fault]++
}

func (o *outages) kind() *outage {
	k := o.kinds[o.fault]
	if k == nil {
		k = &outage{first: map[string]int{}}
		o.kinds[o.fault] = k
	}
	return k
}

// note is a load.Options.Outage.
func (o *outages) note(first error, lasted time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	k := o.kind()
	k.lasted = append(k.lasted, lasted)
	k.first[load.Kind(first)]++
}

// noteWait is a load.Options.Waited.
func (o *outages) noteWait(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	k := o.kind()
	k.waited = max(k.waited, d)
}

func (o *outages) noteIdleLost() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.kind().lost++
}

// report prints a line for each kind of fault.
func (o *outages) report(out io.Writer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var names []string
	for name := range o.kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		k := o.kinds[name]
		var heard []string
		for what, n := range k.first {
			heard = append(heard, fmt.Sprintf("%d %s", n, what))
		}
		slices.Sort(heard)
		fmt.Fprintf(out, "%s: %d times, %d sessions refused, half for %v, the longest for %v (first heard: %s), the longest wait for an answer %v, %d idling sessions lost\n",
			name, o.faults[name], len(k.lasted), percentile(k.lasted, 50), percentile(k.lasted, 100), strings.Join(heard, ", "), k.waited.Round(time.Millisecond), k.lost)
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
