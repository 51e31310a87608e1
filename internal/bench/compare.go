package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Options says what is measured.
type Options struct {
	Scale
	Only    []string // names of workloads; empty: all
	Changes bool     // only those that change flags
	Ceiling bool     // also measure what a server that does no work reaches
	Dir     string   // a directory on the servers' disk, to measure its syncs and for what a ceiling keeps and reads; empty: neither
	Replay  []string // a command that calls Replay; empty: answers are played by this process
	Log     io.Writer
}

// Line is what a workload has shown.
type Line struct {
	Name    string  `json:"name"`
	Doc     string  `json:"doc"`
	Unit    string  `json:"unit"`
	Bar     float64 `json:"bar,omitempty"`     // the ratio that is to be reached
	Share   float64 `json:"share,omitempty"`   // or the share of the disk's serial syncs
	Results []Run   `json:"results"`           // one a target, medians
	Ratio   float64 `json:"ratio,omitempty"`   // first target to second
	Ceiling float64 `json:"ceiling,omitempty"` // units a second of a server that only keeps what it has to
	Note    string  `json:"note,omitempty"`    // why there is nothing, or how answers differ
}

// Report is everything that was measured.
type Report struct {
	Targets  []string   `json:"targets"`
	Scale    Scale      `json:"scale"`
	Began    time.Time  `json:"began"`
	SyncRate float64    `json:"sync_rate,omitempty"`
	Lines    []Line     `json:"lines"`
	Idle     []IdleLine `json:"idle"`
	// Grown is what must not grow with a mailbox, Crowd what accounts cost the first target.
	Grown *SizeReport `json:"grown,omitempty"`
	Crowd *CrowdLine  `json:"crowd,omitempty"`
}

// Compare measures one server, or two in turn, and tells the first one's rates as ratios to
// the second one's. It returns what it has when ctx ends.
func Compare(ctx context.Context, targets []*Target, o Options) (*Report, error) {
	loads, idle, err := o.loads()
	if err != nil {
		return nil, err
	}
	r := &Report{Scale: o.Scale, Began: time.Now()}
	for _, t := range targets {
		r.Targets = append(r.Targets, t.Name)
	}
	if o.Dir != "" {
		if r.SyncRate, err = SyncRate(o.Dir, o.length()); err != nil {
			return nil, err
		}
	}
	started := true
	for _, w := range loads {
		if w.changes || !o.Changes {
			if started {
				settle(ctx, targets)
			}
			started = w.cold
			line := o.measure(ctx, w, targets)
			r.Lines = append(r.Lines, line)
			fmt.Fprintln(o.Log, line.text())
		}
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
	}
	if idle && !o.Changes {
		for _, v := range idleVariants(o.Scale) {
			for _, t := range targets {
				if v.secure && t.IMAPS == "" {
					continue
				}
				line := measureIdle(ctx, t, o.Scale, v)
				r.Idle = append(r.Idle, line)
				fmt.Fprintln(o.Log, line.text())
			}
		}
	}
	return r, o.scales(ctx, targets, r)
}

// scales measures what must not grow with what there is.
func (o *Options) scales(ctx context.Context, targets []*Target, r *Report) (err error) {
	if len(o.Sizes) > 0 && o.wants(sizesName) {
		if r.Grown, err = measureSizes(ctx, targets, *o); err != nil {
			return err
		}
	}
	if o.Crowd > 0 && o.wants(crowdName) {
		line := measureCrowd(ctx, targets[0], o.Scale)
		r.Crowd = &line
		fmt.Fprintln(o.Log, line.text())
	}
	return ctx.Err()
}

// wants tells whether a part of the measurements that is not a workload is asked for.
func (o *Options) wants(name string) bool {
	return !o.Changes && (len(o.Only) == 0 || slices.Contains(o.Only, name))
}

