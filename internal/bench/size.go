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

const (
	sizesName = "sizes"
	sizesDoc  = "the same commands in mailboxes of different sizes: what one costs must not depend on what there is besides"

	sizeRuns    = 3
	sizeSpan    = 100  // messages that one command copies, moves or removes
	sizeLetters = 1000 // messages that are appended; the others are copies of them
)

func sizedAccount(messages int) string { return fmt.Sprintf("sized%d", messages) }

// SizeLine is what a command has cost in each mailbox.
type SizeLine struct {
	Name string  `json:"name"`
	Doc  string  `json:"doc"`
	Unit string  `json:"unit"`
	Runs [][]Run `json:"runs"` // by target, by size; medians
	Note string  `json:"note,omitempty"`
}

// SizeReport is what all commands have cost.
type SizeReport struct {
	Targets []string   `json:"targets"`
	Sizes   []int      `json:"sizes"`
	Lines   []SizeLine `json:"lines"`
}

// measureSizes measures the same commands in mailboxes of the sizes of o, which it fills.
func measureSizes(ctx context.Context, targets []*Target, o Options) (*SizeReport, error) {
	r := &SizeReport{Sizes: o.Sizes}
	if n := slices.Min(o.Sizes); n < sizeLetters {
		return r, fmt.Errorf("a mailbox of %d messages: the smallest can have %d", n, sizeLetters)
	}
	for _, t := range targets {
		r.Targets = append(r.Targets, t.Name)
		for _, n := range o.Sizes {
			if err := t.fillSized(ctx, n, o.Log); err != nil {
				return r, fmt.Errorf("%s: %d messages: %w", t.Name, n, err)
			}
		}
	}
	o.Seconds, o.Runs = min(o.Seconds, 0.5), min(o.Runs, sizeRuns)
	bySize := make([][]*workload, len(o.Sizes))
	for i, n := range o.Sizes {
		bySize[i] = sizeLoads(n)
	}
	for k, w := range bySize[0] {
		line := SizeLine{Name: w.name, Doc: w.doc, Unit: w.unit}
		for _, t := range targets {
			var runs []Run
			for i := range o.Sizes {
				m := o.measure(ctx, bySize[i][k], []*Target{t})
				if line.Note = join(line.Note, m.Note); len(m.Results) == 1 {
					runs = append(runs, m.Results[0])
				}
			}
			line.Runs = append(line.Runs, runs)
		}
		r.Lines = append(r.Lines, line)
		fmt.Fprintln(o.Log, line.text())
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
	}
	return r, nil
}

// fillSized makes a mailbox large: with copies of messages, since a million of their own
// would take longer to send than everything that is measured.
func (t *Target) fillSized(ctx context.Context, messages int, log io.Writer) error {
	began := time.Now()
	c, err := t.login(ctx, sizedAccount(messages))
	if err != nil {
		return err
	}
	defer c.close()
	n, err := c.messages("INBOX")
	if err != nil || n >= messages {
		return err
	}
	if n != 0 {
		return errors.New("begin with an empty account")
	}
	multi, err := t.has(ctx, "MULTIAPPEND")
	if err != nil {
		return err
	}
	b := box{sizedAccount(messages), "INBOX", corpus{Notes, 7}, min(messages, sizeLetters)}
	if err := c.fillBox(ctx, b, multi); err != nil {
		return err
	}
	for _, command := range []string{"CREATE aside", "SELECT INBOX"} {
		if _, err := c.run(command); err != nil {
			return err
		}
	}
	for n = b.messages; n < messages; {
		some := min(sizeLetters, messages-n)
		if _, err := c.run(fmt.Sprintf("UID COPY 1:%d INBOX", some)); err != nil {
			return err
		}
		n += some
	}
	fmt.Fprintf(log, "%s: %d messages in %.0f s\n", t.Name, n, time.Since(began).Seconds())
	return ctx.Err()
}

func (l *SizeLine) text() string {
	s := fmt.Sprintf("%-18s", l.Name)
	for _, runs := range l.Runs {
		for _, r := range runs {
			s += " " + each(r)
		}
		s += " |"
	}
	return join(s, l.Note)
}

// each is the time that a unit takes.
func each(r Run) string {
	if r.Rate == 0 {
		return "-"
	}
	ns := 1e9 / r.Rate
	if ns < 10_000 {
		return fmt.Sprintf("%.3g us", ns/1e3)
	}
	return span(time.Duration(ns))
}

// Table is the report as a table of Markdown.
func (r *SizeReport) Table() string {
	var b strings.Builder
	b.WriteString("| command | unit |")
	for _, t := range r.Targets {
		for _, n := range r.Sizes {
			fmt.Fprintf(&b, " %s, %d |", t, n)
		}
		b.WriteString(" growth |")
	}
	b.WriteString(" |\n|---|---|" + strings.Repeat("---:|", len(r.Targets)*(len(r.Sizes)+1)) + "---|\n")
	for _, l := range r.Lines {
		fmt.Fprintf(&b, "| %s | %s |", l.Doc, l.Unit)
		for _, runs := range l.Runs {
			for i := range r.Sizes {
				if i < len(runs) {
					b.WriteString(" " + each(runs[i]) + " |")
				} else {
					b.WriteString(" |")
				}
			}
			if last := len(runs) - 1; last > 0 && runs[last].Rate > 0 {
				fmt.Fprintf(&b, " %.1f x |", runs[0].Rate/runs[last].Rate)
			} else {
				b.WriteString(" |")
			}
		}
		fmt.Fprintf(&b, " %s |\n", l.Note)
	}
	return b.String()
}
