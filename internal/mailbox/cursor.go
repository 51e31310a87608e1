package mailbox

import (
	"slices"

	"postfach/internal/mail"
)

// heightMax is enough for 2^32 rows at the least possible fan-out and more.
const heightMax = 24

// cursor walks over the rows of a tree by ascending UID, and over whole subtrees
// where nothing below them matters. It allocates nothing. The zero cursor is at
// the end.
type cursor struct {
	depth int
	path  [heightMax]struct {
		node *node
		kid  int
	}
	leaf *node // set while the cursor stands on a row
	i    int
}

// start places the cursor before the whole tree.
func (c *cursor) start(root *node) {
	c.depth, c.leaf = 0, nil
	if root.len() > 0 {
		c.push(root)
	}
}

// seek places the cursor on the row with a rank, or at the end.
func (c *cursor) seek(root *node, rank uint32) {
	c.depth, c.leaf = 0, nil
	if rank >= root.len() {
		return
	}
	n := root
	for !n.leaf() {
		k := 0
		for ; rank >= n.counts[k]; k++ {
			rank -= n.counts[k]
		}
		c.path[c.depth].node, c.path[c.depth].kid = n, k
		c.depth++
		n = n.kids[k]
	}
	c.leaf, c.i = n, int(rank)
}

// seekUID places the cursor on the first row that has a UID or a higher one, or at the end.
func (c *cursor) seekUID(root *node, u mail.UID) {
	c.depth, c.leaf = 0, nil
	if root.len() == 0 {
		return
	}
	n := root
	for !n.leaf() {
		k := n.kidFor(u)
		c.path[c.depth].node, c.path[c.depth].kid = n, k
		c.depth++
		n = n.kids[k]
	}
	i, _ := slices.BinarySearch(n.uids, u)
	if c.leaf, c.i = n, i; i == len(n.uids) {
		c.step()
	}
}

// push places the cursor before a subtree: on its first row when it is a leaf.
func (c *cursor) push(n *node) {
	if n.leaf() {
		c.leaf, c.i = n, 0
		return
	}
	c.path[c.depth].node, c.path[c.depth].kid = n, -1
	c.depth++
	c.leaf = nil
	c.step()
}

// step goes to the next kid of the innermost inner node, or up. Afterwards the
// cursor stands before a subtree (see peek).
func (c *cursor) step() {
	c.leaf, c.i = nil, 0
	for c.depth > 0 {
		top := &c.path[c.depth-1]
		if top.kid++; top.kid < len(top.node.kids) {
			if kid := top.node.kids[top.kid]; kid.leaf() {
				c.leaf, c.i = kid, 0
			}
			return
		}
		c.depth--
	}
}

// peek returns the subtree that begins where the cursor stands, nil at the end. In
// the middle of a leaf that is the leaf.
func (c *cursor) peek() *node {
	if c.leaf != nil {
		return c.leaf
	}
	if c.depth == 0 {
		return nil
	}
	top := &c.path[c.depth-1]
	return top.node.kids[top.kid]
}

// skip leaves the subtree that peek returned behind.
func (c *cursor) skip() { c.step() }

// descend enters the inner node that peek returned.
func (c *cursor) descend() { c.push(c.peek()) }

// row makes sure that the cursor stands on a row; false at the end.
func (c *cursor) row() bool {
	for c.leaf == nil {
		n := c.peek()
		if n == nil {
			return false
		}
		c.push(n)
	}
	return true
}

// next goes to the next row.
func (c *cursor) next() {
	if c.i++; c.i >= len(c.leaf.uids) {
		c.step()
	}
}

func (c *cursor) uid() mail.UID { return c.leaf.uids[c.i] }
