package mailbox

import (
	"sync"

	"postfach/internal/mail"
)

// Row is a message as a session sees it.
type Row struct {
	Seq    uint32 // its number (RFC 9051 2.3.1.2)
	UID    mail.UID
	Flags  mail.Flags
	ModSeq mail.ModSeq
	Fixed  *mail.Fixed // never changes; must not be changed
	Recent bool
	Ghost  bool // expunged, and the client has not been told yet
}

// Each calls f for the messages with these numbers, ascending, ghosts included,
// until f returns false. Ranges must be ascending and lie within 1..Exists.
func (v *View) Each(seqs []mail.Range, f func(*Row) bool) {
	w := walks.Get().(*walk)
	defer w.end()
	for _, r := range seqs {
		w.seek(v, r.First-1)
		for n := r.First; n <= r.Last && n != 0; n++ {
			if !w.read(v) || !f(&w.row) {
				return
			}
			w.next()
		}
	}
}

// EachUID does the same for the messages with these UIDs; UIDs that the client
// does not count are passed over.
func (v *View) EachUID(uids mail.UIDSet, f func(*Row) bool) {
	w := walks.Get().(*walk)
	defer w.end()
	for _, r := range uids {
		w.seek(v, v.numbering.rank(mail.UID(r.First)))
		for w.numbering.row() && uint32(w.numbering.uid()) <= r.Last {
			if !w.read(v) || !f(&w.row) {
				return
			}
			w.next()
		}
	}
}

// UIDs returns the UIDs of the messages with these numbers that are still there,
// and how many are ghosts.
func (v *View) UIDs(seqs []mail.Range) (uids mail.UIDSet, ghosts int) {
	v.Each(seqs, func(r *Row) bool {
		if r.Ghost {
			ghosts++
		} else {
			uids = uids.Append(r.UID)
		}
		return true
	})
	return uids, ghosts
}

// Members returns the UIDs of the messages that the client counts and that are still there.
func (v *View) Members() mail.UIDSet {
	uids := v.numbering.uidSet(nil)
	if v.ghostCount > 0 {
		uids = uids.Subtract(v.ghosts)
	}
	return uids
}

// Seq returns the number of a message, false when the client does not count it.
func (v *View) Seq(u mail.UID) (uint32, bool) {
	if leaf, _ := v.numbering.find(u); leaf == nil {
		return 0, false
	}
	return v.numbering.rank(u) + 1, true
}

// walk goes over the numbering and finds each message's data in the head beside
// it: both ascend, so most steps cost nothing.
type walk struct {
	numbering, head cursor
	seq             uint32
	row             Row
}

// walks are kept for all views, so that reading a mailbox allocates nothing, and a view
// that waits has none.
var walks = sync.Pool{New: func() any { return new(walk) }}

func (w *walk) end() {
	*w = walk{}
	walks.Put(w)
}

func (w *walk) seek(v *View, rank uint32) {
	w.numbering.seek(v.numbering, rank)
	w.seq = rank
	if v.numbering == v.head.root {
		w.head.depth, w.head.leaf = 0, nil
		return
	}
	if w.numbering.row() {
		w.head.seek(v.head.root, v.head.root.rank(w.numbering.uid()))
	}
}

func (w *walk) next() {
	w.numbering.next()
	w.seq++
}

// read fills the row at which the walk stands, false at the end.
func (w *walk) read(v *View) bool {
	if !w.numbering.row() {
		return false
	}
	leaf, i := w.numbering.leaf, w.numbering.i
	ghost := false
	if v.numbering != v.head.root {
		for w.head.row() && w.head.uid() < leaf.uids[i] {
			w.head.next()
		}
		if w.head.row() && w.head.uid() == leaf.uids[i] {
			leaf, i = w.head.leaf, w.head.i
		} else {
			ghost = true
		}
	}
	w.row = Row{
		Seq: w.seq + 1, UID: leaf.uids[i], Flags: leaf.flags[i], ModSeq: leaf.modseqs[i], Fixed: &leaf.fixed[i],
		Recent: len(v.recent) > 0 && v.recent.Contains(leaf.uids[i]), Ghost: ghost,
	}
	return true
}
