package pebble

import (
	"context"

	"github.com/cockroachdb/pebble/v2"

	"postfach/internal/mail"
)

// sweepRows is how many rows one batch of the sweeper frees: commits of the account
// wait for it.
const sweepRows = 512

// sweeper is one Sweep.
type sweeper struct {
	mail.Sweep
	ctx   context.Context
	e     *epoch
	swept mail.Swept
}

// Sweep implements mail.Store. Everything is freed in small batches, each of which
// leaves the store complete.
func (s *Store) Sweep(ctx context.Context, sweep mail.Sweep) (mail.Swept, error) {
	s.sweeping.Lock()
	defer s.sweeping.Unlock()
	e, err := s.enter()
	if err != nil {
		return mail.Swept{}, err
	}
	defer e.leave()
	if sweep.Pinned == nil {
		sweep.Pinned = func(mail.AccountID, mail.MailboxID) mail.ModSeq { return ^mail.ModSeq(0) }
	}
	w := &sweeper{Sweep: sweep, ctx: ctx, e: e}
	for _, step := range []func() error{w.tombstones, w.mailboxes, w.accounts, w.arrived, w.outcomes, w.segments} {
		if err := step(); err != nil {
			return w.swept, err
		}
	}
	return w.swept, nil
}

// found is a record that says that something is to be freed.
type found struct {
	key    key
	modSeq mail.ModSeq
	uids   mail.UIDSet
}

func (f *found) mailbox() mailboxID {
	id, mailbox := mailboxOf(f.key)
	return mailboxID{id, mailbox}
}

// page reads some records of a type from a key on. It keeps no iterator open, so that
// a long sweep pins nothing. next is nil at the end.
func (w *sweeper) page(kind byte, from key, due func(k, v []byte) (*found, error)) (page []*found, next key, err error) {
	const recordsMax = 256
	if err := w.ctx.Err(); err != nil {
		return nil, nil, mail.Wrap(mail.Busy, err)
	}
	it, err := w.e.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: newKey(kind).after()})
	if err != nil {
		return nil, nil, readError(err)
	}
	defer it.Close()
	n := 0
	for ok := it.First(); ok; ok = it.Next() {
		if n++; n > recordsMax {
			return page, append(key(nil), it.Key()...), nil
		}
		f, err := due(it.Key(), it.Value())
		if err != nil {
			return nil, nil, err
		}
		if f != nil {
			f.key = append(f.key, it.Key()...)
			page = append(page, f)
		}
	}
	return page, nil, readError(it.Error())
}

// pages calls free for every record of a type that is due.
func (w *sweeper) pages(kind byte, due func(k, v []byte) (*found, error), free func(*found) error) error {
	for from := newKey(kind); from != nil; {
		page, next, err := w.page(kind, from, due)
		if err != nil {
			return err
		}
		for _, f := range page {
			if err := free(f); err != nil {
				return err
			}
		}
		from = next
	}
	return nil
}

// tombstones frees the rows of what was expunged.
func (w *sweeper) tombstones() error {
	due := func(k, v []byte) (*found, error) {
		at, uids, err := decodeTombstone(v)
		seq, _ := seqOf(k)
		if err != nil || at >= w.Before || seq > w.Pinned(mailboxOf(k)) {
			return nil, err
		}
		return &found{modSeq: seq, uids: uids}, nil
	}
	return w.pages(keyTombstone, due, func(f *found) error {
		if err := w.freeRows(f.mailbox(), f.uids); err != nil {
			return err
		}
		return w.drop(f, nil)
	})
}

// mailboxes frees what was in deleted mailboxes.
func (w *sweeper) mailboxes() error {
	due := func(k, v []byte) (*found, error) {
		value := values{b: v}
		at, seq := value.int(), mail.ModSeq(value.uint())
		if value.bad || at >= w.Before || seq > w.Pinned(mailboxOf(k)) {
			return nil, value.err()
		}
		return &found{modSeq: seq}, nil
	}
	return w.pages(keyDeletedMailbox, due, func(f *found) error {
		id := f.mailbox()
		if err := w.freeRows(id, mail.UIDSet{{First: 1, Last: uint32(mail.UIDMax)}}); err != nil {
			return err
		}
		return w.drop(f, func(b *pebble.Batch) {
			for _, kind := range perMailbox {
				prefix := mailboxKey(kind, id.account, id.mailbox)
				b.DeleteRange(prefix, prefix.after(), nil)
			}
			dropPages(b, id)
		})
	})
}

// drop deletes the record that said what to free, last of all.
func (w *sweeper) drop(f *found, also func(*pebble.Batch)) error {
	b := w.e.db.NewBatch()
	if also != nil {
		also(b)
	}
	b.Delete(f.key, nil)
	_, err := w.e.write(b)
	return err
}

// outcomes drops those of more than a day ago.
func (w *sweeper) outcomes() error {
	now := outcomeHour(w.Now)
	if now <= outcomeHours {
		return nil
	}
	from, to := newKey(keyOutcome), newKey(keyOutcome).u32(now-outcomeHours)
	it, err := w.e.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return readError(err)
	}
	any := it.First()
	if err := it.Close(); err != nil || !any {
		return readError(err)
	}
	b := w.e.db.NewBatch()
	b.DeleteRange(from, to, nil)
	_, err = w.e.write(b)
	return err
}
