package mailbox

import "postfach/internal/mail"

// loader makes a tree of all rows of a mailbox, which come in order: leaf after leaf, and
// what is above the leaves at the end.
type loader struct {
	expected int // rows, about
	leaves   []*node
	leaf     *node // the last one
}

func (l *loader) add(r *mail.Row) {
	if l.leaf == nil || len(l.leaf.uids) == leafRowsMax {
		l.begin()
	}
	l.leaf.appendRow(*r)
}

// leafRowsLoaded is how many rows there is room for at least: some will arrive.
const leafRowsLoaded = 8

func (l *loader) begin() {
	room := min(max(l.expected-len(l.leaves)*leafRowsMax, leafRowsLoaded), leafRowsMax)
	l.leaf = &node{
		uids: make([]mail.UID, 0, room), fixed: make([]mail.Fixed, 0, room),
		flags: make([]mail.Flags, 0, room), modseqs: make([]mail.ModSeq, 0, room),
	}
	l.leaves = append(l.leaves, l.leaf)
}

// tree returns the root, nil when there are no rows.
func (l *loader) tree() *node {
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
