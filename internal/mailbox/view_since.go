package mailbox

import (
	"context"

	"postfach/internal/mail"
)

// EachNewer calls f for the messages with these UIDs that have changed after a
// modification sequence, ascending, until f returns false. Its cost follows how many have
// changed, not how many there are.
func (v *View) EachNewer(uids mail.UIDSet, since mail.ModSeq, f func(*Row) bool) {
	if v.numbering != v.head.root {
		v.EachUID(uids, func(r *Row) bool { return r.ModSeq <= since || f(r) })
		return
	}
	on := true
	eachNewer(v.head.root, since, func(leaf *node, i int) {
		if u := leaf.uids[i]; on && uids.Contains(u) {
			on = f(&Row{
				Seq: v.numbering.rank(u) + 1, UID: u, Flags: leaf.flags[i], ModSeq: leaf.modseqs[i],
				Fixed: &leaf.fixed[i], Recent: v.recent.Contains(u),
			})
		}
	})
}

// Vanished returns those of the UIDs that were expunged after a modification sequence,
// messages that the client still counts left out; where the store no longer knows exactly,
// more than were expunged then, but none that is there.
func (v *View) Vanished(ctx context.Context, since mail.ModSeq, uids mail.UIDSet) (mail.UIDSet, error) {
	if since >= v.head.state.HighestModSeq {
		return nil, nil // the usual case: what was expunged later is told as news
	}
	gone, err := v.account.engine.store.Vanished(ctx, v.account.ID, v.mailbox.ID, since)
	if err != nil {
		return nil, err
	}
	// The store may be ahead of the head: what came after it is told as news.
	if v.toldNext <= 1 {
		return nil, nil
	}
	known := mail.UIDSet{{First: 1, Last: uint32(v.toldNext - 1)}}
	return v.without(gone.Intersect(uids).Intersect(known)), nil
}

// without takes the UIDs that the client counts out of a set.
func (v *View) without(uids mail.UIDSet) (rest mail.UIDSet) {
	var c cursor
	for _, r := range uids {
		first := r.First
		for c.seekUID(v.numbering, mail.UID(r.First)); c.row() && uint32(c.uid()) <= r.Last; c.next() {
			if u := uint32(c.uid()); u > first {
				rest = append(rest, mail.Range{First: first, Last: u - 1})
			}
			first = uint32(c.uid()) + 1
		}
		if first <= r.Last && first != 0 {
			rest = append(rest, mail.Range{First: first, Last: r.Last})
		}
	}
	return rest
}

// UID returns the UID of the message with a number, 0 when there is none.
func (v *View) UID(seq uint32) (u mail.UID) {
	if seq == 0 || seq > v.Exists() {
		return 0
	}
	var c cursor
	c.seek(v.numbering, seq-1)
	return c.uid()
}
