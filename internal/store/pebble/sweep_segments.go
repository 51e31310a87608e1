package pebble

import (
	"github.com/cockroachdb/pebble/v2"

	"postfach/internal/blob"
	"postfach/internal/mail"
)

// liveRecord is a record of a segment that a message refers to.
type liveRecord struct {
	account mail.AccountID
	message mail.MessageID
	ref     mail.Ref
}

// segments deletes the files in which nothing is alive, and copies what is alive out of
// those that are mostly dead. What no message refers to is dead: uploads that were
// dropped or never committed need no other trace.
func (w *sweeper) segments() error {
	for g, err := range w.e.store.segments.Sweepable(w.ctx, w.e.store.env.Now()) {
		if err != nil {
			return err
		}
		if err := w.ctx.Err(); err != nil {
			return mail.Wrap(mail.Busy, err)
		}
		live, bytes, err := w.live(g.Number)
		if err != nil {
			return err
		}
		if len(live) > 0 && bytes > g.Bytes/2 {
			continue
		}
		if len(live) > 0 {
			err = w.move(live)
			if mail.Is(err, mail.Corrupt) {
				w.e.store.env.Log.Error("a segment cannot be rewritten", "segment", g.Number, "err", err)
				continue
			}
		}
		if err == nil {
			err = w.remove(g, bytes)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *sweeper) live(segment uint64) (live []liveRecord, bytes int64, err error) {
	it, err := w.e.db.NewIter(nil)
	if err != nil {
		return nil, 0, readError(err)
	}
	defer it.Close()
	err = scan(it, newKey(keyRecord).u64(segment), func(k, v []byte) error {
		id, message, length, err := decodeRecord(v)
		bytes += length
		live = append(live, liveRecord{id, message, mail.Ref{Segment: segment, Offset: int64(lastU64(k)), Length: length}})
		return err
	})
	return live, bytes, err
}

// move copies records to another segment and, when they are durable there, makes their
// messages refer to the copies, all in one batch.
func (w *sweeper) move(live []liveRecord) error {
	move, err := w.e.store.segments.BeginMove(w.ctx)
	if err != nil {
		return err
	}
	defer move.Release()
	refs := make([]mail.Ref, len(live))
	for i, r := range live {
		if refs[i], err = move.Copy(w.ctx, r.account, r.ref); err != nil {
			return err
		}
	}
	if err := move.Finish(w.ctx); err != nil {
		return err
	}
	b := w.e.db.NewBatch()
	for i, r := range live {
		if err := w.refer(b, r, refs[i]); err != nil {
			b.Close()
			return err
		}
	}
	_, err = w.e.write(b)
	return err
}

// refer gives a message its new reference. Only the sweeper ever changes or deletes a
// message's record, so that no lock is needed.
func (w *sweeper) refer(b *pebble.Batch, r liveRecord, to mail.Ref) error {
	k := accountKey(keyMessage, r.account).message(r.message)
	found, err := w.e.read(k, func(value []byte) error {
		m, err := decodeMessage(r.message, value)
		if err != nil {
			return err
		}
		m.Body = to
		return b.Set(k, messageValue(nil, m), nil)
	})
	if err != nil {
		return err
	}
	b.Delete(recordKey(r.ref), nil)
	if !found {
		return nil
	}
	return b.Set(recordKey(to), recordValue(r.account, r.message, to.Length), nil)
}

// remove deletes a segment's file when it is durable that nobody refers to it.
func (w *sweeper) remove(g blob.Segment, live int64) error {
	if err := w.e.sync.Sync(w.ctx, w.e.sync.committed.Load()); err != nil {
		return err
	}
	if err := w.e.store.segments.Remove(w.ctx, g.Number); err != nil {
		return err
	}
	w.swept.Segments++
	w.swept.Bytes += g.Bytes - live
	return nil
}
