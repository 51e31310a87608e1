package search

import (
	"slices"

	"postfach/internal/mail"
)

// merge makes one thread of those with the same subject (RFC 5256 3, THREAD REFERENCES, step
// 5); nil: there is none.
func (t *threader) merge(roots []*root) *Tree {
	if len(roots) == 0 {
		return nil
	}
	if len(roots) == 1 {
		return &roots[0].Tree
	}
	slices.SortFunc(roots, func(a, b *root) int { return byTime(&a.Tree, &b.Tree) }) // (4)
	table := roots[0]                                                                // (B)
	for _, r := range roots[1:] {
		if !table.dummy && (r.dummy || table.reply && !r.reply) {
			table = r
		}
	}
	var below, beside []*Tree // (C): children of the message in the table, and of a dummy with it
	if table.dummy {
		beside = t.childrenOf(&table.Tree)
	}
	dummy := table.dummy
	for _, r := range roots {
		switch {
		case r == table:
		case r.dummy:
			beside = append(beside, t.childrenOf(&r.Tree)...)
		case !dummy && r.reply && !table.reply:
			below = append(below, &r.Tree)
		default:
			dummy = true
			beside = append(beside, &r.Tree)
		}
	}
	if table.dummy {
		return parentOf(Step{}, beside)
	}
	one := &table.Tree
	if len(below) > 0 {
		one = parentOf(table.Steps[0], append(below, t.childrenOf(one)...))
		one.at, one.first = table.at, table.first
	}
	if dummy {
		return parentOf(Step{}, append(beside, one))
	}
	return one
}

// childrenOf returns the threads below the first step of a thread.
func (t *threader) childrenOf(thread *Tree) (children []*Tree) {
	steps := thread.Steps[1:]
	for len(steps) > 0 {
		n := 1
		for n < len(steps) && steps[n].Depth > steps[0].Depth {
			n++
		}
		children = append(children, &Tree{Steps: steps[:n], at: t.sentOf(steps[0].UID), first: steps[0].UID})
		steps = steps[n:]
	}
	return children
}

func (t *threader) sentOf(u mail.UID) int64 {
	n, _ := t.find(u)
	return t.messages[n].sent
}

// parentOf makes a thread of a message and its children, which it sorts (step 6). One that is
// not there is sorted by its first child.
func parentOf(head Step, children []*Tree) *Tree {
	slices.SortFunc(children, byTime)
	thread := &Tree{at: children[0].at, first: children[0].first}
	thread.Steps = append(thread.Steps, Step{UID: head.UID})
	for _, c := range children {
		for i, s := range c.Steps {
			s.Depth += 1 - c.Steps[0].Depth
			if i == 0 {
				s.Alone = len(children) == 1
			}
			thread.Steps = append(thread.Steps, s)
		}
	}
	return thread
}
