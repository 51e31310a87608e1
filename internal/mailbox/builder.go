package mailbox

import (
	"slices"

	"postfach/internal/mail"
)

// builder edits a tree: it copies each node at most once, however many changes
// touch it, and leaves the tree that it started from as it was.
//
// Appending writes behind the end of arrays that earlier versions share: they
// never look there. That needs one line of history, so a builder that edits for a
// view (and not for the account's writer) is private: it copies rows first.
type builder struct {
	edit    *edit
	root    *node
	private bool
}

func newBuilder(root *node, private bool) *builder {
	return &builder{edit: new(edit), root: root, private: private}
}

// freeze ends the edit; the tree may be shared from now on.
func (b *builder) freeze() *node {
	b.edit = nil
	return b.root
}

// own returns a node that this edit may change: n itself or a copy.
func (b *builder) own(n *node) *node {
	if n.edit == b.edit {
		return n
	}
	c := *n
	c.edit, c.ownRows, c.ownData = b.edit, false, false
	if !n.leaf() {
		c.kids = slices.Clone(n.kids)
	} else if b.private {
		c.copyRows()
		c.copyData()
	}
	return &c
}

func (n *node) copyRows() {
	if !n.ownRows {
		n.uids, n.fixed, n.ownRows = slices.Clone(n.uids), slices.Clone(n.fixed), true
	}
}

// copyCounts is copyRows of an inner node: a change of flags leaves counts and
// firsts as they are, and shared.
func (n *node) copyCounts() {
	if !n.ownRows {
		n.counts, n.firsts, n.ownRows = slices.Clone(n.counts), slices.Clone(n.firsts), true
	}
}

func (n *node) copyData() {
	if !n.ownData {
		n.flags, n.modseqs, n.ownData = slices.Clone(n.flags), slices.Clone(n.modseqs), true
	}
}

// append adds a row whose UID is above all others.
func (b *builder) append(r mail.Row) {
	if b.root == nil {
		b.root = &node{edit: b.edit, ownRows: true, ownData: true}
	}
	b.root = b.own(b.root)
	if split := b.appendTo(b.root, r); split != nil {
		root := &node{edit: b.edit}
		root.addKid(b.root)
		root.addKid(split)
		b.root = root
	}
}

// appendTo adds a row at the right edge of n and returns the new right neighbour
// of n when there was no room.
func (b *builder) appendTo(n *node, r mail.Row) *node {
	if n.leaf() {
		if len(n.uids) < leafRowsMax {
			n.appendRow(r)
			return nil
		}
		right := &node{edit: b.edit, ownRows: true, ownData: true}
		right.appendRow(r)
		return right
	}
	k := len(n.kids) - 1
	before := n.kids[k].marks
	kid := b.own(n.kids[k])
	split := b.appendTo(kid, r)
	n.setKid(k, kid, before)
	if split == nil {
		return nil
	}
	if len(n.kids) < fanOutMax {
		n.addKid(split)
		return nil
	}
	right := &node{edit: b.edit}
	right.addKid(split)
	return right
}

func (n *node) appendRow(r mail.Row) {
	n.uids = append(n.uids, r.UID)
	n.fixed = append(n.fixed, r.Fixed)
	n.flags = append(n.flags, r.Flags)
	n.modseqs = append(n.modseqs, r.ModSeq)
	n.count++
	n.marks = n.marks.plus(marksOf(r.Flags))
	n.newest = max(n.newest, r.ModSeq)
}

func (n *node) addKid(kid *node) {
	n.copyCounts()
	n.kids = append(n.kids, kid)
	n.counts = append(n.counts, kid.count)
	n.firsts = append(n.firsts, kid.first())
	n.count += kid.count
	n.marks = n.marks.plus(kid.marks)
	n.newest = max(n.newest, kid.newest)
}

// setKid puts a changed kid in the place of the old one, which may be the same node:
// therefore before is what it had then.
func (n *node) setKid(k int, kid *node, before marks) {
	n.copyCounts()
	n.count += kid.count - n.counts[k]
	n.marks = n.marks.plus(kid.marks).minus(before)
	n.kids[k], n.counts[k], n.firsts[k] = kid, kid.count, kid.first()
	n.newest = max(n.newest, kid.newest)
}

// set gives a row new flags, and returns the old ones; false when there is no
// such row.
func (b *builder) set(u mail.UID, f mail.Flags, m mail.ModSeq) (mail.Flags, bool) {
	leaf, i := b.root.find(u)
	if leaf == nil {
		return 0, false
	}
	old := leaf.flags[i]
	b.root = b.setIn(b.root, u, f, m)
	return old, true
}

func (b *builder) setIn(n *node, u mail.UID, f mail.Flags, m mail.ModSeq) *node {
	n = b.own(n)
	n.newest = max(n.newest, m)
	if n.leaf() {
		i, _ := slices.BinarySearch(n.uids, u)
		n.copyData()
		n.marks = n.marks.plus(marksOf(f)).minus(marksOf(n.flags[i]))
		n.flags[i], n.modseqs[i] = f, m
		return n
	}
	k := n.kidFor(u)
	n.marks = n.marks.minus(n.kids[k].marks)
	n.kids[k] = b.setIn(n.kids[k], u, f, m)
	n.marks = n.marks.plus(n.kids[k].marks)
	return n
}

