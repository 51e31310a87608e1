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

// RunMax is how many messages a Run can have.
const RunMax = leafRowsMax

// Run is messages that follow each other, none of them a ghost. What it refers to must not
// be changed.
type Run struct {
	First   uint32 // number of the first
	UIDs    []mail.UID
	Flags   []mail.Flags
	ModSeqs []mail.ModSeq
	Fixed   []mail.Fixed
}

// EachRun calls f for the messages with these numbers, many at a time. It can only do so
// when the client counts exactly what is there; else it returns false. Ranges are as for Each.
func (v *View) EachRun(seqs []mail.Range, f func(*Run)) bool {
	if v.numbering != v.head.root {
		return false
	}
	w := walks.Get().(*walk)
	defer w.end()
	c := &w.numbering
	var run Run
	for _, r := range seqs {
		c.seek(v.numbering, r.First-1)
		for n := r.First; n <= r.Last && n != 0 && c.row(); {
			from := c.i
			to := min(len(c.leaf.uids), from+int(r.Last-n)+1)
			run = Run{n, c.leaf.uids[from:to], c.leaf.flags[from:to], c.leaf.modseqs[from:to], c.leaf.fixed[from:to]}
			f(&run)
			n += uint32(to - from)
			c.step()
		}
	}
	return true
}

// RecentUIDs are those that are \Recent in this session, and others. They must not be changed.
func (v *View) RecentUIDs() mail.UIDSet { return v.recent }

// Seqs returns the numbers of the messages with these UIDs.
func (v *View) Seqs(uids mail.UIDSet) []mail.Range {
	var seqs mail.UIDSet
	for _, r := range uids {
		first, end := v.numbering.rank(mail.UID(r.First)), v.numbering.rank(mail.UID(r.Last))
		if leaf, _ := v.numbering.find(mail.UID(r.Last)); leaf != nil {
			end++
		}
		if first < end {
			seqs = append(seqs, mail.Range{First: first + 1, Last: end})
		}
	}
	return seqs
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
		w.head.seekUID(v.head.root, w.numbering.uid())
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
