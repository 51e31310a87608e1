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
	row, block   bool // they stand on the next one
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

func (l *loading) reader() (r *rowReader, err error) {
	r = &rowReader{loading: l}
	if r.rows, err = l.it.Clone(pebble.CloneOptions{}); err != nil {
		return nil, readError(err)
	}
	if r.blocks, err = l.it.Clone(pebble.CloneOptions{}); err != nil {
		r.rows.Close()
		return nil, readError(err)
	}
	return r, nil
}

func (r *rowReader) close() {
	r.loading.seen.add(&r.seen)
	r.rows.Close()
	r.blocks.Close()
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

// next reads the next row of the part; false at its end, or with err.
func (r *rowReader) next(row *mail.Row) bool {
	for r.first(row) {
		uid := uint32(row.UID)
		for len(r.dead) > 0 && r.dead[0].Last < uid {
			r.dead = r.dead[1:]
		}
		if len(r.dead) > 0 && r.dead[0].First <= uid {
			continue
		}
		r.seen.living++
		run := r.newer.at(uid)
		if run == nil {
			if run, r.err = r.blockRun(uid); r.err != nil {
				return false
			}
		}
		if run != nil && run.modSeq >= row.ModSeq {
			row.Flags, row.ModSeq = run.flags, run.modSeq
		}
		return true
	}
	return false
}

// first reads the next row as it was when it came, whether it is gone or not.
func (r *rowReader) first(row *mail.Row) bool {
	for !r.page.next(row) {
		if r.row {
			return r.read(row)
		}
		if !r.turn() {
			return false
		}
	}
	return true
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
		r.page.open(r.pages[0].value)
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
	return true
}

// read reads the row that the iterator stands on.
func (r *rowReader) read(row *mail.Row) bool {
	value, err := r.rows.ValueAndErr()
	if r.err = readError(err); r.err != nil {
		return false
	}
	uid := lastU32(r.rows.Key())
	if *row, r.err = decodeRow(mail.UID(uid), value); r.err != nil {
		return false
	}
	r.seen.row(r.loading, uid)
	r.row = r.rows.Next()
	return true
}

// blockRun finds the run of a block that names the UID, or nil.
func (r *rowReader) blockRun(uid uint32) (*flagRun, error) {
	for {
		if run := r.older.at(uid); run != nil || len(r.older) > 0 {
			return run, nil
		}
		if !r.block {
			return nil, readError(r.blocks.Error())
		}
		number := lastU32(r.blocks.Key())
		if number > uid/blockUIDs {
			return nil, nil
		}
		value, err := r.blocks.ValueAndErr()
		if err != nil {
			return nil, readError(err)
		}
		if r.room, err = decodeBlock(r.room[:0], number*blockUIDs, value); err != nil {
			return nil, err
		}
		r.older = r.room
		r.block = r.blocks.Next()
	}
}