// loads takes the idle workload out of the names, since it is unlike the others.
func (o *Options) loads() ([]*workload, bool, error) {
	if len(o.Only) == 0 {
		all, err := find(nil)
		return all, true, err
	}
	idle := false
	var names []string
	for _, name := range o.Only {
		switch name {
		case idleName:
			idle = true
		case sizesName, crowdName: // see scales
		default:
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, idle, nil
	}
	some, err := find(names)
	return some, idle, err
}

// Runs that are slow are fewer.
const (
	fewRuns     = 3
	fewRunsFrom = 30 * time.Second
)

// restRuns is how many times as long as a run the servers rest after it. Postfach indexes
// what has come in two seconds later.
const restRuns = 4

func rest(ctx context.Context, length time.Duration) {
	select {
	case <-time.After(length):
	case <-ctx.Done():
	}
}

func (o *Options) measure(ctx context.Context, w *workload, targets []*Target) Line {
	line := Line{Name: w.name, Doc: w.doc, Unit: w.unit, Bar: w.bar.ratio, Share: w.bar.syncShare}
	fail := func(err error) Line {
		line.Note, _, _ = strings.Cut(err.Error(), "\n") // of many clients one is enough, and it is a row of a table
		line.Results = nil
		return line
	}
	for _, t := range targets {
		if err := w.possible(ctx, t); err != nil {
			return fail(err)
		}
	}
	runs := make([][]Run, len(targets))
	began := time.Now()
	for i := range max(1, o.Runs) {
		if i >= fewRuns && time.Since(began) > fewRunsFrom {
			break
		}
		for k := range targets {
			at := (i + k) % len(targets) // who is first changes
			run, err := w.run(ctx, targets[at], o.Scale)
			if err != nil {
				return fail(fmt.Errorf("%s: %w", targets[at].Name, err))
			}
			runs[at] = append(runs[at], run)
			if w.adds {
				rest(ctx, restRuns*o.Scale.length())
			}
		}
	}
	for _, r := range runs {
		line.Results = append(line.Results, median(r))
	}
	if len(targets) > 1 {
		line.compare(targets, w.differs)
	}
	if o.Ceiling && !w.cold {
		ceiling, err := w.ceiling(ctx, targets[0], o)
		if err != nil {
			line.Note = join(line.Note, "ceiling: "+err.Error())
		}
		line.Ceiling = ceiling
	}
	return line
}

func (line *Line) compare(targets []*Target, why string) {
	a, b := line.Results[0], line.Results[1]
	if b.Rate > 0 {
		line.Ratio = a.Rate / b.Rate
	}
	if a.Check != b.Check {
		line.Note = fmt.Sprintf("answers differ: %s %s, %s %s", targets[0].Name, a.Check, targets[1].Name, b.Check)
		if why != "" {
			line.Note += " (" + why + ")"
		}
	}
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

// possible tells why a workload can't be measured.
func (w *workload) possible(ctx context.Context, t *Target) error {
	if w.cold && t.Restart == nil {
		return errors.New("left out: nobody can restart " + t.Name)
	}
	if w.lmtp && t.LMTP == "" {
		return errors.New("left out: no LMTP of " + t.Name)
	}
	for _, need := range w.needs {
		if ok, err := t.has(ctx, need); err != nil || !ok {
			return errors.Join(err, fmt.Errorf("left out: %s has no %s", t.Name, need))
		}
	}
	return nil
}

// ceilingRuns are how many the median of a ceiling is of, at most.
const ceilingRuns = 3

// ceiling runs the workload against a server that answers from a tape of the target, and
// where answers have to wait for the disk keeps what came before: mail in a bare store, if o.Replay has one, and
// changes in a log. Bodies are read from a file.
func (w *workload) ceiling(ctx context.Context, t *Target, o *Options) (float64, error) {
	recorded := newTape()
	once, source := *w, *t
	once.clients, source.tape = 1, recorded
	brief := o.Scale
	brief.Seconds = 0
	if !w.lmtp {
		if _, err := once.run(ctx, &source, brief); err != nil {
			return 0, err
		}
		if !recorded.whole() {
			return 0, errors.New("the answers are too long to be recorded")
		}
	}
	played := &recording{Greeting: recorded.greeting, Answers: recorded.answers}
	played.Dir, played.Files, played.Durable, played.Store = o.Dir, w.files, w.durable, w.adds
	p, err := startReplay(ctx, o.Replay, played)
	if err != nil {
		return 0, err
	}
	defer p.close()
	var runs []Run
	for range min(ceilingRuns, max(1, o.Runs)) {
		r, err := w.run(ctx, p.target(t), o.Scale)
		if err != nil {
			return 0, err
		}
		runs = append(runs, r)
	}
	return median(runs).Rate, nil
}

// Ceilings prints what each workload reaches against recorded answers.
func Ceilings(ctx context.Context, t *Target, o *Options, w io.Writer) error {
	loads, err := find(o.Only)
	if err != nil {
		return err
	}
	for _, load := range loads {
		if load.cold || load.possible(ctx, t) != nil {
			continue
		}
		rate, err := load.ceiling(ctx, t, o)
		if err != nil {
			return fmt.Errorf("%s: %w", load.name, err)
		}
		fmt.Fprintf(w, "%-22s %12s %ss/s\n", load.name, number(rate), load.unit)
	}
	return ctx.Err()
}
