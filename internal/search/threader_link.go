package search

import (
	"cmp"
	"slices"
)

// link makes the messages, by sequence number, parents and children of each other (RFC 5256 3,
// THREAD REFERENCES, step 1).
func (t *threader) link(messages []int32) {
	for _, m := range messages {
		if !t.messages[m].gone {
			t.eachSlot(m, func(s int32) {
				x := &t.slot[s]
				x.holder, x.parent, x.kids, x.firstKid, x.nextKid, x.tree = -1, -1, 0, -1, notListed, s
			})
		}
	}
	for _, n := range messages {
		m := &t.messages[n]
		if m.gone {
			continue
		}
		last := int32(-1)
		for _, s := range t.refs[m.refs : m.refs+int32(m.refCount)] { // (A)
			if last >= 0 && t.slot[s].parent < 0 {
				t.adopt(last, s)
			}
			last = s
		}
		s := t.hold(n)
		if p := t.slot[s].parent; p >= 0 { // (B)
			t.slot[p].kids--
			t.slot[s].parent = -1
		}
		if last >= 0 {
			t.adopt(last, s)
		}
	}
}

// notListed: the slot is not in its parent's list of children yet.
const notListed = -2

// eachSlot calls f for the slots of a message, some of them more than once.
func (t *threader) eachSlot(n int32, f func(s int32)) {
	m := &t.messages[n]
	f(m.own)
	if m.lone >= 0 {
		f(m.lone)
	}
	for _, s := range t.refs[m.refs : m.refs+int32(m.refCount)] {
		f(s)
	}
}

// hold puts a message into the slot of its id. If another has the same id, the second gets one
// for itself.
func (t *threader) hold(n int32) int32 {
	m := &t.messages[n]
	s := m.own
	if t.slot[s].holder >= 0 {
		if m.lone < 0 {
			m.lone = t.newSlot()
			t.slot[m.lone].above = t.root(s)
			t.slot[m.lone].nextKid, t.slot[m.lone].tree = notListed, m.lone
		}
		s = m.lone
	}
	t.slot[s].holder = n
	return s
}

// ancestorsMax is how far up a loop is looked for where there could be one. Beyond that, no
// link is made: mail can be made up so that it would take long.
const ancestorsMax = 10_000

// adopt makes a slot the child of another, if that makes no loop.
func (t *threader) adopt(parent, child int32) {
	if parent == child {
		return
	}
	a, b := t.tree(parent), t.tree(child)
	if a == b && t.slot[child].kids > 0 {
		steps := 0
		for s := parent; s >= 0; s = t.slot[s].parent {
			if steps++; s == child || steps > ancestorsMax {
				return
			}
		}
	}
	t.slot[child].parent = parent
	t.slot[parent].kids++
	t.slot[b].tree = a
}

// tree returns what two slots have in common if they are in one tree, or have been.
func (t *threader) tree(s int32) int32 {
	for t.slot[s].tree != s {
		t.slot[s].tree = t.slot[t.slot[s].tree].tree
		s = t.slot[s].tree
	}
	return s
}

// rootsOf gathers the threads of linked messages (steps 2 and 3), and has their families know
// them.
func (t *threader) rootsOf(messages []int32) (roots []*root) {
	var heads []int32
	for _, m := range messages {
		if t.messages[m].gone {
			continue
		}
		t.eachSlot(m, func(s int32) {
			x := &t.slot[s]
			if x.nextKid != notListed {
				return
			}
			x.nextKid = -1
			if x.parent < 0 {
				heads = append(heads, s)
				return
			}
			x.nextKid, t.slot[x.parent].firstKid = t.slot[x.parent].firstKid, s
		})
	}
	g := grower{t: t, steps: make([]Step, 0, len(messages)+len(messages)/8)}
	for _, s := range heads {
		r := g.grow(s)
		if r == nil {
			continue
		}
		family := &t.slot[t.root(s)]
		r.next, family.roots = family.roots, r
		roots = append(roots, r)
	}
	return roots
}

// grower makes threads of linked slots.
type grower struct {
	t     *threader
	steps []Step // of all threads
	todo  []todoSlot
	kids  []int32
	stack []int32
}

type todoSlot struct {
	slot  int32
	depth int32
	alone bool
}

// grow makes the thread that begins with a slot; nil: there is no message in it.
func (g *grower) grow(s int32) *root {
	start := len(g.steps)
	newest, r := int64(0), &root{}
	if g.t.slot[s].holder < 0 {
		switch kids := g.children(s); len(kids) {
		case 0:
			return nil
		case 1:
			s = kids[0]
		default:
			r.dummy = true
		}
	}
	if r.dummy {
		g.steps = append(g.steps, Step{})
		g.push(g.kids, 1)
	} else {
		g.todo = append(g.todo, todoSlot{slot: s})
	}
	for len(g.todo) > 0 {
		next := g.todo[len(g.todo)-1]
		g.todo = g.todo[:len(g.todo)-1]
		m := &g.t.messages[g.t.slot[next.slot].holder]
		if r.first == 0 {
			r.first, r.at = m.uid, m.sent
			r.subject, r.reply = m.subject, m.reply
			newest = m.arrived
		}
		newest = max(newest, m.arrived)
		g.steps = append(g.steps, Step{UID: m.uid, Depth: next.depth, Alone: next.alone})
		g.push(g.children(next.slot), next.depth+1)
	}
	if g.t.algorithm == Refs { // draft-ietf-morg-inthread: the newest message decides
		r.at = newest
	}
	r.Steps = g.steps[start:len(g.steps):len(g.steps)]
	return r
}

func (g *grower) push(kids []int32, depth int32) {
	for _, k := range slices.Backward(kids) {
		g.todo = append(g.todo, todoSlot{k, depth, len(kids) == 1})
	}
}

// children returns the messages below a slot by sent date (step 6). In the place of one that is
// not there are its children (step 3).
func (g *grower) children(s int32) []int32 {
	g.kids, g.stack = g.kids[:0], append(g.stack[:0], s)
	for len(g.stack) > 0 {
		s := g.stack[len(g.stack)-1]
		g.stack = g.stack[:len(g.stack)-1]
		for k := g.t.slot[s].firstKid; k >= 0; k = g.t.slot[k].nextKid {
			if g.t.slot[k].holder >= 0 {
				g.kids = append(g.kids, k)
			} else {
				g.stack = append(g.stack, k)
			}
		}
	}
	if len(g.kids) > 1 {
		slices.SortFunc(g.kids, func(a, b int32) int {
			x, y := &g.t.messages[g.t.slot[a].holder], &g.t.messages[g.t.slot[b].holder]
			return cmp.Or(cmp.Compare(x.sent, y.sent), cmp.Compare(x.uid, y.uid))
		})
	}
	return g.kids
}
