package pebble

import (
	"sort"

	"github.com/cockroachdb/pebble/v2"

	"postfach/internal/mail"
)

// rowReader reads one part of a mailbox after the other.
type rowReader struct {
	*loading
	rows, blocks *pebble.Iterator
	kept         *pebble.Iterator // pages
	row, block   bool             // they stand on the next one
	err          error
	seen         seenRows

	// What is left of the part: the page under way, pages, UIDs.
	page       page
	pages      []keptPage
	from, last uint64

	// What is left of the loading's log and tombstones, and of the last block.
	newer, older runs
	dead         mail.UIDSet
	room         runs
}

func (l *loading) reader() (*rowReader, error) {
	r := &rowReader{loading: l}
	for _, it := range []**pebble.Iterator{&r.rows, &r.blocks, &r.kept} {
		var err error
		if *it, err = l.it.Clone(pebble.CloneOptions{}); err != nil {
			r.close()
			return nil, readError(err)
		}
	}
	prefix := pagesKey(l.id)
	r.kept.SetBounds(prefix, prefix.after())
	return r, nil
}

func (r *rowReader) close() {
	r.loading.seen.add(&r.seen)
	for _, it := range []*pebble.Iterator{r.rows, r.blocks, r.kept} {
		if it != nil {
			it.Close()
		}
	}
}

// bound places an iterator on the first key of a type, of a mailbox, from one number to another.
func bound(it *pebble.Iterator, kind byte, id mailboxID, first, last uint32) bool {
	prefix := mailboxKey(kind, id.account, id.mailbox)
	it.SetBounds(append(key(nil), prefix...).u32(first), append(key(nil), prefix...).u32(last).after())
	return it.First()
}

// seek begins with the part from one UID to another, which is the first of a block and of a page.
func (r *rowReader) seek(first, last uint32) {
	r.from, r.last = uint64(first), uint64(last)
	i := sort.Search(len(r.loading.pages), func(i int) bool { return r.loading.pages[i].first >= first })
	r.pages = r.loading.pages[i:]
	r.row = false
	r.block = bound(r.blocks, keyFlagBlock, r.id, first/blockUIDs, last/blockUIDs)
	r.newer, r.older = r.log.from(first), nil
	r.dead = goneFrom(r.gone, first)
}

// goneFrom is what is gone of the UIDs from one on.
func goneFrom(gone mail.UIDSet, first uint32) mail.UIDSet {
	return gone[sort.Search(len(gone), func(i int) bool { return gone[i].Last >= first }):]
}

// fill reads the next rows of the part; none at its end, or with err. There must be room.
func (r *rowReader) fill(rows []mail.Row) (n int) {
	for n == 0 && r.err == nil {
		if n = r.first(rows); n == 0 {
			return 0
		}
		n = r.living(rows[:n])
		r.seen.living += int64(n)
		if n > 0 {
			r.err = r.flags(rows[:n])
		}
	}
	return n
}

// first reads the next rows as they were when they came, whether they are gone or not.
func (r *rowReader) first(rows []mail.Row) (n int) {
	for {
		if n = r.page.fill(rows); n > 0 {
			return n
		}
		for ; r.row && n < len(rows); n++ {
			if r.read(&rows[n]); r.err != nil {
				return 0
			}
		}
		if n > 0 || !r.turn() {
			return n
		}
	}
}

// turn goes on to a page, or to the rows before the next one.
func (r *rowReader) turn() bool {
	if r.err = readError(r.rows.Error()); r.err != nil {
		return false
	}
	r.seen.turn()
	switch {
	case r.from > r.last:
		return false
	case len(r.pages) > 0 && uint64(r.pages[0].first) == r.from:
		r.err = r.open(r.pages[0])
		r.from = uint64(r.pages[0].last) + 1
		r.pages = r.pages[1:]
	default:
		to := r.last
		if len(r.pages) > 0 {
			to = min(to, uint64(r.pages[0].first)-1)
		}
		r.row = bound(r.rows, keyRow, r.id, uint32(r.from), uint32(to))
		r.from = to + 1
	}
	return r.err == nil
}

// open begins with a page, which findPages has seen.
func (r *rowReader) open(p keptPage) error {
	found := r.kept.SeekGE(pageKey(r.id, p.number))
	if err := readError(r.kept.Error()); err != nil {
		return err
	}
	if !found || lastU32(r.kept.Key()) != p.number {
		return errDamaged
	}
	value, err := r.kept.ValueAndErr()
	if err != nil {
		return readError(err)
	}
	if !r.page.open(value) {
		return errDamaged
	}
	return nil
}

// read reads the row that the iterator stands on.
func (r *rowReader) read(row *mail.Row) {
	value, err := r.rows.ValueAndErr()
	if r.err = readError(err); r.err != nil {
		return
	}
	uid := lastU32(r.rows.Key())
	if *row, r.err = decodeRow(mail.UID(uid), value); r.err == nil {
		r.seen.row(r.loading, uid)
		r.row = r.rows.Next()
	}
}

// living takes out the rows that are gone.
func (r *rowReader) living(rows []mail.Row) (n int) {
	if len(r.dead) == 0 || r.dead[0].First > uint32(rows[len(rows)-1].UID) {
		return len(rows)
	}
	for i := range rows {
		uid := uint32(rows[i].UID)
		for len(r.dead) > 0 && r.dead[0].Last < uid {
			r.dead = r.dead[1:]
		}
		if len(r.dead) == 0 || r.dead[0].First > uid {
			rows[n] = rows[i]
			n++
		}
	}
	return n
}

// flags gives rows the flags that they have now.
func (r *rowReader) flags(rows []mail.Row) (err error) {
	last := uint32(rows[len(rows)-1].UID)
	for {
		if r.older = r.older.over(rows); len(r.older) > 0 || !r.block {
			break
		}
		number := lastU32(r.blocks.Key())
		if number > last/blockUIDs {
			break
		}
		value, err := r.blocks.ValueAndErr()
		if err != nil {
			return readError(err)
		}
		if r.room, err = decodeBlock(r.room[:0], number*blockUIDs, value); err != nil {
			return err
		}
		r.older = r.room
		r.block = r.blocks.Next()
	}
	r.newer = r.newer.over(rows)
	return readError(r.blocks.Error())
}
