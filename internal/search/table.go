package search

import (
	"encoding/binary"
	"slices"
)

// A table has the postings of one kind of text, by trigram, in blocks. Of a trigram that
// more than half of a segment's messages have, it only says so.

// blockBytes is the size from which on a block is complete.
const blockBytes = 16 << 10

// putPart stores a part of the segment that is being written.
type putPart func(kind partKind, n int, value []byte) error

// tableWriter writes a table.
type tableWriter struct {
	kind       partKind
	put        putPart
	span, live int

	block  []byte
	last   uint32   // the last trigram in it
	firsts []uint32 // the first trigram of every block
	room   []byte
}

// add takes the next trigram's ordinals. Trigrams must ascend.
func (w *tableWriter) add(gram uint32, ordinals []uint32) error {
	if len(w.block) == 0 {
		w.firsts = append(w.firsts, gram)
		w.last = gram
	}
	w.block = binary.AppendUvarint(w.block, uint64(gram-w.last))
	w.last = gram
	switch {
	case 2*len(ordinals) > w.live && len(ordinals) > 1:
		w.block = append(w.block, 0)
	case len(ordinals) == 1:
		w.block = append(w.block, 1)
		w.block = binary.AppendUvarint(w.block, uint64(ordinals[0]))
	default:
		w.room = appendPosting(w.room[:0], ordinals, w.span)
		w.block = binary.AppendUvarint(w.block, uint64(len(ordinals)))
		w.block = binary.AppendUvarint(w.block, uint64(len(w.room)))
		w.block = append(w.block, w.room...)
	}
	if len(w.block) < blockBytes {
		return nil
	}
	return w.flush()
}

func (w *tableWriter) flush() error {
	if len(w.block) == 0 {
		return nil
	}
	err := w.put(w.kind, len(w.firsts)-1, w.block)
	w.block = w.block[:0]
	return err
}

// entry is what a table says of a trigram.
type entry struct {
	gram  uint32
	count int    // 0: most messages have it
	code  []byte // the posting; of a single ordinal nil
	only  uint32 // the single ordinal
}

// blockReader reads the entries of a block.
type blockReader struct {
	fields
	gram uint32
	span int
}

func newBlockReader(block []byte, first uint32, span int) blockReader {
	return blockReader{fields: fields{b: block}, gram: first, span: span}
}

// next reads an entry, false at the end or where the block is damaged.
func (r *blockReader) next(e *entry) bool {
	if len(r.b) == 0 {
		return false
	}
	r.gram += uint32(r.uint())
	*e = entry{gram: r.gram, count: int(r.uint())}
	switch {
	case e.count == 1:
		e.only = uint32(r.uint())
		r.bad = r.bad || e.only >= uint32(r.span)
	case e.count > 1:
		e.code = r.bytes(r.uint())
		r.bad = r.bad || e.count > r.span
	}
	return !r.bad
}

// ordinals appends the ordinals of an entry that has some.
func (e *entry) ordinals(dst []uint32, span int) ([]uint32, bool) {
	if e.count == 1 {
		return append(dst, e.only), true
	}
	return readPosting(dst, e.code, e.count, span)
}

// blockOf is the block in which a trigram is, if it is anywhere; -1: nowhere.
func blockOf(firsts []uint32, gram uint32) int {
	i, found := slices.BinarySearch(firsts, gram)
	if !found {
		i--
	}
	return i
}
