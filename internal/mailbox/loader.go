package mailbox

import "postfach/internal/mail"

// loader makes a tree of all rows of a mailbox, which come in order: leaf after leaf, and
// what is above the leaves at the end.
type loader struct {
	expected int // rows, about
	leaves   []*node
	leaf     *node // the last one; its arrays have room behind the rows that it has
}

func (l *loader) add(r *mail.Row) {
	n := l.leaf
	if n == nil || int(n.count) == len(n.uids) {
		n = l.room()
	}
	i := n.count
	n.uids[i], n.fixed[i], n.flags[i], n.modseqs[i] = r.UID, r.Fixed, r.Flags, r.ModSeq
	n.marks = n.marks.plus(marksOf(r.Flags))
	n.newest = max(n.newest, r.ModSeq)
	n.count++
}

// leafRowsLoaded is how many rows there is room for at least: some will arrive.
const leafRowsLoaded = 8

// room makes room for more rows: in the last leaf, or in a new one.
func (l *loader) room() *node {
	n := l.leaf
	if n == nil || n.count == leafRowsMax {
		l.cut()
		n = &node{}
		l.leaf, l.leaves = n, append(l.leaves, n)
	}
	rows := max(l.expected-(len(l.leaves)-1)*leafRowsMax, leafRowsLoaded, 2*int(n.count))
	n.resize(min(rows, leafRowsMax))
	return n
}

// cut ends the last leaf.
func (l *loader) cut() {
	if n := l.leaf; n != nil {
		n.uids, n.fixed, n.flags, n.modseqs = n.uids[:n.count], n.fixed[:n.count], n.flags[:n.count], n.modseqs[:n.count]
	}
}

// resize gives a leaf arrays for so many rows.
func (n *node) resize(rows int) {
	n.uids = append(make([]mail.UID, 0, rows), n.uids...)[:rows]
	n.fixed = append(make([]mail.Fixed, 0, rows), n.fixed...)[:rows]
	n.flags = append(make([]mail.Flags, 0, rows), n.flags...)[:rows]
	n.modseqs = append(make([]mail.ModSeq, 0, rows), n.modseqs...)[:rows]
}

// tree returns the root, nil when there are no rows.
func (l *loader) tree() *node {
	l.cut()
	level := l.leaves
	for len(level) > 1 {
		var above []*node
		for i, kid := range level {
			if i%fanOutMax == 0 {
				above = append(above, &node{})
			}
			above[len(above)-1].addKid(kid)
		}
		level = above
	}
	if len(level) == 0 {
		return nil
	}
	return level[0]
}
