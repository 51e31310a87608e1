package transcript

import (
	"fmt"
	"slices"
	"strings"
)

// rewrite returns the lines that replace what a stage expected, or nil when all
// was as expected.
func (p *play) rewrite(st *stage, got map[int][]line, wrong error) []string {
	if wrong == nil {
		return nil
	}
	old := map[int][]said{}
	var order []int
	for _, e := range st.expect {
		if old[e.peer] == nil {
			order = append(order, e.peer)
		}
		old[e.peer] = append(old[e.peer], e)
	}
	for _, n := range sorted(got) {
		if !slices.Contains(order, n) {
			order = append(order, n)
		}
	}
	out := []string{}
	for _, text := range p.script.lines[st.from:st.to] {
		if strings.HasPrefix(text, "#") {
			out = append(out, text)
		}
	}
	for _, n := range order {
		out = append(out, p.rewritePeer(n, old[n], got[n])...)
	}
	return out
}

// rewritePeer keeps the lines that match, in order, and writes the others as they
// were said.
func (p *play) rewritePeer(n int, old []said, got []line) []string {
	var out []string
	for _, g := range got {
		text := ""
		for i, e := range old {
			if p.values.matches(e.line, g) {
				text, old = p.script.lines[e.at-1], old[i+1:]
				break
			}
		}
		if text == "" {
			text = strings.TrimSuffix(fmt.Sprintf("S%d%s %s", n, g.mark(), p.values.name(g.text)), " ")
		}
		out = append(out, text)
	}
	return out
}

// text is the file with what was rewritten.
func (p *play) text() string {
	var out []string
	at := 0
	for i, lines := range p.written {
		st := &p.script.stages[i]
		if lines == nil {
			continue
		}
		out = append(out, p.script.lines[at:st.from]...)
		out = append(out, lines...)
		at = max(st.to, st.from)
	}
	out = append(out, p.script.lines[at:]...)
	return strings.Join(out, "\n") + "\n"
}
