package mailbox

import (
	"slices"

	"postfach/internal/mail"
)

// marks counts rows that are looked for among all others, so that they are found without a
// look at these.
type marks struct {
	unseen  uint32 // without \Seen
	deleted uint32 // with \Deleted
}

func marksOf(f mail.Flags) (m marks) {
	if !f.Has(mail.Seen) {
		m.unseen = 1
	}
	if f.Has(mail.Deleted) {
		m.deleted = 1
	}
	return m
}

func (m marks) plus(o marks) marks  { return marks{m.unseen + o.unseen, m.deleted + o.deleted} }
func (m marks) minus(o marks) marks { return marks{m.unseen - o.unseen, m.deleted - o.deleted} }

// firstUnseen returns the UID of the first row without \Seen, 0 when there is none.
func (n *node) firstUnseen() mail.UID {
	if n == nil || n.marks.unseen == 0 {
		return 0
	}
	for !n.leaf() {
		n = n.kids[slices.IndexFunc(n.kids, func(kid *node) bool { return kid.marks.unseen > 0 })]
	}
	return n.uids[slices.IndexFunc(n.flags, func(f mail.Flags) bool { return !f.Has(mail.Seen) })]
}

// deleted appends the UIDs of the rows with \Deleted.
func (n *node) deleted(set mail.UIDSet) mail.UIDSet {
	if n == nil || n.marks.deleted == 0 {
		return set
	}
	for _, kid := range n.kids {
		set = kid.deleted(set)
	}
	for i, f := range n.flags {
		if f.Has(mail.Deleted) {
			set = set.Append(n.uids[i])
		}
	}
	return set
}
