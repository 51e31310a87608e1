package postgres

import (
	"postfach/internal/blob"
	"postfach/internal/mail"
)

// segmentsPage is how many segments are looked up at once.
const segmentsPage = 500

// segments deletes the segments of an external store in which nothing is alive, and copies what
// is alive out of those that are mostly dead. w is of the first shard; messages of all of them
// refer to segments.
func (w *sweeper) segments(shards []*shard) error {
	var page []blob.Segment
	for g, err := range w.s.bodies.Sweepable(w.ctx, w.s.env.Now()) {
		if err != nil {
			return err
		}
		if page = append(page, g); len(page) == segmentsPage {
			if err := w.segmentsOf(shards, page); err != nil {
				return err
			}
			page = page[:0]
		}
	}
	return w.segmentsOf(shards, page)
}

func (w *sweeper) segmentsOf(shards []*shard, page []blob.Segment) error {
	if len(page) == 0 {
		return nil
	}
	alive, err := w.alive(shards, page)
	if err != nil {
		return err
	}
	for _, g := range page {
		bytes, some := alive[g.Number]
		if some && bytes > g.Bytes/2 {
			continue
		}
		if some {
			if err = w.move(shards, g.Number); mail.Is(err, mail.Corrupt) {
				w.s.env.Log.Error("a segment cannot be rewritten", "segment", g.Number, "err", err)
				continue
			}
			left := map[uint64]int64{}
			if err == nil {
				left, err = w.alive(shards, []blob.Segment{g})
			}
			if len(left) > 0 {
				continue // somebody is faster
			}
		}
		if err == nil {
			err = w.s.bodies.Remove(w.ctx, g.Number)
		}
		if err != nil {
			return err
		}
		w.swept.Segments++
		w.swept.Bytes += g.Bytes - bytes
	}
	return nil
}

// alive tells which of these segments are referred to, and by how many bytes.
func (w *sweeper) alive(shards []*shard, page []blob.Segment) (map[uint64]int64, error) {
	numbers := make([]int64, len(page))
	for i, g := range page {
		numbers[i] = int64(g.Number)
	}
	alive := map[uint64]int64{}
	for _, h := range shards {
		list, err := w.on(h).ints(`SELECT segment, sum(segment_length)::bigint FROM messages
			WHERE segment = ANY($1) AND segment <> 0 GROUP BY segment`, numbers)
		if err != nil {
			return nil, err
		}
		for _, l := range list {
			alive[uint64(l[0])] += l[1]
		}
	}
	return alive, nil
}

// on is the same sweep on another shard.
func (w *sweeper) on(h *shard) *sweeper {
	other := *w
	other.h = h
	return &other
}

// moves are the records of an account that are copied out of a segment.
type moves struct {
	h                             *shard
	account                       int64
	message, offset, length       []int64
	toSegment, toOffset, toLength []int64
}

// move copies the live records of a segment elsewhere and, when they are durable there, makes
// their messages refer to the copies.
func (w *sweeper) move(shards []*shard, segment uint64) error {
	all, err := w.live(shards, segment)
	if err != nil {
		return err
	}
	to, err := w.s.bodies.BeginMove(w.ctx)
	if err != nil {
		return err
	}
	defer to.Release()
	for _, m := range all {
		for i := range m.message {
			ref := mail.Ref{Segment: segment, Offset: m.offset[i], Length: m.length[i]}
			if ref, err = to.Copy(w.ctx, mail.AccountID(m.account), ref); err != nil {
				return err
			}
			m.toSegment, m.toOffset = append(m.toSegment, int64(ref.Segment)), append(m.toOffset, ref.Offset)
			m.toLength = append(m.toLength, ref.Length)
		}
	}
	if err := to.Finish(w.ctx); err != nil {
		return err
	}
	for _, m := range all {
		_, err := w.on(m.h).exec(`UPDATE messages m SET segment = p.segment, segment_offset = p.segment_offset, segment_length = p.segment_length
			FROM unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
				AS p (message, old_offset, segment, segment_offset, segment_length)
			WHERE m.account = $1 AND m.message = p.message AND m.segment = $2 AND m.segment_offset = p.old_offset`,
			m.account, int64(segment), m.message, m.offset, m.toSegment, m.toOffset, m.toLength)
		if err != nil {
			return err
		}
		w.s.cache.drop(mail.AccountID(m.account))
	}
	return nil
}

// live lists the records of a segment that messages refer to.
func (w *sweeper) live(shards []*shard, segment uint64) (all []*moves, err error) {
	for _, h := range shards {
		list, err := w.on(h).ints(`SELECT account, message, segment_offset, segment_length FROM messages
			WHERE segment = $1 AND segment <> 0 ORDER BY account, segment_offset`, int64(segment))
		if err != nil {
			return nil, err
		}
		var m *moves
		for _, l := range list {
			if m == nil || m.account != l[0] {
				m = &moves{h: h, account: l[0]}
				all = append(all, m)
			}
			m.message, m.offset, m.length = append(m.message, l[1]), append(m.offset, l[2]), append(m.length, l[3])
		}
	}
	return all, nil
}
