package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"postfach/internal/imapclient"
)

// probe changes one message of an account all the time, and tries again at once when it is refused or
// its connection ends: it measures for how long an account can't be changed, as a client
// sees it. Sessions of the load can't, since they pause between their changes.
type probe struct {
	trial   *trial
	account string
	changes int
	refused []time.Duration // from the first refusal until the next change, logging in included
	since   time.Time       // of the first refusal; zero: there is none
}

const (
	probes        = 3
	probeInterval = 10 * time.Millisecond
	probeMailbox  = "Drafts" // of every account; the load does not use it
)

// probeSome probes some accounts while something is done, and reports. It returns the longest
// refusal.
func (t *trial) probeSome(name string, do func() error) (longest time.Duration, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	var all []*probe
	for _, a := range t.load.Accounts[:min(probes, len(t.load.Accounts))] {
		p := &probe{trial: t, account: a.Name}
		all = append(all, p)
		running.Go(func() {
			for ctx.Err() == nil {
				p.failed(p.session(ctx))
				time.Sleep(probeInterval)
			}
		})
	}
	err = do()
	cancel()
	running.Wait()
	changes, refusals := 0, 0
	for _, p := range all {
		changes, refusals = changes+p.changes, refusals+len(p.refused)
		longest = max(longest, percentile(p.refused, 100))
		if p.changes == 0 || len(p.refused) == 0 { // its account has moved, which nobody can miss
			t.load.Violation("the probe of %s has made %d changes and was refused %d times", p.account, p.changes, len(p.refused))
		}
	}
	fmt.Fprintf(t.out, "%s: %d clients that change something all the time have made %d changes and were interrupted %d times, the longest for %v, connecting again included\n",
		name, len(all), changes, refusals, longest)
	return longest, err
}

// session works until its connection ends.
func (p *probe) session(ctx context.Context) error {
	c, err := p.trial.Login(ctx, p.account, imapclient.Options{Timeout: 20 * time.Second})
	if err != nil {
		return err
	}
	defer c.Close()
	box, err := c.Select(probeMailbox)
	if err != nil {
		return err
	}
	if box.Exists == 0 {
		const text = "Subject: probe\r\n\r\n"
		if _, _, err := c.Append(probeMailbox, strings.NewReader(text), int64(len(text)), imapclient.AppendOptions{}); err != nil {
			return err
		}
	}
	for ctx.Err() == nil {
		err := c.UIDStore("1", map[bool]string{true: "+FLAGS.SILENT", false: "-FLAGS.SILENT"}[p.changes%2 == 0], `\Flagged`)
		if answer := new(imapclient.Error); err != nil && (!errors.As(err, &answer) || answer.Kind != "NO") {
			return err
		}
		if err != nil {
			p.failed(err)
		} else {
			p.changed()
		}
		time.Sleep(probeInterval)
	}
	return nil
}

func (p *probe) changed() {
	p.changes++
	if !p.since.IsZero() {
		p.refused = append(p.refused, time.Since(p.since))
		p.since = time.Time{}
	}
}

// failed takes down a refusal. Only "not now" is one.
func (p *probe) failed(err error) {
	answer := new(imapclient.Error)
	switch {
	case err == nil || errors.Is(err, context.Canceled):
		return
	case errors.As(err, &answer) && answer.Code != "UNAVAILABLE" && answer.Kind != "BYE":
		p.trial.load.Violation("the probe of %s: %v", p.account, err)
	}
	if p.since.IsZero() {
		p.since = time.Now()
	}
}
