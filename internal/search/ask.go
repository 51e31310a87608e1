package search

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/RoaringBitmap/roaring/v2"
)

// column answers a key from a column.
func (p *planning) column(c column, needle []byte) (sets, error) {
	found, open := roaring.New(), roaring.New()
	for n := range p.segment.chunks[c] {
		chunk, err := p.from.chunk(p.ctx, p.segment, c, n)
		if err != nil {
			return sets{}, err
		}
		chunk.find(needle, found, open)
	}
	return sets{found, found}.doubt(open), nil
}

// days answers a key from the column of days.
func (p *planning) days(test func(Day) bool) (sets, error) {
	found, open := roaring.New(), roaring.New()
	for n := range p.segment.chunks[columnSent] {
		chunk, err := p.from.chunk(p.ctx, p.segment, columnSent, n)
		if err != nil {
			return sets{}, err
		}
		open.AddMany(chunk.open)
		err = chunk.each(func(o uint32, v value) error {
			day, err := strconv.ParseInt(string(v.text), 10, 64)
			if err == nil && test(Day(day)) {
				found.Add(o)
			}
			return nil
		})
		if err != nil {
			return sets{}, err
		}
	}
	return sets{found, found}.doubt(open), nil
}

// text answers which messages may have a text in a table.
func (p *planning) text(table int, needle []byte) (s sets, err error) {
	g := gramsOf(needle)
	switch {
	case len(g.all) > 0:
		s.may, err = p.allOf(table, g.all)
	case g.end > g.first:
		s.may, err = p.anyOf(table, g.first, g.end)
	}
	return s.doubt(p.segment.open), err
}

// Intersecting goes on as long as it costs less than it saves: opening a message takes
// about as long as reading so many ordinals.
const ordinalsPerOpen = 10_000

// allOf returns the messages that have all trigrams, the rarest first. nil: all messages.
func (p *planning) allOf(table int, all []uint32) (*roaring.Bitmap, error) {
	entries := make([]entry, 0, len(all))
	for _, gram := range all {
		e, ok, err := p.find(table, gram)
		switch {
		case err != nil:
			return nil, err
		case !ok:
			return roaring.New(), nil
		case e.count > 0:
			entries = append(entries, e)
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.count, b.count) })
	var set *roaring.Bitmap
	var room []uint32
	for i := range entries {
		e := &entries[i]
		if set != nil {
			left := int(set.GetCardinality())
			if saved := left * (p.segment.live - e.count) / max(1, p.segment.live); left == 0 || e.count > ordinalsPerOpen*saved {
				break
			}
		}
		next, r, err := e.set(p.segment.span, room)
		if err != nil {
			return nil, err
		}
		if room = r; set == nil {
			set = next
		} else {
			set.And(next)
		}
	}
	return set, nil
}

// anyOf returns the messages that have any trigram from first to before end.
func (p *planning) anyOf(table int, first, end uint32) (*roaring.Bitmap, error) {
	firsts := p.segment.tables[table]
	set := roaring.New()
	var room []uint32
	for n := max(0, blockOf(firsts, first)); n < len(firsts) && firsts[n] < end; n++ {
		block, err := p.from.part(p.ctx, partID{p.segment.id, tableKinds[table], n})
		if err != nil {
			return nil, err
		}
		r := newBlockReader(block, firsts[n], p.segment.span)
		var e entry
		for r.next(&e) && e.gram < end {
			if e.gram < first {
				continue
			}
			if e.count == 0 {
				return nil, nil
			}
			next, r, err := e.set(p.segment.span, room)
			if err != nil {
				return nil, err
			}
			room = r
			set.Or(next)
		}
		if r.bad {
			return nil, errDamaged
		}
	}
	return set, nil
}

// set reads an entry's ordinals as a set.
func (e *entry) set(span int, room []uint32) (*roaring.Bitmap, []uint32, error) {
	if e.count == 1 {
		return roaring.BitmapOf(e.only), room, nil
	}
	set, room, ok := postingSet(e.code, e.count, span, room)
	if !ok {
		return nil, room, errDamaged
	}
	return set, room, nil
}

// find finds the entry of a trigram.
func (p *planning) find(table int, gram uint32) (e entry, ok bool, err error) {
	firsts := p.segment.tables[table]
	n := blockOf(firsts, gram)
	if n < 0 {
		return e, false, nil
	}
	block, err := p.from.part(p.ctx, partID{p.segment.id, tableKinds[table], n})
	if err != nil {
		return e, false, err
	}
	r := newBlockReader(block, firsts[n], p.segment.span)
	for r.next(&e) && e.gram <= gram {
		if e.gram == gram {
			return e, true, nil
		}
	}
	if r.bad {
		err = errDamaged
	}
	return e, false, err
}
