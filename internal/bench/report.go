package bench

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// ceilingShare of what a server that does no work reaches is as good as any bar.
const ceilingShare = 0.7

// bar is the ratio that a line has to reach: the one that is wanted, or less where the
// client and the kernel alone don't get as far. 0: none.
func (l *Line) bar(syncRate float64) float64 {
	if len(l.Results) < 2 || l.Results[1].Rate == 0 {
		return 0
	}
	wanted := l.Bar
	if l.Share > 0 {
		wanted = l.Share * syncRate / l.Results[1].Rate
	}
	if wanted == 0 || l.Ceiling == 0 {
		return wanted
	}
	return min(wanted, ceilingShare*l.Ceiling/l.Results[1].Rate)
}

func (l *Line) text() string {
	s := fmt.Sprintf("%-18s", l.Name)
	for _, r := range l.Results {
		s += fmt.Sprintf(" %11s/s p50 %8s p99 %8s |", number(r.Rate), span(r.P50), span(r.P99))
	}
	if l.Ratio > 0 {
		s += fmt.Sprintf(" %7.2f x", l.Ratio)
	}
	if l.Ceiling > 0 {
		s += fmt.Sprintf(" (ceiling %s/s)", number(l.Ceiling))
	}
	if l.Note != "" {
		s += " " + l.Note
	}
	return s
}

func (l *IdleLine) text() string {
	s := fmt.Sprintf("%-18s %6d %-18s %-10s", idleName, l.Connections, l.Kind, l.Target)
	if l.Note != "" {
		return s + " " + l.Note
	}
	return s + fmt.Sprintf(" %8.1f KB each, %d processes, news p50 %s p99 %s", float64(l.BytesEach)/1024, l.Processes, span(l.NewsP50), span(l.NewsP99))
}

// number writes a rate with three digits that count.
func number(f float64) string {
	switch {
	case f >= 1e6:
		return fmt.Sprintf("%.2f M", f/1e6)
	case f >= 1e3:
		return fmt.Sprintf("%.0f", f)
	case f >= 10:
		return fmt.Sprintf("%.1f", f)
	}
	return fmt.Sprintf("%.3f", f)
}

func span(d time.Duration) string {
	switch {
	case d >= time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d >= time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.0f us", float64(d)/1e3)
}

// Table is the report as a table of Markdown.
func (r *Report) Table() string {
	var b strings.Builder
	b.WriteString("| workload | unit |")
	for _, t := range r.Targets {
		fmt.Fprintf(&b, " %s /s | p50, p99 | CPU, bytes | memory |", t)
	}
	b.WriteString(" ratio | bar | ceiling /s | |\n|---|---|" + strings.Repeat("---:|---|---|---:|", len(r.Targets)) + "---:|---:|---:|---|\n")
	for _, l := range r.Lines {
		fmt.Fprintf(&b, "| %s | %s |", l.Name, l.Unit)
		for i := range r.Targets {
			if i >= len(l.Results) {
				b.WriteString(" | | | |")
				continue
			}
			u := l.Results[i]
			fmt.Fprintf(&b, " %s | %s, %s | %s, %s | %.0f MB |", number(u.Rate), span(u.P50), span(u.P99), span(u.CPU), number(u.Bytes), float64(u.Memory)/(1<<20))
		}
		fmt.Fprintf(&b, " %s | %s |", times(l.Ratio), times(l.bar(r.SyncRate)))
		if l.Ceiling > 0 {
			fmt.Fprintf(&b, " %s |", number(l.Ceiling))
		} else {
			b.WriteString(" |")
		}
		fmt.Fprintf(&b, " %s |\n", join(l.verdict(r.SyncRate), l.Note))
	}
	return b.String()
}

func times(f float64) string {
	if f == 0 {
		return ""
	}
	return fmt.Sprintf("%.*f x", max(0, min(2, 2-int(math.Log10(f)))), f)
}

// verdict says only what is not as wanted.
func (l *Line) verdict(syncRate float64) string {
	if bar := l.bar(syncRate); bar > 0 && l.Ratio < bar {
		return "**below**"
	}
	return ""
}

// IdleTable is the idle parts of reports as one table of Markdown.
func IdleTable(reports ...*Report) string {
	var b strings.Builder
	var lines []IdleLine
	for _, r := range reports {
		lines = append(lines, r.Idle...)
	}
	if len(lines) == 0 {
		return ""
	}
	b.WriteString("| connections | server | memory each | processes | news after OK, p50, p99 | |\n|---|---|---:|---:|---|---|\n")
	for _, l := range lines {
		fmt.Fprintf(&b, "| %d %s | %s |", l.Connections, l.Kind, l.Target)
		if l.BytesEach == 0 {
			fmt.Fprintf(&b, " | | | %s |\n", l.Note)
			continue
		}
		fmt.Fprintf(&b, " %.1f KB | %d | %s, %s | %s |\n", float64(l.BytesEach)/1024, l.Processes, span(l.NewsP50), span(l.NewsP99), l.Note)
	}
	return b.String()
}
