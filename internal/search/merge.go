package search

import (
	"context"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// merging makes one segment of neighbours, without the messages that are not there any
// more.
type merging struct {
	ctx  context.Context
	from reader
	in   []*segment
	live []*roaring.Bitmap // of each, the ordinals that are still there; nil: all
}

// write writes the new segment.
func (m *merging) write(id uint64, put func(partID, []byte) error) (segmentInfo, error) {
	first, last := m.in[0], m.in[len(m.in)-1]
	span := int(last.lo-first.lo) + last.span
	live := 0
	for i, s := range m.in {
		if m.live[i] != nil {
			live += int(m.live[i].GetCardinality())
		} else {
			live += s.live
		}
	}
	w := newSegmentWriter(id, first.lo, span, live, put)
	for i, s := range m.in {
		m.copySet(w.open, s.open, i)
		m.copySet(w.subjects, s.subjects, i)
	}
	for i := range w.tables {
		if err := m.table(w, i); err != nil {
			return segmentInfo{}, err
		}
	}
	for c := range column(columns) {
		if err := m.column(w, c); err != nil {
			return segmentInfo{}, err
		}
	}
	err := w.finish()
	return segmentInfo{id: id, lo: first.lo, span: int64(span), live: int64(live), bytes: w.bytes}, err
}

func (m *merging) offset(i int) uint32 { return uint32(m.in[i].lo - m.in[0].lo) }

func (m *merging) copySet(to, from *roaring.Bitmap, i int) {
	if m.live[i] != nil {
		from = roaring.And(from, m.live[i])
	}
	to.Or(roaring.AddOffset(from, m.offset(i)))
}

// tableReader reads a table from its beginning to its end.
type tableReader struct {
	m     *merging
	s     *segment
	table int
	n     int // the next block
	block blockReader
	entry entry
	done  bool
}

func (r *tableReader) next() error {
	for !r.block.next(&r.entry) {
		if r.block.bad {
			return errDamaged
		}
		if r.done = r.n == len(r.s.tables[r.table]); r.done {
			return nil
		}
		b, err := r.m.from.part(r.m.ctx, partID{r.s.id, tableKinds[r.table], r.n})
		if err != nil {
			return err
		}
		r.block = newBlockReader(b, r.s.tables[r.table][r.n], r.s.span)
		r.n++
	}
	return nil
}

// table merges the tables of a kind: always the least trigram that is next anywhere.
func (m *merging) table(w *segmentWriter, table int) error {
	readers := make([]*tableReader, len(m.in))
	for i, s := range m.in {
		readers[i] = &tableReader{m: m, s: s, table: table}
		if err := readers[i].next(); err != nil {
			return err
		}
	}
	out := w.table(table)
	var all, room []uint32
	for {
		gram, more := least(readers)
		if !more {
			return w.endTable(table, out)
		}
		all = all[:0]
		for i, r := range readers {
			if r.done || r.entry.gram != gram {
				continue
			}
			var err error
			if room, err = m.ordinals(room[:0], r, i); err != nil {
				return err
			}
			for _, o := range room {
				all = append(all, o+m.offset(i))
			}
			if err := r.next(); err != nil {
				return err
			}
		}
		if len(all) > 0 {
			if err := out.add(gram, all); err != nil {
				return err
			}
		}
	}
}

func least(readers []*tableReader) (gram uint32, more bool) {
	for _, r := range readers {
		if !r.done && (!more || r.entry.gram < gram) {
			gram, more = r.entry.gram, true
		}
	}
	return gram, more
}

// ordinals appends the living ordinals of an entry. Where most have the trigram, all do.
func (m *merging) ordinals(dst []uint32, r *tableReader, i int) ([]uint32, error) {
	live := m.live[i]
	if r.entry.count == 0 {
		if live != nil {
			return live.ToArray(), nil
		}
		for o := range uint32(r.s.span) {
			dst = append(dst, o)
		}
		return dst, nil
	}
	dst, ok := r.entry.ordinals(dst, r.s.span)
	if !ok {
		return dst, errDamaged
	}
	if live != nil {
		dst = slices.DeleteFunc(dst, func(o uint32) bool { return !live.Contains(o) })
	}
	return dst, nil
}

// column copies a column. Of a message that is gone, the values go.
func (m *merging) column(w *segmentWriter, c column) error {
	out := w.column(c)
	for i, s := range m.in {
		if s.id == 0 {
			for range s.span {
				if err := out.add(value{}); err != nil {
					return err
				}
			}
		}
		for n := range s.chunks[c] {
			chunk, err := m.from.chunk(m.ctx, s, c, n)
			if err != nil {
				return err
			}
			err = chunk.each(func(o uint32, v value) error {
				if m.live[i] != nil && !m.live[i].Contains(o) {
					v = value{}
				}
				return out.add(v)
			})
			if err != nil {
				return err
			}
		}
	}
	return w.endColumn(c, out)
}
