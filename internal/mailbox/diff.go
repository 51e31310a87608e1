package mailbox

import "postfach/internal/mail"

// eachRemoved calls f for every row that is in the old tree and not in the new
// one, by ascending UID. Subtrees that both share are passed over, so the cost
// follows what changed.
func eachRemoved(before, after *node, f func(leaf *node, i int)) {
	if before == after {
		return
	}
	var o, n cursor
	o.start(before)
	n.start(after)
	for {
		on, nn := o.peek(), n.peek()
		switch {
		case on == nil:
			return
		case nn == nil:
			if o.row() {
				f(o.leaf, o.i)
				o.next()
			}
		case on == nn && o.i == n.i:
			o.skip()
			n.skip()
		case o.leaf != nil && n.leaf != nil:
			compareRows(&o, &n, f)
		case n.leaf != nil || o.leaf == nil && on.height() >= nn.height():
			o.descend()
		default:
			n.descend()
		}
	}
}

// compareRows compares the rows at which both cursors stand and moves on.
func compareRows(o, n *cursor, f func(leaf *node, i int)) {
	if o.i == 0 && n.i == 0 && sameUIDs(o.leaf.uids, n.leaf.uids) {
		o.skip()
		n.skip()
		return
	}
	switch ou, nu := o.uid(), n.uid(); {
	case ou == nu:
		o.next()
		n.next()
	case ou < nu:
		f(o.leaf, o.i)
		o.next()
	default:
		n.next()
	}
}

// sameUIDs tells cheaply that two leaves share their UIDs.
func sameUIDs(a, b []mail.UID) bool { return len(a) == len(b) && &a[0] == &b[0] }

// eachNewer calls f for every row whose modification sequence is above since, by
// ascending UID. Subtrees without such rows are passed over.
func eachNewer(root *node, since mail.ModSeq, f func(leaf *node, i int)) {
	if root == nil || root.newest <= since {
		return
	}
	if !root.leaf() {
		for _, kid := range root.kids {
			eachNewer(kid, since, f)
		}
		return
	}
	for i, m := range root.modseqs {
		if m > since {
			f(root, i)
		}
	}
}
