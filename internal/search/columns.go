package search

import (
	"math/bits"

	"postfach/internal/mail"
)

// ColumnsMax is how many rows Columns can have.
const ColumnsMax = 256

// Columns are rows beside each other, as a mailbox keeps them. A search that opens nothing
// looks at them together: that costs a small part of what one row after the other does.
type Columns struct {
	Seq     uint32 // number of the first
	UIDs    []mail.UID
	Flags   []mail.Flags
	ModSeqs []mail.ModSeq
	Fixed   []mail.Fixed
	Recent  mail.UIDSet // of these and others
}

// Bits says of each row of some columns whether it is meant.
type Bits [ColumnsMax / 64]uint64

// Runs yields the rows that are meant: the place of a first one, and how many follow each
// other from there.
func (b *Bits) Runs(yield func(at, n int) bool) {
	for w, word := range b {
		for at := w << 6; word != 0; {
			skip := bits.TrailingZeros64(word)
			n := bits.TrailingZeros64(^(word >> skip))
			if at += skip; !yield(at, n) {
				return
			}
			at += n
			word = word >> skip >> n
		}
	}
}

// columnKey is a key that needs only rows, and can test many at once.
type columnKey interface {
	// narrow takes those rows out of b that do not match.
	narrow(s *Search, c *Columns, b *Bits)
}

// Select tells which of the rows match, until it is called again. The search must be one that
// does not open messages.
func (s *Search) Select(c *Columns) *Bits {
	s.matching = Bits{}
	for i := range c.UIDs {
		s.matching[i>>6] |= 1 << (i & 63)
	}
	s.key.(columnKey).narrow(s, c, &s.matching)
	return &s.matching
}

func (allKey) narrow(*Search, *Columns, *Bits) {}

func (k rowKey) narrow(s *Search, c *Columns, b *Bits) {
	for w := range b {
		for left := b[w]; left != 0; left &= left - 1 {
			i := w<<6 + bits.TrailingZeros64(left)
			c.row(i, &s.room)
			if !k(&s.room) {
				b[w] &^= 1 << (i & 63)
			}
		}
	}
}

func (c *Columns) row(i int, r *Row) {
	r.Seq, r.UID, r.Flags, r.ModSeq, r.Fixed = c.Seq+uint32(i), c.UIDs[i], c.Flags[i], c.ModSeqs[i], &c.Fixed[i]
	r.Recent = len(c.Recent) > 0 && c.Recent.Contains(r.UID)
}

func (k flagKey) narrow(_ *Search, c *Columns, b *Bits) {
	for w := range b {
		var set uint64
		for i, f := range c.Flags[min(w<<6, len(c.Flags)):min((w+1)<<6, len(c.Flags))] {
			if f.Has(k.flag) {
				set |= 1 << (i & 63)
			}
		}
		if !k.set {
			set = ^set
		}
		b[w] &= set
	}
}

func (k listKey) narrow(s *Search, c *Columns, b *Bits) {
	if !k.decisive {
		for _, child := range k.keys {
			child.(columnKey).narrow(s, c, b)
		}
		return
	}
	var any Bits
	for _, child := range k.keys {
		one := *b
		child.(columnKey).narrow(s, c, &one)
		for w := range any {
			any[w] |= one[w]
			b[w] &^= one[w]
		}
	}
	*b = any
}

func (k notKey) narrow(s *Search, c *Columns, b *Bits) {
	not := *b
	k.key.(columnKey).narrow(s, c, &not)
	for w := range b {
		b[w] &^= not[w]
	}
}
