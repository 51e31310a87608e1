package mailbox

import (
	"slices"

	"postfach/internal/mail"
)

const (
	leafRowsMax = 256
	leafRowsMin = leafRowsMax / 4
	fanOutMax   = 64
	fanOutMin   = fanOutMax / 4
)

// node is a part of a mailbox's counted tree: a leaf with rows by ascending UID,
// or an inner node with kids. A frozen node never changes. Nodes are made and
// changed by a builder only.
type node struct {
	edit   *edit // the edit that may still change this node
	count  uint32
	marks  marks       // of these
	newest mail.ModSeq // highest among the rows below

	// A leaf. UIDs and fixed data are shared with earlier versions of the leaf until
	// a row is removed, flags and modseqs until one is changed.
	uids    []mail.UID
	fixed   []mail.Fixed
	flags   []mail.Flags
	modseqs []mail.ModSeq
	ownRows bool // uids and fixed (an inner node's counts and firsts) were copied in this edit
	ownData bool // flags and modseqs were copied in this edit

	// An inner node.
	kids   []*node
	counts []uint32
	firsts []mail.UID
}

// edit identifies one editing session of a builder. It has a size so that two
// never share an address.
type edit struct{ _ int }

func (n *node) leaf() bool { return n.kids == nil }

func (n *node) len() uint32 {
	if n == nil {
		return 0
	}
	return n.count
}

func (n *node) first() mail.UID {
	if n.leaf() {
		return n.uids[0]
	}
	return n.firsts[0]
}

func (n *node) last() mail.UID {
	for !n.leaf() {
		n = n.kids[len(n.kids)-1]
	}
	return n.uids[len(n.uids)-1]
}

// height is 0 for a leaf. All leaves are at one height.
func (n *node) height() int {
	h := 0
	for ; !n.leaf(); n = n.kids[0] {
		h++
	}
	return h
}

// kidFor is the index of the kid in which a UID is or would be.
func (n *node) kidFor(u mail.UID) int {
	i, found := slices.BinarySearch(n.firsts, u)
	if !found && i > 0 {
		i--
	}
	return i
}

// rank is the number of rows with a UID below u.
func (n *node) rank(u mail.UID) uint32 {
	if n == nil {
		return 0
	}
	var before uint32
	for !n.leaf() {
		k := n.kidFor(u)
		for _, c := range n.counts[:k] {
			before += c
		}
		n = n.kids[k]
	}
	i, _ := slices.BinarySearch(n.uids, u)
	return before + uint32(i)
}

// find returns the leaf and index of a UID, or nil.
func (n *node) find(u mail.UID) (*node, int) {
	if n == nil {
		return nil, 0
	}
	for !n.leaf() {
		n = n.kids[n.kidFor(u)]
	}
	if i, ok := slices.BinarySearch(n.uids, u); ok {
		return n, i
	}
	return nil, 0
}

func (n *node) row(i int) mail.Row {
	return mail.Row{UID: n.uids[i], Flags: n.flags[i], ModSeq: n.modseqs[i], Fixed: n.fixed[i]}
}

// uidSet appends the UIDs of all rows. Leaves without a gap cost one step.
func (n *node) uidSet(set mail.UIDSet) mail.UIDSet {
	if n == nil {
		return set
	}
	if !n.leaf() {
		for _, kid := range n.kids {
			set = kid.uidSet(set)
		}
		return set
	}
	first, last := n.uids[0], n.uids[len(n.uids)-1]
	if int(last-first) == len(n.uids)-1 {
		return set.AppendRun(first, last)
	}
	for _, u := range n.uids {
		set = set.Append(u)
	}
	return set
}
