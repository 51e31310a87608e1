package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"postfach/test/load"
)

// quietTime is how long after the load nothing can be on its way any more.
const quietTime = 3 * time.Second

// running is a trial under way.
type running struct {
	*cluster
	load     *load.Trial
	outages  *outages
	watchers []*watcher
	rnd      *rand.Rand
}

// trial does all rounds and returns the number of violations. An error is one of the set-up.
func trial(out io.Writer, o options) (violations int, err error) {
	faults, err := o.chosen()
	if err != nil {
		return 0, err
	}
	c, err := startCluster(out, o)
	if err != nil {
		return 0, err
	}
	defer c.stop()
	return c.trial(faults)
}

func (c *cluster) trial(faults []fault) (violations int, err error) {
	o, out := c.options, c.out
	r := &running{cluster: c, outages: newOutages(), rnd: rand.New(rand.NewPCG(o.seed, 3))}
	r.load = load.New(load.Options{
		Out: out, Seed: o.seed, Accounts: o.accounts, Sessions: o.sessions, MTAs: o.mtas, LiveMax: o.liveMax, Think: o.think, Outage: r.outages.note, Waited: r.outages.noteWait,
	})
	fmt.Fprintf(out, "seed %d, %d faults, %d servers, %d accounts\n", o.seed, o.rounds, o.servers, o.accounts)
	if err := c.addAccounts(r.load.Names()); err != nil {
		return 0, err
	}
	if _, err := r.load.Check(c); err != nil { // makes the mailboxes
		return 0, err
	}
	err = r.rounds(faults)
	counts := r.load.Counts()
	verdict := "PASS"
	if counts.Violations > 0 || err != nil {
		verdict = "FAIL"
		c.showLogs()
	}
	r.outages.report(out)
	fmt.Fprintf(out, "%s: %d faults, %d commands acknowledged, %d sent and not answered, %d UIDs seen, %d violations\n",
		verdict, o.rounds, counts.Acknowledged, counts.Unknown, counts.UIDs, counts.Violations)
	return counts.Violations, err
}

// rounds runs the faults under load, with a check after every few and at the end.
func (r *running) rounds(faults []fault) (err error) {
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel()
	for _, a := range r.load.Accounts {
		for range r.options.watchers {
			w := &watcher{cluster: r.cluster, account: a, lost: r.outages.noteIdleLost}
			r.watchers = append(r.watchers, w)
			watching.Go(func() { w.run(ctx) })
		}
	}
	for n := 0; n < r.options.rounds && err == nil; n += r.every {
		err = r.some(faults, n, min(r.every, r.options.rounds-n))
	}
	return err
}

// some runs some faults under one load, then checks.
func (r *running) some(faults []fault, first, count int) error {
	ctx, cancel := context.WithCancel(context.Background())
	loaded := make(chan struct{})
	go func() {
		r.load.Endure(ctx, r.cluster)
		close(loaded)
	}()
	var err error
	for n := first; n < first+count && err == nil; n++ {
		time.Sleep(someTime(r.rnd, r.options.load))
		err = r.fault(faults[r.rnd.IntN(len(faults))], n)
	}
	time.Sleep(r.options.load)
	cancel()
	<-loaded
	if err != nil {
		return err
	}
	return r.check()
}

func (r *running) fault(f fault, n int) error {
	before := r.load.Counts()
	began := time.Now()
	r.outages.begin(f.name)
	if err := f.run(r.cluster, r.rnd); err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	c := r.load.Counts()
	fmt.Fprintf(r.out, "fault %d: %s, all is back after %v, meanwhile %d commands acknowledged, %d sent and not answered, %d violations so far\n",
		n, f.name, time.Since(began).Round(time.Millisecond), c.Acknowledged-before.Acknowledged, c.Unknown-before.Unknown, c.Violations)
	return nil
}

// check checks what idling sessions know and what is there.
func (r *running) check() error {
	time.Sleep(quietTime)
	began := time.Now()
	r.checkWatchers()
	known := time.Since(began)
	found, err := r.load.Check(r.cluster)
	fmt.Fprintf(r.out, "check: %d idling sessions know all, asked for %v; %d messages found, %v\n",
		len(r.watchers), known.Round(time.Millisecond), found, (time.Since(began) - known).Round(time.Millisecond))
	return err
}

// checksAtOnce is how many sessions look at the same time.
const checksAtOnce = 8

func (r *running) checkWatchers() {
	var wg sync.WaitGroup
	turns := make(chan struct{}, checksAtOnce)
	for _, w := range r.watchers {
		turns <- struct{}{}
		wg.Go(func() {
			if err := w.check(); err != nil {
				r.load.Violation("%v", err)
			}
			<-turns
		})
	}
	wg.Wait()
}
