package bench

import (
	"fmt"
	"html"
	"math"
	"strings"
)

const (
	chartLeft, chartRight, chartRow, chartTop = 150, 520, 18, 40
	chartLeast, chartMost                     = 0.1, 1000.0
)

// Chart draws the ratios as an SVG: a bar for each workload on a logarithmic scale, and a mark
// for what it has to reach.
func (r *Report) Chart() string {
	var lines []Line
	for _, l := range r.Lines {
		if l.Ratio > 0 {
			lines = append(lines, l)
		}
	}
	height := chartTop + len(lines)*chartRow + 20
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">`+"\n", chartLeft+chartRight+80, height)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="white"/><text x="%d" y="14" font-size="13">%s: rate as a multiple of %s's; the red mark is the bar</text>`+"\n",
		10, html.EscapeString(first(r.Targets, 0)), html.EscapeString(first(r.Targets, 1)))
	for v := chartLeast; v <= chartMost; v *= 10 {
		fmt.Fprintf(&b, `<line x1="%[1]d" x2="%[1]d" y1="%[2]d" y2="%[3]d" stroke="#ddd"/><text x="%[1]d" y="%[4]d" text-anchor="middle">%[5]g</text>`+"\n",
			chartX(v), chartTop-6, height-16, chartTop-10, v)
	}
	for i, l := range lines {
		y := chartTop + i*chartRow
		from, to := chartX(1), chartX(l.Ratio)
		color := "#4a8f5c"
		if to < from {
			from, to, color = to, from, "#b5533c"
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text><rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>`,
			chartLeft-6, y+12, html.EscapeString(l.Name), from, y+2, max(1, to-from), chartRow-5, color)
		fmt.Fprintf(&b, `<text x="%d" y="%d">%s</text>`, chartX(max(1, l.Ratio))+5, y+12, times(l.Ratio))
		if bar := l.bar(r.SyncRate); bar > 0 {
			fmt.Fprintf(&b, `<line x1="%[1]d" x2="%[1]d" y1="%[2]d" y2="%[3]d" stroke="#d00" stroke-width="2"/>`, chartX(bar), y, y+chartRow-1)
		}
		b.WriteByte('\n')
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func first(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return "?"
}

// chartX is the place of a ratio.
func chartX(ratio float64) int {
	f := math.Log10(min(chartMost, max(chartLeast, ratio))/chartLeast) / math.Log10(chartMost/chartLeast)
	return chartLeft + int(f*chartRight)
}