// setAll gives all rows in a set the same new flags. A node is met once, however many of its
// rows are in the set.
func (b *builder) setAll(uids mail.UIDSet, f mail.Flags, m mail.ModSeq) {
	if b.root != nil && len(uids) > 0 {
		b.root, _ = b.setAllIn(b.root, uids, f, m)
	}
}

// setAllIn returns n with the new flags, and the set from the first range on that goes beyond n.
func (b *builder) setAllIn(n *node, uids mail.UIDSet, f mail.Flags, m mail.ModSeq) (*node, mail.UIDSet) {
	if n.leaf() {
		return b.setRows(n, uids, f, m)
	}
	for k := n.kidFor(mail.UID(uids[0].First)); k < len(n.kids) && len(uids) > 0; k++ {
		if k+1 < len(n.kids) && mail.UID(uids[0].First) >= n.firsts[k+1] {
			continue
		}
		var kid *node
		before := n.kids[k].marks // the kid may be the same node afterwards
		if kid, uids = b.setAllIn(n.kids[k], uids, f, m); kid != n.kids[k] || kid.newest > n.newest || kid.marks != before {
			n = b.own(n)
			n.kids[k], n.newest = kid, max(n.newest, kid.newest)
			n.marks = n.marks.plus(kid.marks).minus(before)
		}
	}
	return n, uids
}

func (b *builder) setRows(n *node, uids mail.UIDSet, f mail.Flags, m mail.ModSeq) (*node, mail.UIDSet) {
	i := 0
	for len(uids) > 0 {
		first, last := mail.UID(uids[0].First), mail.UID(uids[0].Last)
		if n.uids[i] < first {
			skip, _ := slices.BinarySearch(n.uids[i:], first)
			i += skip
		}
		for ; i < len(n.uids) && n.uids[i] <= last; i++ {
			n = b.own(n)
			n.copyData()
			n.newest = max(n.newest, m)
			n.marks = n.marks.plus(marksOf(f)).minus(marksOf(n.flags[i]))
			n.flags[i], n.modseqs[i] = f, m
		}
		if i == len(n.uids) {
			break
		}
		uids = uids[1:]
	}
	return n, uids
}

// remove takes a row out and returns it; false when there is no such row.
func (b *builder) remove(u mail.UID) (mail.Row, bool) {
	leaf, i := b.root.find(u)
	if leaf == nil {
		return mail.Row{}, false
	}
	row := leaf.row(i)
	b.root = b.removeIn(b.root, u)
	for b.root != nil && !b.root.leaf() && len(b.root.kids) == 1 {
		b.root = b.root.kids[0]
	}
	return row, true
}

// removeIn returns n without the row, nil when nothing is left of it.
func (b *builder) removeIn(n *node, u mail.UID) *node {
	if n.count == 1 {
		return nil
	}
	n = b.own(n)
	if n.leaf() {
		i, _ := slices.BinarySearch(n.uids, u)
		n.copyRows()
		n.copyData()
		n.marks = n.marks.minus(marksOf(n.flags[i]))
		n.uids = slices.Delete(n.uids, i, i+1)
		n.fixed = slices.Delete(n.fixed, i, i+1)
		n.flags = slices.Delete(n.flags, i, i+1)
		n.modseqs = slices.Delete(n.modseqs, i, i+1)
		n.count--
		return n
	}
	k := n.kidFor(u)
	before := n.kids[k].marks
	kid := b.removeIn(n.kids[k], u)
	if kid == nil {
		n.dropKid(k)
		return n
	}
	n.setKid(k, kid, before)
	b.merge(n, k)
	return n
}

func (n *node) dropKid(k int) {
	n.copyCounts()
	n.count -= n.counts[k]
	n.marks = n.marks.minus(n.kids[k].marks)
	n.kids = slices.Delete(n.kids, k, k+1)
	n.counts = slices.Delete(n.counts, k, k+1)
	n.firsts = slices.Delete(n.firsts, k, k+1)
}

// merge joins kid k with a neighbour when both have become small, so that a
// mailbox that was once large does not stay a large tree.
func (b *builder) merge(n *node, k int) {
	if !n.kids[k].small() || len(n.kids) == 1 {
		return
	}
	if k == len(n.kids)-1 {
		k--
	}
	left, right := n.kids[k], n.kids[k+1]
	if left.size()+right.size() > left.sizeMax()/2 {
		return
	}
	before := left.marks
	left = b.own(left)
	left.takeOver(right)
	n.dropKid(k + 1)
	n.setKid(k, left, before)
}

func (n *node) small() bool {
	if n.leaf() {
		return len(n.uids) < leafRowsMin
	}
	return len(n.kids) < fanOutMin
}

func (n *node) size() int {
	if n.leaf() {
		return len(n.uids)
	}
	return len(n.kids)
}

func (n *node) sizeMax() int {
	if n.leaf() {
		return leafRowsMax
	}
	return fanOutMax
}

// takeOver appends all that a right neighbour of the same height has.
func (n *node) takeOver(right *node) {
	if !n.leaf() {
		for _, kid := range right.kids {
			n.addKid(kid)
		}
		return
	}
	n.copyRows()
	n.copyData()
	for i := range right.uids {
		n.appendRow(right.row(i))
	}
}
